//! The charts of an experiment: curves, sensitivity, tuning, time to target.

mod anytime;
mod curves;
mod focus;
mod gradients;
mod heat;
mod paths;
mod region;
mod sensitivity;
mod tuning;

use std::collections::HashMap;
use std::path::Path;

use crate::analysis::{Rank, Ranking, Summary};
use crate::chart::{Axis, Chart, Palette, Scale};
use crate::error::{Error, Result};
use crate::metric::{Metric, Unit};
use crate::report::search::Search;
use crate::report::words::{score, short};
use crate::report::{Results, glob};
use crate::results::file_name::{Distinct, safe};
use crate::results::{Quantity, Record, Status, Store};
use crate::task::Spec;

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

impl Over {
    fn name(self) -> &'static str {
        if self == Self::Seconds { "seconds" } else { "steps" }
    }

    /// What the name of a chart ends in: steps are what is usual.
    fn suffix(self) -> &'static str {
        if self == Self::Seconds { "_over_seconds" } else { "" }
    }
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
    /// The kinds of chart, by what their names say behind the task, with `*` and `?`.
    pub kind: Option<String>,
}

impl Choice {
    /// Whether charts may show less, or something else, than the complete ones of the same name.
    pub fn is_partial(&self) -> bool {
        self.only.is_some() || self.metric.is_some()
    }

    fn overs(&self) -> Vec<Over> {
        self.over.map_or_else(|| vec![Over::Steps, Over::Seconds], |over| vec![over])
    }

    fn wants(&self, kind: &str) -> bool {
        self.kind.as_ref().is_none_or(|pattern| glob::matches(pattern, kind))
    }
}

/// What every chart of a task needs.
struct Canvas<'a, 'b> {
    results: &'a Results,
    ranking: &'b Ranking<'a>,
    palette: &'b Palette,
}

/// Every chart of an experiment that is chosen, task by task. Where only the records of its runs are there, those that
/// need curves are left out.
///
/// # Errors
/// When the curves of a run cannot be read.
pub fn draw(results: &Results, choice: &Choice) -> Result<Vec<Named>> {
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
        for (what, mut chart) in canvas.all(choice)?.into_iter().filter(|(what, _)| choice.wants(what)) {
            focus::focus(&mut chart, ranking);
            charts.push(Named { name: name(&what), task: Some(ranking.task.clone()), chart });
        }
    }
    if choice.metric.is_none() {
        for over in choice.overs() {
            let name = if over == Over::Seconds { "performance_profile" } else { "performance_profile_by_steps" };
            let chart = tuning::profile(&rankings, &results.experiment.tasks, &palette, over);
            let chart = chart.filter(|_| choice.wants(name));
            charts.extend(chart.map(|chart| Named { name: name.into(), task: None, chart: chart.into() }));
        }
    }
    Ok(charts)
}

