//! SOAP: Adam in the eigenbasis of Shampoo's preconditioner.

use candle_core::{DType, Tensor};

use crate::error::Result;
use crate::nn::params::Parameter;
use crate::optim::adam::{EPS, MOMENTS, Moments};
use crate::optim::common::lr;
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::optim::linalg::{Square, as_matrix, product, t};
use crate::optim::memory::Slot;
use crate::optim::optimizer::Step;
use crate::optim::pass::{Kernel, sweep};
use crate::optim::real::Real;
use crate::optim::whole::{Average, AverageOfSquares, Whole, WholeRule, Work};
use crate::registry::{About, Accepts, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "soap",
        revision: 2,
        summary: "Adam in coordinates in which the gradients of a matrix are uncorrelated",
        equations: "\
L <- beta L + (1 - beta) g g^T,  R <- beta R + (1 - beta) g^T g      beta = shampoo_beta
t = 1: Ql, Qr = eigenvectors of L, R, and nothing else; then, with k = t - 1
m <- beta1 m + (1 - beta1) g
v <- beta2 v + (1 - beta2) (Ql^T g Qr)^2
u = Ql ((Ql^T m Qr) / (sqrt(v) + eps)) Qr^T
p <- (p - lr c u)(1 - lr weight_decay)       c = sqrt(1 - beta2^k) / (1 - beta1^k) if correct_bias, else 1
every precondition_frequency updates: Q <- orthogonal factor of L Ql (R Qr), largest directions first
vectors, and sides longer than max_precondition_dim: Q = 1; more than two axes count as [out, rest]",
        keys: &[
            lr(3e-3),
            decay::strength(0.01, "strength of the decoupled decay, after the step"),
            Key::float("beta1", 0.95, Bounds::DECAY, "decay of the mean of gradients"),
            Key::float("beta2", 0.95, Bounds::DECAY, "decay of the mean of squared gradients").second_moment(),
            Key::optional(
                "shampoo_beta",
                Accepts::Float(Bounds::DECAY),
                "decay of the preconditioner; beta2 where absent",
            ),
            EPS,
            Key::integer(
                "precondition_frequency",
                10,
                Bounds::at_least(1.0),
                "updates from one change of the basis to the next",
            ),
            Key::integer("max_precondition_dim", 10000, Bounds::NON_NEGATIVE, "the longest side that gets a basis"),
            Key::flag("correct_bias", true, "correct the moments' start from 0, as Adam does"),
        ],
        source: "Vyas et al. 2024, arXiv 2409.11321; github.com/nikhilvyas/SOAP",
    },
    memory: "two values per parameter, and two square matrices per side of a matrix",
    asks: &[],
    build: |settings| {
        let moments = Moments::of(settings);
        Whole::boxed(Soap {
            moments,
            decay: Decay::decoupled(settings),
            shampoo_beta: settings.optional_float("shampoo_beta").unwrap_or(moments.beta2),
            frequency: settings.count("precondition_frequency") as u64,
            longest: settings.count("max_precondition_dim"),
            correct_bias: settings.flag("correct_bias"),
        })
    },
};

struct Soap {
    moments: Moments,
    decay: Decay,
    shampoo_beta: f64,
    frequency: u64,
    longest: usize,
    correct_bias: bool,
}

/// An axis with a basis, and where its Gram matrix and its basis are among the slots.
#[derive(Clone, Copy)]
struct Side {
    axis: usize,
    gram: usize,
    basis: usize,
}

struct Precondition {
    eps: f64,
}

impl Kernel<0, 1> for Precondition {
    #[inline(always)]
    fn apply<R: Real>(&self, m: R, _: [R; 0], [v]: [R; 1]) -> (R, [R; 0]) {
        (m / (v.sqrt() + self.eps), [])
    }
}

struct Descend {
    keep: f64,
    rate: f64,
}

impl Kernel<0, 1> for Descend {
    #[inline(always)]
    fn apply<R: Real>(&self, p: R, _: [R; 0], [u]: [R; 1]) -> (R, [R; 0]) {
        ((p - u * self.rate) * self.keep, [])
    }
}

impl Soap {
    fn sides(&self, dims: &[usize]) -> Vec<Side> {
        let Some((rows, cols)) = as_matrix(dims) else { return Vec::new() };
        let axes = [rows, cols].into_iter().enumerate().filter(|(_, length)| *length <= self.longest);
        axes.enumerate().map(|(i, (axis, _))| Side { axis, gram: 2 + 2 * i, basis: 3 + 2 * i }).collect()
    }

