//! MARS: Adam or Lion on gradients of reduced variance.

use crate::choice::Choice;
use crate::error::Result;
use crate::nn::params::Parameter;
use crate::optim::adam::{Adam, Denominator, EPS, Moments};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::memory::Slot;
use crate::optim::muon::share_of_lr;
use crate::optim::optimizer::Step;
use crate::optim::pass::{Kernel, Term};
use crate::optim::real::Real;
use crate::optim::rule::Rule;
use crate::optim::whole::{Whole, WholeRule, Work};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "mars",
        revision: 1,
        summary: "AdamW or Lion on gradients corrected by how they changed",
        equations: "\
c = g + gamma beta1 / (1 - beta1) (g - previous g)     matrices, or everything with optimize_1d
c <- c / max(1, |c|)                                   the norm over the tensor
m <- beta1 m + (1 - beta1) c                           m^ = m / (1 - beta1^t)
v <- beta2 v + (1 - beta2) c^2                         v^ = v / (1 - beta2^t)
p <- p (1 - lr weight_decay) - lr m^ / (sqrt(v^) + eps)     variant = \"adamw\"
p <- p (1 - lr weight_decay) - lr sign(m)                   variant = \"lion\", which has no v
other tensors: adamw with the keys in _1d; their rate follows the schedule too",
        keys: &[
            lr(3e-3),
            decay::strength(0.0, "strength of the decoupled decay of matrices"),
            Key::float("beta1", 0.95, Bounds::DECAY, "decay of the mean of corrected gradients"),
            Key::float("beta2", 0.99, Bounds::DECAY, "decay of the mean of their squares")
                .second_moment_where(|settings| settings.choice::<Variant>("variant") == Variant::AdamW),
            EPS,
            Key::float("gamma", 0.025, Bounds::NON_NEGATIVE, "strength of the correction"),
            Key::choice("variant", Variant::WORDS, "adamw", "what the corrected gradient drives"),
            Key::flag("optimize_1d", false, "treat vectors as matrices are treated"),
            Key::float("lr_1d", 3e-3, Bounds::NON_NEGATIVE, "peak learning rate of vectors"),
            Key::float("beta1_1d", 0.9, Bounds::DECAY, "decay of the mean of gradients of vectors"),
            Key::float("beta2_1d", 0.95, Bounds::DECAY, "decay of the mean of squares of vectors"),
            Key::float("weight_decay_1d", 0.1, Bounds::NON_NEGATIVE, "strength of the decoupled decay of vectors"),
        ],
        source: "Yuan et al. 2024, arXiv 2411.10438; github.com/AGI-Arena/MARS",
    },
    memory: "three values per parameter of a matrix (two for lion), two of any other",
    asks: &[],
    build: |settings| {
        let moments = |beta1: &str, beta2: &str| Moments {
            beta1: settings.float(beta1),
            beta2: settings.float(beta2),
            eps: settings.float("eps"),
        };
        Whole::boxed(Mars {
            moments: moments("beta1", "beta2"),
            decay: Decay::decoupled(settings),
            gamma: settings.float("gamma"),
            variant: settings.choice("variant"),
            everything: settings.flag("optimize_1d"),
            vectors: Adam {
                moments: moments("beta1_1d", "beta2_1d"),
                decay: Decay::decoupled_by(settings.float("weight_decay_1d")),
            },
            vector_share: share_of_lr(settings, "lr_1d"),
        })
    },
};

crate::choice! {
    /// What the corrected gradient drives.
    enum Variant { AdamW = "adamw", Lion = "lion" }
}

struct Mars {
    moments: Moments,
    decay: Decay,
    gamma: f64,
    variant: Variant,
    everything: bool,
    vectors: Adam,
    vector_share: f64,
}

/// `c`, from a gradient and the previous one.
#[derive(Clone, Copy)]
struct Correction {
    /// `gamma beta1 / (1 - beta1)`.
    gain: f64,
    scale: f64,
}

impl Correction {
    #[inline(always)]
    fn at<R: Real>(&self, g: R, previous: R) -> R {
        (g.clone() + (g - previous) * self.gain) * self.scale
    }
}

impl Term<2> for Correction {
    #[inline(always)]
    fn term<R: Real>(&self, [g, previous]: [R; 2]) -> R {
        let c = self.at(g, previous);
        c.clone() * c
    }
}

struct ByMoments {
    correction: Correction,
    moments: Moments,
    decay: DecayStep,
    /// `lr / (1 - beta1^t)`.
    rate: f64,
    denominator: Denominator,
}

impl Kernel<3, 1> for ByMoments {
    #[inline(always)]
    fn apply<R: Real>(&self, p: R, [previous, m, v]: [R; 3], [g]: [R; 1]) -> (R, [R; 3]) {
        let c = self.correction.at(g.clone(), previous);
        let (p, c) = self.decay.apply(p, c);
        let (m, v) = self.moments.advance(m, v, c);
        let step = m.clone() * self.rate / self.denominator.of(v.clone());
        (p - step, [g, m, v])
    }
}

struct BySign {
    correction: Correction,
    moments: Moments,
    decay: DecayStep,
    lr: f64,
}

impl Kernel<2, 1> for BySign {
    #[inline(always)]
    fn apply<R: Real>(&self, p: R, [previous, m]: [R; 2], [g]: [R; 1]) -> (R, [R; 2]) {
        let c = self.correction.at(g.clone(), previous);
        let (p, c) = self.decay.apply(p, c);
        let m = self.moments.first(m, c);
        (p - m.clone().sign() * self.lr, [g, m])
    }
}

impl Mars {
    fn corrects(&self, dims: &[usize]) -> bool {
        self.everything || dims.len() > 1
    }
}

impl WholeRule for Mars {
    fn slots(&self, parameter: &Parameter) -> Vec<Slot> {
        if !self.corrects(parameter.var.dims()) {
            return Rule::<2>::slots(&self.vectors).into();
        }
        let mut slots = vec![Slot::zero("previous_gradient"), Slot::zero("first_moment")];
        if self.variant == Variant::AdamW {
            slots.push(Slot::zero("second_moment"));
        }
        slots
    }

    fn step(&mut self, tensors: &mut [Work], at: &Step) -> Result<()> {
        let vectors = Rule::<2>::coefficients(&mut self.vectors, &Step { lr: at.lr * self.vector_share, ..*at });
        let (moments, decay, lr) = (self.moments.at(at), self.decay.at(at.lr), at.lr);
        for work in tensors {
            if !self.corrects(work.weights().dims()) {
                work.update::<Adam, 2>(&vectors)?;
                continue;
            }
            let unscaled = Correction { gain: self.gamma * moments.beta1 / (1.0 - moments.beta1), scale: 1.0 };
            let norm = work.sum(&unscaled, [&*work.gradient, &work.slots[0]])?.sqrt();
            let correction = Correction { scale: 1.0 / norm.max(1.0), ..unscaled };
            match self.variant {
                Variant::AdamW => {
                    let (rate, denominator) = (lr / moments.corrections(at.t + 1).0, moments.denominator(at.t));
                    work.sweep(&ByMoments { correction, moments, decay, rate, denominator })?;
                }
                Variant::Lion => work.sweep(&BySign { correction, moments, decay, lr })?,
            }
        }
        Ok(())
    }
}
