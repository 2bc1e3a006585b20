//! What training takes: time and memory.

use crate::report::Section;
use crate::report::content::ranking::named;
use crate::report::content::words::{bytes, mean_time};
use crate::report::document::{Shown, Table};
use crate::results::Record;

const NOTE: &str =
    "Milliseconds of a step on the machine that ran it, mean over seeds; evaluation and the whole run in seconds.";

/// Times and bytes of every arm.
pub(super) fn table(section: &Section) -> Table {
    let arms = || section.ranking.ranks.iter().map(|rank| &rank.best);
    let all = |value: fn(&Record) -> f64| arms().map(move |arm| mean_time(&arm.sample(|run| Some(value(run)))));
    // What goes on inside another program is not known.
    let mean = |value: fn(&Record) -> f64| {
        let known = move |run: &Record| run.computed_by.is_none().then(|| value(run));
        arms().map(move |arm| mean_time(&arm.sample(known)))
    };
    let mut table = Table::new("Cost", NOTE).only(Shown::Everywhere);
    named(&mut table, section.rows());
    table.numbers("ms/step", arms().map(|arm| mean_time(&arm.milliseconds())));
    table.numbers("batch, forward, backward", mean(|run| 1e3 * run.gradient_seconds / run.steps.max(1) as f64));
    table.numbers("update", mean(|run| 1e3 * run.optimizer_seconds / run.steps.max(1) as f64));
    table.numbers("evaluation s", mean(|run| run.evaluation_seconds));
    table.numbers("run s", all(|run| run.seconds));
    let state = |run: &Record| run.computed_by.is_none().then(|| bytes(run.state_bytes));
    table.numbers("state", arms().map(|arm| state(arm.runs[0])));
    table
}
