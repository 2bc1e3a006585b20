//! Weight decay, in its two meanings.

use crate::choice::Choice;
use crate::optim::real::Real;
use crate::registry::{Bounds, Key};
use crate::settings::Settings;

crate::choice! {
    /// The two meanings.
    enum Meaning { L2 = "l2", Decoupled = "decoupled" }
}

/// The key that chooses between the two meanings.
pub(super) const KEY: Key = Key::choice(
    "decay",
    Meaning::WORDS,
    "l2",
    "what weight_decay means: added to the gradient, or a shrinking of the weights beside it",
);

/// The strength, for rules without decay unless asked.
pub(super) const STRENGTH: Key = strength(0.0, "strength of the decay of the weights");

/// The strength, with a default and an explanation.
pub(super) const fn strength(default: f64, help: &'static str) -> Key {
    Key::float("weight_decay", default, Bounds::NON_NEGATIVE, help)
}

/// Weight decay of one strength: `l2` adds `weight_decay * p` to the gradient, so that it passes
/// through momentum and preconditioner; decoupled decay multiplies the weights by
/// `1 - lr * weight_decay` beside the step (Loshchilov and Hutter, arXiv 1711.05101).
#[derive(Debug, Clone, Copy)]
pub(super) struct Decay {
    weight_decay: f64,
    meaning: Meaning,
}

/// The decay of one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecayStep {
    l2: f64,
    shrink: f64,
}

impl Decay {
    /// Beside the step, as strong as the key `weight_decay` says.
    pub(super) fn decoupled(settings: &Settings) -> Self {
        Self::decoupled_by(settings.float("weight_decay"))
    }

    /// Beside the step, of a given strength.
    pub(super) fn decoupled_by(weight_decay: f64) -> Self {
        Self { weight_decay, meaning: Meaning::Decoupled }
    }

    /// Added to the gradient, as strong as the key `weight_decay` says.
    pub(super) fn l2(settings: &Settings) -> Self {
        Self { weight_decay: settings.float("weight_decay"), meaning: Meaning::L2 }
    }

    /// As the keys `weight_decay` and `decay` say.
    pub(super) fn of(settings: &Settings) -> Self {
        Self { weight_decay: settings.float("weight_decay"), meaning: settings.choice("decay") }
    }

    pub(super) fn at(self, lr: f64) -> DecayStep {
        match self.meaning {
            Meaning::L2 => DecayStep { l2: self.weight_decay, shrink: 1.0 },
            Meaning::Decoupled => DecayStep { l2: 0.0, shrink: 1.0 - lr * self.weight_decay },
        }
    }
}

impl DecayStep {
    /// What decoupled decay multiplies the weights by.
    pub(super) fn shrink(&self) -> f64 {
        self.shrink
    }

    /// The weights and the gradient after decay.
    #[inline(always)]
    pub(super) fn apply<R: Real>(&self, p: R, g: R) -> (R, R) {
        let g = g + p.clone() * self.l2;
        (p * self.shrink, g)
    }
}
