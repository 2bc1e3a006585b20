//! Adam with decoupled weight decay.

use crate::optim::adam::{self, AMSGRAD, BETA1, BETA2, EPS};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::registry::About;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adamw",
        revision: 1,
        summary: "Adam with decoupled weight decay",
        equations: "\
p <- p (1 - lr weight_decay)
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t)
p <- p - lr m^ / (sqrt(v^) + eps)            amsgrad: v^ from the largest v so far",
        keys: &[lr(1e-3), decay::strength(0.01, "strength of the decoupled decay"), BETA1, BETA2, EPS, AMSGRAD],
        source: "Loshchilov and Hutter 2017, arXiv 1711.05101; torch.optim.AdamW",
    },
    memory: "two values per parameter; three with amsgrad",
    asks: &[],
    build: |settings| adam::build(settings, Decay::decoupled(settings), settings.flag("amsgrad")),
};
