//! Averaged stochastic gradient descent.

use crate::length::Length;
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "asgd",
        revision: 1,
        summary: "gradient descent at a rate that fades, evaluated at the mean of its iterates",
        equations: "\
g <- g + weight_decay p
eta = lr / (1 + lambd lr (t - 1))^alpha
p <- p (1 - lambd eta) - eta g
a <- a + (p - a) / max(1, t - 1 - t0)        evaluated at a",
        keys: &[
            lr(0.01),
            decay::STRENGTH,
            Key::float("lambd", 1e-4, Bounds::NON_NEGATIVE, "strength of the decay of weights and rate"),
            Key::float("alpha", 0.75, Bounds::NON_NEGATIVE, "power by which the rate fades"),
            Key::length("t0", Length::Steps(1_000_000), "how long not to average yet"),
        ],
        source: "Polyak and Juditsky 1992; torch.optim.ASGD, whose eta is computed from the rate of the update before",
    },
    memory: "one value per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(Asgd {
            decay: Decay::l2(settings),
            lambd: settings.float("lambd"),
            alpha: settings.float("alpha"),
            t0: settings.steps("t0"),
        })
    },
};

struct Asgd {
    decay: Decay,
    lambd: f64,
    alpha: f64,
    t0: u64,
}

struct Coefficients {
    decay: DecayStep,
    shrink: f64,
    eta: f64,
    /// What the average takes of the weights.
    take: f64,
}

impl Rule<1> for Asgd {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 1] {
        [Slot::weights("average")]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let eta = at.lr / (1.0 + self.lambd * at.lr * at.t as f64).powf(self.alpha);
        let shrink = 1.0 - self.lambd * eta;
        let take = 1.0 / at.t.saturating_sub(self.t0).max(1) as f64;
        Coefficients { decay: self.decay.at(at.lr), shrink, eta, take }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [average]: [R; 1]) -> (R, [R; 1]) {
        let (p, g) = k.decay.apply(p, g);
        let p = p * k.shrink - g * k.eta;
        let average = average.clone() + (p.clone() - average) * k.take;
        (p, [average])
    }

    fn evaluates_elsewhere(&self) -> bool {
        true
    }

    fn evaluation<R: Real>(&self, _: R, [average]: [R; 1]) -> R {
        average
    }
}
