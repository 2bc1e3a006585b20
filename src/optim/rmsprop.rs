//! `rmsprop`, plain or centered, with or without momentum.

use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::{Real, ema};
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "rmsprop",
        revision: 1,
        summary: "divides by the root of the recent mean of squared gradients",
        equations: "\
g <- g + weight_decay p
v <- alpha v + (1 - alpha) g^2
a <- alpha a + (1 - alpha) g                 centered: v - a^2 in place of v
d = g / (sqrt(v) + eps)
b <- momentum b + d                          with momentum: b in place of d
p <- p - lr d",
        keys: &[
            lr(0.01),
            decay::STRENGTH,
            Key::float("alpha", 0.99, Bounds::DECAY, "decay of the averages").second_moment(),
            Key::float("eps", 1e-8, Bounds::NON_NEGATIVE, "added to the denominator"),
            Key::float(
                "momentum",
                0.0,
                Bounds::DECAY,
                "decay of the running sum of steps; 0 keeps none, and a schedule that moves the momentum leaves it at 0 \
                 (torch's OneCycleLR and CyclicLR would turn it on)",
            ),
            Key::flag("centered", false, "divide by the deviation of the gradient instead of its size"),
        ],
        source: "Tieleman and Hinton 2012, lecture 6.5; torch.optim.RMSprop",
    },
    memory: "one value per parameter; one more if centered, and one more with momentum",
    asks: &[],
    build: |settings| {
        let rule = RmsProp {
            decay: Decay::l2(settings),
            alpha: settings.float("alpha"),
            eps: settings.float("eps"),
            momentum: settings.float("momentum"),
        };
        match (settings.flag("centered"), rule.momentum > 0.0) {
            (false, false) => Elementwise::<_, 1>::boxed(Variant::<false, false>(rule)),
            (false, true) => Elementwise::<_, 2>::boxed(Variant::<false, true>(rule)),
            (true, false) => Elementwise::<_, 2>::boxed(Variant::<true, false>(rule)),
            (true, true) => Elementwise::<_, 3>::boxed(Variant::<true, true>(rule)),
        }
    },
};

struct RmsProp {
    decay: Decay,
    alpha: f64,
    eps: f64,
    momentum: f64,
}

/// The rule with the slots that its variant needs: one, plus one for each flag.
struct Variant<const CENTERED: bool, const MOMENTUM: bool>(RmsProp);

struct Coefficients {
    decay: DecayStep,
    lr: f64,
    alpha: f64,
    eps: f64,
    momentum: f64,
}

impl<const CENTERED: bool, const MOMENTUM: bool, const N: usize> Rule<N> for Variant<CENTERED, MOMENTUM> {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; N] {
        let mut names = ["squared_gradient", "mean_gradient", "momentum"];
        if !CENTERED {
            names.swap(1, 2);
        }
        std::array::from_fn(|i| Slot::zero(names[i]))
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let RmsProp { decay, alpha, eps, momentum } = &self.0;
        let momentum = at.momentum.unwrap_or(*momentum);
        Coefficients { decay: decay.at(at.lr), lr: at.lr, alpha: *alpha, eps: *eps, momentum }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, mut slots: [R; N]) -> (R, [R; N]) {
        let (p, g) = k.decay.apply(p, g);
        slots[0] = ema(slots[0].clone(), g.clone() * g.clone(), k.alpha);
        let mut v = slots[0].clone();
        if CENTERED {
            slots[1] = ema(slots[1].clone(), g.clone(), k.alpha);
            // The difference is no less than 0 but for rounding.
            v = (v - slots[1].clone() * slots[1].clone()).clamp(0.0, f64::INFINITY);
        }
        let mut d = g / (v.sqrt() + k.eps);
        if MOMENTUM {
            slots[N - 1] = slots[N - 1].clone() * k.momentum + d;
            d = slots[N - 1].clone();
        }
        (p - d * k.lr, slots)
    }
}
