//! The core of Schedule-Free: how the three sequences y, z and x hang together.
//!
//! ```text
//! z <- z - gamma d                  the base step, its direction d taken at y
//! x <- (1 - c) x + c z              c = w / sum of all w so far,  w = t^r max(gamma)^weight_lr_power
//! y <- beta x + (1 - beta) z        where the next gradient is taken; x is what is evaluated
//! ```
//!
//! Only y (in the model's own weights) and z are stored; x follows from them. Eliminating x gives
//! `y <- y + c (z - y) + gamma (beta (1 - c) - 1) d` with the z of before the step, which leaves
//! the weights exactly alone where the step is zero.

use crate::optim::real::Real;
use crate::registry::{Key, Range};
use crate::settings::Settings;

pub(super) const SOURCE: &str = "Defazio et al. 2024, The Road Less Scheduled, arXiv 2405.15682; \
     github.com/facebookresearch/schedule_free";
pub(super) const BETA: Key =
    Key::float("beta", 0.9, Range::SHARE, "how far towards the average x the gradient is taken; 1 is at x itself");
pub(super) const R: Key =
    Key::float("r", 0.0, Range::NON_NEGATIVE, "weight the iterate of step t by t^r in the average");
pub(super) const WEIGHT_LR_POWER: Key = Key::float(
    "weight_lr_power",
    2.0,
    Range::NON_NEGATIVE,
    "weight an iterate by the largest rate so far to this power, so that a warmup counts less",
);

/// The running average's weights.
#[derive(Debug, Clone)]
pub(super) struct Averaging {
    beta: f64,
    r: f64,
    weight_lr_power: f64,
    weight_sum: f64,
    lr_max: f64,
}

/// One step of the three sequences.
#[derive(Debug, Clone, Copy)]
pub(super) struct AveragingStep {
    /// The learning rate of the base step.
    pub(super) gamma: f64,
    /// The share of the newest iterate in the average.
    pub(super) c: f64,
    beta: f64,
}

impl Averaging {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            beta: settings.float("beta"),
            r: settings.float("r"),
            weight_lr_power: settings.float("weight_lr_power"),
            weight_sum: 0.0,
            lr_max: 0.0,
        }
    }

    /// Advances to the step after `t` updates, at rate `gamma`.
    pub(super) fn advance(&mut self, t: u64, gamma: f64) -> AveragingStep {
        self.lr_max = self.lr_max.max(gamma);
        let weight = ((t + 1) as f64).powf(self.r) * self.lr_max.powf(self.weight_lr_power);
        self.weight_sum += weight;
        // A rate of 0 at the first steps gives them no weight: nothing to average yet.
        let c = if self.weight_sum > 0.0 { weight / self.weight_sum } else { 0.0 };
        AveragingStep { gamma, c, beta: self.beta }
    }

    /// `x`, the average, from `y` and `z`.
    pub(super) fn x<R: Real>(&self, y: R, z: R) -> R {
        y.clone() + (z - y) * (1.0 - 1.0 / self.beta)
    }

    pub(super) fn scalars(&self) -> Vec<f64> {
        vec![self.weight_sum, self.lr_max]
    }

    pub(super) fn set_scalars(&mut self, scalars: &[f64]) {
        if let [weight_sum, lr_max] = *scalars {
            (self.weight_sum, self.lr_max) = (weight_sum, lr_max);
        }
    }
}

impl AveragingStep {
    /// `y` and `z` after a base step in direction `d`.
    #[inline(always)]
    pub(super) fn apply<R: Real>(&self, y: R, z: R, d: R) -> (R, R) {
        let towards_z = (z.clone() - y.clone()) * self.c;
        let along_d = d.clone() * (self.gamma * (self.beta * (1.0 - self.c) - 1.0));
        (y + towards_z + along_d, z - d * self.gamma)
    }
}
