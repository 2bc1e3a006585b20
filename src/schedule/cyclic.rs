//! Up to the peak and down again, over and over.

use crate::choice::Choice;
use crate::length::Length;
use crate::registry::{About, Accepts, Bounds, Key};
use crate::schedule::{CYCLE_MOMENTUM, Definition, Point, Schedule, misfit};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "cyclic",
        revision: 1,
        summary: "in triangles between base_factor and the peak, with the momentum going the other way",
        equations: "\
S = up + down;  c = floor(t / S);  u = t - c S
height   = u / up  if u <= up, else (S - u) / down
height  *= 1              mode = \"triangular\"
        *= 2^-c           mode = \"triangular2\"
        *= gamma^t        mode = \"exp_range\"
factor   = base_factor + (1 - base_factor) height
momentum = max_momentum - (max_momentum - base_momentum) height",
        keys: &[
            Key::required("up", Accepts::Interval, "from the bottom to the peak"),
            Key::optional("down", Accepts::Interval, "from the peak to the bottom; as long as `up` where absent"),
            Key::required("base_factor", Accepts::Float(Bounds::UNIT), "the factor at the bottom"),
            Key::choice("mode", Mode::WORDS, "triangular", "whether peaks stay, halve each cycle, or shrink each step"),
            Key::float("gamma", 1.0, Bounds::SHARE, "what exp_range keeps of the height each step"),
            CYCLE_MOMENTUM,
            Key::float("base_momentum", 0.8, Bounds::DECAY, "the momentum at the peak rate"),
            Key::float("max_momentum", 0.9, Bounds::DECAY, "the momentum at the bottom"),
        ],
        source: "Smith 2015, arXiv 1506.01186; torch.optim.lr_scheduler.CyclicLR",
    },
    build: |settings, span| {
        let up = span.interval(settings, "up")?;
        let (base, max) = (settings.float("base_momentum"), settings.float("max_momentum"));
        Ok(Box::new(Cyclic {
            up,
            down: if settings.get("down").is_some() { span.interval(settings, "down")? } else { up },
            base: settings.float("base_factor"),
            mode: settings.choice("mode"),
            gamma: settings.float("gamma"),
            momenta: settings.flag("cycle_momentum").then_some((base, max)),
        }))
    },
};

struct Cyclic {
    up: u64,
    down: u64,
    base: f64,
    mode: Mode,
    gamma: f64,
    /// At the peak and at the bottom, where the schedule moves it.
    momenta: Option<(f64, f64)>,
}

crate::choice! {
    /// When the peaks lose height.
    enum Mode {
        /// Never.
        Triangular = "triangular",
        /// With each cycle.
        Triangular2 = "triangular2",
        /// With each step.
        ExpRange = "exp_range",
    }
}

impl Cyclic {
    fn cycle(&self) -> u64 {
        self.up.saturating_add(self.down)
    }

    /// How far up the triangle a step is, before it shrinks.
    fn slope(&self, t: u64) -> f64 {
        let (cycle, u) = (self.cycle(), t % self.cycle());
        if u <= self.up { u as f64 / self.up as f64 } else { (cycle - u) as f64 / self.down as f64 }
    }
}

impl Schedule for Cyclic {
    fn at(&self, t: u64) -> Point {
        let left = match self.mode {
            Mode::Triangular => 1.0,
            Mode::Triangular2 => 0.5_f64.powf((t / self.cycle()) as f64),
            Mode::ExpRange => self.gamma.powf(t as f64),
        };
        let height = self.slope(t) * left;
        Point {
            factor: self.base + (1.0 - self.base) * height,
            momentum: self.momenta.map(|(base, max)| max - (max - base) * height),
        }
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        let Some(last) = steps.checked_sub(1) else { return Vec::new() };
        if last < self.up {
            return vec![misfit("up", self.up, steps, "the rate never gets to its peak; make it shorter")];
        }
        let cycle = self.cycle();
        let done = last % cycle + 1;
        if done == cycle || self.slope(last) <= 0.1 {
            return Vec::new();
        }
        vec![format!(
            "`up` and `down` do not fit: the schedule lasts {} and ends {done} into a cycle of {cycle}, away from the \
             bottom; {} would fit, or a cycle of {}",
            Length::Steps(steps),
            Length::Steps((steps - done).saturating_add(cycle)),
            steps / (steps / cycle + 1),
        )]
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_rates, build, refusal, settings};
    use crate::settings::Settings;

    fn cyclic(mode: &str) -> Settings {
        let base = settings("cyclic").with("base_factor", 0.1).with("up", Length::Steps(4));
        base.with("mode", mode).with("gamma", 0.9)
    }

    #[test]
    #[expect(clippy::unreadable_literal, reason = "as torch prints them")]
    fn it_is_torch_s() {
        // CyclicLR(.01, .1, 4, 4, mode, gamma=.9)
        let once = [0.01, 0.0325, 0.055, 0.0775, 0.1, 0.0775, 0.055, 0.0325];
        let half = [0.01, 0.02125, 0.0325, 0.04375, 0.055, 0.04375, 0.0325, 0.02125];
        assert_rates(&cyclic("triangular"), 17, &[&once[..], &once, &[0.01]].concat());
        assert_rates(&cyclic("triangular2"), 17, &[&once[..], &half, &[0.01]].concat());
        let first = [0.01, 0.03025, 0.04645, 0.0592075, 0.069049, 0.049858075, 0.033914845, 0.02076168];
        let second = [0.01, 0.018716961, 0.02569053, 0.031182215, 0.035418658, 0.027157594, 0.020294557, 0.01463255];
        assert_rates(&cyclic("exp_range"), 17, &[&first[..], &second, &[0.01]].concat());
    }

    #[test]
    fn the_momentum_goes_the_other_way_if_it_is_to_move() {
        let schedule = build(&cyclic("triangular"), 17);
        assert_eq!([schedule.at(0).momentum, schedule.at(4).momentum], [Some(0.9), Some(0.8)]);
        assert_eq!(build(&cyclic("triangular").with("cycle_momentum", false), 17).at(4).momentum, None);
    }

    #[test]
    fn slopes_of_no_steps_are_refused() {
        let flat = Length::Steps(0);
        assert!(refusal(&cyclic("triangular").with("up", flat), 17).starts_with("`up` is 0 steps"));
        assert!(refusal(&cyclic("triangular").with("down", flat), 17).starts_with("`down` is 0 steps"));
    }

    #[test]
    fn a_run_that_ends_away_from_the_bottom_is_pointed_out_with_what_would_fit() {
        let warned = |up: u64, steps| build(&cyclic("triangular").with("up", Length::Steps(up)), steps).warnings(steps);
        assert_eq!(
            warned(20, 100),
            ["`up` and `down` do not fit: the schedule lasts 100 steps and ends 20 into a cycle of 40, away from the \
             bottom; 120 steps would fit, or a cycle of 33"]
        );
        for (up, steps) in [(20, 120), (20, 121), (4, 8), (4, 9)] {
            assert!(warned(up, steps).is_empty(), "{up} {steps}");
        }
        let shorter = cyclic("triangular").with("up", Length::Steps(16)).with("down", Length::Steps(17));
        assert!(build(&shorter, 100).warnings(100).is_empty());
        assert!(warned(100, 100)[0].contains("the rate never gets to its peak"));
        assert!(!warned(99, 100)[0].contains("the rate never gets to its peak"));
    }
}
