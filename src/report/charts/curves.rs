//! Curves of the chosen arms: scores, training loss and learning rate.

use std::collections::BTreeMap;

use super::canvas::{Canvas, Over, diverged, seconds_per_step};
use crate::analysis::{Rank, Sample};
use crate::chart::{Axis, LineChart, Scale, Series};
use crate::error::Result;
use crate::metric::Metric;

/// The most points of a curve of steps: as many as can be seen.
const POINTS: usize = 400;

impl Canvas<'_, '_> {
    /// The validation scores over the steps or the seconds, each optimizer and schedule at its
    /// chosen hyper-parameters: the mean over the seeds, and the range between them.
    pub(super) fn curves(&self, metric: Metric, over: Over) -> Result<LineChart> {
        let mut series = Vec::new();
        for rank in &self.ranking.ranks {
            let mut at_step: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
            for record in &rank.best.runs {
                for row in self.results.store.evaluations(&record.run)? {
                    if let (true, Some(value)) = (row.split == "val", row.scores.get(metric)) {
                        at_step.entry(row.step).or_default().push(value);
                    }
                }
            }
            let seeds = rank.best.runs.len();
            let scale = unit(rank, over);
            // A step that not every seed reached would show the mean of the lucky ones.
            let whole = at_step.into_iter().filter(|(_, values)| values.len() == seeds);
            let statistics: Vec<(f64, Sample)> =
                whole.map(|(step, values)| (step as f64 * scale, values.into_iter().collect())).collect();
            let points = statistics.iter().filter_map(|(x, sample)| Some((*x, sample.mean()?)));
            let mut line = self.series(rank, points.collect());
            let range = |(x, sample): &(f64, Sample)| sample.range().map(|(low, high)| (*x, low, high));
            line.band = (seeds > 1).then(|| statistics.iter().filter_map(range).collect());
            line.failures = diverged(&rank.best).map(|record| record.steps as f64 * scale).collect();
            series.push(line);
        }
        let seeds = self.seeds("mean and range over seeds");
        let mut subtitle = format!("each optimizer and schedule at its best hyper-parameters; {seeds}");
        if start_dwarfs(&series) {
            for line in &mut series {
                line.points.retain(|point| point.0 > 0.0);
                line.band.iter_mut().for_each(|band| band.retain(|point| point.0 > 0.0));
            }
            subtitle += "; the untrained start is left out";
        }
        let values = series.iter().flat_map(|series| &series.points).map(|(_, y)| *y);
        let y = self.axis("validation", metric, values);
        Ok(LineChart {
            title: format!("{}: validation {} over {}", self.ranking.task, metric.name(), over.name()),
            subtitle: Some(subtitle),
            x: self.x_axis(over),
            rules: self.rules(metric, &y),
            y,
            series,
        })
    }

    /// The training loss over the steps or the seconds, smoothed.
    pub(super) fn training_loss(&self, over: Over) -> Result<LineChart> {
        let mut series = Vec::new();
        for rank in &self.ranking.ranks {
            let mut sums: BTreeMap<u64, (f64, usize)> = BTreeMap::new();
            for record in &rank.best.runs {
                for row in self.results.store.steps(&record.run)?.iter().filter(|row| row.loss.is_finite()) {
                    let sum = sums.entry(row.step).or_default();
                    *sum = (sum.0 + row.loss, sum.1 + 1);
                }
            }
            let seeds = rank.best.runs.len();
            let means = sums.into_iter().filter(|(_, (_, n))| *n == seeds);
            let scale = unit(rank, over);
            let means: Vec<(f64, f64)> = means.map(|(step, (sum, n))| (step as f64 * scale, sum / n as f64)).collect();
            let mut line = self.series(rank, thin(&smooth(&means)));
            line.failures = diverged(&rank.best).map(|record| record.steps as f64 * scale).collect();
            series.push(line);
        }
        let values = series.iter().flat_map(|series| &series.points).map(|(_, y)| *y);
        Ok(LineChart {
            title: format!("{}: training loss over {}", self.ranking.task, over.name()),
            subtitle: Some(format!(
                "{}, averaged over the last 2% of the steps (exponentially)",
                self.seeds("mean over seeds")
            )),
            y: Axis::new(format!("training loss{}", self.unit(Metric::LOSS)), Scale::auto(values)),
            x: self.x_axis(over),
            series,
            rules: Vec::new(),
        })
    }

