//! What changed since a baseline: arm by arm, worse by more than a tolerance and by more than noise.

use crate::analysis::standard::{ALPHA, POWER};
use crate::analysis::{Difference, Sample, Summary, holm, summaries};
use crate::metric::Metric;
use crate::results::Record;

/// A step may take this much longer before it counts as slower.
pub const SLOWER: f64 = 0.25;

/// What became of an arm of the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every seed has the same score as before.
    Identical,
    /// No worse than the tolerance allows.
    Unchanged,
    /// Better, by more than noise.
    Improved,
    /// Worse than the tolerance allows, but inside the noise of these seeds.
    Unclear,
    /// Worse than the tolerance allows, by more than noise.
    Regressed,
    /// Seeds diverge that did not.
    Diverged,
    /// The arm is gone.
    Missing,
}

impl Outcome {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Unchanged => "unchanged",
            Self::Improved => "improved",
            Self::Unclear => "UNDERPOWERED",
            Self::Regressed => "REGRESSED",
            Self::Diverged => "DIVERGED",
            Self::Missing => "MISSING",
        }
    }
}

/// The seeds of an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// How many trained to the end or diverged.
    pub ran: usize,
    /// How many of them diverged, or ended with a score that is no finite number.
    pub diverged: usize,
}

impl Seeds {
    fn of(arm: &Summary, metric: Metric) -> Self {
        Self { ran: arm.finished + arm.diverged, diverged: arm.diverged_in(metric) }
    }

    fn share_diverged(self) -> f64 {
        self.diverged as f64 / self.ran.max(1) as f64
    }
}

/// A hyper-parameter that has another value than in the baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its key.
    pub key: String,
    /// The value then.
    pub was: String,
    /// The value now.
    pub is: String,
}

/// An arm of the baseline, then and now.
#[derive(Debug, Clone)]
pub struct Change {
    /// The task.
    pub task: String,
    /// What is compared.
    pub metric: Metric,
    /// The optimizer and the schedule.
    pub arm: String,
    /// The hyper-parameters that the sweep varies.
    pub settings: Vec<(String, String)>,
    /// The mean then, over scores that are finite numbers.
    pub before: Option<f64>,
    /// The mean now.
    pub now: Option<f64>,
    /// The seeds then.
    pub seeds_before: Seeds,
    /// The seeds now; `None` where the arm is gone.
    pub seeds: Option<Seeds>,
    /// Of an arm that is gone, how the nearest of those that are new differs; empty where there is none.
    pub nearest: Vec<Changed>,
    /// How much worse it is now, whatever the metric.
    pub worse: Option<Difference>,
    /// How much worse it may be.
    pub allowed: f64,
    /// The one-sided p-value that it is no worse, by Holm's method over all arms.
    pub p: Option<f64>,
    /// The smallest worsening that these seeds would find with 80% power (one comparison, two-sided level 0.05).
    pub detectable: Option<f64>,
    /// What became of it.
    pub outcome: Outcome,
    /// The time of a step over the baseline's, where it is slower by more than [`SLOWER`] and noise.
    pub slower: Option<f64>,
}

