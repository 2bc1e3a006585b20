//! What changed since a baseline: arm by arm, worse by more than a tolerance and by more than noise.

use crate::analysis::arm_match::{Matched, matched};
use crate::analysis::difference::compared;
use crate::analysis::gate_power;
use crate::analysis::shares::{Share, could_differ, more_often};
use crate::analysis::standard::{Basis, Standard};
use crate::analysis::{BySeed, Difference, Sample, Summary, holm};
use crate::margin::Margin;
use crate::metric::Metric;

pub use crate::analysis::arm_match::{Changed, Matching, Side};

/// A step may take this much longer before it counts as slower.
pub const SLOWER: f64 = 0.25;

/// How a check against a baseline decides.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// What makes two arms the same arm.
    pub matching: Matching,
    /// How much worse than the baseline an arm may be.
    pub tolerance: Margin,
    /// How sure a verdict has to be: its alpha is the chance that a change of nothing fails the check.
    pub standard: Standard,
}

/// What became of an arm of the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every seed has the same score as before.
    Identical,
    /// No worse than the tolerance allows.
    Unchanged,
    /// Better, by more than noise.
    Improved,
    /// Worse than the tolerance allows, but inside the noise of these seeds; or no seed is left to compare.
    Undecided,
    /// Worse than the tolerance allows, by more than noise.
    Regressed,
    /// More seeds diverge than did, by more than chance.
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
            Self::Undecided => "UNDECIDED",
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
    /// How many of them diverged, or ended with a score that is not a finite number.
    pub diverged: usize,
    /// How many failed instead, and tell nothing.
    pub failed: usize,
}

impl Seeds {
    fn of(arm: &Summary, metric: Metric) -> Self {
        Self { ran: arm.finished + arm.diverged, diverged: arm.diverged_in(metric), failed: arm.failed }
    }

    fn share(self) -> Share {
        Share { count: self.diverged, of: self.ran }
    }
}

/// Of an arm that is gone, the arm most like it of those that the baseline does not have.
#[derive(Debug, Clone)]
pub struct Nearest {
    /// How it differs.
    pub changed: Vec<Changed>,
    /// Its mean now.
    pub now: Option<f64>,
}

/// An arm of the baseline, then and now.
#[derive(Debug, Clone)]
pub struct Change {
    /// The task.
    pub task: String,
    /// What is compared.
    pub metric: Metric,
    /// What makes two arms the same arm.
    pub matching: Matching,
    /// The optimizer and the schedule.
    pub arm: String,
    /// The hyper-parameters that the sweep varies; where arms are matched by label, those that validation chose.
    pub settings: Vec<(String, String)>,
    /// Every setting that differs from the arm that it is compared with.
    pub changed: Vec<Changed>,
    /// The mean then, over the seeds that are compared.
    pub before: Option<f64>,
    /// The mean now, over the seeds that are compared.
    pub now: Option<f64>,
    /// The seeds then.
    pub seeds_before: Seeds,
    /// The seeds now; `None` where the arm is gone.
    pub seeds: Option<Seeds>,
    /// Where the arm is gone, the nearest of those that are new.
    pub nearest: Option<Nearest>,
    /// How much worse it is now, whatever the metric.
    pub worse: Option<Difference>,
    /// How much worse it may be.
    pub allowed: f64,
    /// How much worse it is than it may be.
    pub excess: Option<Difference>,
    /// The one-sided p-value that it is no worse, by Holm's method over all arms.
    pub p: Option<f64>,
    /// The interval of `worse` that agrees with the decision: it lies above zero where `p` is below the level.
    pub interval: Option<(f64, f64)>,
    /// The confidence of that interval, two-sided.
    pub confidence: f64,
    /// The chance of a wrong decision that the scores of all arms together may spend, one-sided.
    pub level: f64,
    /// Whether it is worse by more than the tolerance, by test; `None` where these seeds cannot say.
    pub is_beyond: Option<bool>,
    /// The one-sided p-value that it is worse by no more than the tolerance, by Holm's method over all arms.
    pub p_beyond: Option<f64>,
    /// The p-value that no larger share of seeds diverges than did, by Hochberg's method over the arms where it is tested.
    pub p_diverged: Option<f64>,
    /// Whether a larger share of seeds diverged than did, which may be chance.
    pub is_unstable: bool,
    /// The least level at which Holm's method tests an arm; `None` where the number of seeds was not fixed in advance.
    smallest_level: Option<f64>,
    /// What became of it.
    pub outcome: Outcome,
    /// The time of a step over the baseline's, where it is slower by more than [`SLOWER`] and noise.
    pub slower: Option<f64>,
    /// What else a reader has to know before believing the comparison.
    pub notes: Vec<String>,
}

