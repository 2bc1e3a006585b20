//! Warmup, stable, decay: the peak rate for most of the run, then down to the end.

use crate::choice::Choice;
use crate::length::Length;
use crate::registry::{About, Accepts, Bounds, Key};
use crate::schedule::{Definition, Point, Schedule, Span, curve, misfit};
use crate::settings::Settings;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "wsd",
        revision: 1,
        summary: "the peak rate until the decay, which ends with the run",
        equations: "\
p = share of the decay that has passed;  low = min_factor
factor = 1 + (low - 1) p                           shape = \"linear\"
       = low + (1 - low) (1 + cos(pi p)) / 2       shape = \"cosine\"
       = low + (1 - low) (1 - sqrt(p))             shape = \"sqrt\"
       = low^p                                     shape = \"exp\"",
        keys: &[
            Key::interval("decay", Length::Percent(20.0), "how long before the end the decay starts"),
            Key::choice("shape", Shape::WORDS, "linear", "the curve of the decay"),
            Key::optional(
                "min_factor",
                Accepts::Float(Bounds::UNIT),
                "the factor at the end; 0 where absent, 0.01 for \"exp\", which never gets to 0",
            ),
        ],
        source: "Hu et al. 2024, arXiv 2404.06395; Haegele et al. 2024, arXiv 2405.18392, for the shapes",
    },
    build: |settings, span| Ok(Box::new(Wsd::new(settings, span)?)),
};

struct Wsd {
    /// The length of the decay as it was asked for; the whole schedule may be shorter.
    decay: u64,
    steps: u64,
    min: f64,
    shape: Shape,
}

crate::choice! {
    /// The curve of the decay.
    enum Shape { Linear = "linear", Cosine = "cosine", Sqrt = "sqrt", Exp = "exp" }
}

impl Shape {
    /// The factor, from the last one and the share of the decay that has passed.
    fn factor(self, low: f64, p: f64) -> f64 {
        match self {
            Self::Linear => curve::linear(1.0, low, p),
            Self::Cosine => curve::cosine(1.0, low, p),
            Self::Sqrt => curve::linear(1.0, low, p.sqrt()),
            Self::Exp => low.powf(p),
        }
    }

    /// The last factor where none is given.
    fn last(self) -> f64 {
        if self == Self::Exp { 0.01 } else { 0.0 }
    }
}

impl Wsd {
    fn new(settings: &Settings, span: &Span) -> Result<Self, String> {
        let shape: Shape = settings.choice("shape");
        let min = settings.optional_float("min_factor").unwrap_or(shape.last());
        if shape == Shape::Exp && min == 0.0 {
            return Err("`min_factor` is 0, where \"exp\" never gets to; expected more, such as 0.01".into());
        }
        Ok(Self { decay: span.stretch(settings, "decay")?, steps: span.steps, min, shape })
    }
}

impl Schedule for Wsd {
    fn at(&self, t: u64) -> Point {
        let stable = self.steps.saturating_sub(self.decay);
        let progress = curve::progress(t.saturating_sub(stable), self.decay.min(self.steps).max(1));
        self.shape.factor(self.min, progress).into()
    }

    fn warnings(&self, _steps: u64) -> Vec<String> {
        let so = "it falls from the start, with no stable phase; make it shorter";
        (self.decay > self.steps).then(|| misfit("decay", self.decay, self.steps, so)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_1_SQRT_2;

    use crate::length::Length;
    use crate::schedule::testing::{assert_factors, build, refusal, settings};
    use crate::settings::Settings;

    #[test]
    fn it_is_stable_then_decays_to_the_end() {
        let falls = |settings: &Settings, expected| {
            assert_factors(&*build(settings, 100), [0, 80, 85, 90, 100, 1000], expected);
        };
        let wsd = |shape: &str| settings("wsd").with("shape", shape);
        let half = FRAC_1_SQRT_2;
        falls(&wsd("linear"), [1.0, 1.0, 0.75, 0.5, 0.0, 0.0]);
        falls(&wsd("cosine"), [1.0, 1.0, f64::midpoint(1.0, half), 0.5, 0.0, 0.0]);
        falls(&wsd("sqrt"), [1.0, 1.0, 0.5, 1.0 - half, 0.0, 0.0]);
        falls(&wsd("exp"), [1.0, 1.0, 0.1_f64.sqrt(), 0.1, 0.01, 0.01]);
        falls(&wsd("sqrt").with("min_factor", 0.2), [1.0, 1.0, 0.6, 1.0 - 0.8 * half, 0.2, 0.2]);
    }

    #[test]
    fn the_stable_phase_is_what_warmup_and_decay_leave() {
        let wsd = settings("wsd").with("warmup", Length::Percent(10.0));
        assert_factors(&*build(&wsd, 100), [4, 10, 80, 90, 100], [0.5, 1.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn a_decay_longer_than_the_run_takes_all_of_it_and_says_so() {
        let wsd = settings("wsd").with("decay", Length::Steps(100));
        assert_factors(&*build(&wsd, 10), [0, 5, 10], [1.0, 0.5, 0.0]);
        assert_eq!(
            build(&wsd, 10).warnings(10),
            ["`decay` is 100 steps and the schedule lasts 10 steps: it falls from the start, with no stable phase; \
              make it shorter"]
        );
        assert!(build(&wsd, 100).warnings(100).is_empty());
    }

    #[test]
    fn an_exponential_to_0_is_refused() {
        let refused = refusal(&settings("wsd").with("shape", "exp").with("min_factor", 0.0), 100);
        assert!(refused.starts_with("`min_factor` is 0"), "{refused}");
    }
}
