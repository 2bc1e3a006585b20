//! Claims and what was found, in tables.

use crate::analysis::claim::{Finding, Judgement, Part};
use crate::report::content::check::claim_words::{needed, place, statement, why};
use crate::report::content::words::estimate;
use crate::report::document::{Cell, Number, Shown, Table, Tone};

const LEAD: &str = "Lead: how much better the first arm is, with its two-sided interval (95%, or what the standard of the \
                    claim asks for); where learning rates around \
                    the best are compared, how much less they cost it. A part is supported where the whole interval \
                    reaches what is needed, refuted where all of it falls short, and otherwise these seeds cannot decide \
                    it. A `margin` needs a lead of at least minus the margin, `by` a lead of more than that. A margin that is \
                    a share of the other side's score is taken seed by seed.";

/// What is claimed, in words, with what was found.
pub(super) fn said(claims: &[Judgement]) -> Table {
    let mut table = Table::new("Claims", "");
    table.words("finding", claims.iter().map(|judgement| found(judgement.finding)));
    table.words("claim", claims.iter().map(|judgement| Cell::label(&judgement.claim.label)));
    table.words("says", claims.iter().map(statement));
    table
}

/// The claims task by task, where there is room with why the interval does not decide.
pub(super) fn parts(claims: &[Judgement]) -> Table {
    let parts = || claims.iter().flat_map(|judgement| judgement.parts.iter().map(move |part| (judgement, part)));
    let mut table = Table::new("Task by task", LEAD);
    table.words("finding", parts().map(|(_, part)| found(part.finding)));
    table.words("claim", parts().map(|(judgement, _)| Cell::label(&judgement.claim.label)));
    table.words("task", parts().map(|(_, part)| Cell::label(place(part))));
    let metric = |part: &Part| format!("{}{}", if part.costs.is_some() { "cost in " } else { "" }, part.metric.name());
    table.words("metric", parts().map(|(_, part)| metric(part)));
    table
        .words("why", parts().map(|(judgement, part)| why(judgement, part).unwrap_or_default()))
        .only(Shown::WhereWide);
    let lead = |judgement: &Judgement, part: &Part| {
        let lead = part.lead.as_ref()?;
        Some(estimate(lead.mean, part.interval(judgement.standard)?, part.metric))
    };
    table.numbers("lead [interval]", parts().map(|(judgement, part)| lead(judgement, part)));
    let bar = |(judgement, part): (&Judgement, &Part)| part.lead.as_ref().map(|_| needed(judgement, part));
    table.numbers("needed", parts().map(bar));
    table.numbers("seeds", parts().map(|(_, part)| part.lead.as_ref().map(|lead| Number::count(lead.n))));
    table
}

fn found(finding: Finding) -> Cell {
    let tone = match finding {
        Finding::Supported => Tone::Good,
        Finding::Undecided => Tone::Doubtful,
        Finding::Refuted => Tone::Bad,
    };
    Cell::word(finding.word(), tone)
}