impl Change {
    /// The smallest true worsening that such a check finds with 80% power; `None` where the noise is unknown, and of
    /// runs that merely repeat the baseline's, which show none.
    pub fn detectable(&self) -> Option<f64> {
        let worse = self.worse.as_ref().filter(|_| self.outcome != Outcome::Identical)?;
        gate_power::detectable(worse, self.allowed, self.smallest_level?)
    }
}

/// Every arm of the baseline against the same arm now.
///
/// An arm regressed where its mean is worse by more than the tolerance and the one-sided t test that it is no worse
/// at all is refused (Holm over all arms). It diverged where Boschloo's exact test refuses that no larger share of its
/// seeds diverges (Hochberg over the arms where it can). The level is the standard's; where both kinds of test can fail
/// the check, each has half of it. So a change of nothing fails at most one check in twenty, however many arms.
pub fn changes(now: Side, before: Side, metric: impl Fn(&str) -> Metric, rules: Rules) -> Vec<Change> {
    let arms = matched(now, before, rules.matching, &metric);
    let mut changes: Vec<Change> = arms.iter().map(|arm| compare(arm, metric(&arm.old.runs[0].task), rules)).collect();
    let level = divergence(&mut changes, rules.standard);
    scores(&mut changes, Standard { alpha: level, ..rules.standard });
    tolerance(&mut changes, Standard { alpha: level, ..rules.standard });
    times(&arms, &mut changes, rules.standard.alpha);
    changes
}

/// An arm before its tests, which depend on the other arms.
fn compare(arm: &Matched, metric: Metric, rules: Rules) -> Change {
    let (old, tolerance) = (&arm.old, rules.tolerance);
    let mut change = Change {
        task: old.runs[0].task.clone(),
        metric,
        matching: rules.matching,
        arm: old.runs[0].arm(),
        settings: arm.settings.clone(),
        changed: arm.changed.clone(),
        before: old.finite_mean(metric),
        now: None,
        seeds_before: Seeds::of(old, metric),
        seeds: None,
        nearest: arm
            .nearest
            .as_ref()
            .map(|(new, changed)| Nearest { changed: changed.clone(), now: new.finite_mean(metric) }),
        worse: None,
        allowed: 0.0,
        excess: None,
        p: None,
        interval: None,
        confidence: 0.0,
        level: 0.0,
        is_beyond: None,
        p_beyond: None,
        p_diverged: None,
        is_unstable: false,
        smallest_level: None,
        outcome: Outcome::Missing,
        slower: None,
        notes: arm.notes.clone(),
    };
    change.allowed = change.before.map_or(0.0, |before| tolerance.size(before));
    let Some(new) = &arm.new else { return change };
    let (were, are) = (change.seeds_before, Seeds::of(new, metric));
    if are.failed > 0 {
        change.notes.push(format!("{} failed now: `optbench run` tries again", runs(are.failed)));
    }
    if are.ran == 0 {
        return change;
    }
    change.seeds = Some(are);
    change.notes.extend(seeds_note(were, are));
    let (then, since, _) = compared(&old.by_seed(metric), &new.by_seed(metric));
    (change.before, change.now) = (mean(&then), mean(&since));
    change.allowed = change.before.map_or(0.0, |before| tolerance.size(before));
    change.worse = Difference::lead(old, new, metric);
    change.excess = Difference::lead_beyond(old, new, metric, |before| tolerance.size(before));
    if change.worse.as_ref().is_some_and(|worse| worse.pairs.is_empty() && worse.error.is_some()) {
        change.notes.push(
            "other seeds than the baseline's: the sides are compared as independent (Welch's test), which finds less"
                .into(),
        );
    }
    change.is_unstable = are.share().is_more_than(were.share());
    let same_share = !change.is_unstable && !were.share().is_more_than(are.share());
    change.outcome = match &change.worse {
        Some(worse) if worse.is_exact() && worse.mean == 0.0 && same_share => Outcome::Identical,
        Some(worse) if worse.mean > change.allowed => Outcome::Undecided,
        None if change.is_unstable => Outcome::Undecided,
        _ => Outcome::Unchanged,
    };
    change
}

