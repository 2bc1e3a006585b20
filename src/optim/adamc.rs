//! AdamW whose weight decay follows the square of the learning rate.

use crate::optim::adam::{Adam, BETA1, BETA2, Coefficients, EPS, MOMENTS};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::About;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adamc",
        revision: 1,
        summary: "AdamW whose decay shrinks with the square of the rate, so that gradients do not grow at the end",
        equations: "\
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t)
p <- p (1 - rate^2 / lr weight_decay)        rate: as the schedule has it; lr: the peak
p <- p - rate m^ / (sqrt(v^) + eps)",
        keys: &[lr(1e-3), decay::strength(0.01, "strength of the decay at the peak rate"), BETA1, BETA2, EPS],
        source: "Defazio 2025, Why Gradients Rapidly Increase Near the End of Training, arXiv 2506.02285, with the \
                 correction on all tensors; timm's AdamW with corrected_weight_decay",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(AdamC { adam: Adam::of(settings, Decay::decoupled(settings)), peak: settings.float("lr") })
    },
};

struct AdamC {
    adam: Adam,
    peak: f64,
}

impl Rule<2> for AdamC {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        MOMENTS
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let factor = if self.peak > 0.0 { at.lr / self.peak } else { 0.0 };
        Coefficients { decay: self.adam.decay.at(at.lr * factor), ..self.adam.at(at) }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, slots: [R; 2]) -> (R, [R; 2]) {
        Adam::update(k, p, g, slots)
    }
}
