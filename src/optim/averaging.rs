//! The core of Schedule-Free: how the three sequences y, z and x hang together.
//!
//! ```text
//! z <- z - gamma d                  the base step, its direction d taken at y
//! x <- (1 - c) x + c z              c = w / sum of all w so far,  w = t^r max(gamma)^weight_lr_power
//! y <- beta x + (1 - beta) z        where the next gradient is taken; x is what is evaluated
//! ```
//!
//! From beta 0.5 on, only y (in the model's own weights) and z are stored; x follows from them. Eliminating x gives
//! `y <- y + c (z - y) + gamma (beta (1 - c) - 1) d` with the z of before the step, which leaves
//! the weights exactly alone where the step is zero.
//!
//! The way back, `x = y + (z - y) (1 - 1 / beta)`, multiplies the rounding of y and z by about
//! `2 / beta`: where beta is below [`LEAST_BETA`], x is stored as well. With beta = 0, y is z.

use std::array;

use crate::choice::Choice;
use crate::optim::optimizer::{Optimizer, Step};
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{Bounds, Key};
use crate::settings::Settings;

pub(super) const SOURCE: &str = "Defazio et al. 2024, The Road Less Scheduled, arXiv 2405.15682; \
     github.com/facebookresearch/schedule_free";
pub(super) const BETA: Key = Key::float(
    "beta",
    0.9,
    Bounds::UNIT,
    "how far from z towards the average x the gradient is taken; 0 is at z, 1 at x; a schedule that moves the momentum \
     leaves it alone (torch's OneCycleLR and CyclicLR would move it)",
);
pub(super) const R: Key =
    Key::float("r", 0.0, Bounds::NON_NEGATIVE, "weight the iterate of step t by t^r in the average");
pub(super) const WEIGHT_LR_POWER: Key = Key::float(
    "weight_lr_power",
    2.0,
    Bounds::NON_NEGATIVE,
    "weight an iterate by the largest rate so far to this power, so that a warmup counts less",
);
pub(super) const EVALUATE_AT: Key = Key::choice(
    "evaluate_at",
    Sequence::WORDS,
    "x",
    "the sequence to evaluate: the average x; y and z show what evaluating elsewhere costs",
);
pub(super) const WEIGHT_DECAY: Key =
    Key::float("weight_decay", 0.0, Bounds::NON_NEGATIVE, "strength of the decay, taken at y");

/// The least beta with which x is told from y and z; they lose two bits of it then.
const LEAST_BETA: f64 = 0.5;

/// The running average's weights.
#[derive(Debug, Clone)]
pub(super) struct Averaging {
    beta: f64,
    r: f64,
    weight_lr_power: f64,
    evaluate_at: Sequence,
    weight_sum: f64,
    lr_max: f64,
}

crate::choice! {
    /// One of the three.
    enum Sequence { X = "x", Y = "y", Z = "z" }
}

/// One step of the three sequences.
#[derive(Debug, Clone, Copy)]
pub(super) struct AveragingStep {
    /// The learning rate of the base step.
    gamma: f64,
    /// The share of the newest iterate in the average.
    c: f64,
    beta: f64,
}

impl Averaging {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            beta: settings.float("beta"),
            r: settings.float("r"),
            weight_lr_power: settings.float("weight_lr_power"),
            evaluate_at: settings.choice("evaluate_at"),
            weight_sum: 0.0,
            lr_max: 0.0,
        }
    }

    /// Whether x is stored, because y and z do not tell it well enough.
    pub(super) fn keeps_x(&self) -> bool {
        self.beta < LEAST_BETA
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

    /// `x`, the average, from `y` and `z`, where it is not stored.
    #[inline(always)]
    pub(super) fn x<R: Real>(&self, y: R, z: R) -> R {
        y.clone() + (z - y) * (1.0 - 1.0 / self.beta)
    }

    /// Whether evaluation takes place where training does.
    pub(super) fn evaluates_at_y(&self) -> bool {
        self.evaluate_at == Sequence::Y
    }

    /// The weight to evaluate at; `x` where it is stored.
    pub(super) fn evaluation<R: Real>(&self, y: R, z: R, x: Option<R>) -> R {
        match self.evaluate_at {
            Sequence::X => x.unwrap_or_else(|| self.x(y, z)),
            Sequence::Y => y,
            Sequence::Z => z,
        }
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
    fn apply<R: Real>(&self, y: R, z: R, d: R) -> (R, R) {
        let towards_z = (z.clone() - y.clone()) * self.c;
        let along_d = d.clone() * (self.gamma * (self.beta * (1.0 - self.c) - 1.0));
        (y + towards_z + along_d, z - d * self.gamma)
    }

    /// `x` from the old `x` and the new `z`, whatever took the step.
    #[inline(always)]
    fn x<R: Real>(&self, x: R, z: R) -> R {
        x.clone() + (z - x) * self.c
    }

    /// `y` from the old `x` and the new `z`, whatever took the step.
    #[inline(always)]
    pub(super) fn y<R: Real>(&self, x: R, z: R) -> R {
        let x = self.x(x, z.clone());
        x.clone() + (z - x) * (1.0 - self.beta)
    }

    /// `y` and `x` from the old `x` and the new `z`, where beta is small: with 0, `y` is exactly `z`.
    #[inline(always)]
    pub(super) fn y_and_x<R: Real>(&self, x: R, z: R) -> (R, R) {
        let x = self.x(x, z.clone());
        (z.clone() + (x.clone() - z) * self.beta, x)
    }
}

/// What moves z: a direction from a gradient taken at y.
pub(super) trait Direction: Send + 'static {
    /// What depends on the step alone.
    type Coefficients;

    /// The names of what is remembered beside z, which starts from 0.
    const REMEMBERS: &'static [&'static str];

    /// What the rate of the step after `t` updates is multiplied by.
    fn factor(&self, t: u64) -> f64;

    /// The coefficients of the step after `t` updates.
    fn coefficients(&self, t: u64) -> Self::Coefficients;

    /// The direction, and what is remembered brought up to date.
    fn direction<R: Real>(k: &Self::Coefficients, g: R, remembered: &mut [R]) -> R;
}

