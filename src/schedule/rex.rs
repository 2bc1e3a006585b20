//! REX: late and steep, between a straight line and a drop at the end.

use crate::registry::{About, Bounds, Key};
use crate::schedule::{Definition, Point, Schedule, curve};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "rex",
        revision: 1,
        summary: "down to min_factor at the end, slowly first and steeply last",
        equations: "\
factor(t) = min_factor + (1 - min_factor) (1 - p) / (1 - p / 2)
p = min(t, N) / N, with N the steps of the schedule",
        keys: &[Key::float("min_factor", 0.0, Bounds::UNIT, "the factor at the end")],
        source: "Chen, Wolfe and Kyrillidis 2021, arXiv 2107.04197",
    },
    build: |settings, span| Ok(Box::new(Rex { min: settings.float("min_factor"), steps: span.steps.max(1) })),
};

struct Rex {
    min: f64,
    steps: u64,
}

impl Schedule for Rex {
    fn at(&self, t: u64) -> Point {
        let progress = curve::progress(t, self.steps);
        (self.min + (1.0 - self.min) * (1.0 - progress) / (1.0 - progress / 2.0)).into()
    }
}

#[cfg(test)]
mod tests {
    use crate::schedule::testing::{assert_factors, build, settings};

    #[test]
    fn it_lies_above_the_straight_line_and_ends_on_it() {
        let rex = build(&settings("rex"), 8);
        assert_factors(&*rex, [0, 4, 8, 80], [1.0, 0.5 / 0.75, 0.0, 0.0]);
        let raised = build(&settings("rex").with("min_factor", 0.4), 8);
        assert_factors(&*raised, [0, 4, 8], [1.0, 0.4 + 0.6 * 0.5 / 0.75, 0.4]);
    }
}
