//! signSGD: steps of one size, by the sign of the gradient.

use crate::optim::common::lr;
use crate::optim::decay::Decay;
use crate::optim::definition::Definition;
use crate::optim::rule::Elementwise;
use crate::optim::signum::{DECAY, Signum};
use crate::registry::About;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "signsgd",
        revision: 1,
        summary: "steps of one size in every coordinate, by the sign of the gradient",
        equations: "p <- p (1 - lr weight_decay) - lr sign(g)    sign(0) = 0",
        keys: &[lr(1e-4), DECAY],
        source: "Bernstein et al. 2018, arXiv 1802.04434; optax.sign_sgd",
    },
    memory: "nothing",
    asks: &[],
    build: |settings| Elementwise::<_, 0>::boxed(Signum { decay: Decay::decoupled(settings), momentum: 0.0 }),
};
