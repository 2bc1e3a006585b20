//! Student's t: quantiles, tail probabilities, and the power of a test.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use statrs::distribution::{ChiSquared, Continuous, ContinuousCDF, Normal, StudentsT};
use statrs::function::gamma::ln_gamma;

/// The distribution with these degrees of freedom; `None` where they make none.
fn student(freedom: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom).ok()
}

/// The value that a share `p` of the distribution lies below; infinite without degrees of freedom.
pub fn quantile(p: f64, freedom: f64) -> f64 {
    let Some(t) = student(freedom) else { return f64::INFINITY };
    if p < 0.5 {
        return -quantile(1.0 - p, freedom);
    }
    // Newton's steps polish what the search of the library leaves.
    let mut x = t.inverse_cdf(p);
    for _ in 0..4 {
        let density = t.pdf(x);
        if density > 0.0 && x.is_finite() {
            x -= ((1.0 - p) - t.sf(x)) / -density;
        }
    }
    x
}

/// The probability of a value at least as far from zero, on either side.
pub fn two_sided(t: f64, freedom: f64) -> f64 {
    student(freedom).map_or(1.0, |student| (2.0 * student.sf(t.abs())).min(1.0))
}

/// The probability of a value at least this high.
pub fn upper_tail(t: f64, freedom: f64) -> f64 {
    student(freedom).map_or(1.0, |student| student.sf(t))
}

/// The probability that a two-sided t test at level `alpha` finds an effect of `shift` standard errors.
///
/// The test's statistic is `(Z + shift) / S` with Z normal and `freedom * S^2` chi-squared: the noncentral t
/// distribution.
pub fn power(shift: f64, freedom: f64, alpha: f64) -> f64 {
    let critical = quantile(1.0 - 0.5 * alpha, freedom);
    let found = |normal: &Normal, s: f64| normal.sf(critical * s - shift) + normal.cdf(-critical * s - shift);
    over_spreads(freedom, (shift + 9.0) / critical, found)
}

/// The probability that an effect of `shift` standard errors is found where it has to come out above `critical`
/// times its estimated error (a one-sided t test) and above `floor` times its true one.
pub fn power_above(shift: f64, freedom: f64, critical: f64, floor: f64) -> f64 {
    let found = |normal: &Normal, s: f64| normal.sf((critical * s).max(floor) - shift);
    over_spreads(freedom, (shift + 9.0) / critical, found)
}

/// The mean of a probability over S, where `freedom * S^2` is chi-squared, by Simpson's rule; it is nothing beyond
/// `end`.
fn over_spreads(freedom: f64, end: f64, probability: impl Fn(&Normal, f64) -> f64) -> f64 {
    const PIECES: i32 = 600;
    let normal = Normal::standard();
    let half = 0.5 * freedom;
    let scale = std::f64::consts::LN_2 + half * half.ln() - ln_gamma(half);
    // In u with S = u^4: between one and two degrees of freedom the density of S is too steep at zero for the rule.
    let integrand = |u: f64| {
        let s = u.powi(4);
        if s == 0.0 {
            return 0.0;
        }
        let log_density = scale + (freedom - 1.0) * s.ln() - half * s * s;
        4.0 * u.powi(3) * log_density.exp() * probability(&normal, s)
    };
    // Beyond either end nothing is left of one of the two factors.
    let end = (1.0 + 10.0 / freedom.sqrt()).min(end).powf(0.25);
    let start = (1.0 - 10.0 / freedom.sqrt()).max(0.0).powf(0.25).min(end);
    let step = (end - start) / f64::from(PIECES);
    let weight = |i: i32| match i {
        0 | PIECES => 1.0,
        i if i % 2 == 1 => 4.0,
        _ => 2.0,
    };
    (0..=PIECES).map(|i| weight(i) * integrand(start + f64::from(i) * step)).sum::<f64>() * step / 3.0
}

/// The effect, in standard errors, that a two-sided t test at level `alpha` finds with probability `wanted`.
pub fn detectable(freedom: f64, alpha: f64, wanted: f64) -> f64 {
    // The same few seeds come back in every comparison of a sweep.
    static KNOWN: Mutex<BTreeMap<[u64; 3], f64>> = Mutex::new(BTreeMap::new());
    let key = [freedom, alpha, wanted].map(f64::to_bits);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shift) = known().get(&key) {
        return *shift;
    }
    let shift = search(freedom, alpha, wanted);
    known().insert(key, shift);
    shift
}

/// What a standard deviation from a sample is multiplied with so that the true one is smaller in four of five samples:
/// `sqrt(freedom / q)`, where a fifth of the chi-squared distribution lies below q.
pub fn upper_spread(freedom: f64) -> f64 {
    const SHARE: f64 = 0.2;
    ChiSquared::new(freedom).map_or(f64::INFINITY, |squares| (freedom / squares.inverse_cdf(SHARE)).sqrt())
}

/// The power rises with the effect: regula falsi, with the end that stays pulled in (the Illinois rule).
fn search(freedom: f64, alpha: f64, wanted: f64) -> f64 {
    let lacking = |shift: f64| power(shift, freedom, alpha) - wanted;
    let (mut low, mut high) = (0.0, 1.0);
    let (mut at_low, mut at_high) = (alpha - wanted, lacking(high));
    while at_high < 0.0 {
        (low, at_low) = (high, at_high);
        high *= 2.0;
        if high > 1e6 {
            return f64::INFINITY;
        }
        at_high = lacking(high);
    }
    let mut stayed = 0;
    for _ in 0..60 {
        let between = (low * at_high - high * at_low) / (at_high - at_low);
        let at = lacking(between);
        if at.abs() < 1e-11 || high - low < 1e-9 * high {
            return between;
        }
        if at < 0.0 {
            (low, at_low) = (between, at);
            at_high *= if stayed < 0 { 0.5 } else { 1.0 };
            stayed = -1;
        } else {
            (high, at_high) = (between, at);
            at_low *= if stayed > 0 { 0.5 } else { 1.0 };
            stayed = 1;
        }
    }
    high
}
