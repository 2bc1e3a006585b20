//! AdEMAMix: a fast and a very slow average of gradients.

use crate::length::Length;
use crate::optim::adam::{BETA1, BETA2, Denominator, EPS, Moments};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::{Real, ema};
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "ademamix",
        revision: 1,
        summary: "AdamW with a second, very long memory of gradients",
        equations: "\
f <- beta1 f + (1 - beta1) g                 f^ = f / (1 - beta1^t)
s <- beta3_t s + (1 - beta3_t) g
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t)
p <- p (1 - lr weight_decay)
p <- p - lr (f^ + alpha_t s) / (sqrt(v^) + eps)
alpha_t = alpha min(1, t / alpha_warmup)
beta3_t = exp(1 / ((1 - a) / ln beta1 + a / ln beta3)),  a = min(1, t / beta3_warmup)",
        keys: &[
            lr(1e-3),
            decay::strength(0.0, "strength of the decoupled decay"),
            BETA1,
            BETA2,
            Key::float("beta3", 0.9999, Bounds::DECAY, "decay of the slow mean of gradients"),
            Key::float("alpha", 5.0, Bounds::NON_NEGATIVE, "weight of the slow mean"),
            EPS,
            Key::length("alpha_warmup", Length::ZERO, "raise alpha linearly from 0 over this long"),
            Key::length("beta3_warmup", Length::ZERO, "lengthen the slow memory from beta1's over this long"),
        ],
        source: "Pagliardini, Ablin and Grangier 2024, arXiv 2409.03137; github.com/apple/ml-ademamix",
    },
    memory: "three values per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(AdEmaMix {
            moments: Moments::of(settings),
            decay: Decay::decoupled(settings),
            beta3: settings.float("beta3"),
            alpha: settings.float("alpha"),
            alpha_warmup: settings.steps("alpha_warmup"),
            beta3_warmup: settings.steps("beta3_warmup"),
        })
    },
};

struct AdEmaMix {
    moments: Moments,
    decay: Decay,
    beta3: f64,
    alpha: f64,
    alpha_warmup: u64,
    beta3_warmup: u64,
}

struct Coefficients {
    moments: Moments,
    decay: DecayStep,
    beta3: f64,
    /// `lr / (1 - beta1^t)` and `lr alpha_t`.
    of_fast: f64,
    of_slow: f64,
    denominator: Denominator,
}

/// How much of a warmup is done after `t` updates.
fn progress(t: u64, warmup: u64) -> f64 {
    if t >= warmup { 1.0 } else { t as f64 / warmup as f64 }
}

impl Rule<3> for AdEmaMix {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 3] {
        ["fast_moment", "slow_moment", "second_moment"].map(Slot::zero)
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let moments = self.moments.at(at);
        let beta3 = match progress(at.t + 1, self.beta3_warmup) {
            1.0 => self.beta3,
            // The half-life grows linearly.
            a => (1.0 / ((1.0 - a) / moments.beta1.ln() + a / self.beta3.ln())).exp(),
        };
        Coefficients {
            moments,
            decay: self.decay.at(at.lr),
            beta3,
            of_fast: at.lr / moments.corrections(at.t + 1).0,
            of_slow: at.lr * self.alpha * progress(at.t + 1, self.alpha_warmup),
            denominator: moments.denominator(at.t),
        }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [fast, slow, v]: [R; 3]) -> (R, [R; 3]) {
        let slow = ema(slow, g.clone(), k.beta3);
        let (fast, v) = k.moments.advance(fast, v, g.clone());
        let (p, _) = k.decay.apply(p, g);
        let direction = fast.clone() * k.of_fast + slow.clone() * k.of_slow;
        (p - direction / k.denominator.of(v.clone()), [fast, slow, v])
    }
}
