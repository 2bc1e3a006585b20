//! The charts of an experiment: curves, sensitivity, tuning, time to target.

mod anytime;
mod curves;
mod focus;
mod gradients;
mod heat;
mod paths;
mod sensitivity;
mod tuning;

use std::collections::HashMap;

use crate::analysis::{Rank, Ranking, Summary};
use crate::chart::{Axis, Chart, Palette, Scale};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::report::words::score;
use crate::report::{Results, glob};
use crate::results::file_name::{Distinct, safe};
use crate::results::{Quantity, Record, Status};

/// The endings of the files that a run writes.
pub const SVG_AND_PNG: &[&str] = &["svg", "png"];

/// A chart and the name of its files.
pub struct Named {
    /// The name without an ending.
    pub name: String,
    /// The label of its task; `None` where it is about several.
    pub task: Option<String>,
    /// The chart.
    pub chart: Chart,
}

/// What curves are drawn over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Updates.
    Steps,
    /// Seconds of training, evaluations not counted.
    Seconds,
}

/// Which of the charts are drawn; everything where it says nothing.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// What curves are drawn over; both where it is `None`.
    pub over: Option<Over>,
    /// The metric of curves and sensitivity.
    pub metric: Option<Metric>,
    /// The arms, as `OPTIMIZER+SCHEDULE` with `*` and `?`.
    pub only: Option<String>,
}

/// What every chart of a task needs.
struct Canvas<'a, 'b> {
    results: &'a Results,
    ranking: &'b Ranking<'a>,
    palette: &'b Palette,
}

/// Every chart of an experiment that is chosen, task by task.
///
/// # Errors
/// When the curves of a run cannot be read.
pub fn draw(results: &Results, choice: &Choice) -> Result<Vec<Named>> {
    if !results.records.is_empty() && results.store.names()?.is_empty() {
        return Err(Error::Usage(format!(
            "nothing can be drawn from {}: the curves of its runs are not there, only their records\n  \
             help: `optbench run` trains them again; tables need no curves: `optbench report`, `optbench check`",
            results.store.root().display()
        )));
    }
    let optimizers = results.experiment.optimizers.iter().map(|entrant| entrant.grid.label.as_str());
    let schedules = results.experiment.schedules.iter().map(|grid| grid.label.as_str());
    let palette = Palette::new(optimizers, schedules);
    let mut rankings = results.rankings();
    if let Some(pattern) = &choice.only {
        for ranking in &mut rankings {
            ranking.ranks.retain(|rank| glob::matches(pattern, &rank.name()));
        }
        rankings.retain(|ranking| !ranking.ranks.is_empty());
    }
    let mut charts = Vec::new();
    let stems = stems(results.experiment.tasks.iter().map(|task| task.label.as_str()));
    for ranking in &rankings {
        let canvas = Canvas { results, ranking, palette: &palette };
        let stem = stems.get(ranking.task.as_str()).cloned().unwrap_or_else(|| safe(&ranking.task));
        let name = |what: &str| format!("{stem}-{what}");
        for (what, mut chart) in canvas.all(choice)? {
            focus::focus(&mut chart, ranking);
            charts.push(Named { name: name(&what), task: Some(ranking.task.clone()), chart });
        }
    }
    if choice.metric.is_none()
        && let Some(chart) = tuning::profile(&rankings, &palette)
    {
        charts.push(Named { name: "performance_profile".into(), task: None, chart: chart.into() });
    }
    Ok(charts)
}

