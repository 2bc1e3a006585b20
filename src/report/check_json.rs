//! The findings of a check as JSON.

use serde_json::{Value, json};

use crate::analysis::around_best::mean;
use crate::analysis::claim::Judgement;
use crate::analysis::regression::Change;
use crate::analysis::standard::LEVEL;
use crate::error::{Error, Result};
use crate::report::check::{Checked, Level};
use crate::report::check_words::statement;

impl Checked<'_> {
    /// The findings as one JSON document.
    ///
    /// # Errors
    /// Never with finite memory.
    pub fn json(&self) -> Result<String> {
        let claims: Vec<Value> = self.claims.iter().map(json_claim).collect();
        let changes = self.changes.as_ref().map(|changes| changes.iter().map(json_change).collect::<Vec<_>>());
        let document = json!({
            "experiment": self.name,
            "passed": self.level() < Level::Fail,
            "answer": self.headline(),
            "runs": { "there": self.progress.there, "planned": self.progress.planned },
            "claims": claims,
            "arms": changes,
        });
        serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(|error| Error::Usage(error.to_string()))
    }
}

fn json_claim(judgement: &Judgement) -> Value {
    let parts = judgement.parts.iter().map(|part| {
        json!({
            "task": part.task,
            "metric": part.metric.name(),
            "lr": part.lr,
            "step": part.horizon,
            "finding": part.finding.word(),
            "lead": part.lead.as_ref().map(|lead| lead.mean),
            "interval": part.interval(judgement.standard).map(|(low, high)| [low, high]),
            "needed": part.needed,
            "n": part.lead.as_ref().map(|lead| lead.n),
            "detectable": part.detectable,
            "reason": part.reason,
            "note": part.note,
            "costs": part.costs.as_ref().map(|costs| costs.sides.each_ref().map(mean)),
        })
    });
    json!({
        "claim": judgement.claim.label,
        "statement": statement(judgement),
        "finding": judgement.finding.word(),
        "parts": parts.collect::<Vec<_>>(),
    })
}

fn json_change(change: &Change) -> Value {
    json!({
        "task": change.task,
        "arm": change.arm,
        "settings": change.settings.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "metric": change.metric.name(),
        "outcome": change.outcome.word(),
        "before": change.before,
        "now": change.now,
        "worse_by": change.worse.as_ref().map(|worse| worse.mean),
        "interval": change.worse.as_ref().map(|worse| worse.interval(LEVEL)).map(|(low, high)| [low, high]),
        "allowed": change.allowed,
        "n": change.worse.as_ref().map(|worse| worse.n),
        "paired": change.worse.as_ref().map(|worse| !worse.pairs.is_empty()),
        "seeds_before": change.seeds_before.ran,
        "seeds": change.seeds.map(|seeds| seeds.ran),
        "diverged_before": change.seeds_before.diverged,
        "diverged": change.seeds.map(|seeds| seeds.diverged),
        "nearest": change.nearest.iter().map(|c| json!({ "key": c.key, "was": c.was, "is": c.is })).collect::<Vec<_>>(),
        "p_holm": change.p,
        "detectable": change.detectable,
        "slower": change.slower,
    })
}
