//! Heat maps: the final score over the learning rate and one more key.

use super::Canvas;
use super::sensitivity::number;
use crate::analysis::{Rank, Summary};
use crate::chart::HeatMap;
use crate::metric::Metric;
use crate::report::words::short;

impl Canvas<'_, '_> {
    /// For each optimizer, under its best schedule: the learning rate against every other numeric key
    /// that its sweep varies, further keys at their best.
    pub(super) fn heat_maps(&self, metric: Metric) -> Vec<(String, HeatMap)> {
        let mut drawn: Vec<&str> = Vec::new();
        let mut maps = Vec::new();
        for rank in &self.ranking.ranks {
            if drawn.contains(&rank.optimizer) || values(rank, "lr").len() < 2 {
                continue;
            }
            drawn.push(rank.optimizer);
            for key in self.swept().iter().filter(|key| *key != "lr" && values(rank, key).len() > 1) {
                maps.push((format!("{}_lr_by_{key}", rank.optimizer), self.heat_map(rank, key, metric)));
            }
        }
        maps
    }

    fn heat_map(&self, rank: &Rank, key: &str, metric: Metric) -> HeatMap {
        let (columns, rows) = (values(rank, "lr"), values(rank, key));
        let cell = |lr: f64, value: f64| {
            let here = |arm: &&Summary| number(arm, "lr") == Some(lr) && number(arm, key) == Some(value);
            let sound = rank.tried.iter().filter(here).filter(|arm| arm.diverged == 0);
            let means = sound.filter_map(|arm| arm.validation(metric).mean()).filter(|mean| mean.is_finite());
            means.reduce(|a, b| if metric.better(b, a) { b } else { a })
        };
        let words = |values: &[f64]| values.iter().map(|value| short(*value)).collect();
        HeatMap {
            title: format!("{}: {} by learning rate and {key}", self.ranking.task, rank.name()),
            subtitle: format!(
                "mean final validation {} over seeds, darker is better; a cross where a seed diverged",
                metric.name()
            ),
            labels: ("learning rate".into(), key.to_owned()),
            columns: words(&columns),
            rows: words(&rows),
            cells: rows.iter().map(|value| columns.iter().map(|lr| cell(*lr, *value)).collect()).collect(),
            higher_is_better: metric.higher_is_better(),
        }
    }
}

/// The values of a key that were tried, in order.
fn values(rank: &Rank, key: &str) -> Vec<f64> {
    let mut values: Vec<f64> = rank.tried.iter().filter_map(|arm| number(arm, key)).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}