fn mean(scores: &BySeed) -> Option<f64> {
    scores.iter().map(|(_, score)| *score).collect::<Sample>().mean()
}

fn runs(n: usize) -> String {
    format!("{n} run{}", if n == 1 { "" } else { "s" })
}

/// What is to be said of the number of seeds.
fn seeds_note(were: Seeds, are: Seeds) -> Option<String> {
    let both = || match (were.ran, are.ran) {
        (1, 1) => "one seed in the baseline and now".to_owned(),
        (before, now) if before == now => format!("{before} seeds in the baseline and now"),
        (before, now) => format!("{before} seed{} in the baseline and {now} now", if before == 1 { "" } else { "s" }),
    };
    match (were.ran, are.ran) {
        (before, now) if before.min(now) < 2 => Some(format!(
            "{}: with one, noise cannot be estimated, and no worsening can be found; set `seeds` to 3 or more",
            both()
        )),
        (before, now) if before.min(now) < 3 => {
            Some(format!("{}: only a very large worsening can be found; set `seeds` to 3 or more", both()))
        }
        (before, now) if before != now => Some(both()),
        _ => None,
    }
}

/// Tests the shares of diverged seeds; returns the level that is left to the scores.
fn divergence(changes: &mut [Change], standard: Standard) -> f64 {
    // Of runs that were added after results had been judged, the exact test says nothing.
    if standard.basis == Basis::Anytime {
        return standard.alpha;
    }
    let half = 0.5 * standard.alpha;
    // An arm where the lost seeds could not differ at all, however they fell, is not tested (Tarone 1990).
    let tests: Vec<Option<f64>> = changes
        .iter()
        .map(|change| {
            let (now, before) = (change.seeds?.share(), change.seeds_before.share());
            could_differ(now.count + before.count, [now.of, before.of], half).then(|| more_often(now, before))
        })
        .collect();
    for (change, p) in changes.iter_mut().zip(holm::step_up_known(&tests)) {
        change.p_diverged = p;
        if p.is_some_and(|p| p < half) {
            (change.outcome, change.is_unstable) = (Outcome::Diverged, false);
        }
    }
    if tests.iter().any(Option::is_some) { half } else { standard.alpha }
}

/// Tests whether each arm is worse at all, or better.
fn scores(changes: &mut [Change], standard: Standard) {
    let p: Vec<Option<f64>> = changes.iter().map(|change| standard.p_above(change.worse.as_ref()?)).collect();
    let adjusted = holm::adjust_known(&p);
    let tests = p.iter().flatten().count();
    let refused = adjusted.iter().flatten().filter(|p| **p < standard.alpha).count();
    // The step at which Holm's method stopped: what is below it is refused, and nothing else.
    let step = Standard { alpha: standard.alpha / (tests - refused).max(1) as f64, ..standard };
    let smallest = standard.alpha / tests.max(1) as f64;
    for (change, p) in changes.iter_mut().zip(adjusted) {
        let Some(worse) = &change.worse else { continue };
        let better = step.p_above(&worse.reversed()).is_some_and(|p| p < step.alpha);
        (change.p, change.level) = (p, standard.alpha);
        let (interval, confidence) = step.interval_above(worse);
        (change.interval, change.confidence) = (Some(interval), confidence);
        change.smallest_level = Some(smallest).filter(|_| standard.basis != Basis::Anytime);
        change.outcome = match change.outcome {
            Outcome::Undecided if p.is_some_and(|p| p < standard.alpha) => Outcome::Regressed,
            Outcome::Unchanged if better => Outcome::Improved,
            other => other,
        };
    }
}

/// Tests whether each arm is worse by more than the tolerance, or by less.
fn tolerance(changes: &mut [Change], standard: Standard) {
    let family = |test: &dyn Fn(&Difference) -> Option<f64>| {
        holm::adjust_known(&changes.iter().map(|change| test(change.excess.as_ref()?)).collect::<Vec<_>>())
    };
    let beyond = family(&|excess| standard.p_above(excess));
    let within = family(&|excess| standard.p_above(&excess.reversed()));
    for ((change, beyond), within) in changes.iter_mut().zip(beyond).zip(within) {
        let is_shown = |p: Option<f64>| p.is_some_and(|p| p < standard.alpha);
        change.is_beyond = if is_shown(beyond) { Some(true) } else { is_shown(within).then_some(false) };
        change.p_beyond = beyond;
    }
}

