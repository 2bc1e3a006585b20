//! The difference between two arms, with what is known of its noise.

use crate::analysis::by_seed::{BySeed, compared};
use crate::analysis::{Sample, Summary, student};
use crate::metric::Metric;

/// Scores read from counts, such as 97 of 180, differ by rounding where the counts differ by the same:
/// a spread that is this small beside the scores is none.
const ROUNDING: f64 = 1e-12;

/// The mean of `a - b` and its standard error.
///
/// Runs of one seed share initial weights and batches, so where both sides ran under the same seeds
/// their differences are taken seed by seed, and what the seed does to both cancels (the paired t
/// interval: `mean(d) +- t * sd(d) / sqrt(n)` with `n - 1` degrees of freedom). Otherwise the sides
/// are treated as independent and Welch's interval is used; `compared` says which.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The mean difference.
    pub mean: f64,
    /// Its standard error; `None` where the measurements tell nothing of the noise: there is one, or
    /// every seed differs by the same step of a coarse score.
    pub error: Option<f64>,
    /// Degrees of freedom of the error.
    pub freedom: f64,
    /// How many seeds are compared: the shared ones, or those of the smaller side.
    pub n: usize,
    /// The differences seed by seed; empty where the seeds do not match.
    pub pairs: Sample,
    /// How far the mean may be off, either way, whatever the noise: intervals are wider by it, and tests ask for
    /// more. Zero for scores that are compared as they are.
    pub allowance: f64,
}

impl Difference {
    /// The difference between two sides: paired over the seeds that they share where `compared` says so,
    /// else Welch's over all. `None` where a side is empty.
    pub fn between(a: &BySeed, b: &BySeed) -> Option<Self> {
        Self::of(compared(a, b), 0.0)
    }

    /// The difference between the sides of [`compared`], whose noise is a standard deviation of `step` at least.
    fn of((a, b, paired): (BySeed, BySeed, bool), step: f64) -> Option<Self> {
        let values = |side: &BySeed| side.iter().map(|(_, x)| *x).collect::<Sample>();
        if !paired {
            return Self::independent(&values(&a), &values(&b), step);
        }
        let scale = a.iter().chain(&b).map(|(_, x)| x.abs()).fold(0.0, f64::max);
        let pairs = a.iter().zip(&b).map(|((_, x), (_, y))| x - y).collect();
        Self::paired(without_rounding(pairs, scale)).map(|paired| paired.at_least(step))
    }

    /// The same pairs, with a standard deviation of `step` at least.
    #[must_use]
    fn at_least(self, step: f64) -> Self {
        let least = step / (self.n as f64).sqrt();
        Self { error: self.error.map(|error| error.max(least)), ..self }
    }

    /// The same of scores that move in steps of this size: the standard deviation is one step at least. Where the step is
    /// not known, differences without any spread tell nothing of the noise.
    #[must_use]
    pub(super) fn in_steps_of(self, step: Option<f64>) -> Self {
        let by_chance = self.is_exact();
        match step {
            Some(step) => self.at_least(step),
            None => self.of_unknown_noise_if(by_chance),
        }
    }

    /// How much better `a` scored than `b`, whatever the metric: more is better for `a`.
    pub fn lead(a: &Summary, b: &Summary, metric: Metric) -> Option<Self> {
        Self::excess(a, b, metric, |_| 0.0)
    }

    /// How much better `a` scored than `b` beyond what `b` is granted: an amount for every score of `a`. Where it is
    /// a share of that score, this tests the ratio of both sides, and the noise of `a` counts in it.
    pub fn lead_beyond(a: &Summary, b: &Summary, metric: Metric, granted: impl Fn(f64) -> f64) -> Option<Self> {
        Self::excess(b, a, metric, |score| 0.0 - granted(score)).map(|excess| excess.reversed())
    }

