//! Adam with decoupled weight decay.

use crate::optim::Definition;
use crate::optim::adam::{self, BETA1, BETA2, EPS};
use crate::optim::decay::Decay;
use crate::registry::{About, Key, Range};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adamw",
        summary: "Adam with decoupled weight decay",
        equations: "\
p <- p (1 - lr weight_decay)
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t)
p <- p - lr m^ / (sqrt(v^) + eps)            amsgrad: v^ from the largest v so far",
        keys: &[
            Key::float("lr", 1e-3, Range::NON_NEGATIVE, "peak learning rate"),
            Key::float("weight_decay", 0.01, Range::NON_NEGATIVE, "strength of the decoupled decay"),
            BETA1,
            BETA2,
            EPS,
            Key::flag("amsgrad", false, "divide by the largest second moment so far"),
        ],
        source: "Loshchilov and Hutter 2017, arXiv 1711.05101; torch.optim.AdamW",
    },
    memory: "two values per parameter; three with amsgrad",
    build: |settings| {
        let decay = Decay::decoupled(settings.float("weight_decay"));
        adam::build(settings, decay, settings.flag("amsgrad"))
    },
};
