//! One rise and one fall of the rate, with the momentum going the other way.

use crate::choice::Choice;
use crate::registry::{About, Bounds, Key};
use crate::schedule::{CYCLE_MOMENTUM, Definition, Point, Schedule, Span, curve};
use crate::settings::Settings;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "one_cycle",
        revision: 1,
        summary: "up to the peak, then far down, with the momentum going the other way",
        equations: "\
N: the steps of the schedule; low = 1 / div; last = low / final_div
t from                  to                   factor         momentum
0                       pct_start N - 1      low to 1       max to base
pct_start N - 1         N - 1                1 to last      base to max
and in place of the second line with three_phase:
pct_start N - 1         2 pct_start N - 2    1 to low       base to max
2 pct_start N - 2       N - 1                low to last    max
from a to b, where p of the way has passed:
b + (a - b) (1 + cos(pi p)) / 2     anneal = \"cos\"
a + (b - a) p                       anneal = \"linear\"
after N - 1 everything stays",
        keys: &[
            Key::float("pct_start", 0.3, Bounds::UNIT, "the share of the schedule that rises"),
            Key::float("div", 25.0, Bounds::at_least(1.0), "the first rate is the peak over this"),
            Key::float("final_div", 1e4, Bounds::POSITIVE, "the last rate is the first over this"),
            Key::flag("three_phase", false, "fall as fast as it rose, then on to the last rate"),
            Key::choice("anneal", Anneal::WORDS, "cos", "the curve between two rates"),
            CYCLE_MOMENTUM,
            Key::float("base_momentum", 0.85, Bounds::DECAY, "the momentum at the peak rate"),
            Key::float("max_momentum", 0.95, Bounds::DECAY, "the momentum at the ends"),
        ],
        source: "Smith and Topin 2017, arXiv 1708.07120; torch.optim.lr_scheduler.OneCycleLR",
    },
    build: |settings, span| Ok(Box::new(OneCycle::new(settings, span)?)),
};

struct OneCycle {
    /// Where the phases meet, from the first step to the last.
    corners: Vec<Corner>,
    anneal: Anneal,
    cycle_momentum: bool,
    last: u64,
}

crate::choice! {
    /// The curve between two rates.
    enum Anneal { Cos = "cos", Linear = "linear" }
}

#[derive(Clone, Copy)]
struct Corner {
    /// Not a whole number as a rule: the step after it starts part way into the next phase.
    t: f64,
    factor: f64,
    momentum: f64,
}

impl OneCycle {
    fn new(settings: &Settings, span: &Span) -> Result<Self, String> {
        let (div, final_div) = (settings.float("div"), settings.float("final_div"));
        if div * final_div < 1.0 {
            return Err(format!(
                "`final_div` of {final_div} would end above the peak; expected at least 1 / `div`, which is {}",
                1.0 / div
            ));
        }
        let (low, last_factor) = (1.0 / div, 1.0 / div / final_div);
        let (base, max) = (settings.float("base_momentum"), settings.float("max_momentum"));
        let steps = span.steps.max(1);
        let last = (steps - 1) as f64;
        let peak = settings.float("pct_start") * steps as f64 - 1.0;
        let corner = |t, factor, momentum| Corner { t, factor, momentum };

        let mut corners = vec![corner(0.0, low, max), corner(peak, 1.0, base)];
        if settings.flag("three_phase") {
            corners.push(corner(2.0 * peak, low, max));
        }
        corners.push(corner(last, last_factor, max));
        Ok(Self {
            corners,
            anneal: settings.choice("anneal"),
            cycle_momentum: settings.flag("cycle_momentum"),
            last: steps - 1,
        })
    }

    /// The corners before and after a step. The last corner lies at the last step, so that one is always found.
    fn phase(&self, t: f64) -> (Corner, Corner) {
        let after = self.corners[1..].iter().position(|corner| t <= corner.t).unwrap_or(0) + 1;
        (self.corners[after - 1], self.corners[after])
    }
}

