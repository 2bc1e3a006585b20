//! QHM: a mix of the gradient and of its momentum.

use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::{Real, ema};
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "qhm",
        revision: 1,
        summary: "quasi-hyperbolic momentum: part plain gradient, part momentum",
        equations: "\
g <- g + weight_decay p                      decay = \"l2\"
p <- p (1 - lr weight_decay)                 decay = \"decoupled\"
m <- momentum m + (1 - momentum) g
p <- p - lr (nu m + (1 - nu) g)",
        keys: &[
            lr(1.0),
            decay::STRENGTH,
            Key::float("momentum", 0.999, Bounds::DECAY, "decay of the mean of gradients"),
            Key::float("nu", 0.7, Bounds::UNIT, "share of the mean in the step; the rest is the gradient's"),
            decay::KEY,
        ],
        source: "Ma and Yarats 2018, Quasi-hyperbolic momentum and Adam, arXiv 1810.06801; their qhoptim",
    },
    memory: "one value per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(Qhm {
            decay: Decay::of(settings),
            momentum: settings.float("momentum"),
            nu: settings.float("nu"),
        })
    },
};

struct Qhm {
    decay: Decay,
    momentum: f64,
    nu: f64,
}

struct Coefficients {
    decay: DecayStep,
    momentum: f64,
    /// The rates of the gradient and of the momentum.
    of_gradient: f64,
    of_momentum: f64,
}

impl Rule<1> for Qhm {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 1] {
        [Slot::zero("momentum")]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        Coefficients {
            decay: self.decay.at(at.lr),
            momentum: at.momentum.unwrap_or(self.momentum),
            of_gradient: at.lr * (1.0 - self.nu),
            of_momentum: at.lr * self.nu,
        }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m]: [R; 1]) -> (R, [R; 1]) {
        let (p, g) = k.decay.apply(p, g);
        let m = ema(m, g.clone(), k.momentum);
        (p - m.clone() * k.of_momentum - g * k.of_gradient, [m])
    }
}
