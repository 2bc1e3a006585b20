//! Lion: the sign of a momentum.

use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::{Real, ema};
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "lion",
        revision: 1,
        summary: "steps of one size in every coordinate, by the sign of a momentum",
        equations: "\
p <- p (1 - lr weight_decay)
p <- p - lr sign(beta1 m + (1 - beta1) g)    sign(0) = 0
m <- beta2 m + (1 - beta2) g",
        keys: &[
            lr(1e-4),
            decay::strength(0.0, "strength of the decoupled decay"),
            Key::float("beta1", 0.9, Bounds::DECAY, "share of the momentum in the direction"),
            Key::float("beta2", 0.99, Bounds::DECAY, "decay of the momentum"),
        ],
        source: "Chen et al. 2023, Symbolic Discovery of Optimization Algorithms, arXiv 2302.06675",
    },
    memory: "one value per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(Lion {
            decay: Decay::decoupled(settings),
            beta1: settings.float("beta1"),
            beta2: settings.float("beta2"),
        })
    },
};

struct Lion {
    decay: Decay,
    beta1: f64,
    beta2: f64,
}

struct Coefficients {
    decay: DecayStep,
    lr: f64,
    beta1: f64,
    beta2: f64,
}

impl Rule<1> for Lion {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 1] {
        [Slot::zero("momentum")]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let beta1 = at.momentum.unwrap_or(self.beta1);
        Coefficients { decay: self.decay.at(at.lr), lr: at.lr, beta1, beta2: self.beta2 }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m]: [R; 1]) -> (R, [R; 1]) {
        let (p, g) = k.decay.apply(p, g);
        let direction = ema(m.clone(), g.clone(), k.beta1).sign();
        (p - direction * k.lr, [ema(m, g, k.beta2)])
    }
}
