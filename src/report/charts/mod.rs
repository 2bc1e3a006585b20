//! The charts of an experiment: curves, sensitivity, tuning, time to target.

mod anytime;
mod canvas;
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

use wildmatch::WildMatch;

use crate::analysis::Ranking;
use crate::chart::{Chart, LineChart, Palette};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::report::{Results, Section};
use crate::results::file_name::{Distinct, safe};
use crate::results::{Quantity, Store};
use crate::task::Spec;

pub use canvas::Over;

use canvas::Canvas;

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
        self.kind.as_ref().is_none_or(|pattern| WildMatch::new(pattern).matches(kind))
    }
}

/// Every chart of an experiment that is chosen, task by task. Where only the records of its runs are there, those that
/// need curves are left out.
///
/// # Errors
/// When the curves of a run cannot be read.
pub fn draw<'a>(results: &'a Results, sections: &[Section<'a>], choice: &Choice) -> Result<Vec<Named>> {
    let optimizers = results.experiment.optimizers.iter().map(|entrant| entrant.grid.label.as_str());
    let schedules = results.experiment.schedules.iter().map(|grid| grid.label.as_str());
    let palette = Palette::new(optimizers, schedules);
    let ranked = sections.iter().filter(|section| !section.ranking.ranks.is_empty());
    let mut rankings: Vec<Ranking> = ranked.map(|section| section.ranking.clone()).collect();
    if let Some(pattern) = &choice.only {
        let pattern = WildMatch::new(pattern);
        for ranking in &mut rankings {
            ranking.ranks.retain(|rank| pattern.matches(&rank.name()));
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
    /// A chart, unless it is of what another program did not log.
    fn there(&self, chart: LineChart) -> Option<LineChart> {
        let is_logged = chart.series.iter().any(|series| !series.points.is_empty());
        (is_logged || self.spec().is_none_or(Spec::is_trained_here)).then_some(chart)
    }

    fn all(&self, choice: &Choice) -> Result<Vec<(String, Chart)>> {
        let mut charts: Vec<(String, Chart)> = Vec::new();
        let scored = |metric: &Metric| self.ranking.ranks.iter().any(|rank| !rank.best.validation(*metric).is_empty());
        let measured = self.spec().map_or(Metric::BUILT_IN, |task| &task.metrics);
        let metrics = measured.iter().copied().filter(|metric| choice.metric.is_none_or(|chosen| chosen == *metric));
        let mut overs = choice.overs();
        overs.retain(|over| *over == Over::Steps || self.seconds().is_some());
        let curves = self.results.curves;
        for metric in metrics.filter(|metric| curves && scored(metric)) {
            for over in &overs {
                charts.push((format!("{}{}", safe(metric.name()), over.suffix()), self.curves(metric, *over)?.into()));
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
                let chart = self.there(self.training_loss(*over)?);
                charts.extend(chart.map(|chart| (format!("training_loss{}", over.suffix()), chart.into())));
            }
            if overs.contains(&Over::Steps) {
                let chart = self.there(self.learning_rate()?);
                charts.extend(chart.map(|chart| ("learning_rate".into(), chart.into())));
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
