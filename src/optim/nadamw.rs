//! NAdam of a constant momentum, with decoupled weight decay.

use crate::optim::adam::{BETA1, BETA2, EPS, Moments};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::optim::nadam::NAdam;
use crate::optim::rule::Elementwise;
use crate::registry::About;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "nadamw",
        revision: 1,
        summary: "AdamW with Nesterov's look-ahead along its momentum",
        equations: "\
m <- beta1 m + (1 - beta1) g
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t)
d = beta1 m / (1 - beta1^(t+1)) + (1 - beta1) g / (1 - beta1^t)
p <- p (1 - lr weight_decay) - lr d / (sqrt(v^) + eps)",
        keys: &[lr(1e-3), decay::strength(0.01, "strength of the decoupled decay"), BETA1, BETA2, EPS],
        source: "Dozat 2016, Incorporating Nesterov Momentum into Adam; optax.nadamw (AlgoPerf's corrects both terms by t)",
    },
    memory: "two values per parameter",
    asks: &[],
    // A momentum that is grown at once is a constant one.
    build: |settings| Elementwise::boxed(NAdam::new(Moments::of(settings), Decay::decoupled(settings), f64::INFINITY)),
};