impl Schedule for OneCycle {
    fn at(&self, t: u64) -> Point {
        let t = t.min(self.last) as f64;
        let (from, to) = self.phase(t);
        // A rise of no length is done at once.
        let progress = if to.t > from.t { (t - from.t) / (to.t - from.t) } else { 1.0 };
        let between = match self.anneal {
            Anneal::Cos => curve::cosine,
            Anneal::Linear => curve::linear,
        };
        Point {
            factor: between(from.factor, to.factor, progress),
            momentum: self.cycle_momentum.then(|| between(from.momentum, to.momentum, progress)),
        }
    }

    fn warnings(&self, _steps: u64) -> Vec<String> {
        let earlier = &self.corners[..self.corners.len() - 1];
        if self.last == 0 || earlier.iter().all(|corner| corner.t < self.last as f64) {
            return Vec::new();
        }
        vec!["`pct_start` leaves no step for the last phase: the rate never falls to its end; make it smaller".into()]
    }
}

#[cfg(test)]
mod tests {
    use crate::schedule::testing::{assert_factors, assert_rates, build, refusal, settings};

    #[test]
    #[expect(clippy::unreadable_literal, reason = "as torch prints them")]
    fn it_is_torch_s() {
        // OneCycleLR(max_lr=.1, total_steps=10)
        let down = [0.095048463, 0.081174565, 0.061126202, 0.038874198, 0.018825835, 0.0049519368, 4e-7];
        assert_rates(&settings("one_cycle"), 10, &[&[0.004, 0.052, 0.1], &down[..]].concat());
        let momenta =
            [0.95, 0.9, 0.85, 0.85495156, 0.86882551, 0.88887395, 0.91112605, 0.93117449, 0.94504844, 0.95, 0.95];
        let schedule = build(&settings("one_cycle"), 10);
        for (t, momentum) in momenta.into_iter().enumerate() {
            assert!((schedule.at(t as u64).momentum.unwrap() - momentum).abs() < 1e-8, "step {t}");
        }
    }

    #[test]
    #[expect(clippy::unreadable_literal, reason = "as torch prints them")]
    fn three_straight_phases_are_torch_s_too() {
        // OneCycleLR(max_lr=.1, total_steps=10, three_phase=True, anneal_strategy="linear")
        let three = settings("one_cycle").with("three_phase", true).with("anneal", "linear");
        let expected = [0.004, 0.052, 0.1, 0.052, 0.004, 0.00320008, 0.00240016, 0.00160024, 0.00080032, 4e-7];
        assert_rates(&three, 10, &expected);
        assert_eq!(build(&three.with("cycle_momentum", false), 10).at(3).momentum, None);
    }

    #[test]
    fn past_the_last_step_everything_stays() {
        let schedule = build(&settings("one_cycle"), 10);
        assert_eq!(schedule.at(9), schedule.at(10));
        assert_eq!(schedule.at(9), schedule.at(u64::MAX));
    }

    #[test]
    fn phases_of_no_length_are_no_division_by_0() {
        for pct_start in [0.0, 0.1, 0.5, 1.0] {
            for (steps, three) in [(1, false), (1, true), (2, false), (10, false), (10, true)] {
                let settings = settings("one_cycle").with("pct_start", pct_start).with("three_phase", three);
                let schedule = build(&settings, steps);
                assert!((0..=steps).all(|t| (0.0..=1.0).contains(&schedule.at(t).factor)), "{pct_start} {steps}");
            }
        }
        // A tenth of ten steps rises within the first one.
        assert_factors(&*build(&settings("one_cycle").with("pct_start", 0.1), 10), [0], [1.0]);
    }

    #[test]
    fn an_end_above_the_peak_is_refused_and_one_that_is_never_reached_pointed_out() {
        let refused = refusal(&settings("one_cycle").with("final_div", 0.01), 10);
        assert_eq!(refused, "`final_div` of 0.01 would end above the peak; expected at least 1 / `div`, which is 0.04");
        let three = settings("one_cycle").with("three_phase", true);
        assert!(build(&three, 10).warnings(10).is_empty());
        assert_eq!(build(&three.with("pct_start", 0.6), 10).warnings(10).len(), 1);
    }
}
