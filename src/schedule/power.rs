//! A power of the way: of what has passed, or of what is left after a flat part.

use crate::choice::Choice;
use crate::length::Length;
use crate::registry::{About, Bounds, Key};
use crate::schedule::{Definition, Point, Schedule, curve, misfit};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "power",
        revision: 1,
        summary: "flat, then down to min_factor at the end by a power of the way",
        equations: "\
factor(t) = min_factor + (1 - min_factor) (1 - p^power)       of = \"passed\"
factor(t) = min_factor + (1 - min_factor) (1 - p)^power       of = \"left\"
p = max(0, t - flat) / (N - flat), with N the steps of the schedule",
        keys: &[
            Key::float("power", 2.0, Bounds::POSITIVE, "how steep; 1 is a straight line"),
            Key::choice("of", Of::WORDS, "passed", "what the power is of"),
            Key::length("flat", Length::Percent(0.0), "how long the rate stays at its peak first"),
            Key::float("min_factor", 0.0, Bounds::UNIT, "the factor at the end"),
        ],
        source: "the schedules of modded-nanogpt's records: 1 - progress^p, and min(peak, c (N - t)^1.2), which is `of = \"left\"` with `power = 1.2`",
    },
    build: |settings, span| {
        Ok(Box::new(Power {
            exponent: settings.float("power"),
            of: settings.choice("of"),
            flat: span.measure(settings, "flat")?,
            min: settings.float("min_factor"),
            steps: span.steps.max(1),
        }))
    },
};

crate::choice! {
    /// What the power is of.
    enum Of {
        /// The share of the way that has passed: slow first, steep last.
        Passed = "passed",
        /// The share that is left: steep first, slow last.
        Left = "left",
    }
}

struct Power {
    exponent: f64,
    of: Of,
    flat: u64,
    min: f64,
    steps: u64,
}

impl Schedule for Power {
    fn at(&self, t: u64) -> Point {
        let Some(length) = self.steps.checked_sub(self.flat).filter(|length| *length > 0) else { return 1.0.into() };
        let p = curve::progress(t.saturating_sub(self.flat), length);
        let share = match self.of {
            Of::Passed => 1.0 - p.powf(self.exponent),
            Of::Left => (1.0 - p).powf(self.exponent),
        };
        curve::linear(self.min, 1.0, share).into()
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        let so = "the rate never falls; make the flat part shorter";
        (self.flat >= steps).then(|| misfit("flat", self.flat, steps, so)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_factors, build, settings};

    #[test]
    fn a_flat_part_comes_first_and_the_end_is_the_floor() {
        let cool = settings("power").with("of", "left").with("power", 1.2).with("flat", Length::Percent(50.0));
        let cool = build(&cool, 8);
        // min(1, c (N - t)^1.2), where c makes it reach 1 half way.
        let recorded = |t: u64| (8.0 - t as f64).powf(1.2) / 4f64.powf(1.2);
        assert_factors(&*cool, [0, 4, 6, 8, 80], [1.0, 1.0, recorded(6), 0.0, 0.0]);
        let rising = build(&settings("power").with("min_factor", 0.5), 4);
        assert_factors(&*rising, [0, 2, 4], [1.0, 0.5 + 0.5 * 0.75, 0.5]);
        let flat = build(&settings("power").with("flat", Length::Steps(9)), 8);
        assert_eq!((flat.at(7).factor, flat.warnings(8).len()), (1.0, 1));
    }
}
