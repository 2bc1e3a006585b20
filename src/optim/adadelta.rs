//! Adadelta: steps in the units of the weights.

use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::{Real, ema};
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adadelta",
        revision: 1,
        summary: "scales gradients by the ratio of recent steps to recent gradients",
        equations: "\
g <- g + weight_decay p
v <- rho v + (1 - rho) g^2
d = sqrt(u + eps) / sqrt(v + eps) g
u <- rho u + (1 - rho) d^2
p <- p - lr d",
        keys: &[
            lr(1.0),
            decay::STRENGTH,
            Key::float("rho", 0.9, Bounds::DECAY, "decay of both averages").second_moment(),
            Key::float("eps", 1e-6, Bounds::NON_NEGATIVE, "added under both roots"),
        ],
        source: "Zeiler 2012, arXiv 1212.5701; torch.optim.Adadelta",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(Adadelta {
            decay: Decay::l2(settings),
            rho: settings.float("rho"),
            eps: settings.float("eps"),
        })
    },
};

struct Adadelta {
    decay: Decay,
    rho: f64,
    eps: f64,
}

struct Coefficients {
    decay: DecayStep,
    lr: f64,
    rho: f64,
    eps: f64,
}

impl Rule<2> for Adadelta {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        [Slot::zero("squared_gradient"), Slot::zero("squared_step")]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        Coefficients { decay: self.decay.at(at.lr), lr: at.lr, rho: self.rho, eps: self.eps }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [v, u]: [R; 2]) -> (R, [R; 2]) {
        let (p, g) = k.decay.apply(p, g);
        let v = ema(v, g.clone() * g.clone(), k.rho);
        let d = (u.clone() + k.eps).sqrt() / (v.clone() + k.eps).sqrt() * g;
        let u = ema(u, d.clone() * d.clone(), k.rho);
        (p - d * k.lr, [v, u])
    }
}
