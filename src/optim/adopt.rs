//! ADOPT: Adam that normalises a gradient by the past alone.

use crate::optim::adam::{BETA1, MOMENTS, Moments};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adopt",
        revision: 1,
        summary: "Adam that converges with any beta2: a gradient is divided by earlier ones only",
        equations: "\
g <- g + weight_decay p                      decay = \"l2\"
t = 1:  v <- g^2, and nothing else; then
p <- p (1 - lr weight_decay)                 decay = \"decoupled\"
n = g / max(sqrt(v), eps)                    clip: within (t - 1)^(1/4) of 0
m <- beta1 m + (1 - beta1) n
p <- p - lr m
v <- beta2 v + (1 - beta2) g^2",
        keys: &[
            lr(1e-3),
            decay::STRENGTH,
            BETA1,
            Key::float("beta2", 0.9999, Bounds::DECAY, "decay of the mean of squared gradients").second_moment(),
            Key::float("eps", 1e-6, Bounds::NON_NEGATIVE, "the least that a gradient is divided by"),
            Key::flag("clip", true, "bound normalised gradients, ever more loosely"),
            decay::KEY,
        ],
        source: "Taniguchi et al. 2024, arXiv 2411.02853; optax.contrib.adopt",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(Adopt {
            moments: Moments::of(settings),
            decay: Decay::of(settings),
            clip: settings.flag("clip"),
        })
    },
};

struct Adopt {
    moments: Moments,
    decay: Decay,
    clip: bool,
}

struct Coefficients {
    moments: Moments,
    decay: DecayStep,
    lr: f64,
    bound: f64,
    first: bool,
}

impl Rule<2> for Adopt {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        MOMENTS
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let first = at.t == 0;
        Coefficients {
            moments: self.moments.at(at),
            decay: self.decay.at(if first { 0.0 } else { at.lr }),
            lr: at.lr,
            bound: if self.clip { (at.t as f64).powf(0.25) } else { f64::INFINITY },
            first,
        }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m, v]: [R; 2]) -> (R, [R; 2]) {
        let (p, g) = k.decay.apply(p, g);
        if k.first {
            return (p, [m, g.clone() * g]);
        }
        let normalised = g.clone() / v.clone().sqrt().clamp(k.moments.eps, f64::INFINITY);
        let m = k.moments.first(m, normalised.clamp(-k.bound, k.bound));
        (p - m.clone() * k.lr, [m, k.moments.second(v, g)])
    }
}
