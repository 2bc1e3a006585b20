//! The orthogonal matrix nearest to another one, nearly.

use candle_core::Tensor;

use crate::error::Result;
use crate::optim::linalg::{product, t};
use crate::optim::pass::sweep;
use crate::optim::whole::{Mix, norm};

/// Newton-Schulz: quintic steps that draw all singular values towards 1 (Jordan et al. 2024).
#[derive(Debug, Clone, Copy)]
pub(super) struct NewtonSchulz {
    /// How many steps.
    pub(super) iterations: usize,
    /// The least norm that a matrix is divided by.
    pub(super) eps: f64,
}

impl NewtonSchulz {
    /// Of a matrix, on its smaller side; `composed` asks for tensor operations.
    pub(super) fn apply(self, composed: bool, u: &Tensor) -> Result<Tensor> {
        let (rows, cols) = u.dims2()?;
        let norm = norm(composed, u)?.max(self.eps);
        // A matrix of zeros stays one, even without eps.
        let mut x = u.affine(if norm > 0.0 { 1.0 / norm } else { 0.0 }, 0.0)?;
        if rows > cols {
            x = x.t()?.contiguous()?;
        }
        for _ in 0..self.iterations {
            let mut gram = product(composed, &x, t(&x))?;
            let squared = product(composed, &gram, &gram)?;
            sweep(composed, &Mix { own: -4.7750, other: 2.0315 }, &mut gram, [], [&squared])?;
            let cubed = product(composed, &gram, &x)?;
            sweep(composed, &Mix { own: 3.4445, other: 1.0 }, &mut x, [], [&cubed])?;
        }
        Ok(if rows > cols { x.t()?.contiguous()? } else { x })
    }
}
