//! Adam whose weights rest while its second moment settles.

use crate::length::Length;
use crate::optim::adam::{BETA1, BETA2, EPS, MOMENTS, Moments};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adam_2k",
        revision: 1,
        summary: "Adam that only watches at first: RAdam's experiment on why warmup helps",
        equations: "\
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t), t from the very first update
nothing more while t <= freeze_steps; then
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
p <- p (1 - lr weight_decay)
p <- p - lr m^ sqrt(1 - beta2^t) / (sqrt(v) + eps)",
        keys: &[
            lr(1e-3),
            decay::strength(0.0, "strength of the decoupled decay"),
            BETA1,
            BETA2,
            EPS,
            Key::length("freeze_steps", Length::Steps(2000), "how long only the second moment moves"),
        ],
        source: "Liu et al. 2019, arXiv 1908.03265, section 3.1; github.com/LiyuanLucasLiu/RAdam, nmt/my_module/adam2.py",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(Adam2k {
            moments: Moments::of(settings),
            decay: Decay::decoupled(settings),
            freeze: settings.steps("freeze_steps"),
        })
    },
};

struct Adam2k {
    moments: Moments,
    decay: Decay,
    freeze: u64,
}

struct Coefficients {
    moments: Moments,
    decay: DecayStep,
    /// `lr sqrt(1 - beta2^t) / (1 - beta1^t)`, or nothing while frozen.
    rate: Option<f64>,
}

impl Rule<2> for Adam2k {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        MOMENTS
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let moments = self.moments.at(at);
        let (first, second) = moments.corrections(at.t + 1);
        let rate = (at.t >= self.freeze).then(|| at.lr * second.sqrt() / first);
        Coefficients { moments, decay: self.decay.at(at.lr), rate }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m, v]: [R; 2]) -> (R, [R; 2]) {
        let v = k.moments.second(v, g.clone());
        let Some(rate) = k.rate else { return (p, [m, v]) };
        let m = k.moments.first(m, g.clone());
        let (p, _) = k.decay.apply(p, g);
        (p - m.clone() * rate / (v.clone().sqrt() + k.moments.eps), [m, v])
    }
}
