//! The power of the gate: which worsening of an arm would a check against a baseline find?

use crate::analysis::standard::POWER;
use crate::analysis::{Difference, student};

/// The smallest true worsening that the check finds with probability [`POWER`]: its mean has to be worse by more than
/// `allowed`, and the one-sided t test has to refuse at `level` that it is no worse. Holm's method grants at
/// least the level of all arms over their number, which is what `level` should be.
///
/// The spread of a few seeds may be far below the true one, so an upper bound takes its place
/// ([`student::upper_spread`]). `None` where the noise is unknown.
pub(super) fn detectable(worse: &Difference, allowed: f64, level: f64) -> Option<f64> {
    let error = Some(worse.error? * student::upper_spread(worse.freedom)).filter(|error| error.is_finite())?;
    if error == 0.0 {
        return Some(allowed);
    }
    let critical = student::quantile(1.0 - level, worse.freedom);
    let power = |shift: f64| student::power_above(shift, worse.freedom, critical, allowed / error);
    let (mut low, mut high) = (0.0, 1.0);
    while power(high) < POWER {
        (low, high) = (high, 2.0 * high);
        if high > 1e6 {
            return None;
        }
    }
    // To three digits more than anybody reads.
    while high - low > 1e-6 * high {
        let middle = f64::midpoint(low, high);
        if power(middle) < POWER { low = middle } else { high = middle }
    }
    Some(high * error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_tolerance_leaves_the_power_of_the_t_test() {
        let worse = Difference::paired([0.9, 1.0, 1.1, 1.3, 0.8].into_iter().collect()).unwrap();
        let error = worse.error.unwrap();
        // chi2.ppf(0.2, 4) = 1.648776618..., so that the spread may be 1.5576 times as large.
        let bound = student::upper_spread(4.0);
        assert!((bound - (4.0f64 / 1.648_776_618).sqrt()).abs() < 1e-6, "{bound}");
        // A two-sided test at twice the level has the same upper threshold.
        let alone = detectable(&worse, 0.0, 0.05).unwrap();
        let two_sided = error * bound * student::detectable(4.0, 0.1, POWER);
        assert!((alone - two_sided).abs() < 1e-3 * alone, "{alone} {two_sided}");
        assert!(detectable(&worse, 0.0, 0.05 / 20.0).unwrap() > 1.5 * alone, "twenty arms share the level");
        // Far above the noise, the mean has to come out above the tolerance: 0.84 errors beyond it.
        let beyond = detectable(&worse, 100.0, 0.05).unwrap();
        assert!((beyond - (100.0 + 0.841_621 * error * bound)).abs() < 1e-3, "{beyond}");
        let exact = Difference::paired([1.0, 1.0].into_iter().collect()).unwrap();
        assert_eq!(detectable(&exact, 0.5, 0.05), Some(0.5));
    }
}
