//! `x + dropout(branch(norm(x)))`: a pre-norm residual branch as one operation.

use std::sync::Arc;

use candle_core::{Device, Shape, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, read};
use crate::nn::fused::{Inputs, Operation, apply1};
use crate::nn::norm::{Norm, Sizes};
use crate::nn::simd::{add, vectorized};

/// A layer that keeps the width of its rows, on slices of whole windows `[windows, length, width]`.
pub(super) trait Branch: Send + Sync + 'static {
    /// What its backward pass needs of its forward pass, beside the inputs.
    type Saved<T: Float>: Send + 'static;

    /// The outputs.
    fn forward<T: Float>(&self, x: &[T], length: usize) -> candle_core::Result<(Vec<T>, Self::Saved<T>)>;

    /// Hands over the gradients of the parameters; returns that of the inputs.
    fn backward<T: Float>(
        &self,
        x: &[T],
        length: usize,
        saved: Self::Saved<T>,
        gradient: &[T],
    ) -> candle_core::Result<Vec<T>>;

    /// The same of candle's operations.
    fn composed(&self, x: &Tensor) -> Result<Tensor>;
}

/// The branch with the normalisation before it.
#[derive(Debug)]
pub struct Residual<B> {
    layers: Arc<(Norm, B)>,
    composed: bool,
}

#[expect(private_bounds, reason = "the branches are those of this module's siblings")]
impl<B: Branch> Residual<B> {
    pub(super) fn of(norm: Norm, branch: B, composed: bool) -> Self {
        Self { layers: Arc::new((norm, branch)), composed }
    }

    /// The sum for windows `[windows, length, width]`. What the branch gives is multiplied by a mask, if there is one.
    ///
    /// # Errors
    /// When the windows do not fit the layer.
    pub fn forward(&self, x: &Tensor, mask: Option<Vec<f32>>) -> Result<Tensor> {
        if self.composed {
            let (norm, branch) = &*self.layers;
            let branch = branch.composed(&norm.composed(x)?)?;
            return Ok(match mask {
                Some(mask) => {
                    let mask = Tensor::from_vec(mask, x.shape(), &Device::Cpu)?.to_dtype(x.dtype())?;
                    (x + (branch * mask.to_device(x.device())?)?)?
                }
                None => (x + branch)?,
            });
        }
        apply1(Fused { layers: self.layers.clone(), mask }, x)
    }
}

/// The branch as one node of the graph.
struct Fused<B> {
    layers: Arc<(Norm, B)>,
    mask: Option<Vec<f32>>,
}

/// What the backward pass needs of the forward pass.
struct Saved<T, S> {
    sizes: Sizes<T>,
    normalised: Vec<T>,
    branch: S,
}

impl<B> Fused<B> {
    fn masked<T: Float>(&self, values: &mut [T]) {
        if let Some(mask) = &self.mask {
            vectorized(
                #[inline(always)]
                || {
                    for (value, &kept) in values.iter_mut().zip(mask) {
                        *value *= T::of(f64::from(kept));
                    }
                },
            );
        }
    }
}

impl<B: Branch> Operation<1> for Fused<B> {
    const NAME: &'static str = "residual branch";
    type Saved<T: Float> = Saved<T, B::Saved<T>>;

    fn forward<T: Float>(&self, inputs: &Inputs<1>) -> candle_core::Result<(Vec<T>, Shape, Self::Saved<T>)> {
        let (norm, branch) = &*self.layers;
        let (x, shape) = (inputs.elements::<T>(0)?, inputs.shape(0));
        let (_, length, width) = shape.dims3()?;
        if width != norm.width() {
            candle_core::bail!("a residual branch of {} columns was given {shape:?}", norm.width());
        }
        let (normalised, sizes) = norm.normalised(x)?;
        let (mut y, branch) = branch.forward(&normalised, length)?;
        self.masked(&mut y);
        add(&mut y, x);
        Ok((y, shape.clone(), Saved { sizes, normalised, branch }))
    }

    fn backward<T: Float>(
        &self,
        [x]: [&Tensor; 1],
        _: &Tensor,
        gradient: &Tensor,
        saved: Self::Saved<T>,
    ) -> candle_core::Result<[Option<Tensor>; 1]> {
        let (norm, branch) = &*self.layers;
        let Saved { sizes, normalised, branch: of_branch } = saved;
        let (_, length, _) = x.dims3()?;
        let inner = read(gradient, |gradient: &[T]| {
            let mut masked;
            let gradient = match self.mask {
                Some(_) => {
                    masked = gradient.to_vec();
                    self.masked(&mut masked);
                    &masked
                }
                None => gradient,
            };
            branch.backward(&normalised, length, of_branch, gradient)
        })??;
        let mut to = read(gradient, <[T]>::to_vec)?;
        read(x, |x| norm.back(x, &sizes, &inner, &mut to))??;
        Ok([Some(Tensor::from_vec(to, x.shape(), &Device::Cpu)?)])
    }
}
