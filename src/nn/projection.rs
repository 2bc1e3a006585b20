//! `x W' + b` on slices: the affine map as a part of larger fused layers.

use candle_core::{Device, Tensor};

use crate::error::Result;
use crate::nn::affine::column_sums;
use crate::nn::float::{Float, read};
use crate::nn::matmul::{Matrix, add_product, product, write_product};
use crate::nn::params::{Init, Parameter};
use crate::nn::role::Role;
use crate::nn::simd::vectorized;
use crate::nn::transpose::transposed;

/// Weight `[outputs, inputs]` and bias `[outputs]`.
#[derive(Debug)]
pub(super) struct Projection {
    weight: Parameter,
    bias: Parameter,
    inputs: usize,
    outputs: usize,
}

impl Projection {
    /// A map with normally distributed weights and a bias of 0.
    pub(super) fn new(init: &mut Init, name: &str, (inputs, outputs): (usize, usize), deviation: f64) -> Result<Self> {
        let weight = init.normal(format!("{name}.weight"), Role::Hidden, (outputs, inputs), deviation)?;
        let bias = init.constant(format!("{name}.bias"), Role::Bias, outputs, 0.0)?;
        Ok(Self { weight, bias, inputs, outputs })
    }

    /// The outputs `[n, outputs]` for inputs `[n, inputs]`.
    pub(super) fn forward<T: Float>(&self, x: &[T]) -> candle_core::Result<Vec<T>> {
        let weight = read(self.weight.var.as_tensor(), |weight| transposed(weight, self.outputs))?;
        let mut y = product(self.rows(x), Matrix::new(&weight, self.inputs, self.outputs));
        read(self.bias.var.as_tensor(), |bias: &[T]| add_to_rows(&mut y, bias))?;
        Ok(y)
    }

    /// Hands over the gradients of weight and bias, from the inputs and the gradient of the outputs.
    pub(super) fn hand_over<T: Float>(&self, x: &[T], gradient: &[T]) -> candle_core::Result<()> {
        let sums = column_sums(gradient, self.outputs);
        self.bias.handed_over.put(Tensor::from_vec(sums, self.outputs, &Device::Cpu)?)?;
        let transposed = Matrix::new(gradient, gradient.len() / self.outputs, self.outputs).t();
        self.weight.handed_over.write((self.outputs, self.inputs), |out| write_product(out, transposed, self.rows(x)))
    }

    /// The gradient of the inputs.
    pub(super) fn pulled_back<T: Float>(&self, gradient: &[T]) -> candle_core::Result<Vec<T>> {
        self.with_weight(gradient, product)
    }

    /// Adds the gradient of the inputs to what other maps of the same inputs gave.
    pub(super) fn add_pulled_back<T: Float>(&self, gradient: &[T], to: &mut [T]) -> candle_core::Result<()> {
        self.with_weight(gradient, |gradient, weight| add_product(to, gradient, weight))
    }

    fn with_weight<T: Float, R>(
        &self,
        gradient: &[T],
        f: impl FnOnce(Matrix<T>, Matrix<T>) -> R,
    ) -> candle_core::Result<R> {
        let gradient = Matrix::new(gradient, gradient.len() / self.outputs, self.outputs);
        read(self.weight.var.as_tensor(), |weight| f(gradient, Matrix::new(weight, self.outputs, self.inputs)))
    }

    fn rows<'a, T>(&self, x: &'a [T]) -> Matrix<'a, T> {
        Matrix::new(x, x.len() / self.inputs, self.inputs)
    }

    /// The same of candle's operations: `[.., inputs]` to `[.., outputs]`.
    pub(super) fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let shape = [&x.dims()[..x.rank() - 1], &[self.outputs]].concat();
        let rows = x.reshape((x.elem_count() / self.inputs, self.inputs))?;
        let y = rows.matmul(&self.weight.var.as_tensor().t()?)?.reshape(shape)?;
        Ok(y.broadcast_add(self.bias.var.as_tensor())?)
    }
}

fn add_to_rows<T: Float>(rows: &mut [T], bias: &[T]) {
    vectorized(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(bias.len()) {
                for (y, &bias) in row.iter_mut().zip(bias) {
                    *y += bias;
                }
            }
        },
    );
}
