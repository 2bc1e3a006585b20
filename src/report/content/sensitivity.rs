//! How much a learning rate may be off.

use crate::analysis::Rate;
use crate::report::content::ranking::named;
use crate::report::content::words::setting;
use crate::report::document::{Cell, Content, Number, Shown, Table};
use crate::report::{Row, Section};

const NOTE: &str = "Good rates: next to the chosen one, with a mean validation score at most 1% worse, over the seeds of both; \
                    their width is log10(highest / lowest), in decades: at least that (≥) where they touch an end of the \
                    rates tried, and where one rate alone is good, less (<) than between its neighbours. Where tries \
                    were given up before the end, what ran to it says nothing of the others.";

/// The good rates of every arm; where a search gave up tries, how many of them ran to the end.
pub(super) fn table(section: &Section) -> Table {
    let rows: Vec<Row> = section.rows().filter(|row| !row.found.rates.is_empty()).collect();
    let rows = || rows.iter().copied();
    let mut table = Table::new("Sensitivity to the learning rate", NOTE).only(Shown::Everywhere);
    named(&mut table, rows());
    let chosen = |row: Row| row.rank.best.lr().filter(|_| row.rank.is_ranked()).map(setting);
    table.numbers("chosen rate", rows().map(chosen));
    table.numbers("rates tried", rows().map(rates_tried));
    let good = |row: Row| match row.found.good {
        Some(range) => span(range),
        None if row.gave_up() => Content::Missing.into(),
        None => "none".into(),
    };
    table.numbers("good rates", rows().map(good));
    table.numbers("decades", rows().map(|row| width(&row.found.rates, row.found.good?)));
    let diverged = |row: Row| {
        let share = 100.0 * row.rank.diverged as f64 / row.rank.runs as f64;
        (!row.gave_up()).then(|| Number::fixed(share, 0).with("%"))
    };
    table.numbers("diverged", rows().map(diverged));
    table
}

/// `5 (0.001 to 1)`; of a search that gave some up, `0.01 to 10; 2 of 4 tries to the end`.
fn rates_tried(row: Row) -> Cell {
    let tried = &row.found.rates;
    let ends = (tried[0].lr, tried[tried.len() - 1].lr);
    if let Some(search) = row.found.search.as_ref().filter(|search| search.gave_up()) {
        let given = row.rank.values("lr");
        let ends = (given.first().map_or(ends.0, |lr| *lr), given.last().map_or(ends.1, |lr| *lr));
        return format!("{}; {} of {} tries to the end", span(ends), search.tries - search.given_up, search.tries)
            .into();
    }
    Cell::from(Number::count(tried.len())).noted(span(ends).to_string())
}

/// The width of the good rates in decades, and which side of the truth it is on.
fn width(tried: &[Rate], (low, high): (f64, f64)) -> Option<Number> {
    // A rate of 0 lies infinitely many decades below all others.
    let below = tried.iter().rev().find(|rate| rate.lr > 0.0 && rate.lr < low);
    let above = tried.iter().find(|rate| rate.lr > high);
    let decades = |low: f64, high: f64| Number::fixed((high / low).log10(), 2);
    match (below, above) {
        _ if low <= 0.0 => None,
        (None, None) if low == high => None,
        (Some(below), Some(above)) if low == high => Some(decades(below.lr, above.lr).related("< ")),
        (Some(_), Some(_)) => Some(decades(low, high)),
        _ => Some(decades(low, high).related("≥ ")),
    }
}

fn span((low, high): (f64, f64)) -> Cell {
    if low == high { setting(low).into() } else { Content::Interval(setting(low), setting(high)).into() }
}