/// Steps that take longer: Welch's one-sided test on the logarithms of their times, by Holm's method.
fn times(arms: &[Matched], changes: &mut [Change], alpha: f64) {
    let logarithms = |arm: &Summary| arm.milliseconds().iter().filter(|ms| *ms > 0.0).map(f64::ln).collect::<Sample>();
    let tests: Vec<Option<(f64, f64)>> = arms
        .iter()
        .map(|arm| {
            let difference = Difference::welch(&logarithms(arm.new.as_ref()?), &logarithms(&arm.old))?;
            Some((difference.mean.exp(), difference.p_above()?))
        })
        .collect();
    let adjusted = holm::adjust_known(&tests.iter().map(|test| test.map(|test| test.1)).collect::<Vec<_>>());
    for (change, (test, p)) in changes.iter_mut().zip(tests.iter().zip(adjusted)) {
        let Some(((ratio, _), p)) = test.zip(p) else { continue };
        change.slower = (ratio > 1.0 + SLOWER && p < alpha).then_some(ratio);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};
    use crate::results::Record;

    const RULES: Rules =
        Rules { matching: Matching::Settings, tolerance: Margin::Share(0.01), standard: Standard::FIXED };

    fn all(before: &[Record], now: &[Record], rules: Rules) -> Vec<Change> {
        let [now, before] = [now, before].map(|records| Side { records, experiment: None });
        changes(now, before, |_| Metric::Loss, rules)
    }

    fn only(before: &[f64], now: &[f64]) -> Change {
        let [before, now] = [before, now].map(|losses| records(&[Arm::new("a", losses)]));
        all(&before, &now, RULES).remove(0)
    }

    #[test]
    fn a_share_of_diverged_seeds_decides_by_an_exact_test_and_else_is_called_unstable() {
        const INF: f64 = f64::INFINITY;
        let (well, lost) = ([1.0, 1.1, 1.2], [INF; 3]);
        let gone = only(&well, &lost);
        assert_eq!((gone.outcome, gone.is_unstable), (Outcome::Diverged, false), "three of three, 1/64");
        assert_eq!(gone.seeds, Some(Seeds { ran: 3, diverged: 3, failed: 0 }));
        assert!((gone.p_diverged.unwrap() - 1.0 / 64.0).abs() < 1e-9);
        let one = only(&well, &[1.0, 1.1, INF]);
        assert_eq!((one.outcome, one.is_unstable, one.p_diverged), (Outcome::Unchanged, true, None));
        let nothing_left = only(&[1.0], &[INF]);
        assert_eq!((nothing_left.outcome, nothing_left.is_unstable), (Outcome::Undecided, true));
        for (before, now, outcome) in [
            ([1.0, 1.1, INF], [1.0, 1.1, INF], Outcome::Identical),
            ([1.0, 1.1, INF], [1.0, 1.1, 1.2], Outcome::Unchanged),
            (lost, well, Outcome::Unchanged),
            (lost, lost, Outcome::Unchanged),
        ] {
            let change = only(&before, &now);
            assert_eq!((change.outcome, change.is_unstable), (outcome, false));
        }
        // All arms diverge altogether: each alone would be called so, and so they all are.
        let many = |losses: &[f64]| records(&[1.0, 2.0, 3.0, 4.0, 5.0].map(|lr| Arm::at("a", lr, losses)));
        let outcomes = all(&many(&well), &many(&lost), RULES);
        assert!(outcomes.iter().all(|change| change.outcome == Outcome::Diverged), "{outcomes:?}");
        // One arm of twenty diverges altogether: the other nineteen do not hide it.
        let names: Vec<&'static str> = "bcdefghijklmnopqrst".split("").filter(|name| !name.is_empty()).collect();
        let side = |first: &[f64]| {
            let others = names.iter().map(|name| Arm::new(name, &well));
            records(&others.chain([Arm::new("a", first)]).collect::<Vec<_>>())
        };
        assert_eq!(all(&side(&well), &side(&lost), RULES).last().unwrap().outcome, Outcome::Diverged);
    }

    #[test]
    fn a_failed_run_is_not_a_diverged_one() {
        let before = records(&[Arm::new("a", &[1.0, 1.1, 1.2])]);
        let mut now = before.clone();
        now[1].status = crate::results::Status::Failed;
        let change = all(&before, &now, RULES).remove(0);
        assert_eq!((change.outcome, change.is_unstable), (Outcome::Identical, false));
        assert_eq!(change.seeds, Some(Seeds { ran: 2, diverged: 0, failed: 1 }));
        assert!(change.notes[0].contains("1 run failed now"), "{:?}", change.notes);
    }

    #[test]
    fn what_is_shown_agrees_with_what_is_decided() {
        // The means are of the seeds that are compared; the others score far worse.
        let before = [1.0, 1.1, 1.2, 1.0, 9.0];
        let change = only(&before, &[1.2, 1.31, 1.39, 1.21]);
        let shown = change.now.unwrap() - change.before.unwrap();
        assert!((change.worse.as_ref().unwrap().mean - shown).abs() < 1e-12);
        assert_eq!((change.outcome, change.is_beyond), (Outcome::Regressed, Some(true)));
        assert!((change.allowed - 0.01 * 1.075).abs() < 1e-12);
        assert!((change.excess.unwrap().mean - (shown - change.allowed)).abs() < 1e-12);

        // Regressed exactly where the interval lies above zero, with any number of arms, and never beside an unknown one.
        let names = ["a", "b", "c", "d"];
        let mut stream = crate::rng::Stream::new(1, "gate");
        let mut seen = [0; 2];
        for trial in 0..300 {
            let n = 2 + trial % 5;
            let side = |stream: &mut crate::rng::Stream, worse: f64| {
                let arm = |name| {
                    // In coarse steps, so that equal steps come up.
                    let score = |_| ((worse + 0.5 * stream.normal()) * 4.0).round() / 4.0 + 10.0;
                    Arm::new(name, &(0..n).map(score).collect::<Vec<f64>>())
                };
                records(&names.map(arm))
            };
            let (before, now) = (side(&mut stream, 0.0), side(&mut stream, 1.0));
            for change in all(&before, &now, RULES) {
                let (low, _) = change.interval.unwrap();
                let regressed = change.outcome == Outcome::Regressed;
                seen[usize::from(regressed)] += 1;
                let is_beyond = change.worse.as_ref().unwrap().mean > change.allowed;
                assert_eq!(regressed, is_beyond && low > 0.0, "{change:?}");
            }
        }
        assert!(seen.iter().all(|n| *n > 100), "{seen:?}");
    }

    #[test]
    fn worse_at_all_and_worse_than_the_tolerance_are_two_questions() {
        let before = [1.0, 1.1, 1.2, 1.0, 1.1];
        let now = [1.04, 1.15, 1.27, 1.06, 1.15];
        let with = |tolerance| {
            let [before, now] = [&before, &now].map(|losses| records(&[Arm::new("a", losses)]));
            let change = all(&before, &now, Rules { tolerance, ..RULES }).remove(0);
            (change.outcome, change.is_beyond)
        };
        assert_eq!(with(Margin::Share(0.01)), (Outcome::Regressed, Some(true)));
        assert_eq!(with(Margin::Share(0.045)), (Outcome::Regressed, None), "worse, but perhaps by no more than 4.5%");
        assert_eq!(with(Margin::Share(0.055)), (Outcome::Unchanged, None), "5% worse: on either side of 5.5%");
        assert_eq!(with(Margin::Share(0.1)), (Outcome::Unchanged, Some(false)));
        assert_eq!(with(Margin::Absolute(0.02)), (Outcome::Regressed, Some(true)));
    }

    #[test]
    fn an_arm_that_is_gone_is_told_from_one_that_was_changed() {
        let before = records(&[Arm::at("a", 0.1, &[1.0]), Arm::at("a", 1.0, &[1.0]), Arm::at("b", 0.1, &[1.0])]);
        let now = records(&[Arm::at("a", 0.1, &[1.0]), Arm::at("a", 2.0, &[3.0])]);
        let changes = all(&before, &now, RULES);
        assert!(changes[0].nearest.is_none());
        let moved = Changed { key: "lr".into(), was: Some("1".into()), is: Some("2".into()) };
        let nearest = changes[1].nearest.as_ref().unwrap();
        assert_eq!((changes[1].outcome, changes[1].before), (Outcome::Missing, Some(1.0)));
        assert_eq!((&nearest.changed, nearest.now), (&vec![moved], Some(3.0)));
        assert!(changes[2].outcome == Outcome::Missing && changes[2].nearest.is_none(), "no other arm is of `b`");
    }
}
