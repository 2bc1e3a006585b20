//! Yogi: Adam whose second moment moves by steps that do not grow with its distance.

use crate::optim::adam::{Adam, BETA1, BETA2, Coefficients};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "yogi",
        revision: 1,
        summary: "Adam whose effective rate cannot grow quickly",
        equations: "\
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
v <- v - (1 - beta2) sign(v - g^2) g^2       v^ = v / (1 - beta2^t), from initial_accumulator
p <- p (1 - lr weight_decay) - lr m^ / (sqrt(v^) + eps)",
        keys: &[
            lr(0.01),
            decay::strength(0.0, "strength of the decoupled decay"),
            BETA1,
            BETA2,
            Key::float("eps", 1e-3, Bounds::NON_NEGATIVE, "added to the denominator"),
            Key::float("initial_accumulator", 1e-6, Bounds::NON_NEGATIVE, "what the second moment starts from"),
        ],
        source: "Zaheer et al. 2018, Adaptive Methods for Nonconvex Optimization, NeurIPS; bias correction as in \
                 optax.yogi, whose first moment starts from the accumulator's value, too: from 0 here, as in the paper",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(Yogi {
            adam: Adam::of(settings, Decay::decoupled(settings)),
            initial_accumulator: settings.float("initial_accumulator"),
        })
    },
};

struct Yogi {
    adam: Adam,
    initial_accumulator: f64,
}

impl Rule<2> for Yogi {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        [Slot::zero("first_moment"), Slot::value("second_moment", self.initial_accumulator)]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        self.adam.at(at)
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m, v]: [R; 2]) -> (R, [R; 2]) {
        let (p, g) = k.decay.apply(p, g);
        let m = k.moments.first(m, g.clone());
        let square = g.clone() * g;
        let v = v.clone() - (v - square.clone()).sign() * square * (1.0 - k.moments.beta2);
        (p - m.clone() * k.rate / k.denominator.of(v.clone()), [m, v])
    }
}
