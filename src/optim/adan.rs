//! Adan: Nesterov momentum from differences of gradients.

use crate::optim::adam::{Denominator, EPS};
use crate::optim::common::lr;
use crate::optim::decay;
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::{Real, ema};
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adan",
        revision: 1,
        summary: "Nesterov momentum without the extra gradient, by differences of gradients",
        equations: "\
D = g - (previous g)                         0 at the first step
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
d <- beta2 d + (1 - beta2) D                 d^ = d / (1 - beta2^t)
n <- beta3 n + (1 - beta3) (g + beta2 D)^2   n^ = n / (1 - beta3^t)
s = lr (m^ + beta2 d^) / (sqrt(n^) + eps)
p <- (p - s) / (1 + lr weight_decay)         no_prox: p <- p (1 - lr weight_decay) - s",
        keys: &[
            lr(1e-3),
            decay::strength(0.0, "strength of the decay"),
            Key::float("beta1", 0.98, Bounds::DECAY, "decay of the mean of gradients (the paper's is 1 minus this)"),
            Key::float("beta2", 0.92, Bounds::DECAY, "decay of the mean of differences"),
            Key::float("beta3", 0.99, Bounds::DECAY, "decay of the mean of squares").second_moment(),
            EPS,
            Key::flag("no_prox", false, "shrink the weights before the step instead of after it"),
        ],
        source: "Xie et al. 2022, arXiv 2208.06677; github.com/sail-sg/Adan",
    },
    memory: "four values per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(Adan {
            beta1: settings.float("beta1"),
            beta2: settings.float("beta2"),
            beta3: settings.float("beta3"),
            eps: settings.float("eps"),
            weight_decay: settings.float("weight_decay"),
            no_prox: settings.flag("no_prox"),
        })
    },
};

struct Adan {
    beta1: f64,
    beta2: f64,
    beta3: f64,
    eps: f64,
    weight_decay: f64,
    no_prox: bool,
}

struct Coefficients {
    beta1: f64,
    beta2: f64,
    beta3: f64,
    /// 0 at the first step, which has no previous gradient, else 1.
    difference: f64,
    /// `lr / (1 - beta1^t)` and `lr beta2 / (1 - beta2^t)`.
    of_mean: f64,
    of_difference: f64,
    denominator: Denominator,
    /// What the weights are multiplied by before the step, and divided by after it.
    before: f64,
    after: f64,
}

impl Rule<4> for Adan {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 4] {
        ["first_moment", "mean_difference", "second_moment", "previous_gradient"].map(Slot::zero)
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let beta1 = at.momentum.unwrap_or(self.beta1);
        let &mut Self { beta2, beta3, eps, .. } = self;
        let left = |beta: f64| 1.0 - beta.powf((at.t + 1) as f64);
        let decay = at.lr * self.weight_decay;
        let (before, after) = if self.no_prox { (1.0 - decay, 1.0) } else { (1.0, 1.0 + decay) };
        Coefficients {
            beta1,
            beta2,
            beta3,
            difference: if at.t == 0 { 0.0 } else { 1.0 },
            of_mean: at.lr / left(beta1),
            of_difference: at.lr * beta2 / left(beta2),
            denominator: Denominator { scale: 1.0 / left(beta3).sqrt(), eps },
            before,
            after,
        }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m, d, n, previous]: [R; 4]) -> (R, [R; 4]) {
        let difference = (g.clone() - previous) * k.difference;
        let m = ema(m, g.clone(), k.beta1);
        let d = ema(d, difference.clone(), k.beta2);
        let ahead = g.clone() + difference * k.beta2;
        let n = ema(n, ahead.clone() * ahead, k.beta3);
        let direction = m.clone() * k.of_mean + d.clone() * k.of_difference;
        let step = direction / k.denominator.of(n.clone());
        ((p * k.before - step) / k.after, [m, d, n, g])
    }
}
