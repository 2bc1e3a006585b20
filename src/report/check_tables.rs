//! What a check found, in tables.

use crate::analysis::Difference;
use crate::analysis::regression::{Change, Outcome};
use crate::analysis::standard::LEVEL;
use crate::metric::Metric;
use crate::report::check::Checked;
use crate::report::check_words::{diverged, needed, place, seeds_compared, settings, statement, why};
use crate::report::format::Table;
use crate::report::words::{points, probability, score, unit};

const LEAD: &str = "Lead: how much better the first arm is, with its two-sided 95% interval; where learning rates around \
                    the best are compared, how much less they cost it. A part is supported where the whole interval \
                    reaches what is needed, refuted where all of it falls short, and otherwise these seeds cannot decide \
                    it. A `margin` needs a lead of at least minus the margin, `by` a lead of more than that.";

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
        table.head(["lead [95%]", "needed", "seeds"]);
        for judgement in &self.claims {
            for part in &judgement.parts {
                let cost = if part.costs.is_some() { "cost in " } else { "" };
                let mut row = vec![part.finding.word().to_owned(), judgement.claim.label.clone(), place(part)];
                row.push(format!("{cost}{}", part.metric.name()));
                row.extend(explained.then(|| why(judgement, part).unwrap_or_default()));
                let lead = part.lead.as_ref();
                row.push(difference(lead, part.metric));
                row.push(lead.map_or_else(|| "-".into(), |_| needed(judgement, part)));
                row.push(lead.map_or_else(|| "-".into(), |lead| lead.n.to_string()));
                table.rows.push(row);
            }
        }
        table
    }

    /// Every arm of the baseline, then and now.
    pub(super) fn changes_table(&self) -> Table {
        let mut table = Table::new("Against the baseline", self.changes_note(), 4);
        table.head(["outcome", "task", "arm", "settings", "before", "now", "worse by [95%]", "would find", "p (Holm)"]);
        table.head(["seeds"]);
        for change in self.changes.iter().flatten() {
            let metric = change.metric;
            let cell =
                |x: Option<f64>| x.map_or_else(|| "-".into(), |x| format!("{}{}", score(x, metric), unit(metric)));
            let found = change.detectable.filter(|_| change.outcome != Outcome::Identical);
            table.rows.push(vec![
                change.outcome.word().to_owned(),
                change.task.clone(),
                change.arm.clone(),
                settings(change),
                cell(change.before),
                cell(change.now),
                match change.seeds.filter(|_| change.outcome == Outcome::Diverged) {
                    Some(seeds) => diverged(change, seeds),
                    None => difference(change.worse.as_ref(), metric),
                },
                found.map_or_else(|| "-".into(), |found| points(found, metric)),
                probability(change.p),
                seeds_compared(change),
            ]);
        }
        table
    }

    /// How to read the table of changes, and which seeds it compares.
    pub(super) fn changes_note(&self) -> String {
        let mut note =
            "Would find: the smallest worsening that these seeds would have found with 80% power.".to_owned();
        let compared = || self.changes.iter().flatten().filter(|change| change.seeds.is_some());
        let with = |other: &dyn Fn(&Change) -> bool| compared().filter(|change| other(change)).count();
        let fewer = with(&|change| change.seeds.is_some_and(|seeds| seeds.ran < change.seeds_before.ran));
        let others = with(&|change| change.worse.as_ref().is_some_and(|worse| worse.pairs.is_empty()));
        let all = compared().count();
        if fewer > 0 {
            note += &format!(" Fewer seeds than in the baseline: {fewer} of {all} arms.");
        }
        if others > 0 {
            note += &format!(" Not paired with the baseline's seeds (Welch's test): {others} of {all} arms.");
        }
        note
    }
}

/// `0.34 points [0.13, 0.55]`.
fn difference(difference: Option<&Difference>, metric: Metric) -> String {
    let Some(difference) = difference else { return "-".into() };
    let (low, high) = difference.interval(LEVEL);
    let mean = points(difference.mean, metric);
    if low.is_infinite() && high.is_infinite() {
        return format!("{mean} [unknown]");
    }
    format!("{mean} [{}, {}]", score(low, metric), score(high, metric))
}
