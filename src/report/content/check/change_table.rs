//! A comparison with a baseline as a table.

use crate::analysis::regression::{Change, Outcome};
use crate::report::content::check::change_words::{detectable, diverged, legend, seeds_compared, settings};
use crate::report::content::check::checked::Against;
use crate::report::content::words::{estimate, probability, short, with_unit};
use crate::report::document::{Cell, Shown, Table, Tone};

/// Every arm of the baseline, then and now; without rows where there is no baseline.
pub(super) fn table(against: Option<&Against>) -> Table {
    let Some(Against { rules, changes }) = against else { return Table::new("Against the baseline", "") };
    let mut table = Table::new("Against the baseline", legend(rules, changes)).only(Shown::Everywhere);
    table.explained = Shown::Everywhere;
    // The same of every arm that is tested.
    let confidence = changes.iter().find_map(|change| change.interval.map(|_| change.confidence));
    let worse = confidence.map_or_else(|| "worse by".into(), |level| format!("worse by [{}%]", short(100.0 * level)));
    let score = |change: &Change, x: Option<f64>| Cell::from(x.map(|x| with_unit(x, change.metric)));
    table.words("outcome", changes.iter().map(|change| found(change.outcome)));
    table.words("task", changes.iter().map(|change| Cell::label(&change.task)));
    table.words("arm", changes.iter().map(|change| Cell::label(&change.arm)));
    table.words("settings", changes.iter().map(settings));
    table.numbers("before", changes.iter().map(|change| score(change, change.before)));
    let now = |change: &Change| match change.nearest.as_ref().and_then(|nearest| nearest.now) {
        Some(nearest) => score(change, Some(nearest)).noted("nearest"),
        None => score(change, change.now),
    };
    table.numbers("now", changes.iter().map(now));
    table.numbers(worse, changes.iter().map(worse_by));
    table.numbers("tolerance", changes.iter().map(tolerance));
    table.numbers("would find", changes.iter().map(would_find));
    table.numbers("p (Holm)", changes.iter().map(|change| probability(change.p)));
    table.numbers("seeds", changes.iter().map(seeds_compared));
    table
}

fn found(outcome: Outcome) -> Cell {
    let tone = match outcome {
        Outcome::Identical | Outcome::Unchanged => Tone::Plain,
        Outcome::Improved => Tone::Good,
        Outcome::Undecided => Tone::Doubtful,
        Outcome::Regressed | Outcome::Diverged | Outcome::Missing => Tone::Bad,
    };
    Cell::word(outcome.word(), tone)
}

fn worse_by(change: &Change) -> Cell {
    if let Some(seeds) = change.seeds.filter(|_| change.outcome == Outcome::Diverged) {
        return diverged(change, seeds).into();
    }
    let known = change.worse.as_ref().zip(change.interval);
    known.map(|(worse, bounds)| estimate(worse.mean, bounds, change.metric)).into()
}

fn tolerance(change: &Change) -> Option<Cell> {
    match (change.outcome, change.is_beyond) {
        (Outcome::Missing | Outcome::Diverged, _) => None,
        (Outcome::Identical, _) | (_, Some(false)) => Some(Cell::word("kept", Tone::Good)),
        (_, Some(true)) => Some(Cell::word("exceeded", Tone::Bad)),
        (_, None) => Some(Cell::word("undecided", Tone::Doubtful)),
    }
}

fn would_find(change: &Change) -> Cell {
    match (detectable(change), change.detectable()) {
        (None, Some(_)) => "none".into(),
        (found, _) => found.into(),
    }
}
