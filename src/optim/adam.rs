//! Adam, and the moments that its relatives share.

use std::array;

use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::{Optimizer, Step};
use crate::optim::real::{Real, ema};
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};
use crate::settings::Settings;

pub(super) const BETA1: Key = Key::float("beta1", 0.9, Bounds::DECAY, "decay of the mean of gradients");
pub(super) const BETA2: Key =
    Key::float("beta2", 0.999, Bounds::DECAY, "decay of the mean of squared gradients").second_moment();
pub(super) const EPS: Key = Key::float("eps", 1e-8, Bounds::NON_NEGATIVE, "added to the denominator");
/// The two moments that nearly all of its relatives remember.
pub(super) const MOMENTS: [Slot; 2] = [Slot::zero("first_moment"), Slot::zero("second_moment")];
pub(super) const AMSGRAD: Key = Key::flag("amsgrad", false, "divide by the largest second moment so far");

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adam",
        revision: 1,
        summary: "adaptive moments, with L2 decay by default",
        equations: "\
g <- g + weight_decay p                      decay = \"l2\"
p <- p (1 - lr weight_decay)                 decay = \"decoupled\"
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t)
p <- p - lr m^ / (sqrt(v^) + eps)            amsgrad: v^ from the largest v so far",
        keys: &[lr(1e-3), decay::STRENGTH, BETA1, BETA2, EPS, decay::KEY, AMSGRAD],
        source: "Kingma and Ba 2014, arXiv 1412.6980; amsgrad: Reddi et al. 2018, arXiv 1904.09237; torch.optim.Adam",
    },
    memory: "two values per parameter; three with amsgrad",
    asks: &[],
    build: |settings| build(settings, Decay::of(settings), settings.flag("amsgrad")),
};

/// Adam with a decay of either kind.
pub(super) fn build(settings: &Settings, decay: Decay, amsgrad: bool) -> Box<dyn Optimizer> {
    let rule = Adam::of(settings, decay);
    if amsgrad { Elementwise::<_, 3>::boxed(rule) } else { Elementwise::<_, 2>::boxed(rule) }
}

/// The decays of the two moments and the guard of the denominator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    pub(super) eps: f64,
}

impl Moments {
    /// From `beta1`, `beta2` and `eps`; a rule without a first moment has no `beta1`.
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            beta1: settings.optional_float("beta1").unwrap_or(0.0),
            beta2: settings.float("beta2"),
            eps: settings.float("eps"),
        }
    }

    /// As a schedule that moves the momentum wants them at this step.
    pub(super) fn at(self, at: &Step) -> Self {
        Self { beta1: at.momentum.unwrap_or(self.beta1), ..self }
    }

    /// `1 - beta1^t` and `1 - beta2^t`, by which the moments after `t` updates are too small.
    pub(super) fn corrections(self, t: u64) -> (f64, f64) {
        (1.0 - self.beta1.powf(t as f64), 1.0 - self.beta2.powf(t as f64))
    }

    /// What the step after `t` updates divides by.
    pub(super) fn denominator(self, t: u64) -> Denominator {
        Denominator { scale: 1.0 / self.corrections(t + 1).1.sqrt(), eps: self.eps }
    }

    /// Both moments after one more gradient.
    #[inline(always)]
    pub(super) fn advance<R: Real>(&self, m: R, v: R, g: R) -> (R, R) {
        (self.first(m, g.clone()), self.second(v, g))
    }

    /// The first moment after one more gradient.
    #[inline(always)]
    pub(super) fn first<R: Real>(&self, m: R, g: R) -> R {
        ema(m, g, self.beta1)
    }

    /// The second moment after one more gradient.
    #[inline(always)]
    pub(super) fn second<R: Real>(&self, v: R, g: R) -> R {
        ema(v, g.clone() * g, self.beta2)
    }
}

/// `sqrt(v / (1 - beta2^t)) + eps`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Denominator {
    /// `1 / sqrt(1 - beta2^t)`: a product is cheaper than a quotient.
    pub(super) scale: f64,
    pub(super) eps: f64,
}

impl Denominator {
    #[inline(always)]
    pub(super) fn of<R: Real>(&self, v: R) -> R {
        v.sqrt() * self.scale + self.eps
    }
}

/// The rule itself, also for what is no matrix under rules for matrices; and what its variants are set up with.
pub(super) struct Adam {
    pub(super) moments: Moments,
    pub(super) decay: Decay,
}

/// What a step of Adam and its variants computes once.
pub(super) struct Coefficients {
    pub(super) moments: Moments,
    pub(super) decay: DecayStep,
    /// `lr / (1 - beta1^t)`.
    pub(super) rate: f64,
    pub(super) denominator: Denominator,
}

impl Adam {
    pub(super) fn of(settings: &Settings, decay: Decay) -> Self {
        Self { moments: Moments::of(settings), decay }
    }

    pub(super) fn at(&self, at: &Step) -> Coefficients {
        let moments = self.moments.at(at);
        Coefficients {
            moments,
            decay: self.decay.at(at.lr),
            rate: at.lr / moments.corrections(at.t + 1).0,
            denominator: moments.denominator(at.t),
        }
    }
}

/// With a third slot, the rule is its amsgrad variant.
impl<const N: usize> Rule<N> for Adam {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; N] {
        let names = ["first_moment", "second_moment", "largest_second_moment"];
        array::from_fn(|i| Slot::zero(names[i]))
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        self.at(at)
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, mut slots: [R; N]) -> (R, [R; N]) {
        let (p, g) = k.decay.apply(p, g);
        let (m, mut v) = k.moments.advance(slots[0].clone(), slots[1].clone(), g);
        (slots[0], slots[1]) = (m.clone(), v.clone());
        if N == 3 {
            v = slots[2].clone().max(v);
            slots[2] = v.clone();
        }
        (p - m * k.rate / k.denominator.of(v), slots)
    }
}
