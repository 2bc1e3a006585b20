//! Simplified AdEMAMix: one sum of gradients, with the gradient itself beside it.

use crate::optim::adam::{Denominator, EPS, MOMENTS, Moments};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "simplified_ademamix",
        revision: 1,
        summary: "Adam with a long sum of gradients in place of their mean, and the gradient beside it",
        equations: "\
m <- beta1 m + g
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t)
p <- p (1 - lr weight_decay) - lr (m + alpha g) / (sqrt(v^) + eps)",
        keys: &[
            lr(1e-4),
            decay::strength(0.0, "strength of the decoupled decay"),
            Key::float("beta1", 0.99, Bounds::DECAY, "decay of the sum of gradients"),
            Key::float("beta2", 0.95, Bounds::DECAY, "decay of the mean of squared gradients").second_moment(),
            Key::float("alpha", 0.0, Bounds::NON_NEGATIVE, "weight of the gradient beside the sum"),
            EPS,
        ],
        source: "Morwani et al. 2025, Connections between Schedule-Free Optimizers, AdEMAMix and Accelerated SGD \
                 Variants, arXiv 2502.02431; optax.contrib.simplified_ademamix",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(SimplifiedAdEmaMix {
            moments: Moments::of(settings),
            decay: Decay::decoupled(settings),
            alpha: settings.float("alpha"),
        })
    },
};

struct SimplifiedAdEmaMix {
    moments: Moments,
    decay: Decay,
    alpha: f64,
}

struct Coefficients {
    moments: Moments,
    decay: DecayStep,
    alpha: f64,
    lr: f64,
    denominator: Denominator,
}

impl Rule<2> for SimplifiedAdEmaMix {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        MOMENTS
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let moments = self.moments.at(at);
        Coefficients {
            moments,
            decay: self.decay.at(at.lr),
            alpha: self.alpha,
            lr: at.lr,
            denominator: moments.denominator(at.t),
        }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m, v]: [R; 2]) -> (R, [R; 2]) {
        let (p, g) = k.decay.apply(p, g);
        let m = m * k.moments.beta1 + g.clone();
        let v = k.moments.second(v, g.clone());
        (p - (m.clone() + g * k.alpha) * k.lr / k.denominator.of(v.clone()), [m, v])
    }
}
