//! A straight line between two factors.

use crate::length::Length;
use crate::registry::{About, Bounds, Key};
use crate::schedule::{Definition, Point, Schedule, curve};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "linear",
        revision: 1,
        summary: "a straight line from start to end, then end",
        equations: "factor(t) = start + (end - start) min(t, over) / over",
        keys: &[
            Key::float("start", 1.0, Bounds::NON_NEGATIVE, "the factor at the first step"),
            Key::float("end", 0.0, Bounds::NON_NEGATIVE, "the factor at the end and after it"),
            Key::interval("over", Length::Percent(100.0), "from start to end"),
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
        curve::linear(self.start, self.end, curve::progress(t, self.over)).into()
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        curve::cut_short("over", self.over, steps)
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_rates, settings};

    #[test]
    #[expect(clippy::unreadable_literal, reason = "as torch prints them")]
    fn it_is_torch_s() {
        // LinearLR(start_factor=1/3, end_factor=1, total_iters=5)
        let linear = settings("linear").with("start", 1.0 / 3.0).with("end", 1.0).with("over", Length::Steps(5));
        assert_rates(&linear, 8, &[0.033333333, 0.046666667, 0.06, 0.073333333, 0.086666667, 0.1, 0.1, 0.1]);
    }
}
