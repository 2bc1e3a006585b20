//! Muon: momentum with all its singular values made equal.

use crate::choice::Choice;
use crate::error::Result;
use crate::nn::params::Parameter;
use crate::optim::adam::{Adam, Moments};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::optim::linalg::as_matrix;
use crate::optim::memory::Slot;
use crate::optim::newton_schulz::NewtonSchulz;
use crate::optim::optimizer::Step;
use crate::optim::pass::{Kernel, sweep};
use crate::optim::real::{Real, ema};
use crate::optim::rule::Rule;
use crate::optim::whole::{Mix, Whole, WholeRule, Work};
use crate::registry::{About, Bounds, Key};
use crate::settings::Settings;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "muon",
        revision: 1,
        summary: "momentum made orthogonal, for matrices; AdamW for all else",
        equations: "\
b <- momentum b + (1 - momentum) g           matrices; more than two axes count as [out, rest]
u = momentum b + (1 - momentum) g if nesterov, else b
o = u / max(|u|, eps), then ns_steps times   a = o o^T;  o <- 3.4445 o + (-4.7750 a + 2.0315 a a) o
p <- p (1 - lr weight_decay) - lr scale o
scale = sqrt(max(1, rows / cols))            adjust_lr = \"original\"
        0.2 sqrt(max(rows, cols))            adjust_lr = \"match_rms_adamw\"
        sqrt(rows / cols)                    adjust_lr = \"spectral_unclamped\"
other tensors: adamw at the rate adamw_lr, which follows the schedule too",
        keys: &[
            lr(0.02),
            decay::strength(0.0, "strength of the decoupled decay"),
            Key::float("momentum", 0.95, Bounds::DECAY, "decay of the mean of gradients"),
            Key::flag("nesterov", true, "look ahead along the momentum"),
            Key::integer(
                "ns_steps",
                5,
                Bounds::within(0.0, 100.0),
                "Newton-Schulz iterations towards the nearest orthogonal matrix",
            ),
            Key::float("eps", 1e-7, Bounds::NON_NEGATIVE, "the least norm that a matrix is divided by"),
            Key::choice("adjust_lr", Adjustment::WORDS, "original", "how the step depends on the shape of the matrix"),
            Key::float(
                "adamw_lr",
                3e-4,
                Bounds::NON_NEGATIVE,
                "peak learning rate of parameters that are not matrices",
            ),
            Key::float(
                "adamw_beta1",
                0.9,
                Bounds::DECAY,
                "decay of the mean of gradients of parameters that are not matrices",
            ),
            Key::float(
                "adamw_beta2",
                0.95,
                Bounds::DECAY,
                "decay of the mean of squares of parameters that are not matrices",
            ),
            Key::float(
                "adamw_eps",
                1e-10,
                Bounds::NON_NEGATIVE,
                "added to the denominator for parameters that are not matrices",
            ),
        ],
        source: "Jordan et al. 2024, github.com/KellerJordan/Muon; torch.optim.Muon",
    },
    memory: "one value per parameter of a matrix, two of any other",
    asks: &[],
    build: |settings| {
        Whole::boxed(Muon {
            momentum: settings.float("momentum"),
            nesterov: settings.flag("nesterov"),
            newton_schulz: NewtonSchulz { iterations: settings.count("ns_steps"), eps: settings.float("eps") },
            adjustment: settings.choice("adjust_lr"),
            decay: Decay::decoupled(settings),
            adamw: adamw(settings),
            adamw_share: share_of_lr(settings, "adamw_lr"),
        })
    },
};

fn adamw(settings: &Settings) -> Adam {
    let moments = Moments {
        beta1: settings.float("adamw_beta1"),
        beta2: settings.float("adamw_beta2"),
        eps: settings.float("adamw_eps"),
    };
    Adam { moments, decay: Decay::decoupled(settings) }
}

/// A second rate as a share of `lr`, so that it follows the schedule; 0 where `lr` is 0.
pub(super) fn share_of_lr(settings: &Settings, key: &str) -> f64 {
    let lr = settings.float("lr");
    if lr > 0.0 { settings.float(key) / lr } else { 0.0 }
}

struct Muon {
    momentum: f64,
    nesterov: bool,
    newton_schulz: NewtonSchulz,
    adjustment: Adjustment,
    decay: Decay,
    adamw: Adam,
    adamw_share: f64,
}

crate::choice! {
    /// How the step depends on the shape of the matrix.
    enum Adjustment { Original = "original", MatchAdamW = "match_rms_adamw", Spectral = "spectral_unclamped" }
}

impl Adjustment {
    fn scale(self, rows: usize, cols: usize) -> f64 {
        let (rows, cols) = (rows as f64, cols as f64);
        match self {
            Self::Original => (rows / cols).max(1.0).sqrt(),
            Self::MatchAdamW => 0.2 * rows.max(cols).sqrt(),
            Self::Spectral => (rows / cols).sqrt(),
        }
    }
}

/// The gradient becomes the direction, and the momentum advances.
struct Accelerate {
    momentum: f64,
    nesterov: bool,
}

impl Kernel<1, 0> for Accelerate {
    #[inline(always)]
    fn apply<R: Real>(&self, g: R, [buffer]: [R; 1], _: [R; 0]) -> (R, [R; 1]) {
        let buffer = ema(buffer, g.clone(), self.momentum);
        let direction = if self.nesterov { ema(buffer.clone(), g, self.momentum) } else { buffer.clone() };
        (direction, [buffer])
    }
}

impl WholeRule for Muon {
    fn slots(&self, parameter: &Parameter) -> Vec<Slot> {
        match as_matrix(parameter.var.dims()) {
            Some(_) => vec![Slot::zero("momentum")],
            None => Rule::<2>::slots(&self.adamw).into(),
        }
    }

    fn step(&mut self, tensors: &mut [Work], at: &Step) -> Result<()> {
        let adamw = Rule::<2>::coefficients(&mut self.adamw, &Step { lr: at.lr * self.adamw_share, ..*at });
        let momentum = at.momentum.unwrap_or(self.momentum);
        for work in tensors {
            let Some((rows, cols)) = as_matrix(work.weights().dims()) else {
                work.update::<Adam, 2>(&adamw)?;
                continue;
            };
            let mut direction = work.gradient.contiguous()?.copy()?;
            let accelerate = Accelerate { momentum, nesterov: self.nesterov };
            sweep(work.composed, &accelerate, &mut direction, [&mut work.slots[0]], [])?;
            let orthogonal = self.newton_schulz.apply(work.composed, &direction.reshape((rows, cols))?)?;
            let rate = at.lr * self.adjustment.scale(rows, cols);
            let descend = Mix { own: self.decay.at(at.lr).shrink(), other: -rate };
            work.write_weights(&descend, [&orthogonal.reshape(work.weights().shape())?])?;
        }
        Ok(())
    }
}