    /// What is left of [`Difference::lead`] over what each score of `b` asks for, seed by seed where the sides are
    /// paired: what is asked for may depend on scores that have noise themselves.
    ///
    /// An accuracy moves in steps of one prediction, so a few seeds may differ by the same step by chance, or not at
    /// all. The standard deviation is one step at least where the records tell how large it is. Where they do
    /// not, differences without any spread tell nothing of the noise, see [`Difference::same_step`]. Both do not
    /// concern arms whose seed changes nothing (a function from a fixed start), nor the same computation twice.
    pub fn excess(a: &Summary, b: &Summary, metric: Metric, needed: impl Fn(f64) -> f64) -> Option<Self> {
        let turned = |score: f64| if metric.higher_is_better() { score } else { -score };
        let (ours, theirs, paired) = compared(&a.by_seed(metric), &b.by_seed(metric));
        let side = |side: &BySeed, above: &dyn Fn(f64) -> f64| -> BySeed {
            side.iter().map(|&(seed, score)| (seed, turned(score) + above(score))).collect()
        };
        let between = |step: f64, above: &dyn Fn(f64) -> f64| {
            Self::of((side(&ours, &|_| 0.0), side(&theirs, above), paired), step)
        };
        if (a.is_deterministic() && b.is_deterministic()) || a.repeats(b) {
            return between(0.0, &needed);
        }
        match [a, b].map(|side| side.step(metric)) {
            [Some(one), Some(other)] => between(one.max(other), &needed),
            _ => {
                let by_chance = between(0.0, &|_| 0.0)?.is_exact();
                between(0.0, &needed).map(|excess| excess.of_unknown_noise_if(by_chance))
            }
        }
    }

    /// The difference beyond a value.
    #[must_use]
    pub fn beyond(&self, value: f64) -> Self {
        Self { mean: self.mean - value, pairs: self.pairs.iter().map(|x| x - value).collect(), ..self.clone() }
    }

    /// The same, of runs that are `deterministic` or not: whether the seed changes nothing. A difference without any
    /// spread is believed of those alone; of others the noise is unknown.
    #[must_use]
    pub(super) fn unless_by_chance(self, deterministic: bool) -> Self {
        let by_chance = self.is_exact() && self.mean != 0.0 && !deterministic;
        self.of_unknown_noise_if(by_chance)
    }

    /// The same, whose spread tells nothing of the noise where it came `by_chance`.
    #[must_use]
    fn of_unknown_noise_if(self, by_chance: bool) -> Self {
        Self { error: self.error.filter(|_| !by_chance), ..self }
    }

    /// From differences seed by seed; `None` of nothing.
    pub fn paired(pairs: Sample) -> Option<Self> {
        let n = pairs.len();
        let error = pairs.deviation().map(|deviation| deviation / (n as f64).sqrt());
        Some(Self { mean: pairs.mean()?, error, freedom: n as f64 - 1.0, n, pairs, allowance: 0.0 })
    }

    /// From two independent samples (Welch 1947); `None` where one is empty.
    pub fn welch(a: &Sample, b: &Sample) -> Option<Self> {
        Self::independent(a, b, 0.0)
    }

    /// The same, where each side has a standard deviation of `step` at least.
    fn independent(a: &Sample, b: &Sample, step: f64) -> Option<Self> {
        let share =
            |sample: &Sample| sample.deviation().map(|deviation| deviation.max(step).powi(2) / sample.len() as f64);
        let (mean, n) = (a.mean()? - b.mean()?, a.len().min(b.len()));
        let pairs = Sample::default();
        let Some((va, vb)) = share(a).zip(share(b)) else {
            return Some(Self { mean, error: None, freedom: 0.0, n, pairs, allowance: 0.0 });
        };
        let square = |v: f64, n: usize| v * v / (n as f64 - 1.0);
        let freedom = match square(va, a.len()) + square(vb, b.len()) {
            0.0 => (a.len() + b.len() - 2) as f64,
            squares => (va + vb).powi(2) / squares,
        };
        Some(Self { mean, error: Some((va + vb).sqrt()), freedom, n, pairs, allowance: 0.0 })
    }

    /// The same, where the mean may be off by so much either way whatever the noise.
    #[must_use]
    pub fn allowing(self, allowance: f64) -> Self {
        Self { allowance, ..self }
    }

    /// How far the mean lies above zero, or below it, beyond what it may be off; zero where that reaches it.
    pub(super) fn beyond_allowance(&self) -> f64 {
        self.mean.signum() * (self.mean.abs() - self.allowance).max(0.0)
    }

    /// The same seen from the other side.
    #[must_use]
    pub fn reversed(&self) -> Self {
        // Not negated, so that zero stays zero.
        Self { mean: 0.0 - self.mean, pairs: self.pairs.iter().map(|x| 0.0 - x).collect(), ..self.clone() }
    }

    /// Whether every seed agrees on the same value: a deterministic task, or the same runs twice.
    pub fn is_exact(&self) -> bool {
        self.error == Some(0.0)
    }

    /// How many seeds differ by exactly the same step, where that says nothing of the noise.
    pub fn same_step(&self) -> Option<usize> {
        (self.error.is_none() && self.pairs.len() > 1).then_some(self.pairs.len())
    }

