//! The arms of a baseline, then and now, as scripts read them.

use crate::analysis::regression::{self, Matching};
use crate::analysis::standard::LEVEL;
use crate::report::content::check::checked::Against;
use crate::report::document::{Baseline, Change, Changed, Decides, Measured, ends};
use crate::results::Setting;

/// How the arms were compared.
pub(super) fn rules(against: &Against) -> Baseline {
    let rules = &against.rules;
    let by = match rules.matching {
        Matching::Settings => "settings",
        Matching::Label => "label",
    };
    Baseline {
        r#match: by.to_owned(),
        tolerance: rules.tolerance.to_string(),
        basis: rules.standard.basis.name().to_owned(),
        level: rules.standard.alpha,
    }
}

/// An arm, then and now.
pub(super) fn change(change: &regression::Change) -> Change {
    let (worse, excess) = (change.worse.as_ref(), change.excess.as_ref());
    Change {
        task: change.task.clone(),
        arm: change.arm.clone(),
        settings: change.settings.iter().map(|(key, value)| (key.clone(), value.to_string())).collect(),
        changed: settings(&change.changed),
        metric: change.metric.name().to_owned(),
        outcome: change.outcome.word().to_owned(),
        unstable: change.is_unstable,
        before: change.before,
        now: change.now,
        worse_by: worse.map(|worse| worse.mean),
        interval: worse.map(|worse| ends(worse.interval(LEVEL))),
        decides: change.interval.map(|interval| Decides {
            interval: ends(interval),
            confidence: change.confidence,
            level: change.level,
        }),
        allowed: change.allowed,
        excess: excess.map(|excess| Measured { mean: excess.mean, interval: Some(ends(excess.interval(LEVEL))) }),
        beyond_tolerance: change.is_beyond,
        p_beyond_holm: change.p_beyond,
        n: worse.map(|worse| worse.n),
        paired: worse.map(|worse| !worse.pairs.is_empty()),
        seeds_before: change.seeds_before.ran,
        seeds: change.seeds.map(|seeds| seeds.ran),
        diverged_before: change.seeds_before.diverged,
        diverged: change.seeds.map(|seeds| seeds.diverged),
        failed_before: change.seeds_before.failed,
        failed: change.seeds.map(|seeds| seeds.failed),
        p_diverged: change.p_diverged,
        nearest: change.nearest.as_ref().map(|nearest| settings(&nearest.changed)).unwrap_or_default(),
        nearest_now: change.nearest.as_ref().and_then(|nearest| nearest.now),
        p_holm: change.p,
        detectable: change.detectable(),
        slower: change.slower,
        note: (!change.notes.is_empty()).then(|| change.notes.join("; ")),
    }
}

fn settings(changed: &[regression::Changed]) -> Vec<Changed> {
    let text = |value: &Option<Setting>| value.as_ref().map(ToString::to_string);
    let of = |one: &regression::Changed| Changed { key: one.key.clone(), was: text(&one.was), is: text(&one.is) };
    changed.iter().map(of).collect()
}
