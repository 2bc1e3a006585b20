//! One row an optimizer and schedule of every task, with numbers that read back exactly: what CSV is made of.

use crate::analysis::Difference;
use crate::report::content::words::verdict_or_leader;
use crate::report::document::{Cell, Number, Table};
use crate::report::{Row, Section};
use crate::settings::number;

/// Every arm of every task.
struct Rows<'s, 'a> {
    rows: Vec<(&'s Section<'a>, Row<'s, 'a>)>,
    table: Table,
}

impl<'s, 'a> Rows<'s, 'a> {
    fn column<C: Into<Cell>>(&mut self, title: &str, cell: impl Fn(&'s Section<'a>, Row<'s, 'a>) -> C) {
        self.table.words(title, self.rows.iter().map(|(section, row)| cell(section, *row)));
    }

    fn numbers(&mut self, title: &str, value: impl Fn(&'s Section<'a>, Row<'s, 'a>) -> Option<f64>) {
        self.column(title, |section, row| exact(value(section, row)));
    }

    /// A difference with its interval, in three columns.
    fn difference(&mut self, title: &str, of: impl Fn(Row<'s, 'a>) -> Option<&'s Difference>) {
        self.numbers(&format!("{title}_mean"), |_, row| Some(of(row)?.mean));
        self.numbers(&format!("{title}_low"), |section, row| Some(section.standard.interval(of(row)?).0));
        self.numbers(&format!("{title}_high"), |section, row| Some(section.standard.interval(of(row)?).1));
    }
}

/// The columns are a contract: those of hyper-parameters follow the first ones, and new ones come at the end.
pub(super) fn table(sections: &[Section]) -> Table {
    let rows = sections.iter().flat_map(|section| section.rows().map(move |row| (section, row))).collect();
    let mut all = Rows { rows, table: Table::new("", "") };
    all.column("task", |section, _| section.ranking.task.as_str());
    all.column("rank", |_, row| Cell::or_blank(row.rank.is_ranked().then(|| Number::count(row.place + 1))));
    all.column("optimizer", |_, row| row.rank.optimizer);
    all.column("schedule", |_, row| row.rank.schedule);
    all.column("chosen", |_, row| {
        let pairs = if row.rank.is_ranked() { row.rank.chosen() } else { Vec::new() };
        let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key} {value}")).collect();
        pairs.join(", ")
    });
    all.column("metric", |section, _| section.ranking.metric.name());
    let validation = |section: &Section, row: Row| row.rank.selection.validation(section.ranking.metric);
    let reported = |section: &Section, row: Row| row.rank.best.reported(section.ranking.metric);
    let is_tested = |row: Row| row.rank.best.runs.iter().any(|run| run.test.is_some());
    all.numbers("val_mean", |section, row| validation(section, row).mean());
    all.numbers("val_std", |section, row| validation(section, row).deviation());
    all.numbers("test_mean", |section, row| reported(section, row).mean().filter(|_| is_tested(row)));
    all.numbers("test_std", |section, row| reported(section, row).deviation().filter(|_| is_tested(row)));
    all.column("n", |section, row| Number::count(reported(section, row).len()));
    all.column("runs", |_, row| Number::count(row.rank.runs));
    all.column("diverged", |_, row| Number::count(row.rank.diverged));
    all.difference("lead", |row| row.comparison?.lead.as_ref());
    all.numbers("p_holm", |_, row| row.comparison?.p_adjusted);
    all.column("verdict", |_, row| verdict_or_leader(row.comparison));
    all.numbers("good_lr_low", |_, row| Some(row.found.good?.0));
    all.numbers("good_lr_high", |_, row| Some(row.found.good?.1));
    all.numbers("steps_to_target", |_, row| row.rank.best.steps_to_target().mean());
    all.numbers("seconds_to_target", |_, row| row.rank.best.seconds_to_target().mean());
    all.numbers("ms_per_step", |_, row| row.rank.best.milliseconds().mean());
    all.column("state_bytes", |_, row| Number::count(row.rank.best.runs[0].state_bytes));
    all.numbers("loss_floor", |section, _| section.ranking.loss_floor());
    all.numbers("above_floor_mean", |_, row| row.rank.best.above_floor().mean());
    all.numbers("above_floor_std", |_, row| row.rank.best.above_floor().deviation());
    all.column("reached_target", |_, row| Number::count(row.rank.best.steps_to_target().len()));
    for key in keys(sections) {
        let value = |row: Row| {
            let value = row.rank.best.runs[0].hyper_parameter(key).filter(|_| row.rank.is_ranked());
            value.map(ToString::to_string).unwrap_or_default()
        };
        all.column(key, |_, row| value(row));
    }
    all.column("may_be_best", |_, row| row.may_be_best.to_string());
    all.numbers("p_worse", |_, row| row.comparison?.p_worse);
    all.numbers("lead_std", |_, row| row.comparison?.effect.deviations);
    all.numbers("lead_share", |_, row| row.comparison?.effect.share);
    all.difference("steps_saved", |row| row.comparison?.steps_saved.as_ref());
    all.column("basis", |section, _| section.standard.basis.name());
    all.numbers("level", |section, _| Some(section.standard.alpha));
    all.column("note", |_, row| row.found.note.clone().unwrap_or_default());
    all.table
}

/// A number that reads back exactly; blank where there is none.
fn exact(x: Option<f64>) -> Cell {
    Cell::or_blank(x.filter(|x| x.is_finite()).map(|x| Number::new(x, number(x))))
}

/// The hyper-parameters of what is ranked, the optimizers' before the schedules'.
fn keys<'a>(sections: &[Section<'a>]) -> Vec<&'a str> {
    let mut keys: Vec<&'a str> = Vec::new();
    let runs = sections.iter().flat_map(|section| &section.ranking.ranks).map(|rank| rank.best.runs[0]);
    for (key, _) in runs.flat_map(|run| &run.hyper_parameters) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    keys.sort_by_key(|key| key.starts_with("schedule."));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Metric;
    use crate::report::document::Room;

    #[test]
    fn a_task_without_a_test_split_has_empty_test_columns() {
        let tested = |test: Option<Vec<f64>>| {
            let records = records(&[Arm { test, steps_to_target: Some(40), ..Arm::at("a", 0.1, &[1.0, 2.0]) }]);
            let table = table(&[Section::new(ranking(&records, "task", Metric::LOSS), &records, None)]);
            let of = |title: &str| {
                let place = table.titles(Room::Wide).iter().position(|other| *other == title).unwrap();
                table.rows[0][place].to_string()
            };
            ["val_mean", "test_mean", "reached_target", "lr"].map(of)
        };
        assert_eq!(tested(None), ["1.5", "", "2", "0.1"]);
        assert_eq!(tested(Some(vec![3.0, 4.0])), ["1.5", "3.5", "2", "0.1"]);
    }
}
