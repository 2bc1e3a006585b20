//! What changed since a baseline: arm by arm, worse by more than a tolerance and by more than noise.

use crate::analysis::arm_match::{Matched, matched};
use crate::analysis::by_seed::compared;
use crate::analysis::gate;
use crate::analysis::standard::Standard;
use crate::analysis::{BySeed, Difference, Sample};
use crate::margin::Margin;
use crate::metric::Metric;

pub use crate::analysis::arm_match::{Changed, Matching, Side};
pub use crate::analysis::change::{Change, Nearest, Outcome, SLOWER, Seeds};

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

/// Every arm of the baseline against the same arm now.
///
/// An arm regressed where its mean is worse by more than the tolerance and the one-sided t test that it is no worse
/// at all is refused (Holm over all arms). It diverged where Boschloo's exact test refuses that no larger share of its
/// seeds diverges (Hochberg over the arms where it can). The level is the standard's; where both kinds of test can fail
/// the check, each has half of it. So a change of nothing fails at most one check in twenty, however many arms.
pub fn changes(now: Side, before: Side, metric: impl Fn(&str) -> Metric, rules: Rules) -> Vec<Change> {
    let arms = matched(now, before, rules.matching, &metric);
    let mut changes: Vec<Change> = arms.iter().map(|arm| compare(arm, metric(&arm.old.runs[0].task), rules)).collect();
    let level = gate::divergence(&mut changes, rules.standard);
    let standard = Standard { alpha: level, ..rules.standard };
    gate::scores(&mut changes, standard);
    gate::tolerance(&mut changes, standard);
    gate::times(&arms, &mut changes, rules.standard.alpha);
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
        let is_independent = new.runs.iter().chain(&old.runs).any(|run| run.is_independent);
        let why = if is_independent { "seeds share nothing" } else { "other seeds than the baseline's" };
        let so = "the sides are compared as independent (Welch's test), which finds less";
        change.notes.push(format!("{why}: {so}"));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};
    use crate::results::Record;

    const RULES: Rules =
        Rules { matching: Matching::Settings, tolerance: Margin::Share(0.01), standard: Standard::FIXED };

    fn all(before: &[Record], now: &[Record], rules: Rules) -> Vec<Change> {
        let [now, before] = [now, before].map(|records| Side { records, experiment: None });
        changes(now, before, |_| Metric::LOSS, rules)
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
