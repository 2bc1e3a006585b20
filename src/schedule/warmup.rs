//! A rise before any schedule.

use crate::choice::Choice;
use crate::metric::{Metric, Scores};
use crate::registry::{Accepts, Bounds, Key};
use crate::schedule::{Point, Schedule, Span, curve, misfit};
use crate::settings::Settings;

/// How long a schedule's warmup is; 0 where it has none.
pub(super) fn steps(settings: &Settings, span: &Span) -> Result<u64, String> {
    if settings.get("warmup").is_some() { span.measure(settings, "warmup") } else { Ok(0) }
}

/// The keys that say how it rises.
pub(super) const SHAPE: Key = Key::optional(
    "warmup_shape",
    Accepts::Choice(Shape::WORDS),
    "how the warmup rises, with p the share that has passed: p (linear, where absent), (1 - cos(pi p)) / 2, sqrt(p), or 1 - sqrt(1 - p)",
);
pub(super) const START: Key = Key::optional(
    "warmup_start",
    Accepts::Float(Bounds::UNIT),
    "the factor that the warmup rises from; 0 where absent",
);

crate::choice! {
    /// How it rises.
    enum Shape {
        /// By the share that has passed.
        Linear = "linear",
        /// By half a cosine.
        Cosine = "cosine",
        /// By its root: steep first.
        Sqrt = "sqrt",
        /// By one minus the root of what is left: steep last.
        OneMinusSqrt = "1-sqrt",
    }
}

impl Shape {
    fn rise(self, p: f64) -> f64 {
        match self {
            Self::Linear => p,
            Self::Cosine => curve::cosine(0.0, 1.0, p),
            Self::Sqrt => p.sqrt(),
            Self::OneMinusSqrt => 1.0 - (1.0 - p).sqrt(),
        }
    }
}

/// Rises over `steps` updates, in the first of which one of them has passed, to 1; then the schedule proper starts from
/// its step 0.
///
/// # Errors
/// In words for the user, where it is said how to rise and there is no warmup.
pub(super) fn before(
    schedule: Box<dyn Schedule>,
    steps: u64,
    settings: &Settings,
) -> Result<Box<dyn Schedule>, String> {
    let given = [SHAPE, START].into_iter().find(|key| settings.get(key.name).is_some());
    match given {
        Some(key) if settings.get("warmup").is_none() => Err(format!("`{}` needs a `warmup`", key.name)),
        _ if steps == 0 => Ok(schedule),
        _ => {
            let shape = settings.optional_choice(SHAPE.name).unwrap_or(Shape::Linear);
            let start = settings.optional_float(START.name).unwrap_or(0.0);
            Ok(Box::new(Warmup { steps, shape, start, schedule }))
        }
    }
}

struct Warmup {
    steps: u64,
    shape: Shape,
    start: f64,
    schedule: Box<dyn Schedule>,
}

impl Schedule for Warmup {
    fn at(&self, t: u64) -> Point {
        match t.checked_sub(self.steps) {
            Some(t) => self.schedule.at(t),
            None => {
                let rise = self.shape.rise((t + 1) as f64 / self.steps as f64);
                let factor = curve::linear(self.start, 1.0, rise);
                Point { factor, momentum: self.schedule.at(0).momentum }
            }
        }
    }

    /// The schedule proper hears of nothing that the warmup did: an evaluation judges the updates before it.
    fn observe(&mut self, t: u64, scores: &Scores) {
        if let Some(t) = t.checked_sub(self.steps).filter(|&t| t > 0) {
            self.schedule.observe(t, scores);
        }
    }

    fn watches(&self) -> Vec<Metric> {
        self.schedule.watches()
    }

    fn state(&self) -> Vec<f64> {
        self.schedule.state()
    }

    fn restore(&mut self, state: &[f64]) {
        self.schedule.restore(state);
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        match steps.checked_sub(self.steps) {
            None | Some(0) => {
                let so = "the schedule proper never starts; make the warmup shorter";
                vec![misfit("warmup", self.steps, steps, so)]
            }
            Some(rest) => self.schedule.warnings(rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_factors, build, loss, refusal, settings};

    #[test]
    fn a_plateau_hears_of_no_evaluation_of_the_warmup() {
        let plateau = settings("reduce_on_plateau").with("patience", 2).with("factor", 0.5);
        let mut schedule = build(&plateau.with("warmup", Length::Steps(20)), 100);
        // The lowest loss of all, while the rate is still rising: no mark to beat later.
        for t in 1..=20 {
            schedule.observe(t, &loss(0.1));
        }
        assert_factors(&*schedule, [19, 20], [1.0, 1.0]);
        // The first update at the peak sets the mark; patience is over two evaluations after it.
        for (t, factor) in [(21, 1.0), (22, 1.0), (23, 1.0), (24, 0.5)] {
            schedule.observe(t, &loss(1.0));
            assert_factors(&*schedule, [t], [factor]);
        }
    }

    #[test]
    fn the_schedule_proper_starts_after_the_warmup_and_ends_with_the_run() {
        let schedule = build(&settings("cosine").with("warmup", Length::Percent(5.0)), 100);
        let factors: Vec<f64> = [0, 3, 4, 5, 100].iter().map(|&t| schedule.at(t).factor).collect();
        assert_eq!(factors, [0.2, 0.8, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn it_may_rise_otherwise_and_from_elsewhere() {
        let shaped = |shape: &str| settings("constant").with("warmup", Length::Steps(4)).with("warmup_shape", shape);
        assert_factors(&*build(&shaped("linear"), 9), [0, 1, 3, 4], [0.25, 0.5, 1.0, 1.0]);
        assert_factors(&*build(&shaped("cosine"), 9), [1, 3], [0.5, 1.0]);
        assert_factors(&*build(&shaped("sqrt"), 9), [0, 3], [0.5, 1.0]);
        assert_factors(&*build(&shaped("1-sqrt"), 9), [2, 3], [0.5, 1.0]);
        let raised = shaped("linear").with("warmup_start", 0.5);
        assert_factors(&*build(&raised, 9), [0, 1, 3, 4], [0.625, 0.75, 1.0, 1.0]);
        let alone = settings("constant").with("warmup_start", 0.5);
        assert_eq!(refusal(&alone, 9), "`warmup_start` needs a `warmup`");
    }

    #[test]
    fn a_warmup_as_long_as_the_run_is_pointed_out() {
        let warned = |warmup: u64, steps| {
            build(&settings("cosine").with("warmup", Length::Steps(warmup)), steps).warnings(steps)
        };
        assert_eq!(
            warned(100, 100),
            ["`warmup` is 100 steps and the schedule lasts 100 steps: the schedule proper never starts; \
              make the warmup shorter"]
        );
        assert!(warned(99, 100).is_empty());
    }
}
