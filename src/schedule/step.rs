//! A drop at regular intervals.

use crate::registry::{About, Accepts, Bounds, Key};
use crate::schedule::{Definition, Point, Schedule, misfit};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "step",
        revision: 1,
        summary: "multiply by gamma at regular intervals",
        equations: "factor(t) = gamma^floor(t / every)",
        keys: &[
            Key::required("every", Accepts::Interval, "the interval between two drops"),
            Key::float("gamma", 0.1, Bounds::POSITIVE, "what each drop multiplies by"),
        ],
        source: "torch.optim.lr_scheduler.StepLR",
    },
    build: |settings, span| {
        Ok(Box::new(Step { every: span.interval(settings, "every")?, gamma: settings.float("gamma") }))
    },
};

struct Step {
    every: u64,
    gamma: f64,
}

impl Schedule for Step {
    fn at(&self, t: u64) -> Point {
        self.gamma.powf((t / self.every) as f64).into()
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        let so = "the first drop never comes; make it shorter";
        (self.every >= steps).then(|| misfit("every", self.every, steps, so)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_rates, build, settings};

    #[test]
    fn it_is_torch_s() {
        // StepLR(step_size=3, gamma=.1)
        let step = settings("step").with("every", Length::Steps(3));
        assert_rates(&step, 8, &[0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001]);
    }

    #[test]
    fn an_interval_as_long_as_the_run_is_pointed_out() {
        let step = build(&settings("step").with("every", Length::Steps(30)), 30);
        assert_eq!(
            step.warnings(30),
            ["`every` is 30 steps and the schedule lasts 30 steps: the first drop never comes; make it shorter"]
        );
        assert!(step.warnings(31).is_empty());
    }
}
