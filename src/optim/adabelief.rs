//! AdaBelief: Adam that divides by how far gradients are from what it expects.

use crate::optim::adam::{AMSGRAD, Adam, BETA1, BETA2, Coefficients};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::{Real, ema};
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Fallback, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adabelief",
        revision: 1,
        summary: "Adam with the variance of gradients in place of their size",
        equations: "\
decay as for adam
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
v <- beta2 v + (1 - beta2) (g - m)^2 + eps   v^ = v / (1 - beta2^t)
p <- p - lr m^ / (sqrt(v^) + eps)            amsgrad: v^ from the largest v so far",
        keys: &[
            lr(1e-3),
            decay::STRENGTH,
            BETA1,
            BETA2,
            Key::float(
                "eps",
                1e-16,
                Bounds::NON_NEGATIVE,
                "added to the variance at every step, and to the denominator",
            ),
            AMSGRAD,
            Key { default: Fallback::Text("decoupled"), ..decay::KEY },
        ],
        source: "Zhuang et al. 2020, arXiv 2010.07468; without its author's optional rectification",
    },
    memory: "two values per parameter; three with amsgrad",
    asks: &[],
    build: |settings| {
        let rule = AdaBelief(Adam::of(settings, Decay::of(settings)));
        if settings.flag("amsgrad") { Elementwise::<_, 3>::boxed(rule) } else { Elementwise::<_, 2>::boxed(rule) }
    },
};

struct AdaBelief(Adam);

/// With a third slot, the rule is its amsgrad variant.
impl<const N: usize> Rule<N> for AdaBelief {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; N] {
        let names = ["first_moment", "variance", "largest_variance"];
        std::array::from_fn(|i| Slot::zero(names[i]))
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        self.0.at(at)
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, mut slots: [R; N]) -> (R, [R; N]) {
        let (p, g) = k.decay.apply(p, g);
        let m = k.moments.first(slots[0].clone(), g.clone());
        let surprise = g - m.clone();
        let mut v = ema(slots[1].clone(), surprise.clone() * surprise, k.moments.beta2) + k.moments.eps;
        (slots[0], slots[1]) = (m.clone(), v.clone());
        if N == 3 {
            v = slots[2].clone().max(v);
            slots[2] = v.clone();
        }
        (p - m * k.rate / k.denominator.of(v), slots)
    }
}
