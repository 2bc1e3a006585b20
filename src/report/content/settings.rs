//! Every setting that was tried.

use crate::analysis::Rank;
use crate::report::Section;
use crate::report::content::ranking::steps_to_target;
use crate::report::content::words::{chosen, mean_time, spread_of};
use crate::report::document::{Cell, Number, Shown, Table};

/// Every setting that was tried, by optimizer and schedule.
pub(super) fn table(section: &Section) -> Table {
    let metric = section.ranking.metric;
    let tried = section.ranking.ranks.iter().flat_map(|rank| rank.tried.iter().map(move |arm| (rank, arm)));
    let all: Vec<Rank> = tried.map(|(rank, arm)| Rank { best: arm.clone(), ..rank.clone() }).collect();
    let all = || all.iter();
    let mut table = Table::new("Every setting", "Means and standard deviations over seeds.").only(Shown::OnPage);
    table.words("optimizer", all().map(|rank| Cell::label(rank.optimizer)));
    table.words("schedule", all().map(|rank| Cell::label(rank.schedule)));
    table.words("settings", all().map(chosen));
    let validation = all().map(|rank| spread_of(&rank.best.validation(metric), metric, rank.best.runs.len()));
    table.numbers(format!("val {}", metric.name()), validation);
    let reported = all().map(|rank| spread_of(&rank.best.reported(metric), metric, rank.best.runs.len()));
    table.numbers(format!("{} {}", section.split(), metric.name()), reported);
    table.numbers("diverged", all().map(|rank| Number::count(rank.best.diverged)));
    table.numbers("failed", all().map(|rank| Number::count(rank.best.failed)));
    table.numbers("steps to target", all().map(steps_to_target));
    table.numbers("ms/step", all().map(|rank| mean_time(&rank.best.milliseconds())));
    table
}
