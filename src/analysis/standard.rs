//! The standard by which a verdict is reached: how much error it may spend, and how often it may be asked for.

use crate::analysis::Difference;
use crate::analysis::shares::{Share, more_often, more_than_half};

/// The chance of a wrong verdict, both ways together, where a question is asked once.
pub const ALPHA: f64 = 0.05;
/// The chance of finding a difference of the size that is called detectable.
pub const POWER: f64 = 0.8;
/// The confidence of intervals where a question is asked once.
pub const LEVEL: f64 = 1.0 - ALPHA;

/// Why a verdict may be reached with the seeds that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The number of seeds was fixed before anything was trained.
    Fixed,
    /// The numbers of seeds at which a verdict may be reached were fixed before anything was trained.
    Looks,
    /// Seeds were added after results had been judged: the verdict holds whenever it is asked for.
    Anytime,
}

impl Basis {
    /// The word in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Looks => "looks",
            Self::Anytime => "anytime",
        }
    }
}

/// One of the planned numbers of seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Which one it is; the first is 1.
    pub number: usize,
    /// How many are planned.
    pub of: usize,
    /// How many seeds there are at it.
    pub seeds: usize,
}

/// How sure a verdict has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standard {
    /// Why a verdict may be reached now.
    pub basis: Basis,
    /// At which look; with [`Basis::Looks`] alone.
    pub look: Option<Look>,
    /// The chance of a wrong verdict that may be spent, both ways together.
    pub alpha: f64,
}

impl Standard {
    /// For seeds whose number was fixed in advance.
    pub const FIXED: Self = Self { basis: Basis::Fixed, look: None, alpha: ALPHA };

    /// For seeds that were added after results had been judged.
    pub const ANYTIME: Self = Self { basis: Basis::Anytime, look: None, alpha: ALPHA };

    /// For one of the planned numbers of seeds, `looks`, which rise; `place` counts from 0.
    ///
    /// Of [`ALPHA`], look k spends `(n_k - n_(k-1)) / n_max`: the shares add up to one, so that all looks
    /// together are wrong at most as often as a single one would be, for every test (the union bound).
    pub fn at_look(looks: &[usize], place: usize) -> Self {
        let before = place.checked_sub(1).map_or(0, |place| looks[place]);
        let share = (looks[place] - before) as f64 / looks[looks.len() - 1] as f64;
        let look = Look { number: place + 1, of: looks.len(), seeds: looks[place] };
        Self { basis: Basis::Looks, look: Some(look), alpha: ALPHA * share }
    }

    /// The standard for each of `n` questions, of which one wrong answer would be too many (Bonferroni).
    #[must_use]
    pub fn shared(self, n: usize) -> Self {
        Self { alpha: self.alpha / n.max(1) as f64, ..self }
    }

    /// The confidence of the intervals, such as 0.95.
    pub fn confidence(self) -> f64 {
        1.0 - self.alpha
    }

    /// The chance of a wrong verdict that may be spent on one of the two ways.
    pub fn one_sided(self) -> f64 {
        0.5 * self.alpha
    }

    /// Whether something happens more often on side `a` than on side `b`, by an exact test ([`more_often`]).
    ///
    /// The test holds for a number of runs that was fixed in advance: of runs that were added it says nothing.
    pub fn is_more_often(self, a: Share, b: Share) -> bool {
        self.basis != Basis::Anytime && more_often(a, b) <= self.one_sided()
    }

    /// Whether something happens in more than half of all runs, by the exact binomial test.
    pub fn is_most(self, share: Share) -> bool {
        self.basis != Basis::Anytime && more_than_half(share) <= self.one_sided()
    }

    /// The two-sided interval of a difference; unbounded where the noise is unknown.
    pub fn interval(self, difference: &Difference) -> (f64, f64) {
        match self.basis {
            Basis::Fixed | Basis::Looks => difference.interval(self.confidence()),
            Basis::Anytime => difference.anytime_interval(self.alpha),
        }
    }

    /// The two-sided interval that lies above zero exactly where [`Standard::p_above`] is below alpha, and its confidence.
    pub fn interval_above(self, difference: &Difference) -> ((f64, f64), f64) {
        let two_sided = match self.basis {
            Basis::Fixed | Basis::Looks => Self { alpha: 2.0 * self.alpha, ..self },
            Basis::Anytime => self,
        };
        (two_sided.interval(difference), two_sided.confidence())
    }

    /// The probability of a difference at least this large where there is none; `None` where the noise is unknown.
    pub fn p_value(self, difference: &Difference) -> Option<f64> {
        match self.basis {
            Basis::Fixed | Basis::Looks => difference.p_value(),
            Basis::Anytime => difference.anytime_p_value(),
        }
    }

    /// The probability of a difference at least this far above zero where there is none or less.
    pub fn p_above(self, difference: &Difference) -> Option<f64> {
        match self.basis {
            Basis::Fixed | Basis::Looks => difference.p_above(),
            // The process is two-sided; it is not halved, as both of its sides may have been seen in turn.
            Basis::Anytime => difference.anytime_p_value().map(|p| if difference.mean > 0.0 { p } else { 1.0 }),
        }
    }
}

