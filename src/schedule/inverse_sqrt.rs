//! The decay of the first transformers: one over the square root of the step.

use crate::registry::{About, Accepts, Key};
use crate::schedule::{Definition, Point, Schedule, warmup};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "inverse_sqrt",
        revision: 1,
        summary: "falls as one over the square root of the step; needs no length of the run",
        equations: "\
factor(t) = sqrt(timescale / (timescale + t))
after a warmup of w steps, which timescale then is: sqrt(w / step), as Noam's",
        keys: &[Key::optional(
            "timescale",
            Accepts::Interval,
            "steps until the factor is 1 / sqrt(2); as long as the warmup where absent, or 1 step",
        )],
        source: "Vaswani et al. 2017, arXiv 1706.03762; fairseq's inverse_sqrt",
    },
    build: |settings, span| {
        let timescale = match settings.get("timescale") {
            Some(_) => span.interval(settings, "timescale")?,
            None => warmup::steps(settings, span)?.max(1),
        };
        Ok(Box::new(InverseSqrt { timescale: timescale as f64 }))
    },
};

struct InverseSqrt {
    timescale: f64,
}

impl Schedule for InverseSqrt {
    fn at(&self, t: u64) -> Point {
        (self.timescale / (self.timescale + t as f64)).sqrt().into()
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_factors, build, refusal, settings};

    #[test]
    fn after_a_warmup_it_is_noam_s() {
        let schedule = build(&settings("inverse_sqrt").with("warmup", Length::Steps(100)), 10_000);
        // Peak at step 100, then sqrt(100 / step).
        assert_factors(&*schedule, [49, 99, 100, 400, 10_000], [0.5, 1.0, 1.0, 0.5, 0.1]);
    }

    #[test]
    fn the_timescale_may_be_its_own() {
        let settings = settings("inverse_sqrt");
        assert_factors(&*build(&settings, 100), [0, 3], [1.0, 0.5]);
        let slow = settings.clone().with("timescale", Length::Percent(10.0)).with("warmup", Length::Steps(5));
        assert_factors(&*build(&slow, 100), [4, 5, 35], [1.0, 1.0, 0.5]);
        let refused = refusal(&settings.with("timescale", Length::ZERO), 100);
        assert!(refused.starts_with("`timescale` is 0 steps"));
    }
}
