//! A straight line between two factors.

use crate::duration::Duration;
use crate::registry::{About, Key, Range};
use crate::schedule::{Definition, Point, Schedule};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "linear",
        summary: "a straight line from start to end, then end",
        equations: "factor(t) = start + (end - start) min(t, over) / over",
        keys: &[
            Key::float("start", 1.0, Range::NON_NEGATIVE, "the factor at the first step"),
            Key::float("end", 0.0, Range::NON_NEGATIVE, "the factor at the end and after it"),
            Key::duration("over", Duration::Percent(100.0), "from start to end"),
        ],
        source: "torch.optim.lr_scheduler.LinearLR",
    },
    build: |settings, span| {
        Ok(Box::new(Linear {
            start: settings.float("start"),
            end: settings.float("end"),
            over: span.stretch(settings, "over")?,
        }))
    },
};

struct Linear {
    start: f64,
    end: f64,
    over: u64,
}

impl Schedule for Linear {
    fn at(&self, t: u64) -> Point {
        let progress = t.min(self.over) as f64 / self.over as f64;
        (self.start + (self.end - self.start) * progress).into()
    }
}