/// Every arm of the baseline against the same arm now; `tolerance` is a share of the baseline's mean.
///
/// An arm regressed where its mean is worse by more than the tolerance and the one-sided t test
/// that it is no worse at all is refused at 0.05 over all arms together (Holm), so that a change
/// of nothing fails at most one check in twenty.
pub fn changes(now: &[Record], before: &[Record], metric: impl Fn(&str) -> Metric, tolerance: f64) -> Vec<Change> {
    let (now, before) = (summaries(now), summaries(before));
    let paired: Vec<(&Summary, Option<&Summary>)> = before.iter().map(|old| (old, same_arm(&now, old))).collect();
    let mut changes: Vec<Change> = paired
        .iter()
        .map(|(old, new)| change(old, *new, metric(&old.runs[0].task), tolerance, &settings(&before, old)))
        .collect();
    let strangers: Vec<&Summary> = now.iter().filter(|new| !before.iter().any(|old| is_same_arm(old, new))).collect();
    for (change, (old, _)) in changes.iter_mut().zip(&paired).filter(|(change, _)| change.outcome == Outcome::Missing) {
        change.nearest = nearest(&strangers, old);
    }
    let family =
        |read: &dyn Fn(&Change) -> Option<f64>| holm::adjust_known(&changes.iter().map(read).collect::<Vec<_>>());
    let worse = family(&|change| change.worse.as_ref()?.p_above());
    let better = family(&|change| change.worse.as_ref()?.reversed().p_above());
    for ((change, worse), better) in changes.iter_mut().zip(worse).zip(better) {
        change.p = worse;
        if change.outcome == Outcome::Unclear && worse.is_some_and(|p| p < ALPHA) {
            change.outcome = Outcome::Regressed;
        } else if change.outcome == Outcome::Unchanged && better.is_some_and(|p| p < ALPHA) {
            change.outcome = Outcome::Improved;
        }
    }
    times(&paired, &mut changes);
    changes
}

/// The arm with the same labels and the same value for every key that both know: a key that a newer
/// version added does not hide an arm.
fn same_arm<'a, 'b>(arms: &'b [Summary<'a>], old: &Summary) -> Option<&'b Summary<'a>> {
    arms.iter().find(|new| is_same_arm(old, new))
}

fn is_same_arm(old: &Summary, new: &Summary) -> bool {
    is_kin(old, new) && changed(old, new).is_empty()
}

/// Whether two arms are of one optimizer and schedule, on one task, over the same length.
fn is_kin(old: &Summary, new: &Summary) -> bool {
    let (old, new) = (old.runs[0], new.runs[0]);
    (&new.task, &new.optimizer, &new.schedule, new.horizon) == (&old.task, &old.optimizer, &old.schedule, old.horizon)
}

/// The hyper-parameters that both arms know and that differ.
fn changed(old: &Summary, new: &Summary) -> Vec<Changed> {
    let pairs = old.runs[0].hyper_parameters.iter().filter_map(|(key, was)| {
        let is = new.runs[0].hyper_parameter(key).filter(|is| is != was)?;
        Some(Changed { key: key.clone(), was: was.clone(), is: is.to_owned() })
    });
    pairs.collect()
}

/// How the nearest of some arms differs from one that is gone: the fewest hyper-parameters.
fn nearest(arms: &[&Summary], gone: &Summary) -> Vec<Changed> {
    let kin = arms.iter().filter(|new| is_kin(gone, new)).map(|new| changed(gone, new));
    kin.min_by_key(Vec::len).unwrap_or_default()
}

/// The hyper-parameters that differ between the settings of this optimizer and schedule.
fn settings(arms: &[Summary], of: &Summary) -> Vec<(String, String)> {
    let own = of.runs[0];
    let kin = |arm: &&Summary| {
        let other = arm.runs[0];
        (&other.task, &other.optimizer, &other.schedule) == (&own.task, &own.optimizer, &own.schedule)
    };
    let varies =
        |key: &str, value: &str| arms.iter().filter(kin).any(|arm| arm.runs[0].hyper_parameter(key) != Some(value));
    let swept = own.hyper_parameters.iter().filter(|(key, value)| key == "lr" || varies(key, value)).cloned();
    swept.chain(own.horizon.map(|steps| ("until step".to_owned(), steps.to_string()))).collect()
}

