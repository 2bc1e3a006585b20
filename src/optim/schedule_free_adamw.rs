//! Schedule-Free AdamW.

use crate::optim::adam::{BETA2, Denominator, EPS, Moments};
use crate::optim::averaging::{self, Direction};
use crate::optim::definition::Definition;
use crate::optim::real::Real;
use crate::optim::warmup::{self, Warmup};
use crate::registry::{About, Bounds, Key};

pub(super) const LR: Key =
    Key::float("lr", 0.0025, Bounds::NON_NEGATIVE, "learning rate; expect 1 to 10 times that of scheduled AdamW");

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "schedule_free_adamw",
        revision: 2,
        summary: "AdamW that averages instead of decaying its rate: no schedule, no stopping time",
        equations: "\
gamma = lr min(1, t / warmup)                t counts from 1
v <- beta2 v + (1 - beta2) g^2               g is the gradient at y
d = g / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay y
z <- z - gamma d
x <- (1 - c) x + c z                         x is evaluated
y <- beta x + (1 - beta) z                   y is trained
c = w / (sum of all w),  w = t^r max(gamma)^weight_lr_power",
        keys: &[
            LR,
            averaging::WEIGHT_DECAY,
            averaging::BETA,
            BETA2,
            EPS,
            warmup::KEY,
            averaging::R,
            averaging::WEIGHT_LR_POWER,
            averaging::EVALUATE_AT,
        ],
        source: averaging::SOURCE,
    },
    memory: "two values per parameter (z and the second moment); one more (x) where beta is below 0.5",
    asks: &[],
    build: |settings| {
        let adamw = AdamW { warmup: Warmup::of(settings), moments: Moments::of(settings) };
        averaging::boxed(settings, adamw)
    },
};

struct AdamW {
    warmup: Warmup,
    moments: Moments,
}

impl Direction for AdamW {
    type Coefficients = (Moments, Denominator);

    const REMEMBERS: &'static [&'static str] = &["second_moment"];

    fn factor(&self, t: u64) -> f64 {
        self.warmup.factor(t)
    }

    fn coefficients(&self, t: u64) -> Self::Coefficients {
        (self.moments, self.moments.denominator(t))
    }

    #[inline(always)]
    fn direction<R: Real>((moments, denominator): &Self::Coefficients, g: R, remembered: &mut [R]) -> R {
        let v = &mut remembered[0];
        *v = moments.second(v.clone(), g.clone());
        g / denominator.of(v.clone())
    }
}