    /// The learning rate over the steps.
    pub(super) fn learning_rate(&self) -> Result<LineChart> {
        let mut series = Vec::new();
        for rank in &self.ranking.ranks {
            let rows = self.results.store.steps(&rank.best.runs[0].run)?;
            let points: Vec<(f64, f64)> = rows.iter().filter_map(|row| Some((row.step as f64, row.lr?))).collect();
            series.push(self.series(rank, thin(&points)));
        }
        let rates = series.iter().flat_map(|series: &Series| &series.points).map(|(_, y)| *y);
        let positive = rates.filter(|lr| *lr > 0.0);
        Ok(LineChart {
            title: format!("{}: learning rate", self.ranking.task),
            subtitle: Some("each optimizer and schedule at its best hyper-parameters".into()),
            y: Axis::new("learning rate", Scale::auto(positive)),
            x: self.x_axis(Over::Steps),
            series,
            rules: Vec::new(),
        })
    }

    /// A line in the style of its arm.
    pub(super) fn series(&self, rank: &Rank, points: Vec<(f64, f64)>) -> Series {
        Series::new(rank.name(), self.palette.style(rank.optimizer, rank.schedule), points)
    }
}

/// Whether the scores of untrained weights would leave less than a quarter of the height to all others.
fn start_dwarfs(series: &[Series]) -> bool {
    let points = || series.iter().flat_map(|line| &line.points).filter(|point| point.1.is_finite());
    let scale = Scale::auto(points().map(|point| point.1));
    let height = |points: &mut dyn Iterator<Item = &(f64, f64)>| {
        let places = points.map(|(_, y)| if scale == Scale::Log10 { y.log10() } else { *y });
        places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)))
    };
    let ((low, high), (later_low, later_high)) = (height(&mut points()), height(&mut points().filter(|p| p.0 > 0.0)));
    later_high > later_low && high - low > 4.0 * (later_high - later_low)
}

/// What a step is worth on the horizontal axis.
fn unit(rank: &Rank, over: Over) -> f64 {
    match over {
        Over::Steps => 1.0,
        Over::Seconds => rank.best.sample(|record| Some(seconds_per_step(record))).mean().unwrap_or(0.0),
    }
}

impl Canvas<'_, '_> {
    /// The horizontal axis of curves.
    pub(super) fn x_axis(&self, over: Over) -> Axis {
        match over {
            Over::Steps => Axis::new("step", Scale::Linear).whole(),
            Over::Seconds => Axis::new(self.seconds().unwrap_or("seconds"), Scale::Linear),
        }
    }
}

/// An exponential average over 2% of the steps, corrected for its start at nothing.
fn smooth(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let window = (0.02 * points.len() as f64).max(1.0);
    let keep = 1.0 - 1.0 / window;
    let (mut average, mut weight) = (0.0, 0.0);
    let step = |(x, y): &(f64, f64)| {
        average = keep * average + (1.0 - keep) * y;
        weight = keep * weight + (1.0 - keep);
        (*x, average / weight)
    };
    points.iter().map(step).collect()
}

/// Points at even distances, the last among them.
fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let every = points.len().div_ceil(POINTS).max(1);
    let last = points.len().saturating_sub(1);
    points.iter().enumerate().filter(|(i, _)| i % every == 0 || *i == last).map(|(_, point)| *point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Color, Dash, Marker, Style};

    #[test]
    fn a_start_is_left_out_only_where_it_flattens_the_rest() {
        let style = Style { color: Color(0, 0, 0), dash: Dash::Solid, marker: Marker::Circle };
        let line =
            |ys: &[f64]| Series::new("line", style, ys.iter().enumerate().map(|(x, y)| (x as f64, *y)).collect());
        assert!(start_dwarfs(&[line(&[65.0, 8.0, 6.0]), line(&[65.0, 7.5, 6.2])]));
        assert!(start_dwarfs(&[line(&[0.1, 0.85, 0.9])]), "an accuracy starts below");
        assert!(!start_dwarfs(&[line(&[2.3, 1.5, 0.5])]));
        assert!(!start_dwarfs(&[line(&[65.0, 8.0, 6.0]), line(&[65.0, 60.0, 40.0])]), "a slow arm needs the room");
        assert!(!start_dwarfs(&[line(&[65.0, 6.0])]) && !start_dwarfs(&[]));
    }

    #[test]
    fn smoothing_keeps_a_constant_and_thinning_keeps_the_ends() {
        let flat: Vec<(f64, f64)> = (0..1000).map(|i| (f64::from(i), 2.0)).collect();
        assert!(smooth(&flat).iter().all(|(_, y)| (y - 2.0).abs() < 1e-12));
        let thinned = thin(&flat);
        assert!(thinned.len() <= POINTS + 1);
        assert_eq!((thinned.first(), thinned.last()), (flat.first(), flat.last()));
        assert!(thin(&[]).is_empty());
    }
}
