//! What the search cost.

use crate::report::content::ranking::named;
use crate::report::content::words::setting;
use crate::report::document::{self, Number, Shown, Table};
use crate::report::{Row, Section};

const NOTE: &str = "Tries: settings that were trained under the first seed, and how many of them to the end without diverging; \
                    their steps, and these as whole runs; the steps of the other seeds. Settings are chosen on \
                    validation. Where the tries differ between arms, so may the luck of their best.";

/// Tries and steps of every arm, those of runs that ended early among them; without rows where nothing was searched.
pub(super) fn table(section: &Section) -> Table {
    let rows: Vec<_> = section.rows().filter_map(|row| Some((row, row.found.search.as_ref()?))).collect();
    let mut table = Table::new("What the search cost", NOTE).only(Shown::Everywhere);
    if rows.iter().all(|(_, search)| search.tries < 2) {
        return table;
    }
    let searches = || rows.iter().map(|(_, search)| *search);
    named(&mut table, rows.iter().map(|(row, _)| *row));
    table.numbers("tries", searches().map(|search| Number::count(search.tries)));
    table.numbers("to the end", searches().map(|search| Number::count(search.to_the_end)));
    table.numbers("steps of the tries", searches().map(|search| Number::count(search.steps)));
    table.numbers("as whole runs", searches().map(|search| search.whole_runs.map(setting)));
    table.numbers("steps of other seeds", searches().map(|search| Number::count(search.steps_of_other_seeds)));
    table
}

/// The search of an arm for scripts.
pub(super) fn facts(row: Row) -> Option<document::Search> {
    row.found.search.as_ref().map(|search| document::Search {
        tries: search.tries,
        given_up: search.given_up,
        to_the_end: search.to_the_end,
        steps: search.steps,
        whole_runs: search.whole_runs,
        steps_of_other_seeds: search.steps_of_other_seeds,
    })
}
