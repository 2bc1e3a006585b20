//! Up while the evaluations get better, down while they do not.

use std::collections::VecDeque;

use crate::metric::{Metric, Scores};
use crate::registry::{About, Bounds, Key};
use crate::schedule::watch::{self, Watch};
use crate::schedule::{Definition, Point, Schedule};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "greedy",
        revision: 1,
        summary: "divide by factor while evaluations get better, multiply by it while they do not",
        equations: "\
at each evaluation of updates after a warmup, with the mean m of the last `window` values:
if cooling > 0: cooling -= 1, good = bad = 0;  else if holding > 0: holding -= 1, good = bad = 0
else if m is better than best by the threshold: best = m, bad = 0, good += 1;  else bad += 1, good = 0
if good > patience: up to min(now / factor, max_factor), holding = hold, good = 0
if bad > patience: down to max(now factor, min_factor), cooling = cooldown, bad = 0
`reset` times down at min_factor, without one up: everything as at the start
a change of 1e-8 of the peak or less is not made",
        keys: &[
            Key::float("factor", 0.95, Bounds::DECAY, "what each drop multiplies by, and each rise divides by"),
            Key::integer("patience", 10, Bounds::NON_NEGATIVE, "evaluations of one kind that pass before a change"),
            watch::threshold(1e-6),
            watch::threshold_mode("abs"),
            Key::integer("cooldown", 0, Bounds::NON_NEGATIVE, "evaluations after a drop that do not count"),
            Key::integer("hold", 0, Bounds::NON_NEGATIVE, "evaluations after a rise that do not count"),
            Key::float("min_factor", 0.01, Bounds::UNIT, "no drop goes below this multiple of the peak"),
            Key::float("max_factor", 10.0, Bounds::at_least(1.0), "no rise goes above this multiple of the peak"),
            Key::integer("window", 1, Bounds::within(1.0, 100_000.0), "evaluations whose mean is watched"),
            Key::integer("reset", 500, Bounds::at_least(1.0), "drops at the lowest rate after which it starts anew"),
            watch::METRIC,
            watch::MODE,
        ],
        source: "Subramanian and Ganapathiraman, arXiv 2512.14527; transformers' GreedyLR, whose bounds are rates, here multiples of the peak, \
                 and whose `warmup` is `hold`",
    },
    build: |settings, _| {
        let watch = Watch::new(settings);
        let count = |key| settings.count(key) as u64;
        Ok(Box::new(Greedy {
            now: Now::start(watch.worst(), count("reset")),
            watch,
            factor: settings.float("factor"),
            patience: count("patience"),
            cooldown: count("cooldown"),
            hold: count("hold"),
            min: settings.float("min_factor"),
            max: settings.float("max_factor"),
            window: settings.count("window"),
            reset: count("reset"),
        }))
    },
};

/// The least change that is worth making, as a share of the peak.
const EPS: f64 = 1e-8;

struct Greedy {
    watch: Watch,
    factor: f64,
    patience: u64,
    cooldown: u64,
    hold: u64,
    min: f64,
    max: f64,
    window: usize,
    reset: u64,
    now: Now,
}

/// What the evaluations so far have led to.
struct Now {
    factor: f64,
    best: f64,
    good: u64,
    bad: u64,
    cooling: u64,
    holding: u64,
    /// Drops at the lowest rate that are left before a new start.
    left: u64,
    recent: VecDeque<f64>,
}

impl Now {
    fn start(worst: f64, reset: u64) -> Self {
        let recent = VecDeque::new();
        Self { factor: 1.0, best: worst, good: 0, bad: 0, cooling: 0, holding: 0, left: reset, recent }
    }
}

impl Greedy {
    /// The mean of the last values, this one included.
    fn mean(&mut self, value: f64) -> f64 {
        let recent = &mut self.now.recent;
        recent.push_back(value);
        if recent.len() > self.window {
            recent.pop_front();
        }
        recent.iter().sum::<f64>() / recent.len() as f64
    }

    fn rise(&mut self) {
        let higher = (self.now.factor / self.factor).min(self.max);
        if higher - self.now.factor > EPS {
            self.now.factor = higher;
        }
        (self.now.left, self.now.holding, self.now.good) = (self.reset, self.hold, 0);
    }

    fn fall(&mut self) {
        let lower = (self.now.factor * self.factor).max(self.min);
        if self.now.factor - lower > EPS {
            self.now.factor = lower;
        }
        (self.now.cooling, self.now.bad) = (self.cooldown, 0);
        if self.now.factor <= self.min {
            self.now.left -= 1;
            if self.now.left == 0 {
                self.now = Now::start(self.watch.worst(), self.reset);
                // The reference sets the cooldown after its reset.
                self.now.cooling = self.cooldown;
            }
        }
    }
}

impl Schedule for Greedy {
    fn at(&self, _t: u64) -> Point {
        self.now.factor.into()
    }

    fn observe(&mut self, _t: u64, scores: &Scores) {
        let Some(value) = scores.get(self.watch.metric) else { return };
        let value = self.mean(value);
        if self.now.cooling > 0 {
            (self.now.cooling, self.now.good, self.now.bad) = (self.now.cooling - 1, 0, 0);
            return;
        }
        if self.now.holding > 0 {
            (self.now.holding, self.now.good, self.now.bad) = (self.now.holding - 1, 0, 0);
            return;
        }
        if self.watch.is_better(value, self.now.best) {
            (self.now.best, self.now.good, self.now.bad) = (value, self.now.good + 1, 0);
        } else {
            (self.now.good, self.now.bad) = (0, self.now.bad + 1);
        }
        if self.now.good > self.patience {
            self.rise();
        } else if self.now.bad > self.patience {
            self.fall();
        }
    }

    fn watches(&self) -> Vec<Metric> {
        vec![self.watch.metric]
    }

    fn state(&self) -> Vec<f64> {
        let Now { factor, best, good, bad, cooling, holding, left, recent } = &self.now;
        let counts = [good, bad, cooling, holding, left].map(|count| *count as f64);
        let recent_length = recent.len() as f64;
        let padded = recent.iter().copied().chain(std::iter::repeat(0.0)).take(self.window);
        [*factor, *best].into_iter().chain(counts).chain([recent_length]).chain(padded).collect()
    }

    fn restore(&mut self, state: &[f64]) {
        let &[factor, best, good, bad, cooling, holding, left, length, ref values @ ..] = state else {
            panic!("{state:?} is not the state of a greedy schedule")
        };
        let [good, bad, cooling, holding, left] = [good, bad, cooling, holding, left].map(|count| count as u64);
        let recent = values.iter().copied().take(length as usize).collect();
        self.now = Now { factor, best, good, bad, cooling, holding, left, recent };
    }
}
