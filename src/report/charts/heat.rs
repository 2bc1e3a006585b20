//! The final score over the learning rate and one more key: a heat map of a grid, a scatter of what was drawn at random.

use super::canvas::Canvas;
use super::sensitivity::{left_out, scale};
use crate::analysis::{Rank, Summary};
use crate::chart::{Axis, Cell, Chart, HeatMap, Scatter};
use crate::metric::Metric;
use crate::report::content::words::short;

impl Canvas<'_, '_> {
    /// For each optimizer, under its best schedule: the learning rate against every other numeric key
    /// that its sweep varies, further keys at their best.
    pub(super) fn heat_maps(&self, metric: Metric) -> Vec<(String, Chart)> {
        let mut drawn: Vec<&str> = Vec::new();
        let mut maps = Vec::new();
        for rank in self.whole_searches() {
            if drawn.contains(&rank.optimizer) || rank.numbers_tried("lr").len() < 2 {
                continue;
            }
            drawn.push(rank.optimizer);
            for key in self.swept().iter().filter(|key| *key != "lr" && rank.numbers_tried(key).len() > 1) {
                maps.push((format!("{}_lr_by_{key}", rank.optimizer), self.heat_map(rank, key, metric)));
            }
        }
        maps
    }

    fn heat_map(&self, rank: &Rank, key: &str, metric: Metric) -> Chart {
        let (columns, rows) = (rank.numbers_tried("lr"), rank.numbers_tried(key));
        let row = |value: &f64| columns.iter().map(|lr| cell(rank, (*lr, key, *value), metric)).collect();
        let cells: Vec<Vec<Cell>> = rows.iter().map(row).collect();
        let title = format!("{}: {} by learning rate and {key}", self.ranking.task, rank.name());
        let what = format!(
            "final validation {}{}, {}, the stronger the colour, the better; a cross where a seed diverged",
            metric.name(),
            self.unit(metric),
            self.seeds("mean over seeds")
        );
        let higher_is_better = metric.higher_is_better();
        let tried = cells.iter().flatten().filter(|cell| **cell != Cell::Blank).count();
        if 2 * tried <= columns.len() * rows.len() {
            let places = rows
                .iter()
                .zip(&cells)
                .flat_map(|(value, cells)| columns.iter().zip(cells).map(move |(lr, cell)| (*lr, *value, *cell)));
            return Chart::Scatter(Scatter {
                title,
                subtitle: format!(
                    "{what}; the rate and {key} were drawn together, so each disc is a try{}{}",
                    left_out("lr", scale("lr", &columns), &columns),
                    left_out(key, scale(key, &rows), &rows)
                ),
                axes: (Axis::new("learning rate", scale("lr", &columns)), Axis::new(key, scale(key, &rows))),
                tries: places.filter(|(.., cell)| *cell != Cell::Blank).collect(),
                higher_is_better,
            });
        }
        let words = |values: &[f64]| values.iter().map(|value| short(*value)).collect();
        let blank = if tried < columns.len() * rows.len() { ", blank where none finished" } else { "" };
        Chart::Heat(HeatMap {
            title,
            subtitle: what + blank,
            labels: ("learning rate".into(), key.to_owned()),
            columns: words(&columns),
            rows: words(&rows),
            cells,
            higher_is_better,
        })
    }
}

/// The best mean score at a rate and a value of a key; a divergence where no such setting was without one.
fn cell(rank: &Rank, (lr, key, value): (f64, &str, f64), metric: Metric) -> Cell {
    let here = |arm: &&Summary| arm.number("lr") == Some(lr) && arm.number(key) == Some(value);
    let tried = || rank.tried.iter().filter(here);
    let sound = tried().filter(|arm| arm.diverged == 0);
    let means = sound.filter_map(|arm| arm.validation(metric).mean()).filter(|mean| mean.is_finite());
    match means.reduce(|a, b| if metric.better(b, a) { b } else { a }) {
        Some(score) => Cell::Score(if metric.is_share() { 100.0 * score } else { score }),
        None if tried().any(|arm| arm.diverged > 0) => Cell::Diverged,
        None => Cell::Blank,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::results::{Record, Status};

    #[test]
    fn untried_and_failed_pairs_are_blank_and_diverged_ones_are_not() {
        let mut all: Vec<Record> = Vec::new();
        for (lr, beta, status) in
            [("0.1", "0.5", Status::Finished), ("0.1", "0.9", Status::Diverged), ("1", "0.5", Status::Failed)]
        {
            let mut runs = records(&[Arm::new("a", &[1.0, 3.0])]);
            for run in &mut runs {
                run.status = status;
                run.hyper_parameters = vec![("lr".into(), lr.into()), ("beta".into(), beta.into())];
            }
            all.extend(runs);
        }
        let ranking = ranking(&all, "task", Metric::LOSS);
        let rank = &ranking.ranks[0];
        let at = |lr: f64, beta: f64| cell(rank, (lr, "beta", beta), Metric::LOSS);
        assert_eq!([at(0.1, 0.5), at(0.1, 0.9)], [Cell::Score(2.0), Cell::Diverged]);
        assert_eq!([at(1.0, 0.5), at(1.0, 0.9)], [Cell::Blank, Cell::Blank]);
    }
}