/// Schedule-Free with a direction, and weight decay taken at y.
///
/// Its slots are z, what the direction remembers, and at last x where one is left for it.
struct ScheduleFree<D> {
    averaging: Averaging,
    weight_decay: f64,
    direction: D,
}

/// Schedule-Free with a direction, as the settings ask for it.
pub(super) fn boxed<D: Direction>(settings: &Settings, direction: D) -> Box<dyn Optimizer> {
    let (averaging, weight_decay) = (Averaging::of(settings), settings.float("weight_decay"));
    let slots = 1 + D::REMEMBERS.len() + usize::from(averaging.keeps_x());
    let rule = ScheduleFree { averaging, weight_decay, direction };
    match slots {
        1 => Elementwise::<_, 1>::boxed(rule),
        2 => Elementwise::<_, 2>::boxed(rule),
        3 => Elementwise::<_, 3>::boxed(rule),
        more => unreachable!("{more} numbers for each weight"),
    }
}

/// Whether one of `slots` is left for x.
const fn keeps_x<D: Direction>(slots: usize) -> bool {
    slots > 1 + D::REMEMBERS.len()
}

/// The coefficients of a Schedule-Free step.
struct Coefficients<K> {
    averaging: AveragingStep,
    weight_decay: f64,
    direction: K,
}

impl<D: Direction, const N: usize> Rule<N> for ScheduleFree<D> {
    type Coefficients = Coefficients<D::Coefficients>;

    fn slots(&self) -> [Slot; N] {
        array::from_fn(|i| match i.checked_sub(1) {
            None => Slot::weights("z"),
            Some(i) => D::REMEMBERS.get(i).map_or(Slot::weights("x"), |name| Slot::zero(name)),
        })
    }

    fn own_factor(&self, at: &Step) -> f64 {
        self.direction.factor(at.t)
    }

    fn coefficients(&mut self, at: &Step) -> Self::Coefficients {
        let gamma = at.lr * self.direction.factor(at.t);
        Coefficients {
            averaging: self.averaging.advance(at.t, gamma),
            weight_decay: self.weight_decay,
            direction: self.direction.coefficients(at.t),
        }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Self::Coefficients, y: R, g: R, mut slots: [R; N]) -> (R, [R; N]) {
        let d = D::direction(&k.direction, g, &mut slots[1..]) + y.clone() * k.weight_decay;
        if keeps_x::<D>(N) {
            let z = slots[0].clone() - d * k.averaging.gamma;
            let (y, x) = k.averaging.y_and_x(slots[N - 1].clone(), z.clone());
            (slots[0], slots[N - 1]) = (z, x);
            return (y, slots);
        }
        let (y, z) = k.averaging.apply(y, slots[0].clone(), d);
        slots[0] = z;
        (y, slots)
    }

    fn scalars(&self) -> Vec<f64> {
        self.averaging.scalars()
    }

    fn set_scalars(&mut self, scalars: &[f64]) {
        self.averaging.set_scalars(scalars);
    }

    fn evaluates_elsewhere(&self) -> bool {
        !self.averaging.evaluates_at_y()
    }

    fn evaluation<R: Real>(&self, y: R, slots: [R; N]) -> R {
        let x = keeps_x::<D>(N).then(|| slots[N - 1].clone());
        self.averaging.evaluation(y, slots[0].clone(), x)
    }
}
