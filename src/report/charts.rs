//! The charts of an experiment: curves over the steps, and sensitivity to the learning rate.

use std::collections::BTreeMap;

use crate::analysis::{Rank, Ranking, Sample, Summary};
use crate::chart::{Axis, LineChart, Palette, Scale, Series};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::report::Results;
use crate::results::Status;

/// The endings of the files that a run writes.
pub const SVG_AND_PNG: &[&str] = &["svg", "png"];

/// A chart and the name of its files.
pub struct Named {
    /// The name without an ending.
    pub name: String,
    /// The chart.
    pub chart: LineChart,
}

/// Every chart of an experiment, task by task.
///
/// # Errors
/// When the curves of a run cannot be read.
pub fn draw(results: &Results) -> Result<Vec<Named>> {
    let optimizers = results.experiment.optimizers.iter().map(|(grid, _)| grid.label.as_str());
    let schedules = results.experiment.schedules.iter().map(|grid| grid.label.as_str());
    let palette = Palette::new(optimizers, schedules);
    let mut charts = Vec::new();
    for ranking in results.rankings() {
        let metrics = Metric::ALL.into_iter().filter(|metric| {
            let scored = |rank: &Rank| !rank.best.validation(*metric).is_empty();
            ranking.ranks.iter().any(scored)
        });
        for metric in metrics {
            let chart = curves(results, &ranking, metric, &palette)?;
            charts.push(Named { name: format!("{}-{}", safe(&ranking.task), metric.name()), chart });
        }
        if results.experiment.optimizers.iter().any(|(grid, _)| grid.swept().any(|key| key == "lr")) {
            let chart = sensitivity(results, &ranking, &palette);
            charts.push(Named { name: format!("{}-lr_sensitivity", safe(&ranking.task)), chart });
        }
    }
    Ok(charts)
}

/// Writes charts into the folder of the experiment, in each of the formats.
///
/// # Errors
/// When a file cannot be written.
pub fn save(results: &Results, charts: &[Named], formats: &[&str]) -> Result<()> {
    let folder = results.store.charts();
    std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
    for Named { name, chart } in charts {
        for format in formats {
            let path = folder.join(format!("{name}.{format}"));
            chart.save(&path).map_err(|error| Error::Usage(error.to_string()))?;
        }
    }
    Ok(())
}

fn safe(label: &str) -> String {
    label.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
}

/// The validation scores over the steps, each optimizer and schedule at its chosen hyper-parameters:
/// the mean over the seeds, and the range between them.
fn curves(results: &Results, ranking: &Ranking, metric: Metric, palette: &Palette) -> Result<LineChart> {
    let mut series = Vec::new();
    for rank in &ranking.ranks {
        let mut at_step: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for record in &rank.best.runs {
            for row in results.store.evaluations(&record.run)? {
                if let (true, Some(value)) = (row.split == "val", row.scores().get(metric)) {
                    at_step.entry(row.step).or_default().push(value);
                }
            }
        }
        let seeds = rank.best.runs.len();
        // A step that not every seed reached would show the mean of the lucky ones.
        let whole = at_step.into_iter().filter(|(_, values)| values.len() == seeds);
        let statistics: Vec<(f64, Sample)> =
            whole.map(|(step, values)| (step as f64, values.into_iter().collect())).collect();
        let points = statistics.iter().filter_map(|(step, sample)| Some((*step, sample.mean()?)));
        let mut line = Series::new(label(rank), palette.style(rank.optimizer, rank.schedule), points.collect());
        line.band = (seeds > 1).then(|| {
            statistics
                .iter()
                .filter_map(|(step, sample)| sample.range().map(|(low, high)| (*step, low, high)))
                .collect()
        });
        line.failures = diverged(&rank.best).map(|record| record.steps as f64).collect();
        series.push(line);
    }
    let values = series.iter().flat_map(|series| &series.points).map(|(_, y)| *y);
    let y = axis(format!("validation {}", metric.name()), metric, values);
    Ok(LineChart {
        title: format!("{}: validation {}", ranking.task, metric.name()),
        subtitle: Some("each optimizer and schedule at its best hyper-parameters; mean and range over seeds".into()),
        x: Axis::new("steps", Scale::Linear),
        y,
        series,
        rules: target(results, ranking, metric),
    })
}

