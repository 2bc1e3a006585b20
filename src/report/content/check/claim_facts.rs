//! Claims and what was found, as scripts read them.

use crate::analysis::around_best::mean;
use crate::analysis::claim::{self, Divergence, Judgement};
use crate::report::content::check::claim_words::statement;
use crate::report::document::{Claim, Measured, Part, ends};

/// A claim with what was found task by task.
pub(super) fn claim(judgement: &Judgement) -> Claim {
    let standard = judgement.standard;
    Claim {
        claim: judgement.claim.label.clone(),
        statement: statement(judgement),
        finding: judgement.finding.word().to_owned(),
        basis: standard.basis.name().to_owned(),
        look: standard.look.map(|look| look.number),
        looks: standard.look.map(|look| look.of),
        level: standard.alpha,
        parts: judgement.parts.iter().map(|one| part(judgement, one)).collect(),
    }
}

fn part(judgement: &Judgement, part: &claim::Part) -> Part {
    let (standard, shown) = (judgement.standard, part.shown(judgement.standard));
    let (lead, costs) = (part.lead.as_ref(), part.costs.as_ref());
    Part {
        task: part.task.clone(),
        metric: part.metric.name().to_owned(),
        lr: part.lr,
        step: part.horizon,
        finding: part.finding.word().to_owned(),
        lead: lead.map(|lead| lead.mean),
        interval: part.interval(standard).map(ends),
        needed: part.needed,
        excess: part
            .excess
            .as_ref()
            .map(|excess| Measured { mean: excess.mean, interval: part.interval_of_excess(standard).map(ends) }),
        steps_saved: part
            .steps_saved
            .as_ref()
            .map(|saved| Measured { mean: saved.mean, interval: Some(ends(shown.interval(saved))) }),
        basis: standard.basis.name().to_owned(),
        look: standard.look.map(|look| look.number),
        level: shown.alpha,
        n: lead.map(|lead| lead.n),
        detectable: part.detectable,
        diverged: part.divergence.as_ref().map(Divergence::counts),
        reason: part.reason.clone(),
        note: part.note.clone(),
        costs: costs.map(|costs| costs.sides.each_ref().map(mean)),
        windows: costs.map(|costs| costs.windows.map(ends)),
        allowance: lead.map(|lead| lead.allowance),
    }
}
