//! Adagrad: rates that shrink with every gradient seen.

use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adagrad",
        revision: 1,
        summary: "divides by the root of the sum of all squared gradients",
        equations: "\
g <- g + weight_decay p
s <- s + g^2
p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)",
        keys: &[
            lr(0.01),
            decay::STRENGTH,
            Key::float(
                "lr_decay",
                0.0,
                Bounds::NON_NEGATIVE,
                "shrinks the rate further, by 1 / (1 + updates lr_decay)",
            ),
            Key::float("initial_accumulator_value", 0.0, Bounds::NON_NEGATIVE, "what the sum of squares starts from"),
            Key::float("eps", 1e-10, Bounds::NON_NEGATIVE, "added to the denominator"),
        ],
        source: "Duchi, Hazan and Singer 2011, JMLR 12; torch.optim.Adagrad",
    },
    memory: "one value per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(Adagrad {
            decay: Decay::l2(settings),
            lr_decay: settings.float("lr_decay"),
            start: settings.float("initial_accumulator_value"),
            eps: settings.float("eps"),
        })
    },
};

struct Adagrad {
    decay: Decay,
    lr_decay: f64,
    start: f64,
    eps: f64,
}

struct Coefficients {
    decay: DecayStep,
    rate: f64,
    eps: f64,
}

impl Rule<1> for Adagrad {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 1] {
        [Slot::value("sum_of_squares", self.start)]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let rate = at.lr / (1.0 + at.t as f64 * self.lr_decay);
        Coefficients { decay: self.decay.at(at.lr), rate, eps: self.eps }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [s]: [R; 1]) -> (R, [R; 1]) {
        let (p, g) = k.decay.apply(p, g);
        let s = s + g.clone() * g.clone();
        (p - g * k.rate / (s.clone().sqrt() + k.eps), [s])
    }
}
