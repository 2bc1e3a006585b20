//! The scores of a language model, `x W'` without a bias.

use candle_core::{Device, Shape, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, read, read_all};
use crate::nn::fused::{Inputs, Operation, apply2};
use crate::nn::hand_over::HandOver;
use crate::nn::matmul::{Matrix, product, write_product};
use crate::nn::params::{Init, Parameter};
use crate::nn::role::Role;

/// The layer: weight `[classes, width]`.
#[derive(Debug)]
pub struct Head {
    weight: Parameter,
    composed: bool,
}

impl Head {
    /// A layer of normally distributed weights.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(init: &mut Init, name: &str, (width, classes): (usize, usize), deviation: f64) -> Result<Self> {
        let weight = init.normal(format!("{name}.weight"), Role::Head, (classes, width), deviation)?;
        Ok(Self::tied(init, &weight))
    }

    /// A layer whose weight is another's parameter.
    pub fn tied(init: &Init, weight: &Parameter) -> Self {
        Self { weight: weight.clone(), composed: init.is_composed() }
    }

    /// The scores `[n, classes]` of rows `[n, width]`.
    ///
    /// # Errors
    /// When the rows do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let weight = self.weight.var.as_tensor();
        if self.composed {
            return Ok(x.matmul(&weight.t()?)?);
        }
        apply2(Fused(self.weight.handed_over.clone()), [x, weight])
    }
}

/// The layer as one node of the graph. The gradient of the weight is handed over beside it.
struct Fused(HandOver);

impl Operation<2> for Fused {
    const NAME: &'static str = "head";
    type Saved<T: Float> = ();

    fn forward<T: Float>(&self, inputs: &Inputs<2>) -> candle_core::Result<(Vec<T>, Shape, ())> {
        let ((n, width), (classes, inner)) = (inputs.shape(0).dims2()?, inputs.shape(1).dims2()?);
        if width != inner {
            candle_core::bail!("a head of {inner} columns was given {width}");
        }
        let x = Matrix::new(inputs.elements::<T>(0)?, n, width);
        Ok((product(x, Matrix::new(inputs.elements(1)?, classes, width).t()), (n, classes).into(), ()))
    }

    fn backward<T: Float>(
        &self,
        [x, weight]: [&Tensor; 2],
        _: &Tensor,
        gradient: &Tensor,
        (): (),
    ) -> candle_core::Result<[Option<Tensor>; 2]> {
        let ((n, width), classes) = (x.dims2()?, weight.dim(0)?);
        let of_x = read_all(&[x, gradient], |slices: Vec<&[T]>| {
            let (x, gradient) = (Matrix::new(slices[0], n, width), Matrix::new(slices[1], n, classes));
            self.0.write((classes, width), |out| write_product(out, gradient.t(), x))?;
            read(weight, |weight| product(gradient, Matrix::new(weight, classes, width)))
        })??;
        Ok([Some(Tensor::from_vec(of_x, x.shape(), &Device::Cpu)?), None])
    }
}
