//! LaProp: momentum of normalised gradients.

use crate::optim::adam::{BETA1, BETA2, Denominator, EPS, MOMENTS, Moments};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::{Real, ema};
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::About;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "laprop",
        revision: 1,
        summary: "Adam that divides gradients before it averages them",
        equations: "\
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t)
m <- beta1 m + (1 - beta1) lr g / (sqrt(v^) + eps)
c <- beta1 c + (1 - beta1) lr
p <- p - lr m / c                            no step where c = 0
p <- p (1 - lr weight_decay)",
        keys: &[lr(4e-4), decay::strength(0.0, "strength of the decoupled decay"), BETA1, BETA2, EPS],
        source: "Ziyin, Wang and Ueda 2020, arXiv 2002.04839; github.com/Z-T-WANG/LaProp-Optimizer, whose momentum carries \
                 each step's own rate; timm's LaProp",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(LaProp { moments: Moments::of(settings), decay: Decay::decoupled(settings), mean_rate: 0.0 })
    },
};

struct LaProp {
    moments: Moments,
    decay: Decay,
    /// The mean of rates, from 0.
    mean_rate: f64,
}

struct Coefficients {
    moments: Moments,
    denominator: Denominator,
    lr: f64,
    rate: f64,
    shrink: f64,
}

impl Rule<2> for LaProp {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        MOMENTS
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let moments = self.moments.at(at);
        self.mean_rate = moments.beta1 * self.mean_rate + (1.0 - moments.beta1) * at.lr;
        Coefficients {
            moments,
            denominator: moments.denominator(at.t),
            lr: at.lr,
            rate: if self.mean_rate == 0.0 { 0.0 } else { at.lr / self.mean_rate },
            shrink: self.decay.at(at.lr).shrink(),
        }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m, v]: [R; 2]) -> (R, [R; 2]) {
        let v = k.moments.second(v, g.clone());
        let m = ema(m, g / k.denominator.of(v.clone()) * k.lr, k.moments.beta1);
        ((p - m.clone() * k.rate) * k.shrink, [m, v])
    }

    fn scalars(&self) -> Vec<f64> {
        vec![self.mean_rate]
    }

    fn set_scalars(&mut self, scalars: &[f64]) {
        if let [mean_rate] = *scalars {
            self.mean_rate = mean_rate;
        }
    }
}
