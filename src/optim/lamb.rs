//! LAMB: Adam with steps as long as the layer's weights.

use crate::error::Result;
use crate::nn::params::Parameter;
use crate::optim::adam::{BETA1, BETA2, Denominator, MOMENTS, Moments};
use crate::optim::common::lr;
use crate::optim::decay;
use crate::optim::definition::Definition;
use crate::optim::memory::Slot;
use crate::optim::optimizer::Step;
use crate::optim::pass::{Kernel, Term};
use crate::optim::real::Real;
use crate::optim::whole::{Whole, WholeRule, Work};
use crate::registry::{About, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "lamb",
        revision: 1,
        summary: "Adam whose step in a layer is as long as the layer's weights",
        equations: "\
m <- beta1 m + (1 - beta1) g                 m^ = m / (1 - beta1^t)
v <- beta2 v + (1 - beta2) g^2               v^ = v / (1 - beta2^t)
u = m^ / (sqrt(v^) + eps) + weight_decay p
p <- p - lr |p| / |u| u                      norms over the tensor; 1 where either is 0",
        keys: &[
            lr(1e-3),
            decay::strength(0.0, "strength of the decay, within the direction"),
            BETA1,
            BETA2,
            Key::float("eps", 1e-6, Bounds::NON_NEGATIVE, "added to the denominator"),
        ],
        source: "You et al. 2019, arXiv 1904.00962; optax.lamb",
    },
    memory: "two values per parameter",
    asks: &[],
    build: |settings| {
        Whole::boxed(Lamb { moments: Moments::of(settings), weight_decay: settings.float("weight_decay") })
    },
};

struct Lamb {
    moments: Moments,
    weight_decay: f64,
}

/// The moments after one more gradient.
struct Advance(Moments);

impl Kernel<1, 1> for Advance {
    #[inline(always)]
    fn apply<R: Real>(&self, m: R, [v]: [R; 1], [g]: [R; 1]) -> (R, [R; 1]) {
        let (m, v) = self.0.advance(m, v, g);
        (m, [v])
    }
}

/// The direction `u`.
#[derive(Clone, Copy)]
struct Direction {
    /// `1 / (1 - beta1^t)`.
    scale: f64,
    denominator: Denominator,
    weight_decay: f64,
}

impl Direction {
    #[inline(always)]
    fn at<R: Real>(&self, p: R, m: R, v: R) -> R {
        m * self.scale / self.denominator.of(v) + p * self.weight_decay
    }
}

impl Term<3> for Direction {
    #[inline(always)]
    fn term<R: Real>(&self, [p, m, v]: [R; 3]) -> R {
        let u = self.at(p, m, v);
        u.clone() * u
    }
}

struct Descend {
    direction: Direction,
    rate: f64,
}

impl Kernel<0, 2> for Descend {
    #[inline(always)]
    fn apply<R: Real>(&self, p: R, _: [R; 0], [m, v]: [R; 2]) -> (R, [R; 0]) {
        (p.clone() - self.direction.at(p, m, v) * self.rate, [])
    }
}

impl WholeRule for Lamb {
    fn slots(&self, _: &Parameter) -> Vec<Slot> {
        MOMENTS.into()
    }

    fn step(&mut self, tensors: &mut [Work], at: &Step) -> Result<()> {
        let moments = self.moments.at(at);
        let direction = Direction {
            scale: 1.0 / moments.corrections(at.t + 1).0,
            denominator: moments.denominator(at.t),
            weight_decay: self.weight_decay,
        };
        for work in tensors {
            work.write_slots(&Advance(moments))?;
            let [m, v] = &*work.slots else { unreachable!("two slots") };
            let size = work.norm(work.weights())?;
            let length = work.sum(&direction, [work.weights(), m, v])?.sqrt();
            let trust = if size > 0.0 && length > 0.0 { size / length } else { 1.0 };
            work.write_weights(&Descend { direction, rate: at.lr * trust }, [m, v])?;
        }
        Ok(())
    }
}