    /// The probability that all signs agree where either is as likely: the sign test of equal steps.
    fn sign_test(&self) -> Option<f64> {
        self.same_step().map(|n| if self.mean.abs() <= self.allowance { 1.0 } else { 0.5f64.powi(n as i32 - 1) })
    }

    /// The two-sided confidence interval at `level`, such as 0.95; unbounded where the noise is unknown.
    ///
    /// Of equal steps it is that of the sign test, which knows on which side of zero the difference lies once so
    /// many agree that chance would rarely do that (six for 0.95), and nothing else.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let width = match self.error {
            // Zero itself is not in it.
            None if self.sign_test().is_some_and(|p| p <= 1.0 - level) && self.mean > 0.0 => {
                return (f64::MIN_POSITIVE, f64::INFINITY);
            }
            None if self.sign_test().is_some_and(|p| p <= 1.0 - level) => {
                return (f64::NEG_INFINITY, -f64::MIN_POSITIVE);
            }
            None => f64::INFINITY,
            Some(0.0) => 0.0,
            Some(error) => student::quantile(0.5 + 0.5 * level, self.freedom) * error,
        };
        let width = width + self.allowance;
        (self.mean - width, self.mean + width)
    }

    /// The probability of a difference at least this large where there is none; `None` where the
    /// noise is unknown.
    pub fn p_value(&self) -> Option<f64> {
        if self.error.is_none() {
            return self.sign_test();
        }
        let mean = self.beyond_allowance();
        Some(match self.error? {
            0.0 if mean == 0.0 => 1.0,
            0.0 => 0.0,
            error => student::two_sided(mean / error, self.freedom),
        })
    }

    /// The probability of a difference at least this far above zero where there is none or less.
    pub fn p_above(&self) -> Option<f64> {
        if self.error.is_none() {
            return self.sign_test().map(|p| if self.mean > 0.0 { 0.5 * p } else { 1.0 });
        }
        let mean = self.mean - self.allowance;
        Some(match self.error? {
            0.0 if mean > 0.0 => 0.0,
            0.0 => 1.0,
            error => student::upper_tail(mean / error, self.freedom),
        })
    }

    /// The smallest true difference that this many seeds find with probability `power` at level `alpha`, given the
    /// noise that they show: the spread of a few seeds is often too small, so its upper bound is used
    /// ([`student::upper_spread`]).
    pub fn detectable(&self, alpha: f64, power: f64) -> Option<f64> {
        let beyond = match self.error? {
            0.0 => 0.0,
            error => error * student::upper_spread(self.freedom) * student::detectable(self.freedom, alpha, power),
        };
        Some(self.allowance + beyond)
    }
}

