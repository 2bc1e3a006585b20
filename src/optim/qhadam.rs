//! QHAdam: Adam that mixes the gradient into both of its moments.

use crate::optim::adam::{Adam, BETA1, BETA2, Coefficients, EPS, MOMENTS};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "qhadam",
        revision: 1,
        summary: "Adam with quasi-hyperbolic moments",
        equations: "\
decay as for adam
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t)
p <- p - lr (nu1 m^ + (1 - nu1) g) / (sqrt(nu2 v^ + (1 - nu2) g^2) + eps)",
        keys: &[
            lr(1e-3),
            decay::STRENGTH,
            BETA1,
            BETA2,
            Key::float("nu1", 0.7, Bounds::UNIT, "share of the mean of gradients; the rest is the gradient's"),
            Key::float("nu2", 1.0, Bounds::UNIT, "share of the mean of squared gradients; the rest is the square's"),
            EPS,
            decay::KEY,
        ],
        source: "Ma and Yarats 2018, Quasi-hyperbolic momentum and Adam, arXiv 1810.06801; their qhoptim",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(QhAdam {
            adam: Adam::of(settings, Decay::of(settings)),
            nu1: settings.float("nu1"),
            nu2: settings.float("nu2"),
        })
    },
};

struct QhAdam {
    adam: Adam,
    nu1: f64,
    nu2: f64,
}

struct Mixed {
    adam: Coefficients,
    /// What the step takes of the gradient and of the mean, and what the denominator takes of their squares.
    gradient: f64,
    mean: f64,
    square: f64,
    mean_square: f64,
}

impl Rule<2> for QhAdam {
    type Coefficients = Mixed;

    fn slots(&self) -> [Slot; 2] {
        MOMENTS
    }

    fn coefficients(&mut self, at: &Step) -> Mixed {
        let adam = self.adam.at(at);
        let (_, second) = adam.moments.corrections(at.t + 1);
        Mixed {
            gradient: at.lr * (1.0 - self.nu1),
            mean: adam.rate * self.nu1,
            square: 1.0 - self.nu2,
            mean_square: self.nu2 / second,
            adam,
        }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Mixed, p: R, g: R, [m, v]: [R; 2]) -> (R, [R; 2]) {
        let (p, g) = k.adam.decay.apply(p, g);
        let (m, v) = k.adam.moments.advance(m, v, g.clone());
        let square = v.clone() * k.mean_square + g.clone() * g.clone() * k.square;
        let step = m.clone() * k.mean + g * k.gradient;
        (p - step / (square.sqrt() + k.adam.moments.eps), [m, v])
    }
}
