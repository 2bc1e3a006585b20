//! Learned positions: a vector for every place in a window, added to what stands there.

use candle_core::{Shape, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, read};
use crate::nn::fused::{Inputs, Operation, apply1};
use crate::nn::params::{Init, Parameter};
use crate::nn::role::Role;
use crate::nn::simd::add;

/// The table `[length, width]`.
#[derive(Debug, Clone)]
pub struct Positions {
    table: Parameter,
    composed: bool,
}

impl Positions {
    /// A table of normally distributed numbers.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(init: &mut Init, name: &str, (length, width): (usize, usize), deviation: f64) -> Result<Self> {
        let table = init.normal(format!("{name}.weight"), Role::Embedding, (length, width), deviation)?;
        Ok(Self { table, composed: init.is_composed() })
    }

    /// Windows `[windows, length, width]` with their places' vectors added.
    ///
    /// # Errors
    /// When the windows are not as long and as wide as the table.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if self.composed {
            return Ok(x.broadcast_add(self.table.var.as_tensor())?);
        }
        apply1(Fused(self.table.clone()), x)
    }
}

/// The addition as one node of the graph.
struct Fused(Parameter);

impl Operation<1> for Fused {
    const NAME: &'static str = "positions";
    type Saved<T: Float> = ();

    fn forward<T: Float>(&self, inputs: &Inputs<1>) -> candle_core::Result<(Vec<T>, Shape, ())> {
        let (x, shape) = (inputs.elements::<T>(0)?, inputs.shape(0));
        let (_, length, width) = shape.dims3()?;
        if self.0.var.dims() != [length, width] {
            candle_core::bail!("positions {:?} for windows {shape:?}", self.0.var.dims());
        }
        let mut y = x.to_vec();
        read(self.0.var.as_tensor(), |table: &[T]| {
            for window in y.chunks_exact_mut(table.len()) {
                add(window, table);
            }
        })?;
        Ok((y, shape.clone(), ()))
    }

    fn backward<T: Float>(
        &self,
        _: [&Tensor; 1],
        _: &Tensor,
        gradient: &Tensor,
        (): (),
    ) -> candle_core::Result<[Option<Tensor>; 1]> {
        read(gradient, |gradient: &[T]| {
            self.0.handed_over.write(self.0.var.shape(), |sum: &mut [T]| {
                sum.fill(T::of(0.0));
                for window in gradient.chunks_exact(sum.len()) {
                    add(sum, window);
                }
            })
        })??;
        Ok([Some(gradient.clone())])
    }
}
