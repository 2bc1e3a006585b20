//! Prodigy: Adam that finds its own learning rate.

use crate::error::Result;
use crate::nn::params::Parameter;
use crate::optim::adam::{BETA1, BETA2, EPS, Moments};
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::optim::memory::Slot;
use crate::optim::optimizer::Step;
use crate::optim::pass::{Kernel, Term};
use crate::optim::real::Real;
use crate::optim::whole::{Whole, WholeRule, Work};
use crate::registry::{About, Accepts, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "prodigy",
        revision: 1,
        summary: "Adam scaled by an estimate of how far the solution is",
        equations: "\
rate = d lr                                  bias_correction: times sqrt(1 - beta2^t) / (1 - beta1^t)
a <- beta3 a + (d / d0) rate <g, p0 - p>     over all tensors; p0 is the start
m <- beta1 m + (1 - beta1) d g
v <- beta2 v + (1 - beta2) d^2 g^2
s <- beta3 s + (d / d0) rate g               safeguard_warmup: d in place of rate
dhat = d_coef a / |s|_1                      over all tensors; no step where it divides by 0
d <- max(d, dhat) while d = d0;  d_max <- max(d_max, dhat);  d <- min(d_max, d growth_rate)
p <- p (1 - rate weight_decay) - rate m / (sqrt(v) + d eps)     the old rate, the new d",
        keys: &[
            Key::float("lr", 1.0, Bounds::NON_NEGATIVE, "multiplies the estimated rate; leave at 1"),
            decay::strength(0.0, "strength of the decoupled decay"),
            BETA1,
            BETA2,
            Key::optional(
                "beta3",
                Accepts::Float(Bounds::DECAY),
                "decay of the sums in the estimate; sqrt(beta2) where absent",
            ),
            EPS,
            Key::float("d0", 1e-6, Bounds::POSITIVE, "the first estimate; small enough is good enough"),
            Key::float("d_coef", 1.0, Bounds::POSITIVE, "multiplies the estimate"),
            Key::optional(
                "growth_rate",
                Accepts::Float(Bounds::at_least(1.0)),
                "the most that the estimate grows by a step; any where absent",
            ),
            Key::flag("bias_correction", false, "correct the moments' start from 0, as Adam does"),
            Key::flag("safeguard_warmup", false, "keep a warmup from inflating the estimate"),
        ],
        source: "Mishchenko and Defazio 2023, arXiv 2306.06101; github.com/konstmish/prodigy",
    },
    memory: "four values per parameter",
    asks: &[],
    build: |settings| {
        let moments = Moments::of(settings);
        let d0 = settings.float("d0");
        Whole::boxed(Prodigy {
            moments,
            decay: Decay::decoupled(settings),
            beta3: settings.optional_float("beta3").unwrap_or(moments.beta2.sqrt()),
            d0,
            d_coef: settings.float("d_coef"),
            growth_rate: settings.optional_float("growth_rate").unwrap_or(f64::INFINITY),
            bias_correction: settings.flag("bias_correction"),
            safeguard_warmup: settings.flag("safeguard_warmup"),
            d: d0,
            d_max: d0,
            numerator: 0.0,
        })
    },
};

struct Prodigy {
    moments: Moments,
    decay: Decay,
    beta3: f64,
    d0: f64,
    d_coef: f64,
    growth_rate: f64,
    bias_correction: bool,
    safeguard_warmup: bool,
    d: f64,
    d_max: f64,
    numerator: f64,
}

/// How far the gradient points back to the start.
struct Back;

impl Term<3> for Back {
    #[inline(always)]
    fn term<R: Real>(&self, [g, start, p]: [R; 3]) -> R {
        g * (start - p)
    }
}

struct Absolute;

impl Term<1> for Absolute {
    #[inline(always)]
    fn term<R: Real>(&self, [s]: [R; 1]) -> R {
        s.abs()
    }
}

struct Advance {
    moments: Moments,
    d: f64,
    beta3: f64,
    /// What `s` takes of the gradient.
    weight: f64,
}

impl Kernel<2, 1> for Advance {
    #[inline(always)]
    fn apply<R: Real>(&self, m: R, [v, s]: [R; 2], [g]: [R; 1]) -> (R, [R; 2]) {
        let (m, v) = self.moments.advance(m, v, g.clone() * self.d);
        (m, [v, s * self.beta3 + g * self.weight])
    }
}

struct Descend {
    keep: f64,
    rate: f64,
    eps: f64,
}

impl Kernel<0, 2> for Descend {
    #[inline(always)]
    fn apply<R: Real>(&self, p: R, _: [R; 0], [m, v]: [R; 2]) -> (R, [R; 0]) {
        (p * self.keep - m * self.rate / (v.sqrt() + self.eps), [])
    }
}

impl Prodigy {
    /// The rate of a step, with the correction for the moments' start in it.
    fn rate(&self, at: &Step) -> f64 {
        let (first, second) = self.moments.at(at).corrections(at.t + 1);
        let correction = if self.bias_correction { second.sqrt() / first } else { 1.0 };
        self.d * at.lr * correction
    }
}

impl WholeRule for Prodigy {
    fn slots(&self, _: &Parameter) -> Vec<Slot> {
        let start_from_zero = ["first_moment", "second_moment", "distance_weights"].map(Slot::zero);
        start_from_zero.into_iter().chain([Slot::weights("start")]).collect()
    }

    fn step(&mut self, tensors: &mut [Work], at: &Step) -> Result<()> {
        let (moments, d, rate) = (self.moments.at(at), self.d, self.rate(at));
        let weight = d / self.d0 * if self.safeguard_warmup { d } else { rate };
        let (mut back, mut denominator) = (0.0, 0.0);
        for work in &mut *tensors {
            back += work.sum(&Back, [&*work.gradient, &work.slots[3], work.weights()])?;
            work.write_slots(&Advance { moments, d, beta3: self.beta3, weight })?;
            denominator += work.sum(&Absolute, [&work.slots[2]])?;
        }
        self.numerator = self.beta3 * self.numerator + d / self.d0 * rate * back;
        if denominator == 0.0 {
            return Ok(());
        }
        let estimate = self.d_coef * self.numerator / denominator;
        if self.d == self.d0 {
            self.d = self.d.max(estimate);
        }
        self.d_max = self.d_max.max(estimate);
        self.d = self.d_max.min(self.d * self.growth_rate);
        let descend = Descend { keep: self.decay.at(rate).shrink(), rate, eps: self.d * moments.eps };
        for work in tensors {
            work.write_weights(&descend, [&work.slots[0], &work.slots[1]])?;
        }
        Ok(())
    }

    fn own_factor(&self, _at: &Step) -> f64 {
        self.d
    }

    fn scalars(&self) -> Vec<f64> {
        vec![self.d, self.d_max, self.numerator]
    }

    fn set_scalars(&mut self, scalars: &[f64]) {
        if let [d, d_max, numerator] = *scalars {
            (self.d, self.d_max, self.numerator) = (d, d_max, numerator);
        }
    }
}
