//! Schedule-Free AdamW.

use crate::optim::Definition;
use crate::optim::Step;
use crate::optim::adam::{BETA2, EPS, Moments};
use crate::optim::averaging::{self, Averaging, AveragingStep};
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::optim::warmup::{self, Warmup};
use crate::registry::{About, Key, Range};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "schedule_free_adamw",
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
            Key::float(
                "lr",
                0.0025,
                Range::NON_NEGATIVE,
                "learning rate; expect 1 to 10 times that of scheduled AdamW",
            ),
            Key::float("weight_decay", 0.0, Range::NON_NEGATIVE, "strength of the decay, taken at y"),
            averaging::BETA,
            BETA2,
            EPS,
            warmup::KEY,
            averaging::R,
            averaging::WEIGHT_LR_POWER,
        ],
        source: averaging::SOURCE,
    },
    memory: "two values per parameter (z and the second moment)",
    build: |settings| {
        Elementwise::boxed(ScheduleFreeAdamW {
            averaging: Averaging::of(settings),
            warmup: Warmup::of(settings),
            moments: Moments::of(settings),
            weight_decay: settings.float("weight_decay"),
        })
    },
};

struct ScheduleFreeAdamW {
    averaging: Averaging,
    warmup: Warmup,
    moments: Moments,
    weight_decay: f64,
}

struct Coefficients {
    averaging: AveragingStep,
    moments: Moments,
    weight_decay: f64,
    /// `sqrt(1 - beta2^t)`.
    second_correction: f64,
}

impl Rule<2> for ScheduleFreeAdamW {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        [Slot::weights("z"), Slot::zero("second_moment")]
    }

    fn rate(&self, at: &Step) -> f64 {
        at.lr * self.warmup.factor(at.t)
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let gamma = self.rate(at);
        Coefficients {
            averaging: self.averaging.advance(at.t, gamma),
            moments: self.moments,
            weight_decay: self.weight_decay,
            second_correction: self.moments.corrections(at.t + 1).1.sqrt(),
        }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, y: R, g: R, [z, v]: [R; 2]) -> (R, [R; 2]) {
        let v = k.moments.second(v, g.clone());
        let denominator = v.clone().sqrt() / k.second_correction + k.moments.eps;
        let d = g / denominator + y.clone() * k.weight_decay;
        let (y, z) = k.averaging.apply(y, z, d);
        (y, [z, v])
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

    fn evaluation<R: Real>(&self, y: R, [z, _]: [R; 2]) -> R {
        self.averaging.x(y, z)
    }
}
