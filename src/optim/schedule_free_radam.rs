//! Schedule-Free RAdam.

use crate::optim::adam::{BETA2, Denominator, EPS, Moments};
use crate::optim::averaging::{self, Direction};
use crate::optim::definition::Definition;
use crate::optim::radam::rectification;
use crate::optim::real::Real;
use crate::optim::schedule_free_adamw::LR;
use crate::registry::{About, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "schedule_free_radam",
        revision: 2,
        summary: "Schedule-Free with RAdam's rectified step: no schedule and no warmup",
        equations: "\
rho, rect as for radam
v <- beta2 v + (1 - beta2) g^2               g is the gradient at y
rho > 4:  gamma = lr rect,  d = g / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay y
else:     gamma = 0 if silent_sgd_phase, else lr;  d = g + weight_decay y
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
            Key::flag("silent_sgd_phase", true, "rest while not rectified, instead of taking plain steps"),
            averaging::R,
            averaging::WEIGHT_LR_POWER,
            averaging::EVALUATE_AT,
        ],
        source: averaging::SOURCE,
    },
    memory: "two values per parameter (z and the second moment); one more (x) where beta is below 0.5",
    asks: &[],
    build: |settings| {
        let radam = RAdam { moments: Moments::of(settings), silent: settings.flag("silent_sgd_phase") };
        averaging::boxed(settings, radam)
    },
};

struct RAdam {
    moments: Moments,
    silent: bool,
}

impl RAdam {
    /// The rectifier, once the second moment can be trusted.
    fn rectifier(&self, t: u64) -> Option<f64> {
        let (rho, rect) = rectification(self.moments.beta2, t + 1);
        (rho > 4.0).then_some(rect)
    }
}

impl Direction for RAdam {
    /// Without denominator while the direction is the gradient.
    type Coefficients = (Moments, Option<Denominator>);

    const REMEMBERS: &'static [&'static str] = &["second_moment"];

    fn factor(&self, t: u64) -> f64 {
        self.rectifier(t).unwrap_or(if self.silent { 0.0 } else { 1.0 })
    }

    fn coefficients(&self, t: u64) -> Self::Coefficients {
        (self.moments, self.rectifier(t).map(|_| self.moments.denominator(t)))
    }

    #[inline(always)]
    fn direction<R: Real>((moments, denominator): &Self::Coefficients, g: R, remembered: &mut [R]) -> R {
        let v = &mut remembered[0];
        *v = moments.second(v.clone(), g.clone());
        match denominator {
            Some(denominator) => g / denominator.of(v.clone()),
            None => g,
        }
    }
}
