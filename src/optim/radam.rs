//! Rectified Adam, in PyTorch's and in its author's variant.

use crate::choice::Choice;
use crate::optim::adam::{BETA1, BETA2, EPS, MOMENTS, Moments};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Key};

pub(super) const DEFINITION: Definition =
    Definition {
        about: About {
            name: "radam",
            revision: 1,
            summary: "Adam that holds back while its second moment rests on few gradients",
            equations: "\
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
v <- beta2 v + (1 - beta2) g^2               l  = sqrt(1 - beta2^t) / (sqrt(v) + eps)
rho_inf = 2 / (1 - beta2) - 1                rho = rho_inf - 2 t beta2^t / (1 - beta2^t)
rect = sqrt((rho - 4)(rho - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2) rho))
variant = \"torch\":   p <- p - lr rect m^ l  if rho > 5,  else  p <- p - lr m^
                     decay as for adam
variant = \"author\":  p <- p (1 - lr weight_decay), p <- p - lr rect m^ l  if rho >= 5,
                     else nothing moves; with degenerate_to_sgd: decay, and p <- p - lr m^",
            keys: &[
                lr(1e-3),
                decay::STRENGTH,
                BETA1,
                BETA2,
                EPS,
                Key::choice("variant", Variant::WORDS, "torch", "whose rule for the first steps and for decay"),
                decay::KEY,
                Key::flag("degenerate_to_sgd", false, "author's variant: take plain steps while not rectified")
                    .that_needs("`variant = \"author\"`: the variant `torch` always takes plain steps", |settings| {
                        !settings.flag("degenerate_to_sgd") || settings.choice::<Variant>("variant") == Variant::Author
                    }),
            ],
            source: "Liu et al. 2019, arXiv 1908.03265; torch.optim.RAdam; github.com/LiyuanLucasLiu/RAdam",
        },
        memory: "two values per parameter",
        asks: &[],
        build: |settings| {
            let variant = settings.choice("variant");
            let (decay, plain_at_first) = match variant {
                Variant::Torch => (Decay::of(settings), true),
                Variant::Author => (Decay::decoupled(settings), settings.flag("degenerate_to_sgd")),
            };
            Elementwise::boxed(RAdam { moments: Moments::of(settings), decay, variant, plain_at_first })
        },
    };

struct RAdam {
    moments: Moments,
    decay: Decay,
    variant: Variant,
    /// Whether steps are plain while the second moment is not yet trusted, instead of none.
    plain_at_first: bool,
}

crate::choice! {
    /// Whose rule for the first steps and for decay.
    enum Variant { Torch = "torch", Author = "author" }
}

/// `rho`, the length of the average behind the second moment after `t` updates, and the factor
/// that rectifies its variance (not a number where `rho` is at most 4).
pub(super) fn rectification(beta2: f64, t: u64) -> (f64, f64) {
    let decayed = beta2.powf(t as f64);
    let rho_inf = 2.0 / (1.0 - beta2) - 1.0;
    let rho = rho_inf - 2.0 * t as f64 * decayed / (1.0 - decayed);
    let rect = ((rho - 4.0) * (rho - 2.0) * rho_inf / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho)).sqrt();
    (rho, rect)
}

struct Coefficients {
    moments: Moments,
    decay: DecayStep,
    /// The rates of the adaptive and of the plain direction; one of them is 0.
    adaptive: f64,
    plain: f64,
}

impl Rule<2> for RAdam {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 2] {
        MOMENTS
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        let moments = self.moments.at(at);
        let (first, second) = moments.corrections(at.t + 1);
        let (rho, rect) = rectification(moments.beta2, at.t + 1);
        let rectified = match self.variant {
            Variant::Torch => rho > 5.0,
            Variant::Author => rho >= 5.0,
        };
        let rate = at.lr / first;
        let (adaptive, plain, decay_lr) = match (rectified, self.plain_at_first) {
            (true, _) => (rate * rect * second.sqrt(), 0.0, at.lr),
            (false, true) => (0.0, rate, at.lr),
            (false, false) => (0.0, 0.0, 0.0),
        };
        Coefficients { moments, decay: self.decay.at(decay_lr), adaptive, plain }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m, v]: [R; 2]) -> (R, [R; 2]) {
        let (p, g) = k.decay.apply(p, g);
        let (m, v) = k.moments.advance(m, v, g);
        let direction = m.clone() * k.adaptive / (v.clone().sqrt() + k.moments.eps) + m.clone() * k.plain;
        (p - direction, [m, v])
    }
}
