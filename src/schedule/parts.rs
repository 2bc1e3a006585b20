//! The schedules that another schedule is made of.

use crate::metric::{Metric, Scores};
use crate::schedule::{Point, Schedule, Span, build_span};
use crate::settings::{Settings, Value};

/// A schedule within another.
pub(super) struct Part {
    /// Which one it is, for the user: `` part 2 (`cosine`) ``.
    pub(super) name: String,
    /// The step of the whole at which it starts from its own step 0.
    pub(super) start: u64,
    /// The steps that it lays out.
    pub(super) steps: u64,
    schedule: Box<dyn Schedule>,
}

impl Part {
    /// Builds the part at a place of the list, starting at a step of the whole.
    pub(super) fn build(settings: &Settings, place: usize, start: u64, span: &Span) -> Result<Self, String> {
        let name = name(settings, place);
        let schedule = build_span(settings, span).map_err(|problem| format!("{name}: {problem}"))?;
        Ok(Self { name, start, steps: span.steps, schedule })
    }

    pub(super) fn at(&self, t: u64) -> Point {
        self.schedule.at(t.saturating_sub(self.start))
    }

    pub(super) fn observe(&mut self, t: u64, scores: &Scores) {
        self.schedule.observe(t.saturating_sub(self.start), scores);
    }

    /// The warnings of the part alone, when it lasts so many steps.
    pub(super) fn warnings(&self, steps: u64) -> Vec<String> {
        self.schedule.warnings(steps).into_iter().map(|warning| format!("{}: {warning}", self.name)).collect()
    }
}

/// What the user calls the part at a place of the list.
pub(super) fn name(settings: &Settings, place: usize) -> String {
    format!("part {} (`{}`)", place + 1, settings.name())
}

/// The settings of the parts, of which there is at least one.
pub(super) fn settings(settings: &Settings) -> Result<Vec<&Settings>, String> {
    let parts: Vec<&Settings> = settings
        .list("parts")
        .iter()
        .filter_map(|value| match value {
            Value::Nested(part) => Some(part),
            _ => None,
        })
        .collect();
    if parts.is_empty() { Err("`parts` is empty; expected at least one schedule".into()) } else { Ok(parts) }
}

/// The metrics that any of the parts listens to.
pub(super) fn watches(parts: &[Part]) -> Vec<Metric> {
    parts.iter().flat_map(|part| part.schedule.watches()).collect()
}

/// What all parts have learned, one after the other.
pub(super) fn state(parts: &[Part]) -> Vec<f64> {
    parts.iter().flat_map(|part| part.schedule.state()).collect()
}

/// Takes back what [`state`] gave.
pub(super) fn restore(parts: &mut [Part], mut state: &[f64]) {
    for part in parts {
        let (own, others) = state.split_at(part.schedule.state().len());
        part.schedule.restore(own);
        state = others;
    }
}
