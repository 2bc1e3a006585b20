//! What tuning buys: the best to expect of so many tries.

use crate::report::content::ranking::named;
use crate::report::content::words::with_unit;
use crate::report::document::{Cell, Table};
use crate::report::{Row, Section};

const NOTE: &str = "The validation score to expect from the best of k settings drawn at random from those tried (Dodge et al. \
                    2019); a setting that diverged under some seed counts as the worst setting of all arms of the task.";
const SHOWN: [usize; 8] = [1, 2, 3, 5, 10, 20, 50, 100];

/// The expected best validation score after 1, 2, ... tries of an arm. Those that a search did not give up are no
/// settings drawn at random.
pub(super) fn expected_best(section: &Section, row: Row) -> Vec<f64> {
    if row.gave_up() { Vec::new() } else { section.ranking.expected_best(row.rank) }
}

/// What to expect of the best of k tries; without rows where nothing was tried twice.
pub(super) fn table(section: &Section) -> Table {
    let mut table = Table::new("Expected best after k tries", NOTE);
    let curves: Vec<Vec<f64>> = section.rows().map(|row| expected_best(section, row)).collect();
    let most = curves.iter().map(Vec::len).max().unwrap_or(0);
    if most < 2 {
        return table;
    }
    named(&mut table, section.rows());
    for k in SHOWN.into_iter().filter(|k| *k <= most) {
        let cell = |curve: &Vec<f64>| Cell::or_blank(curve.get(k - 1).map(|x| with_unit(*x, section.ranking.metric)));
        table.numbers(format!("k = {k}"), curves.iter().map(cell));
    }
    table
}
