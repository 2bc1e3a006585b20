//! What every chart of a task needs: its ranking, the colours, and the axes that scores are drawn on.

use crate::analysis::search::Search;
use crate::analysis::{Rank, Ranking, Summary};
use crate::chart::{Axis, Palette, Scale};
use crate::metric::{Metric, Unit};
use crate::report::Results;
use crate::report::content::words::{score, short};
use crate::results::{Record, Status};
use crate::task::Spec;

/// What curves are drawn over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Updates.
    Steps,
    /// Seconds of training, evaluations not counted.
    Seconds,
}

impl Over {
    pub(super) fn name(self) -> &'static str {
        if self == Self::Seconds { "seconds" } else { "steps" }
    }

    /// What the name of a chart ends in: steps are what is usual.
    pub(super) fn suffix(self) -> &'static str {
        if self == Self::Seconds { "_over_seconds" } else { "" }
    }
}

/// What every chart of a task needs.
pub(super) struct Canvas<'a, 'b> {
    pub(super) results: &'a Results,
    pub(super) ranking: &'b Ranking<'a>,
    pub(super) palette: &'b Palette,
}

impl Canvas<'_, '_> {
    /// The lines that a score is read against: the target, and what no model can do better than.
    pub(super) fn rules(&self, metric: Metric, axis: &Axis) -> Vec<(f64, String)> {
        let floor = metric.floor(self.ranking.loss_floor());
        let floor = floor.map(|floor| (floor, format!("floor {}", score(floor, metric))));
        self.target(metric, axis).into_iter().chain(floor).collect()
    }

    /// The target as a line, where it is about this metric and within what the axis shows.
    pub(super) fn target(&self, metric: Metric, axis: &Axis) -> Vec<(f64, String)> {
        let target = self.spec().and_then(|task| task.target).filter(|target| target.metric == metric);
        let target = target.filter(|target| axis.range.is_none_or(|(low, high)| (low..=high).contains(&target.value)));
        target.map(|target| (target.value, format!("target {}", plain(target.value, metric)))).into_iter().collect()
    }

    /// The arms all of whose tries ran to the end: what a search gave up is missing from the others.
    pub(super) fn whole_searches(&self) -> impl Iterator<Item = &Rank<'_>> {
        let Results { experiment, records, .. } = self.results;
        let search = |rank: &Rank| Search::of(rank, &self.ranking.task, records, Some(experiment));
        self.ranking.ranks.iter().filter(move |rank| !search(rank).is_some_and(|search| search.gave_up()))
    }

    /// What the config says of the task.
    pub(super) fn spec(&self) -> Option<&Spec> {
        self.results.experiment.tasks.iter().find(|task| task.label == self.ranking.task)
    }

    /// An axis for scores, with their unit. A share is bounded, so nothing of it needs to be cut off.
    pub(super) fn axis(&self, what: &str, metric: Metric, values: impl Iterator<Item = f64> + Clone) -> Axis {
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
    pub(super) fn unit(&self, metric: Metric) -> String {
        match metric.unit() {
            Unit::Number => String::new(),
            Unit::Nats if self.spec().is_some_and(|task| task.function().is_some()) => String::new(),
            unit => format!(" ({})", unit.name()),
        }
    }

    /// What seconds are, on an axis; `None` where they are not known.
    pub(super) fn seconds(&self) -> Option<&'static str> {
        let mut runs = self.ranking.ranks.iter().flat_map(|rank| &rank.best.runs);
        let known = runs.find(|run| run.training_seconds().is_some())?;
        let is_ours = known.computed_by.is_none();
        Some(if is_ours { "seconds of training, without evaluations" } else { "seconds of the whole run" })
    }

    /// What a mean or a range is over: `several` where any arm ran under more than one seed.
    pub(super) fn seeds<'s>(&self, several: &'s str) -> &'s str {
        if self.ranking.ranks.iter().any(|rank| rank.best.runs.len() > 1) { several } else { "one seed" }
    }
}

/// A score as a config means it: a share in percent, other numbers as they are.
pub(super) fn plain(value: f64, metric: Metric) -> String {
    if metric.is_share() { format!("{}%", short(100.0 * value)) } else { value.to_string() }
}

/// Seconds of training of a step of a run.
pub(super) fn seconds_per_step(record: &Record) -> f64 {
    record.training_seconds().unwrap_or(0.0) / record.steps.max(1) as f64
}

pub(super) fn diverged<'a>(arm: &'a Summary) -> impl Iterator<Item = &'a Record> {
    arm.runs.iter().copied().filter(|record| record.status == Status::Diverged)
}
