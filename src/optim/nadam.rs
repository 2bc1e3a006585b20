//! Adam with Nesterov's look-ahead.

use crate::optim::adam::{BETA1, BETA2, Denominator, EPS, MOMENTS, Moments};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "nadam",
        revision: 1,
        summary: "Adam that looks ahead along its momentum, which it lets grow",
        equations: "\
decay as for adam
mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)     P = mu_1 ... mu_t
m <- beta1 m + (1 - beta1) g
v <- beta2 v + (1 - beta2) g^2                     v^ = v / (1 - beta2^t)
d = (1 - mu_t) / (1 - P) g + mu_(t+1) / (1 - P mu_(t+1)) m
p <- p - lr d / (sqrt(v^) + eps)",
        keys: &[
            lr(2e-3),
            decay::STRENGTH,
            BETA1,
            BETA2,
            EPS,
            Key::float("momentum_decay", 4e-3, Bounds::NON_NEGATIVE, "how fast the look-ahead grows towards beta1"),
            decay::KEY,
        ],
        source: "Dozat 2016, Incorporating Nesterov Momentum into Adam; torch.optim.NAdam",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| {
        let momentum_decay = settings.float("momentum_decay");
        Elementwise::boxed(NAdam::new(Moments::of(settings), Decay::of(settings), momentum_decay))
    },
};

pub(super) struct NAdam {
    moments: Moments,
    decay: Decay,
    momentum_decay: f64,
    /// The product of all `mu` so far.
    product: f64,
}

impl NAdam {
    pub(super) fn new(moments: Moments, decay: Decay, momentum_decay: f64) -> Self {
        Self { moments, decay, momentum_decay, product: 1.0 }
    }
}

pub(super) struct Coefficients {
    moments: Moments,
    decay: DecayStep,
    /// The rates of the gradient and of the momentum.
    of_gradient: f64,
    of_momentum: f64,
    denominator: Denominator,
}

impl Rule<2> for NAdam {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        MOMENTS
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let moments = self.moments.at(at);
        let mu = |t: u64| moments.beta1 * (1.0 - 0.5 * 0.96_f64.powf(t as f64 * self.momentum_decay));
        let (now, next) = (mu(at.t + 1), mu(at.t + 2));
        self.product *= now;
        Coefficients {
            moments,
            decay: self.decay.at(at.lr),
            of_gradient: at.lr * (1.0 - now) / (1.0 - self.product),
            of_momentum: at.lr * next / (1.0 - self.product * next),
            denominator: moments.denominator(at.t),
        }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m, v]: [R; 2]) -> (R, [R; 2]) {
        let (p, g) = k.decay.apply(p, g);
        let (m, v) = k.moments.advance(m, v, g.clone());
        let d = g * k.of_gradient + m.clone() * k.of_momentum;
        (p - d / k.denominator.of(v.clone()), [m, v])
    }

    fn scalars(&self) -> Vec<f64> {
        vec![self.product]
    }

    fn set_scalars(&mut self, scalars: &[f64]) {
        if let [product] = *scalars {
            self.product = product;
        }
    }
}
