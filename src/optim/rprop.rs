//! Rprop: a step size of its own for every coordinate, moved by the signs of gradients.

use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "rprop",
        revision: 1,
        summary: "steps that grow while the gradient keeps its sign; for full batches",
        equations: "\
s <- eta_plus s   where g h > 0              s: the step size, from lr; h: the gradient before
s <- eta_minus s  where g h < 0, and g <- 0
s <- s within [step_min, step_max]
p <- p - (rate / lr) sign(g) s;  h <- g      rate / lr: the factor of the schedule",
        keys: &[
            Key::float("lr", 0.01, Bounds::POSITIVE, "the first step size; a schedule scales the steps"),
            Key::float("eta_minus", 0.5, Bounds::SHARE, "what a step shrinks by where the sign changes"),
            Key::float("eta_plus", 1.2, Bounds::at_least(1.0), "what a step grows by where the sign stays"),
            Key::float("step_min", 1e-6, Bounds::NON_NEGATIVE, "the smallest step size"),
            Key::float("step_max", 50.0, Bounds::POSITIVE, "the largest step size; no less than step_min")
                .that_needs("no less than `step_min`", |settings| {
                    settings.float("step_max") >= settings.float("step_min")
                }),
        ],
        source: "Riedmiller and Braun 1993; torch.optim.Rprop, which no schedule moves after its first update",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| {
        let [lr, minus, plus, min, max] =
            ["lr", "eta_minus", "eta_plus", "step_min", "step_max"].map(|key| settings.float(key));
        Elementwise::boxed(Rprop { lr, minus, plus, min, max, factor: 1.0 })
    },
};

#[derive(Clone, Copy)]
struct Rprop {
    lr: f64,
    minus: f64,
    plus: f64,
    min: f64,
    max: f64,
    factor: f64,
}

impl Rule<2> for Rprop {
    type Coefficients = Self;

    fn slots(&self) -> [Slot; 2] {
        [Slot::value("step_size", self.lr), Slot::zero("previous_gradient")]
    }

    fn coefficients(&mut self, at: &Step) -> Self {
        Self { factor: at.lr / self.lr, ..*self }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Self, p: R, g: R, [size, previous]: [R; 2]) -> (R, [R; 2]) {
        let agreement = (g.clone() * previous).sign();
        let (grows, shrinks) = (agreement.clone().clamp(0.0, 1.0), (-agreement).clamp(0.0, 1.0));
        let change = grows * (k.plus - 1.0) - shrinks.clone() * (1.0 - k.minus) + 1.0;
        let size = (size * change).clamp(k.min, k.max);
        let g = g * (-shrinks + 1.0);
        (p - g.clone().sign() * size.clone() * k.factor, [size, g])
    }
}