impl Canvas<'_, '_> {
    fn all(&self, choice: &Choice) -> Result<Vec<(String, Chart)>> {
        let mut charts: Vec<(String, Chart)> = Vec::new();
        let scored = |metric: &Metric| self.ranking.ranks.iter().any(|rank| !rank.best.validation(*metric).is_empty());
        let metrics = Metric::ALL.into_iter().filter(|metric| choice.metric.is_none_or(|chosen| chosen == *metric));
        let overs =
            [Over::Steps, Over::Seconds].into_iter().filter(|over| choice.over.is_none_or(|chosen| chosen == *over));
        let overs: Vec<Over> = overs.collect();
        for metric in metrics.filter(&scored) {
            for over in &overs {
                let suffix = if *over == Over::Seconds { "_over_seconds" } else { "" };
                charts.push((format!("{}{suffix}", metric.name()), self.curves(metric, *over)?.into()));
            }
        }
        let deciding = choice.metric.unwrap_or(self.ranking.metric);
        if choice.metric.is_some() && !scored(&deciding) {
            // The task knows no such score.
            return Ok(charts);
        }
        for key in self.swept() {
            charts.push((format!("{}_sensitivity", safe(&key)), self.sensitivity(&key, deciding).into()));
        }
        charts.extend(self.heat_maps(deciding).into_iter().map(|(name, map)| (safe(&name), map)));
        if choice.metric.is_none() {
            charts.push(("training_loss".into(), self.training_loss()?.into()));
            charts.push(("learning_rate".into(), self.learning_rate()?.into()));
            charts.extend(self.anytime()?.map(|chart| ("anytime".into(), chart.into())));
            charts.extend(self.expected_best().map(|chart| ("expected_best".into(), chart.into())));
            charts.extend(self.paths()?.map(|chart| ("paths".into(), Chart::Contours(chart))));
            for quantity in [Quantity::Gradient, Quantity::Update] {
                let chart = self.magnitudes(quantity)?;
                charts.extend(chart.map(|chart| (format!("{}s", quantity.name()), Chart::Ridges(chart))));
            }
            for over in overs {
                let suffix = if over == Over::Seconds { "seconds" } else { "steps" };
                charts.extend(self.to_target(over).map(|chart| (format!("{suffix}_to_target"), chart.into())));
            }
        }
        Ok(charts)
    }

    /// The lines that a score is read against: the target, and what no model can do better than.
    fn rules(&self, metric: Metric, axis: &Axis) -> Vec<(f64, String)> {
        let floor = match metric {
            Metric::Loss => self.ranking.loss_floor(),
            Metric::Perplexity => self.ranking.loss_floor().map(f64::exp),
            Metric::Accuracy => None,
        };
        let floor = floor.map(|floor| (floor, format!("floor {}", score(floor, metric))));
        self.target(metric, axis).into_iter().chain(floor).collect()
    }

    /// The target as a line, where it is about this metric and within what the axis shows.
    fn target(&self, metric: Metric, axis: &Axis) -> Vec<(f64, String)> {
        let task = self.results.experiment.tasks.iter().find(|task| task.label == self.ranking.task);
        let target = task.and_then(|task| task.target).filter(|target| target.metric == metric);
        let target = target.filter(|target| axis.range.is_none_or(|(low, high)| (low..=high).contains(&target.value)));
        target.map(|target| (target.value, format!("target {}", target.value))).into_iter().collect()
    }
}

/// Writes charts into the folder of the experiment, in each of the formats.
///
/// # Errors
/// When a file cannot be written.
pub fn save(results: &Results, charts: &[Named], formats: &[&str]) -> Result<()> {
    let folder = results.store.charts();
    std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
    for Named { name, chart, .. } in charts {
        for format in formats {
            let path = folder.join(format!("{name}.{format}"));
            chart.save(&path)?;
        }
    }
    Ok(())
}

/// The tasks' labels as beginnings of file names: all different, even where capitals do not count.
fn stems<'a>(labels: impl Iterator<Item = &'a str>) -> HashMap<&'a str, String> {
    let mut names = Distinct::default();
    labels.map(|label| (label, names.name(label))).collect()
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
    Axis { range, ..Axis::new(label, Scale::Linear) }
}

/// Seconds of training of a step of a run.
fn seconds_per_step(record: &Record) -> f64 {
    (record.gradient_seconds + record.optimizer_seconds) / record.steps.max(1) as f64
}

fn diverged<'a>(arm: &'a Summary) -> impl Iterator<Item = &'a Record> {
    arm.runs.iter().copied().filter(|record| record.status == Status::Diverged)
}

/// The words in legends: the arm with its chosen learning rate.
fn label(rank: &Rank) -> String {
    rank.name()
}
