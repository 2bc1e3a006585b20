//! Adam, and the moments that its relatives share.

use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::optim::{Definition, Optimizer, Step};
use crate::registry::{About, Key, Range};
use crate::settings::Settings;

pub(super) const BETA1: Key = Key::float("beta1", 0.9, Range::DECAY, "decay of the mean of gradients");
pub(super) const BETA2: Key = Key::float("beta2", 0.999, Range::DECAY, "decay of the mean of squared gradients");
pub(super) const EPS: Key = Key::float("eps", 1e-8, Range::NON_NEGATIVE, "added to the denominator");

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adam",
        summary: "adaptive moments, with L2 decay by default",
        equations: "\
g <- g + weight_decay p                      decay = \"l2\"
p <- p (1 - lr weight_decay)                 decay = \"decoupled\"
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t)
p <- p - lr m^ / (sqrt(v^) + eps)            amsgrad: v^ from the largest v so far",
        keys: &[
            Key::float("lr", 1e-3, Range::NON_NEGATIVE, "peak learning rate"),
            Key::float("weight_decay", 0.0, Range::NON_NEGATIVE, "strength of the decay of the weights"),
            BETA1,
            BETA2,
            EPS,
            decay::KEY,
            Key::flag("amsgrad", false, "divide by the largest second moment so far"),
        ],
        source: "Kingma and Ba 2014, arXiv 1412.6980; amsgrad: Reddi et al. 2018, arXiv 1904.09237; torch.optim.Adam",
    },
    memory: "two values per parameter; three with amsgrad",
    build: |settings| build(settings, Decay::of(settings), settings.flag("amsgrad")),
};

/// Adam with a decay of either kind.
pub(super) fn build(settings: &Settings, decay: Decay, amsgrad: bool) -> Box<dyn Optimizer> {
    let moments = Moments::of(settings);
    if amsgrad {
        Elementwise::boxed(AmsGrad(Adam { moments, decay }))
    } else {
        Elementwise::boxed(Adam { moments, decay })
    }
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

    /// Both moments after one more gradient.
    #[inline(always)]
    pub(super) fn advance<R: Real>(&self, m: R, v: R, g: R) -> (R, R) {
        (m * self.beta1 + g.clone() * (1.0 - self.beta1), self.second(v, g))
    }

    /// The second moment after one more gradient.
    #[inline(always)]
    pub(super) fn second<R: Real>(&self, v: R, g: R) -> R {
        v * self.beta2 + g.clone() * g * (1.0 - self.beta2)
    }
}

struct Adam {
    moments: Moments,
    decay: Decay,
}

struct Coefficients {
    moments: Moments,
    decay: DecayStep,
    /// `lr / (1 - beta1^t)`.
    rate: f64,
    /// `sqrt(1 - beta2^t)`.
    second_correction: f64,
}

impl Coefficients {
    #[inline(always)]
    fn descend<R: Real>(&self, p: R, m: R, v: R) -> R {
        p - m * self.rate / (v.sqrt() / self.second_correction + self.moments.eps)
    }
}

impl Adam {
    fn coefficients(&self, at: &Step) -> Coefficients {
        let moments = self.moments.at(at);
        let (first, second) = moments.corrections(at.t + 1);
        Coefficients { moments, decay: self.decay.at(at.lr), rate: at.lr / first, second_correction: second.sqrt() }
    }
}

impl Rule<2> for Adam {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        [Slot::zero("first_moment"), Slot::zero("second_moment")]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        Self::coefficients(self, at)
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m, v]: [R; 2]) -> (R, [R; 2]) {
        let (p, g) = k.decay.apply(p, g);
        let (m, v) = k.moments.advance(m, v, g);
        (k.descend(p, m.clone(), v.clone()), [m, v])
    }
}

struct AmsGrad(Adam);

impl Rule<3> for AmsGrad {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 3] {
        [Slot::zero("first_moment"), Slot::zero("second_moment"), Slot::zero("largest_second_moment")]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        self.0.coefficients(at)
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m, v, largest]: [R; 3]) -> (R, [R; 3]) {
        let (p, g) = k.decay.apply(p, g);
        let (m, v) = k.moments.advance(m, v, g);
        let largest = largest.max(v.clone());
        (k.descend(p, m.clone(), largest.clone()), [m, v, largest])
    }
}