fn change(
    old: &Summary,
    new: Option<&Summary>,
    metric: Metric,
    tolerance: f64,
    settings: &[(String, String)],
) -> Change {
    let before = old.finite_mean(metric);
    let mut change = Change {
        task: old.runs[0].task.clone(),
        metric,
        arm: old.runs[0].arm(),
        settings: settings.to_vec(),
        before,
        now: None,
        seeds_before: Seeds::of(old, metric),
        seeds: None,
        nearest: Vec::new(),
        worse: None,
        allowed: tolerance * before.map_or(0.0, f64::abs),
        p: None,
        detectable: None,
        outcome: Outcome::Missing,
        slower: None,
    };
    let Some(new) = new.filter(|new| new.finished + new.diverged > 0) else { return change };
    let seeds = Seeds::of(new, metric);
    (change.now, change.seeds) = (new.finite_mean(metric), Some(seeds));
    change.worse = Difference::lead(old, new, metric);
    change.detectable = change.worse.as_ref().and_then(|worse| worse.detectable(ALPHA, POWER));
    let same_share = seeds.share_diverged() == change.seeds_before.share_diverged();
    change.outcome = match &change.worse {
        // With other seeds than before, shares are compared instead of counts.
        _ if seeds.share_diverged() > change.seeds_before.share_diverged() => Outcome::Diverged,
        Some(worse) if worse.is_exact() && worse.mean == 0.0 && same_share => Outcome::Identical,
        Some(worse) if worse.mean > change.allowed => Outcome::Unclear,
        _ => Outcome::Unchanged,
    };
    change
}

/// Steps that take longer: Welch's one-sided test on the logarithms of their times, by Holm's method.
fn times(paired: &[(&Summary, Option<&Summary>)], changes: &mut [Change]) {
    let logarithms = |arm: &Summary| arm.milliseconds().iter().filter(|ms| *ms > 0.0).map(f64::ln).collect::<Sample>();
    let tests: Vec<Option<(f64, f64)>> = paired
        .iter()
        .map(|(old, new)| {
            let difference = Difference::welch(&logarithms(new.as_ref()?), &logarithms(old))?;
            Some((difference.mean.exp(), difference.p_above()?))
        })
        .collect();
    let mut adjusted = holm::adjust(&tests.iter().flatten().map(|test| test.1).collect::<Vec<_>>()).into_iter();
    for (change, test) in changes.iter_mut().zip(tests) {
        let Some(((ratio, _), p)) = test.and_then(|test| Some((test, adjusted.next()?))) else { continue };
        change.slower = (ratio > 1.0 + SLOWER && p < ALPHA).then_some(ratio);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};

    fn only(before: &[f64], now: &[f64]) -> Change {
        let [before, now] = [before, now].map(|losses| records(&[Arm::new("a", losses)]));
        changes(&now, &before, |_| Metric::Loss, 0.01).remove(0)
    }

    #[test]
    fn scores_that_are_no_numbers_have_diverged() {
        let lost = only(&[1.0, 1.1, 1.2], &[f64::INFINITY; 3]);
        assert_eq!((lost.outcome, lost.seeds), (Outcome::Diverged, Some(Seeds { ran: 3, diverged: 3 })));
        assert_eq!(only(&[1.0, 1.1, 1.2], &[1.0, 1.1, f64::INFINITY]).outcome, Outcome::Diverged);
        assert_eq!(only(&[1.0, 1.1, f64::INFINITY], &[1.0, 1.1, f64::INFINITY]).outcome, Outcome::Identical);
        assert_eq!(only(&[1.0, 1.1, f64::INFINITY], &[1.0, 1.1, 1.2]).outcome, Outcome::Unchanged);
        assert_eq!(only(&[f64::INFINITY; 3], &[f64::INFINITY; 3]).outcome, Outcome::Unchanged);
    }

    #[test]
    fn an_arm_that_is_gone_is_told_from_one_that_was_changed() {
        let before = records(&[Arm::at("a", 0.1, &[1.0]), Arm::at("a", 1.0, &[1.0]), Arm::at("b", 0.1, &[1.0])]);
        let now = records(&[Arm::at("a", 0.1, &[1.0]), Arm::at("a", 2.0, &[1.0])]);
        let changes = changes(&now, &before, |_| Metric::Loss, 0.01);
        assert!(changes[0].nearest.is_empty());
        let moved = Changed { key: "lr".into(), was: "1".into(), is: "2".into() };
        assert_eq!((changes[1].outcome, &changes[1].nearest), (Outcome::Missing, &vec![moved]));
        assert_eq!((changes[2].outcome, changes[2].nearest.len()), (Outcome::Missing, 0), "no other arm is of `b`");
    }
}
