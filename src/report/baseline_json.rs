//! A comparison with a baseline as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::analysis::regression::{Change, Changed, Matching};
use crate::analysis::standard::LEVEL;
use crate::report::check::Against;
use crate::results::Setting;

/// How the arms were compared.
pub(super) fn json_rules(against: &Against) -> Value {
    json!({
        "match": match against.rules.matching {
            Matching::Settings => "settings",
            Matching::Label => "label",
        },
        "tolerance": against.rules.tolerance.to_string(),
        "basis": against.rules.standard.basis.name(),
        "level": against.rules.standard.alpha,
    })
}

/// An arm, then and now.
pub(super) fn json_change(change: &Change) -> Value {
    let list = |(low, high): (f64, f64)| [low, high];
    let (worse, excess) = (change.worse.as_ref(), change.excess.as_ref());
    json!({
        "task": change.task,
        "arm": change.arm,
        "settings": change.settings.iter().map(|(key, value)| (key, value.to_string())).collect::<BTreeMap<_, _>>(),
        "changed": json_settings(&change.changed),
        "metric": change.metric.name(),
        "outcome": change.outcome.word(),
        "unstable": change.is_unstable,
        "before": change.before,
        "now": change.now,
        "worse_by": worse.map(|worse| worse.mean),
        "interval": worse.map(|worse| list(worse.interval(LEVEL))),
        "decides": change.interval.map(|interval| json!({
            "interval": list(interval),
            "confidence": change.confidence,
            "level": change.level,
        })),
        "allowed": change.allowed,
        "excess": excess.map(|excess| json!({ "mean": excess.mean, "interval": list(excess.interval(LEVEL)) })),
        "beyond_tolerance": change.is_beyond,
        "p_beyond_holm": change.p_beyond,
        "n": worse.map(|worse| worse.n),
        "paired": worse.map(|worse| !worse.pairs.is_empty()),
        "seeds_before": change.seeds_before.ran,
        "seeds": change.seeds.map(|seeds| seeds.ran),
        "diverged_before": change.seeds_before.diverged,
        "diverged": change.seeds.map(|seeds| seeds.diverged),
        "failed_before": change.seeds_before.failed,
        "failed": change.seeds.map(|seeds| seeds.failed),
        "p_diverged": change.p_diverged,
        "nearest": change.nearest.as_ref().map(|nearest| json_settings(&nearest.changed)).unwrap_or_default(),
        "nearest_now": change.nearest.as_ref().and_then(|nearest| nearest.now),
        "p_holm": change.p,
        "detectable": change.detectable(),
        "slower": change.slower,
        "note": (!change.notes.is_empty()).then(|| change.notes.join("; ")),
    })
}

fn json_settings(changed: &[Changed]) -> Vec<Value> {
    let text = |value: &Option<Setting>| value.as_ref().map(ToString::to_string);
    changed.iter().map(|c| json!({ "key": c.key, "was": text(&c.was), "is": text(&c.is) })).collect()
}
