//! A hyperbolic tangent: flat at both ends, steep in between.

use crate::length::Length;
use crate::registry::{About, Bounds, Key};
use crate::schedule::{Definition, Point, Schedule, curve};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "tanh",
        revision: 1,
        summary: "flat first, then down like a hyperbolic tangent, and flat again",
        equations: "\
factor(t) = min_factor + (1 - min_factor) (1 - tanh(lower (1 - p) + upper p)) / 2
p = min(t, over) / over",
        keys: &[
            Key::float(
                "lower",
                -7.0,
                Bounds::ANY,
                "where the tangent starts; further below 0 is longer flat at the peak",
            ),
            Key::float("upper", 3.0, Bounds::ANY, "where it ends; further above 0 is longer flat at the end"),
            Key::float("min_factor", 0.0, Bounds::UNIT, "the factor that it falls to"),
            Key::interval("over", Length::Percent(100.0), "from the peak to the end"),
        ],
        source: "Hsueh, Li and Wu 2018, arXiv 1806.01593; timm's TanhLRScheduler, whose limits are the defaults",
    },
    build: |settings, span| {
        Ok(Box::new(Tanh {
            lower: settings.float("lower"),
            upper: settings.float("upper"),
            min: settings.float("min_factor"),
            over: span.stretch(settings, "over")?,
        }))
    },
};

struct Tanh {
    lower: f64,
    upper: f64,
    min: f64,
    over: u64,
}

impl Schedule for Tanh {
    fn at(&self, t: u64) -> Point {
        let p = curve::progress(t, self.over);
        curve::linear(self.min, 1.0, 0.5 * (1.0 - curve::linear(self.lower, self.upper, p).tanh())).into()
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        curve::cut_short("over", self.over, steps)
    }
}
