//! A drop at regular intervals.

use crate::registry::{About, Accepts, Key, Range};
use crate::schedule::{Definition, Point, Schedule};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "step",
        summary: "multiply by gamma at regular intervals",
        equations: "factor(t) = gamma^floor(t / every)",
        keys: &[
            Key::required("every", Accepts::Duration, "the interval between two drops"),
            Key::float("gamma", 0.1, Range::POSITIVE, "what each drop multiplies by"),
        ],
        source: "torch.optim.lr_scheduler.StepLR",
    },
    build: |settings, span| {
        let every = span.measure(settings, "every")?;
        if every == 0 {
            return Err("`every` comes to 0 steps; expected at least 1".into());
        }
        Ok(Box::new(Step { every, gamma: settings.float("gamma") }))
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
}
