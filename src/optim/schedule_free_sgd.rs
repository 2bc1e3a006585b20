//! Schedule-Free SGD.

use crate::optim::averaging::{self, Averaging, AveragingStep};
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::optim::warmup::{self, Warmup};
use crate::optim::{Definition, Step};
use crate::registry::{About, Key, Range};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "schedule_free_sgd",
        summary: "SGD that averages instead of decaying its rate: no schedule, no stopping time",
        equations: "\
gamma = lr min(1, t / warmup)                t counts from 1
d = g + weight_decay y                       g is the gradient at y
z <- z - gamma d
x <- (1 - c) x + c z                         x is evaluated
y <- beta x + (1 - beta) z                   y is trained
c = w / (sum of all w),  w = t^r max(gamma)^weight_lr_power",
        keys: &[
            Key::float("lr", 1.0, Range::NON_NEGATIVE, "learning rate; expect 10 to 50 times that of scheduled SGD"),
            Key::float("weight_decay", 0.0, Range::NON_NEGATIVE, "strength of the decay, taken at y"),
            averaging::BETA,
            warmup::KEY,
            averaging::R,
            averaging::WEIGHT_LR_POWER,
        ],
        source: averaging::SOURCE,
    },
    memory: "one value per parameter (z)",
    build: |settings| {
        Elementwise::boxed(ScheduleFreeSgd {
            averaging: Averaging::of(settings),
            warmup: Warmup::of(settings),
            weight_decay: settings.float("weight_decay"),
        })
    },
};

struct ScheduleFreeSgd {
    averaging: Averaging,
    warmup: Warmup,
    weight_decay: f64,
}

impl Rule<1> for ScheduleFreeSgd {
    type Coefficients = (AveragingStep, f64);

    fn slots(&self) -> [Slot; 1] {
        [Slot::weights("z")]
    }

    fn rate(&self, at: &Step) -> f64 {
        at.lr * self.warmup.factor(at.t)
    }

    fn coefficients(&mut self, at: &Step) -> Self::Coefficients {
        let gamma = self.rate(at);
        (self.averaging.advance(at.t, gamma), self.weight_decay)
    }

    #[inline(always)]
    fn update<R: Real>((averaging, weight_decay): &Self::Coefficients, y: R, g: R, [z]: [R; 1]) -> (R, [R; 1]) {
        let d = g + y.clone() * *weight_decay;
        let (y, z) = averaging.apply(y, z, d);
        (y, [z])
    }

    fn scalars(&self) -> Vec<f64> {
        self.averaging.scalars()
    }

    fn set_scalars(&mut self, scalars: &[f64]) {
        self.averaging.set_scalars(scalars);
    }

    fn evaluates_elsewhere(&self) -> bool {
        true
    }

    fn evaluation<R: Real>(&self, y: R, [z]: [R; 1]) -> R {
        self.averaging.x(y, z)
    }
}