/// The same differences, all equal where their spread is but the rounding of scores of this size.
fn without_rounding(pairs: Sample, scale: f64) -> Sample {
    match pairs.range() {
        Some((low, high)) if high - low <= ROUNDING * scale => pairs.iter().map(|_| low).collect(),
        _ => pairs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::by_seed::Seed;
    use crate::analysis::simulated::{Arm, records};
    use crate::analysis::summaries;

    fn side(seeds: &[u64], values: &[f64]) -> BySeed {
        seeds.iter().map(|seed| Seed::from(*seed)).zip(values.iter().copied()).collect()
    }

    #[test]
    fn seeds_are_paired_where_they_match() {
        let a = side(&[0, 1, 2], &[1.0, 2.0, 3.0]);
        let b = side(&[2, 1, 0], &[2.5, 1.5, 0.5]);
        let difference = Difference::between(&a, &b).unwrap();
        assert_eq!((difference.mean, difference.error, difference.n), (0.5, Some(0.0), 3));
        let other = Difference::between(&a, &side(&[7, 8, 9], &[2.5, 1.5, 0.5])).unwrap();
        assert!(other.error.unwrap() > 0.5 && other.pairs.is_empty(), "other seeds are independent");
        assert_eq!(Difference::between(&a, &Vec::new()), None);
    }

    #[test]
    fn partly_shared_seeds_are_paired_where_they_are_most_of_a_side() {
        let scores = |seeds: std::ops::Range<u64>| {
            seeds.map(|seed| (Seed::from(seed), (seed * seed) as f64)).collect::<BySeed>()
        };
        let moved =
            |side: BySeed| side.into_iter().map(|(seed, x)| (seed, x + 1.0 + 0.1 * seed.number as f64)).collect();
        let pairs = |a, b| Difference::between(&moved(scores(a)), &scores(b)).unwrap().pairs.len();
        assert_eq!((pairs(0..5, 2..7), pairs(0..3, 0..10), pairs(0..2, 0..2)), (3, 3, 2));
        assert_eq!((pairs(0..4, 2..6), pairs(0..2, 0..3)), (0, 0), "two shared seeds are too few");
        assert_eq!(pairs(0..10, 6..16), 0, "four are less than half of ten");
        // All scores count where nothing is paired: the difference is that of the means.
        let (a, b) = (side(&[0, 1, 2], &[1.0, 2.0, 6.0]), side(&[2, 3, 4], &[5.0, 5.0, 5.0]));
        assert_eq!(Difference::between(&a, &b).unwrap().mean, -2.0);
        // The same runs again, of which one seed is missing.
        let again = Difference::between(&scores(0..2), &scores(0..3)).unwrap();
        assert_eq!((again.mean, again.pairs.len()), (0.0, 2));
    }

    #[test]
    fn no_noise_divides_by_nothing() {
        let same = Difference::paired([0.0, 0.0].into_iter().collect()).unwrap();
        assert_eq!(
            (same.p_value(), same.interval(0.95), same.detectable(0.05, 0.8)),
            (Some(1.0), (0.0, 0.0), Some(0.0))
        );
        // Three times 0.1 does not sum to 0.3 exactly; that is no noise.
        let exact = Difference::paired([0.1, 0.1, 0.1].into_iter().collect()).unwrap();
        assert_eq!((exact.is_exact(), exact.p_value(), exact.p_above()), (true, Some(0.0), Some(0.0)));
        let flat = Difference::welch(&[1.0, 1.0].into_iter().collect(), &[2.0, 2.0].into_iter().collect()).unwrap();
        assert_eq!((flat.interval(0.95), flat.p_value()), ((-1.0, -1.0), Some(0.0)));
    }

    #[test]
    fn equal_steps_of_a_coarse_score_speak_by_their_signs() {
        let step = |n: usize| Difference {
            error: None,
            ..Difference::paired(std::iter::repeat_n(0.005, n).collect()).unwrap()
        };
        assert_eq!((step(3).p_value(), step(3).p_above(), step(3).same_step()), (Some(0.25), Some(0.125), Some(3)));
        assert_eq!(step(3).reversed().p_above(), Some(1.0));
        assert_eq!(step(5).interval(0.95), (f64::NEG_INFINITY, f64::INFINITY), "p is 1/16");
        assert_eq!(step(6).interval(0.95), (f64::MIN_POSITIVE, f64::INFINITY), "p is 1/32, and only the sign is known");
        assert_eq!(step(6).reversed().interval(0.95), (f64::NEG_INFINITY, -f64::MIN_POSITIVE));
        assert_eq!(step(1).p_value(), None, "one seed knows nothing");
    }

    #[test]
    fn the_same_step_is_seen_through_rounding() {
        let right = |counts: [f64; 3]| counts.map(|count| count / 180.0);
        let (a, b) = (right([160.0, 161.0, 162.0]), right([158.0, 159.0, 160.0]));
        assert_ne!(a[0] - b[0], a[1] - b[1], "two images more, each time, but not as floating-point numbers");
        let pairs = Difference::between(&side(&[0, 1, 2], &a), &side(&[0, 1, 2], &b)).unwrap();
        assert!(pairs.is_exact(), "{pairs:?}");
        // The losses differ between seeds, so that chance has a part in it, whatever the seeds agree on.
        let records = records(&[Arm::new("a", &a), Arm::new("b", &b)]);
        let arms = summaries(&records);
        let lead = Difference::lead(&arms[0], &arms[1], Metric::LOSS).unwrap();
        assert_eq!((lead.same_step(), lead.p_value()), (Some(3), Some(0.25)));
        assert_eq!(lead.interval(0.95), (f64::NEG_INFINITY, f64::INFINITY));
        // A spread above rounding is one, however small.
        let c = [a[0], a[1], a[2] + 1e-9];
        assert!(!Difference::between(&side(&[0, 1, 2], &c), &side(&[0, 1, 2], &b)).unwrap().is_exact());
    }

    #[test]
    fn one_seed_knows_no_noise() {
        let one = Difference::between(&side(&[0], &[1.0]), &side(&[0], &[0.0])).unwrap();
        assert_eq!((one.p_value(), one.interval(0.95)), (None, (f64::NEG_INFINITY, f64::INFINITY)));
    }
}
