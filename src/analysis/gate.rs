//! The tests of a check against a baseline, each over all arms together.

use crate::analysis::arm_match::Matched;
use crate::analysis::change::{Change, Outcome, SLOWER};
use crate::analysis::shares::{could_differ, more_often};
use crate::analysis::standard::{Basis, Standard};
use crate::analysis::{Difference, Sample, Summary, holm};

/// Tests the shares of diverged seeds; returns the level that is left to the scores.
pub(super) fn divergence(changes: &mut [Change], standard: Standard) -> f64 {
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
pub(super) fn scores(changes: &mut [Change], standard: Standard) {
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
pub(super) fn tolerance(changes: &mut [Change], standard: Standard) {
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
pub(super) fn times(arms: &[Matched], changes: &mut [Change], alpha: f64) {
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
