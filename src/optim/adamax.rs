//! Adam with the infinity norm.

use crate::optim::adam::{Adam, BETA1, BETA2, Coefficients, EPS};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::About;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adamax",
        revision: 1,
        summary: "Adam that divides by the largest recent gradient",
        equations: "\
g <- g + weight_decay p
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
u <- max(beta2 u, |g| + eps)
p <- p - lr m^ / u",
        keys: &[lr(2e-3), decay::STRENGTH, BETA1, BETA2, EPS],
        source: "Kingma and Ba 2014, arXiv 1412.6980, section 7.1; torch.optim.Adamax",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| Elementwise::boxed(Adamax(Adam::of(settings, Decay::l2(settings)))),
};

struct Adamax(Adam);

impl Rule<2> for Adamax {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        [Slot::zero("first_moment"), Slot::zero("largest_gradient")]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        self.0.at(at)
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m, u]: [R; 2]) -> (R, [R; 2]) {
        let (p, g) = k.decay.apply(p, g);
        let m = k.moments.first(m, g.clone());
        let u = (u * k.moments.beta2).max(g.abs() + k.moments.eps);
        (p - m.clone() * k.rate / u.clone(), [m, u])
    }
}