/// The final validation score against the learning rate; the other hyper-parameters at their best
/// for each rate.
fn sensitivity(results: &Results, ranking: &Ranking, palette: &Palette) -> LineChart {
    let metric = ranking.metric;
    let rate = |arm: &Summary| arm.runs[0].hyper_parameter("lr").and_then(|lr| lr.parse::<f64>().ok());
    let mut series = Vec::new();
    for rank in &ranking.ranks {
        let mut by_rate: Vec<(f64, Vec<&Summary>)> = Vec::new();
        for arm in &rank.tried {
            let Some(lr) = rate(arm) else { continue };
            match by_rate.iter_mut().find(|(known, _)| *known == lr) {
                Some((_, arms)) => arms.push(arm),
                None => by_rate.push((lr, vec![arm])),
            }
        }
        by_rate.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut line = Series::new(label(rank), palette.style(rank.optimizer, rank.schedule), Vec::new());
        let mut band = Vec::new();
        for (lr, arms) in by_rate {
            let score = |arm: &Summary| arm.sample(|record| record.validation?.get(metric).filter(|x| x.is_finite()));
            let samples = arms.iter().filter(|arm| arm.diverged == 0).map(|arm| score(arm));
            let best = samples.filter(|sample| !sample.is_empty()).reduce(|a, b| {
                if metric.better(b.mean().unwrap_or(f64::NAN), a.mean().unwrap_or(f64::NAN)) { b } else { a }
            });
            match best.and_then(|sample| Some((sample.mean()?, sample.range()?))) {
                Some((mean, (low, high))) => {
                    line.points.push((lr, mean));
                    band.push((lr, low, high));
                }
                None => line.failures.push(lr),
            }
        }
        line.band = (ranking.ranks[0].best.runs.len() > 1).then_some(band);
        line.markers = true;
        series.push(line);
    }
    let values = series.iter().flat_map(|series| &series.points).map(|(_, y)| *y);
    let y = axis(format!("final validation {}", metric.name()), metric, values);
    LineChart {
        title: format!("{}: sensitivity to the learning rate", ranking.task),
        subtitle: Some("final score over seeds: mean and range; a rate at which a seed diverged is a cross".into()),
        x: Axis::new("learning rate", Scale::Log10),
        y,
        series,
        rules: target(results, ranking, metric),
    }
}

/// An axis for a metric. An accuracy is bounded, so nothing of it needs to be cut off.
fn axis(label: String, metric: Metric, values: impl Iterator<Item = f64> + Clone) -> Axis {
    if metric != Metric::Accuracy {
        return Axis::new(label, Scale::auto(values));
    }
    let range = values.clone().reduce(f64::min).zip(values.reduce(f64::max));
    let range = range.map(|(low, high)| {
        let margin = 0.05 * (high - low).max(0.01);
        ((low - margin).max(0.0), (high + margin).min(1.0))
    });
    Axis { label, scale: Scale::Linear, range }
}

fn label(rank: &Rank) -> String {
    format!("{}+{}", rank.optimizer, rank.schedule)
}

fn diverged<'a>(arm: &'a Summary) -> impl Iterator<Item = &'a crate::results::Record> {
    arm.runs.iter().copied().filter(|record| record.status == Status::Diverged)
}

fn target(results: &Results, ranking: &Ranking, metric: Metric) -> Vec<(f64, String)> {
    let task = results.experiment.tasks.iter().find(|task| task.label == ranking.task);
    let target = task.and_then(|task| task.target).filter(|target| target.metric == metric);
    target.map(|target| (target.value, format!("target {}", target.value))).into_iter().collect()
}
