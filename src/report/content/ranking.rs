//! The ranking: who is ahead, and by what settings.

use crate::analysis::Rank;
use crate::metric::Metric;
use crate::report::content::words::{chosen, mean_time, place, probability, score, short, spread_of, yes_or_no};
use crate::report::document::{Cell, Content, Number, Shown, Table};
use crate::report::{Row, Section};

/// How far the reported loss is from the best that any model could do.
const ABOVE_FLOOR: &str = "nats above floor";

/// The ranking: where room is scarce, what decides, in about a hundred columns.
pub(super) fn table(section: &Section) -> Table {
    let deciding = section.ranking.metric;
    let rows = || section.rows();
    let ranks = || rows().map(|row| row.rank);
    let tested = section.is_tested();
    let several = section.ranking.ranks.len() > 1;
    let mut table = Table::new("Ranking", note(section)).only(Shown::Everywhere);
    named(&mut table, rows());
    table.words("chosen", ranks().map(|rank| rank.is_ranked().then(|| chosen(rank))));
    table.words("may be best", rows().map(|row| yes_or_no(row.may_be_best))).only(Shown::WhereWide);
    let has_loss = section.spec.is_none_or(|spec| spec.metrics.contains(&Metric::LOSS));
    let mut metrics = vec![deciding];
    metrics.extend((deciding != Metric::LOSS && has_loss).then_some(Metric::LOSS));
    for metric in metrics {
        let shown = if metric == deciding { Shown::Everywhere } else { Shown::WhereWide };
        let validation = |rank: &Rank| spread_of(&rank.selection.validation(metric), metric, rank.selection.runs.len());
        let reported = |rank: &Rank| spread_of(&rank.best.reported(metric), metric, rank.best.runs.len());
        table.numbers(format!("val {}", metric.name()), ranks().map(validation)).only(shown);
        if tested {
            table.numbers(format!("test {}", metric.name()), ranks().map(reported)).only(shown);
        }
    }
    if section.ranking.loss_floor().is_some() {
        let above = |rank: &Rank| spread_of(&rank.best.above_floor(), Metric::LOSS, rank.best.runs.len());
        table.numbers(ABOVE_FLOOR, ranks().map(above));
    }
    if several {
        let leads = rows().map(|row| {
            let lead = row.comparison.and_then(|comparison| comparison.lead.as_ref());
            Cell::or_blank(lead.map(|lead| behind(lead.mean, section.standard.interval(lead), deciding)))
        });
        table.numbers("behind the leader", leads).only(Shown::WhereNarrow);
        let p = rows().map(|row| Cell::or_blank(row.comparison.map(|comparison| probability(comparison.p_adjusted))));
        table.numbers("p (Holm)", p).only(Shown::WhereNarrow);
        table.numbers("may be best", rows().map(|row| yes_or_no(row.may_be_best))).only(Shown::WhereNarrow);
    }
    if ranks().any(|rank| !rank.best.steps_to_target().is_empty()) {
        table.numbers("to target", ranks().map(steps_to_target)).only(Shown::WhereNarrow);
        table.numbers("steps to target", ranks().map(steps_to_target)).only(Shown::WhereWide);
        let seconds = ranks().map(|rank| mean_time(&rank.best.seconds_to_target()));
        table.numbers("seconds to target", seconds).only(Shown::WhereWide);
    }
    let diverged = ranks().map(|rank| Content::Share(rank.diverged, rank.runs));
    let shown = if ranks().any(|rank| rank.diverged > 0) { Shown::Everywhere } else { Shown::WhereWide };
    table.numbers("diverged", diverged).only(shown);
    table.numbers("ms/step", ranks().map(|rank| mean_time(&rank.best.milliseconds()))).only(Shown::WhereNarrow);
    table
}

/// The first columns of a table of arms: place, optimizer, schedule.
pub(super) fn named<'s, 'a: 's>(table: &mut Table, rows: impl Iterator<Item = Row<'s, 'a>> + Clone) {
    table.words("#", rows.clone().map(|row| place(row.place, row.rank)));
    table.words("optimizer", rows.clone().map(|row| Cell::label(row.rank.optimizer)));
    table.words("schedule", rows.map(|row| Cell::label(row.rank.schedule)));
}

/// How far an arm lies behind the leader, with the interval where it is known: `1.61 [1.36, 1.86]`.
fn behind(mean: f64, (low, high): (f64, f64), metric: Metric) -> Cell {
    let mean = score(mean, metric);
    if low == high || low.is_infinite() {
        return mean.into();
    }
    Content::Estimate(mean, Some((score(low, metric), score(high, metric)))).into()
}

/// The steps to the target, and how many seeds reached it, where not all did.
pub(super) fn steps_to_target(rank: &Rank) -> Cell {
    let reached = rank.best.steps_to_target();
    let (n, of) = (reached.len(), rank.best.runs.len());
    let cell: Cell = reached.mean().map(|mean| Number::fixed(mean, 0)).into();
    if (1..of).contains(&n) { cell.noted(format!("{n} of {of}")) } else { cell }
}

fn note(section: &Section) -> String {
    let level = short(100.0 * section.standard.alpha);
    let mut note = vec![format!(
        "The settings, and the order, are chosen on validation{}. An arm may be the best unless it is worse than the \
         leader by a one-sided test at {level}%, or significantly more of its seeds diverged.",
        if section.is_tested() { "; what is compared is the score on test" } else { "" },
    )];
    if section.ranking.ranks.len() > 2 && !section.ranking.ranks.iter().any(Rank::is_judged) {
        // Measured in `analysis::best_rates`.
        note.push(
            "The same runs chose the leader, so of many arms, one that is exactly as good is ruled out more often than \
             that; `judge_seeds` mends it."
                .to_owned(),
        );
    }
    note.extend(section.order_note());
    note.join(" ")
}