impl Canvas<'_, '_> {
    fn all(&self, choice: &Choice) -> Result<Vec<(String, Chart)>> {
        let mut charts: Vec<(String, Chart)> = Vec::new();
        let scored = |metric: &Metric| self.ranking.ranks.iter().any(|rank| !rank.best.validation(*metric).is_empty());
        let measured = self.spec().map_or(Metric::BUILT_IN, |task| &task.metrics);
        let metrics = measured.iter().copied().filter(|metric| choice.metric.is_none_or(|chosen| chosen == *metric));
        let overs = choice.overs();
        let curves = self.results.curves;
        for metric in metrics.filter(|metric| curves && scored(metric)) {
            for over in &overs {
                charts.push((format!("{}{}", metric.name(), over.suffix()), self.curves(metric, *over)?.into()));
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
        if choice.metric.is_none() && curves {
            for over in &overs {
                charts.push((format!("training_loss{}", over.suffix()), self.training_loss(*over)?.into()));
            }
            if overs.contains(&Over::Steps) {
                charts.push(("learning_rate".into(), self.learning_rate()?.into()));
                charts.extend(self.anytime()?.map(|chart| ("anytime".into(), chart.into())));
            }
            charts.extend(self.paths()?.map(|chart| ("paths".into(), Chart::Contours(chart))));
            for quantity in [Quantity::Gradient, Quantity::Update] {
                let chart = self.magnitudes(quantity)?;
                charts.extend(chart.map(|chart| (format!("{}s", quantity.name()), Chart::Ridges(chart))));
            }
        }
        if choice.metric.is_none() {
            charts.extend(self.expected_best().map(|chart| ("expected_best".into(), chart.into())));
            for over in overs {
                charts.extend(self.to_target(over).map(|chart| (format!("{}_to_target", over.name()), chart.into())));
            }
        }
        Ok(charts)
    }

    /// The lines that a score is read against: the target, and what no model can do better than.
    fn rules(&self, metric: Metric, axis: &Axis) -> Vec<(f64, String)> {
        let floor = metric.floor(self.ranking.loss_floor());
        let floor = floor.map(|floor| (floor, format!("floor {}", score(floor, metric))));
        self.target(metric, axis).into_iter().chain(floor).collect()
    }

    /// The target as a line, where it is about this metric and within what the axis shows.
    fn target(&self, metric: Metric, axis: &Axis) -> Vec<(f64, String)> {
        let target = self.spec().and_then(|task| task.target).filter(|target| target.metric == metric);
        let target = target.filter(|target| axis.range.is_none_or(|(low, high)| (low..=high).contains(&target.value)));
        target.map(|target| (target.value, format!("target {}", plain(target.value, metric)))).into_iter().collect()
    }

    /// The arms all of whose tries ran to the end: what a search gave up is missing from the others.
    fn whole_searches(&self) -> impl Iterator<Item = &Rank<'_>> {
        let Results { experiment, records, .. } = self.results;
        let search = |rank: &Rank| Search::of(rank, &self.ranking.task, records, Some(experiment));
        self.ranking.ranks.iter().filter(move |rank| !search(rank).is_some_and(|search| search.gave_up()))
    }

    /// What the config says of the task.
    fn spec(&self) -> Option<&Spec> {
        self.results.experiment.tasks.iter().find(|task| task.label == self.ranking.task)
    }

    /// An axis for scores, with their unit. A share is bounded, so nothing of it needs to be cut off.
    fn axis(&self, what: &str, metric: Metric, values: impl Iterator<Item = f64> + Clone) -> Axis {
        let label = format!("{what} {}{}", metric.name(), self.unit(metric));
        if !metric.is_share() {
            return Axis::new(label, Scale::auto(values));
        }
        let range = values.clone().reduce(f64::min).zip(values.reduce(f64::max));
        let range = range.map(|(low, high)| {
            let margin = 0.05 * (high - low).max(0.01);
            ((low - margin).max(0.0), (high + margin).min(1.0))
        });
        Axis { range, ..Axis::new(label, Scale::Linear).percent() }
    }

    /// The unit of a score, in brackets: a function's value has none.
    fn unit(&self, metric: Metric) -> String {
        match metric.unit() {
            Unit::Number => String::new(),
            Unit::Nats if self.spec().is_some_and(|task| task.function().is_some()) => String::new(),
            unit => format!(" ({})", unit.name()),
        }
    }

    /// What a mean or a range is over: `several` where any arm ran under more than one seed.
    fn seeds<'s>(&self, several: &'s str) -> &'s str {
        if self.ranking.ranks.iter().any(|rank| rank.best.runs.len() > 1) { several } else { "one seed" }
    }
}

/// Writes charts into a folder, in each of the formats: an old file stays until the new one is whole.
///
/// # Errors
/// When a file cannot be written.
pub fn save(folder: &Path, charts: &[Named], formats: &[&str]) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let folder = Store::new(folder);
    for Named { name, chart, .. } in charts {
        for format in formats {
            let bytes = if *format == "png" { chart.to_png()? } else { chart.to_svg().into_bytes() };
            folder.write(&format!("{name}.{format}"), bytes)?;
        }
    }
    Ok(())
}

/// The tasks' labels as beginnings of file names: all different, even where capitals do not count.
fn stems<'a>(labels: impl Iterator<Item = &'a str>) -> HashMap<&'a str, String> {
    let mut names = Distinct::default();
    labels.map(|label| (label, names.name(label))).collect()
}

/// A score as a config means it: a share in percent, other numbers as they are.
fn plain(value: f64, metric: Metric) -> String {
    if metric.is_share() { format!("{}%", short(100.0 * value)) } else { value.to_string() }
}

/// Seconds of training of a step of a run.
fn seconds_per_step(record: &Record) -> f64 {
    (record.gradient_seconds + record.optimizer_seconds) / record.steps.max(1) as f64
}

fn diverged<'a>(arm: &'a Summary) -> impl Iterator<Item = &'a Record> {
    arm.runs.iter().copied().filter(|record| record.status == Status::Diverged)
}