/// The precision of the Gaussian mixture, in observations.
const MIXTURE: f64 = 4.0;

/// The t-test e-process of `n` differences whose mean lies `t` standard errors from the value that is tested
/// (Wang and Ramdas 2023, arXiv 2310.03722, the Gaussian mixture):
/// `E = sqrt(a) ((1 + t^2 / v) / (1 + a t^2 / v))^(n / 2)` with `a = 1 / (1 + n g)`, `v = n - 1`, `g = 4`.
///
/// Where the value is true, E exceeds `1 / alpha` at any time with probability `alpha` at most, however the
/// number of differences was chosen.
pub fn e_value(t: f64, n: usize) -> f64 {
    let (a, v) = (shrinkage(n), n as f64 - 1.0);
    let ratio = if t.is_infinite() { 1.0 / a } else { (1.0 + t * t / v) / (1.0 + a * t * t / v) };
    a.sqrt() * ratio.powf(0.5 * n as f64)
}

/// The number of standard errors within which E stays below `1 / alpha`; infinite where no t is far enough.
pub fn e_width(n: usize, alpha: f64) -> f64 {
    let (a, v) = (shrinkage(n), n as f64 - 1.0);
    // (1 + x) / (1 + a x) = bound, solved for x = t^2 / v; the ratio never exceeds 1 / a.
    let bound = (1.0 / (alpha * a.sqrt())).powf(2.0 / n as f64);
    if n < 2 || a * bound >= 1.0 { f64::INFINITY } else { (v * (bound - 1.0) / (1.0 - a * bound)).sqrt() }
}

fn shrinkage(n: usize) -> f64 {
    1.0 / (1.0 + n as f64 * MIXTURE)
}

impl Difference {
    /// The interval that holds whenever it is asked for ([`e_value`]): all values that the pairs do not refute.
    /// Unbounded of sides that are not paired.
    fn anytime_interval(&self, alpha: f64) -> (f64, f64) {
        let width = match self.error {
            Some(0.0) if !self.pairs.is_empty() => 0.0,
            Some(error) if !self.pairs.is_empty() => error * e_width(self.pairs.len(), alpha),
            _ => f64::INFINITY,
        };
        let width = width + self.allowance;
        (self.mean - width, self.mean + width)
    }

    /// The anytime-valid p-value, `min(1, 1 / E)`; `None` of sides that are not paired, or without a known noise.
    fn anytime_p_value(&self) -> Option<f64> {
        let error = self.error.filter(|_| self.pairs.len() > 1)?;
        let mean = self.beyond_allowance();
        let t = if error > 0.0 { mean / error } else { mean.abs() / 0.0 };
        Some(if mean == 0.0 { 1.0 } else { (1.0 / e_value(t, self.pairs.len())).min(1.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn looks_spend_alpha_in_proportion_to_their_new_seeds() {
        let looks = [3, 5, 8, 12, 20];
        let alphas: Vec<f64> = (0..5).map(|place| Standard::at_look(&looks, place).alpha).collect();
        for (found, seeds) in alphas.iter().zip([3.0, 2.0, 3.0, 4.0, 8.0]) {
            assert!((found - 0.05 * seeds / 20.0).abs() < 1e-15, "{alphas:?}");
        }
        assert!((alphas.iter().sum::<f64>() - ALPHA).abs() < 1e-15);
        assert_eq!(Standard::at_look(&looks, 2).look, Some(Look { number: 3, of: 5, seeds: 8 }));
    }

    #[test]
    fn the_interval_ends_where_the_e_value_reaches_its_bound() {
        for (n, alpha) in [(4, 0.05), (5, 0.05), (12, 0.05), (20, 0.01), (200, 0.05)] {
            let t = e_width(n, alpha);
            assert!(t.is_finite() && (alpha * e_value(t, n) - 1.0).abs() < 1e-9, "{n}: {t}");
        }
        assert_eq!((e_width(1, 0.05), e_width(2, 0.05)), (f64::INFINITY, f64::INFINITY), "two seeds decide nothing");
    }

    #[test]
    fn looking_after_every_seed_is_wrong_at_most_as_often_as_stated() {
        const TRIALS: usize = 4000;
        let mut stream = Stream::new(6, "anytime");
        let wrong = (0..TRIALS).filter(|_| {
            let mut pairs = Vec::new();
            (0..60).any(|_| {
                pairs.push(stream.normal());
                let difference = Difference::paired(pairs.iter().copied().collect());
                difference.is_some_and(|d| Standard::ANYTIME.p_value(&d).is_some_and(|p| p <= ALPHA))
            })
        });
        let rate = wrong.count() as f64 / TRIALS as f64;
        assert!(rate <= ALPHA, "{rate}");
    }
}
