//! Signum and signSGD: steps of one size, by the sign of a mean of gradients or of the gradient.

use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::{Real, ema};
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DECAY: Key = decay::strength(0.0, "strength of the decoupled decay");

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "signum",
        revision: 1,
        summary: "steps of one size in every coordinate, by the sign of the mean gradient",
        equations: "\
m <- momentum m + (1 - momentum) g
p <- p (1 - lr weight_decay) - lr sign(m)    sign(0) = 0",
        keys: &[lr(1e-4), DECAY, Key::float("momentum", 0.9, Bounds::DECAY, "decay of the mean of gradients")],
        source: "Bernstein et al. 2018, signSGD, arXiv 1802.04434, algorithm 2; optax.signum",
    },
    memory: "one value per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::<_, 1>::boxed(Signum { decay: Decay::decoupled(settings), momentum: settings.float("momentum") })
    },
};

/// Without a slot, the rule is signSGD.
pub(super) struct Signum {
    pub(super) decay: Decay,
    pub(super) momentum: f64,
}

pub(super) struct Coefficients {
    decay: DecayStep,
    lr: f64,
    momentum: f64,
}

impl<const N: usize> Rule<N> for Signum {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; N] {
        [const { Slot::zero("momentum") }; N]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        Coefficients { decay: self.decay.at(at.lr), lr: at.lr, momentum: at.momentum.unwrap_or(self.momentum) }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, slots: [R; N]) -> (R, [R; N]) {
        let (p, g) = k.decay.apply(p, g);
        let slots = slots.map(|m| ema(m, g.clone(), k.momentum));
        let direction = slots.first().map_or(g, R::clone);
        (p - direction.sign() * k.lr, slots)
    }
}
