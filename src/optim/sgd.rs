//! Stochastic gradient descent, with or without momentum.

use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "sgd",
        revision: 1,
        summary: "gradient descent with momentum, dampening and Nesterov's variant",
        equations: "\
g <- g + weight_decay p                      decay = \"l2\"
p <- p (1 - lr weight_decay)                 decay = \"decoupled\"
m <- g at the first step, then momentum m + (1 - dampening) g
d  = g + momentum m  if nesterov, else m     (d = g without momentum)
p <- p - lr d",
        keys: &[
            lr(0.1),
            decay::STRENGTH,
            Key::float(
                "momentum",
                0.0,
                Bounds::DECAY,
                "decay of the running sum of gradients; 0 keeps none, and a schedule that moves the momentum leaves it at 0 \
                 (torch's OneCycleLR and CyclicLR would turn it on)",
            ),
            Key::float("dampening", 0.0, Bounds::UNIT, "how much of a new gradient the running sum leaves out"),
            Key::flag("nesterov", false, "look ahead along the momentum; needs momentum and no dampening").that_needs(
                "`momentum` above 0 and `dampening` 0",
                |settings| {
                    !settings.flag("nesterov") || settings.float("momentum") > 0.0 && settings.float("dampening") == 0.0
                },
            ),
            decay::KEY,
        ],
        source: "torch.optim.SGD",
    },
    memory: "nothing; one value per parameter with momentum",
    asks: &[],
    build: |settings| {
        let decay = Decay::of(settings);
        if settings.float("momentum") == 0.0 {
            return Elementwise::boxed(Plain { decay });
        }
        Elementwise::boxed(WithMomentum {
            decay,
            momentum: settings.float("momentum"),
            dampening: settings.float("dampening"),
            nesterov: settings.flag("nesterov"),
        })
    },
};

struct Plain {
    decay: Decay,
}

impl Rule<0> for Plain {
    type Coefficients = (f64, DecayStep);

    fn slots(&self) -> [Slot; 0] {
        []
    }

    fn coefficients(&mut self, at: &Step) -> Self::Coefficients {
        (at.lr, self.decay.at(at.lr))
    }

    #[inline(always)]
    fn update<R: Real>((lr, decay): &Self::Coefficients, p: R, g: R, _: [R; 0]) -> (R, [R; 0]) {
        let (p, g) = decay.apply(p, g);
        (p - g * *lr, [])
    }
}

struct WithMomentum {
    decay: Decay,
    momentum: f64,
    dampening: f64,
    nesterov: bool,
}

struct Coefficients {
    lr: f64,
    decay: DecayStep,
    /// What the running sum keeps of itself and takes of the gradient.
    keep: f64,
    take: f64,
    /// What the direction takes of the gradient and of the running sum.
    of_gradient: f64,
    of_momentum: f64,
}

impl Rule<1> for WithMomentum {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 1] {
        [Slot::zero("momentum")]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let momentum = at.momentum.unwrap_or(self.momentum);
        let (of_gradient, of_momentum) = if self.nesterov { (1.0, momentum) } else { (0.0, 1.0) };
        Coefficients {
            lr: at.lr,
            decay: self.decay.at(at.lr),
            keep: momentum,
            take: if at.t == 0 { 1.0 } else { 1.0 - self.dampening },
            of_gradient,
            of_momentum,
        }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m]: [R; 1]) -> (R, [R; 1]) {
        let (p, g) = k.decay.apply(p, g);
        let m = m * k.keep + g.clone() * k.take;
        let d = g * k.of_gradient + m.clone() * k.of_momentum;
        (p - d * k.lr, [m])
    }
}
