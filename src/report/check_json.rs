//! The findings of a check as JSON.

use serde_json::{Value, json};

use crate::analysis::around_best::mean;
use crate::analysis::claim::{Divergence, Judgement};
use crate::error::{Error, Result};
use crate::report::SCHEMA_VERSION;
use crate::report::baseline_json::{json_change, json_rules};
use crate::report::check::{Checked, Level};
use crate::report::check_words::statement;

impl Checked<'_> {
    /// The findings as one JSON document.
    ///
    /// # Errors
    /// Never with finite memory.
    pub fn json(&self) -> Result<String> {
        let claims: Vec<Value> = self.claims.iter().map(json_claim).collect();
        let arms = self.against.as_ref().map(|against| against.changes.iter().map(json_change).collect::<Vec<_>>());
        let document = json!({
            "schema_version": SCHEMA_VERSION,
            "experiment": self.name,
            "passed": self.level() < Level::Fail,
            "answer": self.headline(),
            "runs": { "there": self.progress.there, "planned": self.progress.planned },
            "claims": claims,
            "baseline": self.against.as_ref().map(json_rules),
            "arms": arms,
        });
        serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(|error| Error::Usage(error.to_string()))
    }
}

fn json_claim(judgement: &Judgement) -> Value {
    let standard = judgement.standard;
    let parts = judgement.parts.iter().map(|part| {
        json!({
            "task": part.task,
            "metric": part.metric.name(),
            "lr": part.lr,
            "step": part.horizon,
            "finding": part.finding.word(),
            "lead": part.lead.as_ref().map(|lead| lead.mean),
            "interval": part.interval(standard).map(|(low, high)| [low, high]),
            "needed": part.needed,
            "excess": part.excess.as_ref().map(|excess| json!({
                "mean": excess.mean,
                "interval": part.interval_of_excess(standard).map(|(low, high)| [low, high]),
            })),
            "steps_saved": part.steps_saved.as_ref().map(|saved| {
                let (low, high) = part.shown(standard).interval(saved);
                json!({ "mean": saved.mean, "interval": [low, high] })
            }),
            "basis": standard.basis.name(),
            "look": standard.look.map(|look| look.number),
            "level": part.shown(standard).alpha,
            "n": part.lead.as_ref().map(|lead| lead.n),
            "detectable": part.detectable,
            "diverged": part.divergence.as_ref().map(Divergence::counts),
            "reason": part.reason,
            "note": part.note,
            "costs": part.costs.as_ref().map(|costs| costs.sides.each_ref().map(mean)),
            "windows": part.costs.as_ref().map(|costs| costs.windows.map(|(low, high)| [low, high])),
            "allowance": part.lead.as_ref().map(|lead| lead.allowance),
        })
    });
    json!({
        "claim": judgement.claim.label,
        "statement": statement(judgement),
        "finding": judgement.finding.word(),
        "basis": standard.basis.name(),
        "look": standard.look.map(|look| look.number),
        "looks": standard.look.map(|look| look.of),
        "level": standard.alpha,
        "parts": parts.collect::<Vec<_>>(),
    })
}
