//! Schedules: from the step to a multiple of the peak learning rate.
//!
//! A schedule is one file with a [`Definition`], and one line in [`SCHEDULES`]. It is a pure
//! function of the step; only a plateau schedule also listens to evaluations.

use crate::length::{Length, Timeline};
use crate::metric::{Metric, Scores};
use crate::registry::{About, Accepts, Bounds, Described, Key};
use crate::settings::{self, Settings, Sort};

mod chained;
mod constant;
mod cosine;
mod cosine_warm_restarts;
mod curve;
mod cyclic;
mod exponential;
mod external;
mod formula;
mod greedy;
mod inverse_sqrt;
mod linear;
mod multi_step;
mod noise;
mod one_cycle;
mod parts;
mod points;
mod polynomial;
mod power;
mod reduce_on_plateau;
mod rex;
mod sequential;
mod step;
mod tanh;
#[cfg(test)]
mod testing;
mod warmup;
mod watch;
mod wsd;

/// Whether a cycle of rates moves the momentum, too.
const CYCLE_MOMENTUM: Key = Key::flag(
    "cycle_momentum",
    true,
    "move the momentum (beta1 for Adam-like rules) too; a momentum of 0 (sgd, rmsprop) stays 0, and so stays \
     Schedule-Free's beta (torch would move both)",
);

/// What only a program of the user's computes.
pub static EXTERNAL: Definition = external::DEFINITION;

/// Every schedule that is computed here.
pub const SCHEDULES: &[Definition] = &[
    constant::DEFINITION,
    step::DEFINITION,
    multi_step::DEFINITION,
    exponential::DEFINITION,
    linear::DEFINITION,
    polynomial::DEFINITION,
    cosine::DEFINITION,
    cosine_warm_restarts::DEFINITION,
    one_cycle::DEFINITION,
    cyclic::DEFINITION,
    reduce_on_plateau::DEFINITION,
    wsd::DEFINITION,
    inverse_sqrt::DEFINITION,
    rex::DEFINITION,
    tanh::DEFINITION,
    power::DEFINITION,
    points::DEFINITION,
    greedy::DEFINITION,
    sequential::DEFINITION,
    chained::DEFINITION,
    formula::DEFINITION,
];

/// A schedule as it is registered.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Name, equations, keys and source.
    pub about: About,
    /// Builds the schedule proper, without the common keys, from checked settings.
    pub build: Build,
}

/// Builds a schedule for a stretch of a run; refuses in words for the user.
pub type Build = fn(&Settings, &Span) -> Result<Box<dyn Schedule>, String>;

/// What trains where a config names no schedule.
pub const DEFAULT: &Definition = &constant::DEFINITION;

/// The keys that every schedule takes beside its own.
const COMMON_KEYS: &[Key] = &[
    Key::optional(
        "warmup",
        Accepts::Length,
        "rise linearly over this long first; \"untuned\" is 2 / (1 - beta2) steps, with the decay beta2 (alpha, rho, ..) of the \
     optimizer's squared gradients",
    ),
    warmup::SHAPE,
    warmup::START,
    Key::optional(
        noise::KEYS[0],
        Accepts::Float(Bounds::DECAY),
        "multiply the rate of every step by 1 + noise u, with u drawn evenly from -1 to 1",
    ),
    Key::optional(
        noise::KEYS[1],
        Accepts::Integer(Bounds::NON_NEGATIVE),
        "what the noise is drawn with; 0 where absent",
    ),
];

impl Described for Definition {
    const SORT: Sort = Sort::Schedule;

    fn about(&self) -> &About {
        &self.about
    }

    fn common_keys(&self) -> &'static [Key] {
        if self.about.name == settings::EXTERNAL { &[] } else { COMMON_KEYS }
    }
}

/// What a schedule says of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The multiple of the peak learning rate.
    pub factor: f64,
    /// The momentum (beta1 for Adam-like rules), where the schedule moves it.
    pub momentum: Option<f64>,
}

impl From<f64> for Point {
    /// A growth without end stays finite: the product with a factor of 0 is then 0, not NaN.
    fn from(factor: f64) -> Self {
        Self { factor: factor.clamp(0.0, f64::MAX), momentum: None }
    }
}

/// A learning-rate schedule.
pub trait Schedule: Send {
    /// What holds for the update after `t` updates.
    fn at(&self, t: u64) -> Point;

    /// Listens to an evaluation on the validation split after `t` updates, `t` above 0.
    fn observe(&mut self, _t: u64, _scores: &Scores) {}

    /// The metrics that it listens to: a task without them would leave it deaf.
    fn watches(&self) -> Vec<Metric> {
        Vec::new()
    }

    /// What [`Schedule::observe`] has learned, for a training that is continued: finite numbers,
    /// always as many.
    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Takes back what [`Schedule::state`] gave.
    ///
    /// # Panics
    /// Where the state is that of another schedule.
    fn restore(&mut self, _state: &[f64]) {}

    /// What the user would hardly want, each in one sentence, when the schedule lasts so many steps.
    fn warnings(&self, _steps: u64) -> Vec<String> {
        Vec::new()
    }
}

/// The stretch of a run that a schedule lays out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// The whole run.
    pub timeline: Timeline,
    /// The steps of it that are this schedule's: what a warmup or earlier parts leave.
    pub steps: u64,
}

impl Span {
    /// A key's duration in steps.
    ///
    /// # Errors
    /// In words for the user, where the timeline lacks what the duration is measured in.
    pub fn measure(&self, settings: &Settings, key: &str) -> Result<u64, String> {
        settings.length(key).in_steps(&self.timeline).map_err(|problem| format!("`{key}`: {problem}"))
    }

    /// A key's duration in steps, as something that is divided by: at least 1.
    ///
    /// # Errors
    /// As [`Span::measure`], and where the duration comes to 0 steps.
    pub fn interval(&self, settings: &Settings, key: &str) -> Result<u64, String> {
        match self.measure(settings, key)? {
            0 => Err(format!("`{key}` is 0 steps; expected at least 1")),
            steps => Ok(steps),
        }
    }

    /// A key's duration in steps, as the length of something that should end with the run: a
    /// percentage reaches at most to the end of the span, so that `100%` after a warmup is the rest.
    ///
    /// # Errors
    /// As [`Span::measure`].
    pub fn stretch(&self, settings: &Settings, key: &str) -> Result<u64, String> {
        let steps = self.measure(settings, key)?;
        Ok(if matches!(settings.length(key), Length::Percent(_)) { steps.min(self.steps) } else { steps }.max(1))
    }
}

/// Builds a schedule for a run, its warmup included.
///
/// # Errors
/// In words for the user, where a duration has no meaning for this run.
pub fn build(settings: &Settings, timeline: &Timeline) -> Result<Box<dyn Schedule>, String> {
    build_span(settings, &Span { timeline: *timeline, steps: timeline.steps })
}

/// Builds a schedule for a stretch of a run, its warmup included.
fn build_span(settings: &Settings, span: &Span) -> Result<Box<dyn Schedule>, String> {
    let warmup = warmup::steps(settings, span)?;
    let rest = Span { steps: span.steps.saturating_sub(warmup), ..*span };
    let proper = (settings.definition::<Definition>().build)(settings, &rest)?;
    noise::on(warmup::before(proper, warmup, settings)?, settings)
}

/// A warning about a key's length, which fits the schedule's badly.
fn misfit(key: &str, length: u64, steps: u64, so: &str) -> String {
    format!("`{key}` is {} and the schedule lasts {}: {so}", Length::Steps(length), Length::Steps(steps))
}