    /// `Ql^T a Qr`, or back: `Ql a Qr^T`.
    fn rotated(work: &Work, sides: &[Side], a: &Tensor, back: bool) -> Result<Tensor> {
        let mut a = a.copy()?;
        for side in sides {
            let q = &work.slots[side.basis];
            a = match (side.axis, back) {
                (0, false) => product(work.composed, t(q), &a)?,
                (0, true) => product(work.composed, q, &a)?,
                (_, false) => product(work.composed, &a, q)?,
                (_, true) => product(work.composed, &a, t(q))?,
            };
        }
        Ok(a)
    }

    /// The Gram matrices after one more gradient.
    fn observe(&self, work: &mut Work, sides: &[Side], g: &Tensor) -> Result<()> {
        for side in sides {
            let outer = match side.axis {
                0 => product(work.composed, g, t(g))?,
                _ => product(work.composed, t(g), g)?,
            };
            sweep(work.composed, &Average { keep: self.shampoo_beta }, &mut work.slots[side.gram], [], [&outer])?;
        }
        Ok(())
    }

    /// One step of orthogonal iteration: the bases follow the Gram matrices.
    fn turn(work: &mut Work, sides: &[Side]) -> Result<()> {
        for side in sides {
            let (gram, basis) = (&work.slots[side.gram], &work.slots[side.basis]);
            let moved = product(work.composed, gram, basis)?;
            let sizes: Vec<f64> = (basis * &moved)?.sum(0)?.to_dtype(DType::F64)?.to_vec1()?;
            let mut order: Vec<u32> = (0..sizes.len() as u32).collect();
            order.sort_by(|&a, &b| sizes[b as usize].total_cmp(&sizes[a as usize]));
            let order = Tensor::new(order, basis.device())?;
            let turned = Square::of(&moved.index_select(&order, 1)?)?.orthogonal_factor().tensor(basis)?;
            work.slots[side.basis] = turned;
            work.slots[1] = work.slots[1].index_select(&order, side.axis)?;
        }
        Ok(())
    }
}

impl WholeRule for Soap {
    fn slots(&self, parameter: &Parameter) -> Vec<Slot> {
        let Some((rows, cols)) = as_matrix(parameter.var.dims()) else {
            return MOMENTS.into();
        };
        let mut slots = vec![Slot::shaped("first_moment", (rows, cols)), Slot::shaped("second_moment", (rows, cols))];
        for side in self.sides(parameter.var.dims()) {
            let (n, names) = match side.axis {
                0 => (rows, ["left_gram", "left_basis"]),
                _ => (cols, ["right_gram", "right_basis"]),
            };
            slots.extend(names.map(|name| Slot::shaped(name, (n, n))));
        }
        slots
    }

    fn step(&mut self, tensors: &mut [Work], at: &Step) -> Result<()> {
        let moments = self.moments.at(at);
        let (first, second) = moments.corrections(at.t);
        let correction = if self.correct_bias { second.sqrt() / first } else { 1.0 };
        for work in tensors {
            let sides = self.sides(work.weights().dims());
            let gradient = match as_matrix(work.weights().dims()) {
                Some(matrix) => work.gradient.reshape(matrix)?,
                None => work.gradient.clone().into_owned(),
            };
            if at.t == 0 {
                self.observe(work, &sides, &gradient)?;
                for side in &sides {
                    let gram = &work.slots[side.gram];
                    work.slots[side.basis] = Square::of(gram)?.eigenvectors()?.tensor(gram)?;
                }
                continue;
            }
            let composed = work.composed;
            sweep(composed, &Average { keep: moments.beta1 }, &mut work.slots[0], [], [&gradient])?;
            let turned = Self::rotated(work, &sides, &gradient, false)?;
            sweep(composed, &AverageOfSquares { keep: moments.beta2 }, &mut work.slots[1], [], [&turned])?;
            let mut u = Self::rotated(work, &sides, &work.slots[0], false)?;
            sweep(composed, &Precondition { eps: moments.eps }, &mut u, [], [&work.slots[1]])?;
            let u = Self::rotated(work, &sides, &u, true)?.reshape(work.weights().shape())?;
            let descend = Descend { keep: self.decay.at(at.lr).shrink(), rate: at.lr * correction };
            work.write_weights(&descend, [&u])?;
            self.observe(work, &sides, &gradient)?;
            if at.t.is_multiple_of(self.frequency) {
                Self::turn(work, &sides)?;
            }
        }
        Ok(())
    }
}
