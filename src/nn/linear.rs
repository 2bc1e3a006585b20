//! `activation(x W' + b)`: a fully connected layer as one operation.

use candle_core::{Shape, Tensor};

use crate::error::Result;
use crate::nn::affine::affine;
use crate::nn::float::{Float, read};
use crate::nn::fused::{Inputs, Operation, apply3};
use crate::nn::hand_over::HandOver;
use crate::nn::matmul::{Matrix, product, write_product};
use crate::nn::params::{Init, Parameter};
use crate::nn::relu::relu;
use crate::nn::role::Role;
use crate::nn::simd::vectorized;

/// What follows the affine map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// `max(x, 0)`, with gradient 0 at 0.
    Relu,
}

/// A fully connected layer: weight `[outputs, inputs]`, bias `[outputs]`.
#[derive(Debug)]
pub struct Linear {
    weight: Parameter,
    bias: Parameter,
    activation: Activation,
    composed: bool,
}

impl Linear {
    /// A layer initialised as PyTorch does: weights and bias uniform within `1 / sqrt(inputs)`.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(init: &mut Init, name: &str, inputs: usize, outputs: usize, activation: Activation) -> Result<Self> {
        Self::of(init, name, Role::Hidden, (inputs, outputs), activation)
    }

    /// The same as the layer that gives a model's scores, with nothing after it.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn head(init: &mut Init, name: &str, inputs: usize, outputs: usize) -> Result<Self> {
        Self::of(init, name, Role::Head, (inputs, outputs), Activation::None)
    }

    fn of(
        init: &mut Init,
        name: &str,
        role: Role,
        (inputs, outputs): (usize, usize),
        activation: Activation,
    ) -> Result<Self> {
        let bound = 1.0 / (inputs as f64).sqrt();
        Ok(Self {
            weight: init.uniform(format!("{name}.weight"), role, (outputs, inputs), bound)?,
            bias: init.uniform(format!("{name}.bias"), Role::Bias, outputs, bound)?,
            activation,
            composed: init.is_composed(),
        })
    }

    /// A layer whose weight is another's parameter; its bias is its own.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn tied(init: &mut Init, name: &str, weight: &Parameter, activation: Activation) -> Result<Self> {
        let (outputs, inputs) = weight.var.dims2()?;
        let bias = init.uniform(format!("{name}.bias"), Role::Bias, outputs, 1.0 / (inputs as f64).sqrt())?;
        Ok(Self { weight: weight.clone(), bias, activation, composed: init.is_composed() })
    }

    /// The layer's outputs `[n, outputs]` for inputs `[n, inputs]`.
    ///
    /// # Errors
    /// When the shapes or number types do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (weight, bias) = (self.weight.var.as_tensor(), self.bias.var.as_tensor());
        if self.composed {
            let y = x.matmul(&weight.t()?)?.broadcast_add(bias)?;
            return Ok(match self.activation {
                Activation::None => y,
                Activation::Relu => relu(&y, true)?,
            });
        }
        let op = Fused {
            activation: self.activation,
            weight_gradient: self.weight.handed_over.clone(),
            bias_gradient: self.bias.handed_over.clone(),
        };
        apply3(op, [x, weight, bias])
    }
}

/// The layer as one node of the graph. The gradients of weight and bias are handed over beside it.
struct Fused {
    activation: Activation,
    weight_gradient: HandOver,
    bias_gradient: HandOver,
}

impl Fused {
    fn output<T: Float>(&self, x: &[T], weight: &[T], bias: &[T]) -> Vec<T> {
        let zero = T::of(0.0);
        match self.activation {
            Activation::None => affine(x, weight, bias, |y| y),
            // Not `max`: a NaN must stay one, or divergence would be hidden.
            Activation::Relu => affine(x, weight, bias, |y| if y < zero { zero } else { y }),
        }
    }

    /// The gradient before the activation, and its sum over the batch.
    fn through_activation<T: Float>(&self, y: &[T], gradient: &[T], outputs: usize) -> (Vec<T>, Vec<T>) {
        let zero = T::of(0.0);
        let mut bias_gradient = vec![zero; outputs];
        let mut inner = Vec::with_capacity(gradient.len());
        let relu = self.activation == Activation::Relu;
        vectorized(
            #[inline(always)]
            || {
                for (gradient, y) in gradient.chunks_exact(outputs).zip(y.chunks_exact(outputs)) {
                    let row = gradient.iter().zip(y).map(
                        #[inline(always)]
                        |(&gradient, &y)| if relu && y <= zero { zero } else { gradient },
                    );
                    inner.extend(row);
                    let row = &inner[inner.len() - outputs..];
                    for (sum, &gradient) in bias_gradient.iter_mut().zip(row) {
                        *sum += gradient;
                    }
                }
            },
        );
        (inner, bias_gradient)
    }
}

impl Operation<3> for Fused {
    const NAME: &'static str = "linear";
    type Saved<T: Float> = ();

    fn forward<T: Float>(&self, inputs: &Inputs<3>) -> candle_core::Result<(Vec<T>, Shape, ())> {
        let (outputs, width) = inputs.shape(1).dims2()?;
        let dims = inputs.shape(0).dims();
        if dims.last() != Some(&width) {
            candle_core::bail!("a linear layer of {width} inputs was given {dims:?}");
        }
        let shape: Shape = [&dims[..dims.len() - 1], &[outputs]].concat().into();
        Ok((self.output(inputs.elements(0)?, inputs.elements(1)?, inputs.elements(2)?), shape, ()))
    }

    fn backward<T: Float>(
        &self,
        [x, weight, _]: [&Tensor; 3],
        y: &Tensor,
        gradient: &Tensor,
        (): (),
    ) -> candle_core::Result<[Option<Tensor>; 3]> {
        let (outputs, inputs) = weight.dims2()?;
        let n = x.elem_count() / inputs;
        let device = x.device();
        let (inner, bias_gradient) =
            read(y, |y| read(gradient, |gradient| self.through_activation::<T>(y, gradient, outputs)))??;
        self.bias_gradient.put(Tensor::from_vec(bias_gradient, outputs, device)?)?;
        let inner = Matrix::new(&inner, n, outputs);
        read(x, |x| {
            self.weight_gradient
                .write((outputs, inputs), |out| write_product(out, inner.t(), Matrix::new(x, n, inputs)))
        })??;
        if !x.track_op() {
            return Ok([None, None, None]);
        }
        let gradient = read(weight, |weight| product(inner, Matrix::new(weight, outputs, inputs)))?;
        Ok([Some(Tensor::from_vec(gradient, x.shape(), device)?), None, None])
    }
}
