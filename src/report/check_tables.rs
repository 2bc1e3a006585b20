//! What a check found, in tables.

use crate::analysis::Difference;
use crate::metric::Metric;
use crate::report::check::Checked;
use crate::report::check_words::{needed, place, statement, why};
use crate::report::format::Table;
use crate::report::words::{interval_of, points};

const LEAD: &str = "Lead: how much better the first arm is, with its two-sided interval (95%, or what the standard of the \
                    claim asks for); where learning rates around \
                    the best are compared, how much less they cost it. A part is supported where the whole interval \
                    reaches what is needed, refuted where all of it falls short, and otherwise these seeds cannot decide \
                    it. A `margin` needs a lead of at least minus the margin, `by` a lead of more than that. A margin that is \
                    a share of the other side's score is taken seed by seed.";

impl Checked<'_> {
    /// What is claimed, in words, with what was found.
    pub(super) fn claims_table(&self) -> Table {
        let mut table = Table::new("Claims", "", 3);
        table.head(["finding", "claim", "says"]);
        table.rows.extend(self.claims.iter().map(|judgement| {
            vec![judgement.finding.word().to_owned(), judgement.claim.label.clone(), statement(judgement)]
        }));
        table
    }

    /// The claims task by task; `explained` adds why the interval does not decide, which is long.
    pub(super) fn parts_table(&self, explained: bool) -> Table {
        let mut table = Table::new("Task by task", LEAD, 4);
        table.head(["finding", "claim", "task", "metric"]);
        if explained {
            table.words = 5;
            table.head(["why"]);
        }
        table.head(["lead [interval]", "needed", "seeds"]);
        for judgement in &self.claims {
            for part in &judgement.parts {
                let cost = if part.costs.is_some() { "cost in " } else { "" };
                let mut row = vec![part.finding.word().to_owned(), judgement.claim.label.clone(), place(part)];
                row.push(format!("{cost}{}", part.metric.name()));
                row.extend(explained.then(|| why(judgement, part).unwrap_or_default()));
                let lead = part.lead.as_ref();
                row.push(difference(lead, part.interval(judgement.standard), part.metric));
                row.push(lead.map_or_else(|| "-".into(), |_| needed(judgement, part)));
                row.push(lead.map_or_else(|| "-".into(), |lead| lead.n.to_string()));
                table.rows.push(row);
            }
        }
        table
    }
}

/// `0.34 points [0.13, 0.55]`.
fn difference(difference: Option<&Difference>, interval: Option<(f64, f64)>, metric: Metric) -> String {
    let Some((difference, interval)) = difference.zip(interval) else { return "-".into() };
    format!("{} {}", points(difference.mean, metric), interval_of(interval, metric))
}
