//! Half a cosine from the peak to the floor.

use std::f64::consts::PI;

use crate::duration::Duration;
use crate::registry::{About, Key, Range};
use crate::schedule::{Definition, Point, Schedule};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "cosine",
        summary: "half a cosine down to min_factor; rises again past its period",
        equations: "factor(t) = min_factor + (1 - min_factor) (1 + cos(pi t / period)) / 2",
        keys: &[
            Key::float("min_factor", 0.0, Range::UNIT, "the factor at the end of the period"),
            Key::duration("period", Duration::Percent(100.0), "from the peak to the floor"),
        ],
        source: "Loshchilov and Hutter 2016, arXiv 1608.03983; torch.optim.lr_scheduler.CosineAnnealingLR",
    },
    build: |settings, span| {
        Ok(Box::new(Cosine { min: settings.float("min_factor"), period: span.stretch(settings, "period")? }))
    },
};

struct Cosine {
    min: f64,
    period: u64,
}

impl Schedule for Cosine {
    fn at(&self, t: u64) -> Point {
        let phase = PI * t as f64 / self.period as f64;
        (self.min + (1.0 - self.min) * (1.0 + phase.cos()) / 2.0).into()
    }
}
