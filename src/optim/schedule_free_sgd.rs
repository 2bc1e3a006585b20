//! Schedule-Free SGD.

use crate::optim::averaging::{self, Direction};
use crate::optim::definition::Definition;
use crate::optim::real::Real;
use crate::optim::warmup::{self, Warmup};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "schedule_free_sgd",
        revision: 2,
        summary: "SGD that averages instead of decaying its rate: no schedule, no stopping time",
        equations: "\
gamma = lr min(1, t / warmup)                t counts from 1
d = g + weight_decay y                       g is the gradient at y
z <- z - gamma d
x <- (1 - c) x + c z                         x is evaluated
y <- beta x + (1 - beta) z                   y is trained
c = w / (sum of all w),  w = t^r max(gamma)^weight_lr_power",
        keys: &[
            Key::float("lr", 1.0, Bounds::NON_NEGATIVE, "learning rate; expect 10 to 50 times that of scheduled SGD"),
            averaging::WEIGHT_DECAY,
            averaging::BETA,
            warmup::KEY,
            averaging::R,
            averaging::WEIGHT_LR_POWER,
            averaging::EVALUATE_AT,
        ],
        source: averaging::SOURCE,
    },
    memory: "one value per parameter (z); one more (x) where beta is below 0.5",
    asks: &[],
    build: |settings| averaging::boxed(settings, Sgd { warmup: Warmup::of(settings) }),
};

struct Sgd {
    warmup: Warmup,
}

impl Direction for Sgd {
    type Coefficients = ();

    const REMEMBERS: &'static [&'static str] = &[];

    fn factor(&self, t: u64) -> f64 {
        self.warmup.factor(t)
    }

    fn coefficients(&self, _t: u64) {}

    #[inline(always)]
    fn direction<R: Real>((): &(), g: R, _: &mut [R]) -> R {
        g
    }
}
