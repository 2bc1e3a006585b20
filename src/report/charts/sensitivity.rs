//! The final score against a hyper-parameter, the others at their best.

use super::canvas::Canvas;
use super::region::focus_on_good;
use crate::analysis::{Sample, Summary};
use crate::chart::{Axis, LineChart, Scale};
use crate::metric::Metric;

impl Canvas<'_, '_> {
    /// The numeric keys that the sweep varies, all of it trained to the end: the learning rate first.
    pub(super) fn swept(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for rank in self.whole_searches() {
            for (key, _) in &rank.tried[0].runs[0].hyper_parameters {
                let values = rank.tried.iter().filter_map(|arm| arm.number(key));
                let varies = values.clone().any(|value| Some(value) != rank.tried[0].number(key));
                if varies && !keys.contains(key) {
                    keys.push(key.clone());
                }
            }
        }
        keys.sort_by_key(|key| key != "lr");
        keys
    }

    /// The final validation score against a key; the other hyper-parameters at their best for each value.
    pub(super) fn sensitivity(&self, key: &str, metric: Metric) -> LineChart {
        let mut series = Vec::new();
        for rank in self.whole_searches() {
            let mut by_value: Vec<(f64, Vec<&Summary>)> = Vec::new();
            for arm in &rank.tried {
                let Some(value) = arm.number(key) else { continue };
                match by_value.iter_mut().find(|(known, _)| *known == value) {
                    Some((_, arms)) => arms.push(arm),
                    None => by_value.push((value, vec![arm])),
                }
            }
            if by_value.is_empty() || (key != "lr" && by_value.len() < 2) {
                continue;
            }
            by_value.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut line = self.series(rank, Vec::new());
            let mut band = Vec::new();
            for (value, arms) in by_value {
                let scores = arms.iter().filter(|arm| arm.diverged == 0).map(|arm| arm.validation(metric));
                let finite = scores.filter(|sample: &Sample| sample.mean().is_some_and(f64::is_finite));
                let better =
                    |a: &Sample, b: &Sample| metric.better(b.mean().unwrap_or(f64::NAN), a.mean().unwrap_or(f64::NAN));
                let best = finite.reduce(|a, b| if better(&a, &b) { b } else { a });
                match best.and_then(|sample| Some((sample.mean()?, sample.range()?))) {
                    Some((mean, (low, high))) => {
                        line.points.push((value, mean));
                        band.push((value, low, high));
                    }
                    None => line.failures.push(value),
                }
            }
            line.band = (self.ranking.ranks[0].best.runs.len() > 1).then_some(band);
            line.markers = true;
            line.joined = rank.is_grid(key);
            series.push(line);
        }
        let ends =
            series.iter().flat_map(|series| series.band.iter().flatten()).flat_map(|(_, low, high)| [*low, *high]);
        let values = series.iter().flat_map(|series| &series.points).map(|(_, y)| *y).chain(ends);
        let mut y = self.axis("final validation", metric, values);
        let beyond = focus_on_good(&mut y, &series, metric).map_or_else(String::new, |said| format!("; {said}"));
        let places: Vec<f64> = series
            .iter()
            .flat_map(|line| line.points.iter().map(|p| p.0).chain(line.failures.iter().copied()))
            .collect();
        let value = if key == "lr" { "rate" } else { "value" };
        let mut others = Vec::new();
        if series.iter().any(|line| line.joined) {
            others.push("other keys at their best".to_owned());
        }
        if series.iter().any(|line| !line.joined) {
            others.push(format!("points without a line: drawn together with other keys, each {value} beside its own"));
        }
        let of = if key == "lr" { "the learning rate" } else { key };
        LineChart {
            title: format!("{}: sensitivity to {of}", self.ranking.task),
            subtitle: Some(format!(
                "final score, {}, {}; a {value} at which a seed diverged is a cross{beyond}{}",
                self.seeds("mean and range over seeds"),
                others.join("; "),
                left_out(key, scale(key, &places), &places)
            )),
            x: Axis::new(if key == "lr" { "learning rate" } else { key }, scale(key, &places)),
            rules: self.target(metric, &y),
            y,
            series,
        }
    }
}

/// What is said of values that a logarithmic axis has no place for; nothing where there are none.
pub(super) fn left_out(key: &str, scale: Scale, values: &[f64]) -> String {
    if scale == Scale::Log10 && values.iter().any(|value| *value <= 0.0) {
        let value = if key == "lr" { "rate" } else { "value" };
        format!("; a {value} of 0 cannot be shown on a logarithmic axis")
    } else {
        String::new()
    }
}

/// How the values of a key are spaced: momenta crowd towards 1 and seldom span decades; rates always do.
pub(super) fn scale(key: &str, values: &[f64]) -> Scale {
    if key == "lr" { Scale::Log10 } else { Scale::auto(values.iter().copied()) }
}
