//! Normalisation of every row by its own mean and size: layer normalisation, and RMS normalisation.

use candle_core::{Device, Shape, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, read, read_all};
use crate::nn::fused::{Inputs, Operation, apply1};
use crate::nn::params::{Init, Parameter};
use crate::nn::role::Role;
use crate::nn::simd::{fold, vectorized};

/// Added to the variance, or to the mean square.
const EPS: f64 = 1e-5;

crate::choice! {
    /// What a row is normalised by.
    pub enum Kind {
        /// Its mean and its variance; a scale and a shift for each column follow.
        Layer = "layer",
        /// The root of its mean square; a scale for each column follows.
        Rms = "rms",
    }
}

/// The layer: scale `[width]`, from 1, and for [`Kind::Layer`] shift `[width]`, from 0. The variance is the biased one,
/// and `eps` is 1e-5.
#[derive(Debug, Clone)]
pub struct Norm {
    weight: Parameter,
    bias: Option<Parameter>,
    width: usize,
    composed: bool,
}

/// Of every row what it was normalised by.
pub(super) struct Sizes<T> {
    /// 0 where nothing is subtracted.
    mean: Vec<T>,
    /// 1 over the root of variance or mean square.
    inverse: Vec<T>,
}

impl Norm {
    /// A layer that at first only normalises.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(init: &mut Init, name: &str, kind: Kind, width: usize) -> Result<Self> {
        let weight = init.constant(format!("{name}.weight"), Role::Norm, width, 1.0)?;
        let bias = match kind {
            Kind::Layer => Some(init.constant(format!("{name}.bias"), Role::Norm, width, 0.0)?),
            Kind::Rms => None,
        };
        Ok(Self { weight, bias, width, composed: init.is_composed() })
    }

    /// Rows `[.., width]`, each normalised.
    ///
    /// # Errors
    /// When the rows are not as wide as the layer.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if self.composed { self.composed(x) } else { apply1(Fused(self.clone()), x) }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let last = x.rank() - 1;
        let x = match self.bias {
            Some(_) => x.broadcast_sub(&x.mean_keepdim(last)?)?,
            None => x.clone(),
        };
        let size = (x.sqr()?.mean_keepdim(last)? + EPS)?.sqrt()?;
        let y = x.broadcast_div(&size)?.broadcast_mul(self.weight.var.as_tensor())?;
        Ok(match &self.bias {
            Some(bias) => y.broadcast_add(bias.var.as_tensor())?,
            None => y,
        })
    }

    pub(super) fn normalised<T: Float>(&self, x: &[T]) -> candle_core::Result<(Vec<T>, Sizes<T>)> {
        let shift = self.bias.as_ref().unwrap_or(&self.weight);
        read_all(&[self.weight.var.as_tensor(), shift.var.as_tensor()], |parameters: Vec<&[T]>| {
            let (weight, bias) = (parameters[0], self.bias.is_some().then_some(parameters[1]));
            vectorized(
                #[inline(always)]
                || forward(x, weight, bias),
            )
        })
    }

    /// Hands over the gradients of scale and shift; adds that of `x` to `to`.
    pub(super) fn back<T: Float>(
        &self,
        x: &[T],
        sizes: &Sizes<T>,
        gradient: &[T],
        to: &mut [T],
    ) -> candle_core::Result<()> {
        let (mut scale, mut shift) = (vec![T::of(0.0); self.width], vec![T::of(0.0); self.width]);
        let centred = self.bias.is_some();
        read(self.weight.var.as_tensor(), |weight: &[T]| {
            vectorized(
                #[inline(always)]
                || backward((x, sizes, gradient), (weight, centred), (&mut scale, &mut shift), to),
            );
        })?;
        self.weight.handed_over.put(Tensor::from_vec(scale, self.width, &Device::Cpu)?)?;
        match &self.bias {
            Some(bias) => bias.handed_over.put(Tensor::from_vec(shift, self.width, &Device::Cpu)?),
            None => Ok(()),
        }
    }
}

#[inline(always)]
fn forward<T: Float>(x: &[T], weight: &[T], bias: Option<&[T]>) -> (Vec<T>, Sizes<T>) {
    let (width, zero) = (weight.len(), T::of(0.0));
    let share = T::of(1.0 / width as f64);
    let rows = x.len() / width;
    let mut y = Vec::with_capacity(x.len());
    let mut sizes = Sizes { mean: Vec::with_capacity(rows), inverse: Vec::with_capacity(rows) };
    for x in x.chunks_exact(width) {
        let mean = if bias.is_some() {
            fold(
                x,
                zero,
                #[inline(always)]
                |sum, x| sum + x,
                plus,
            ) * share
        } else {
            zero
        };
        let square = fold(
            x,
            zero,
            #[inline(always)]
            |sum, x| sum + (x - mean) * (x - mean),
            plus,
        );
        let inverse = T::of(1.0) / (square * share + T::of(EPS)).sqrt();
        match bias {
            Some(bias) => y.extend(x.iter().zip(weight).zip(bias).map(
                #[inline(always)]
                |((&x, &weight), &bias)| (x - mean) * inverse * weight + bias,
            )),
            None => y.extend(x.iter().zip(weight).map(
                #[inline(always)]
                |(&x, &weight)| x * inverse * weight,
            )),
        }
        sizes.mean.push(mean);
        sizes.inverse.push(inverse);
    }
    (y, sizes)
}

/// With `z` the normalised row and `g` the gradient times the scale, the gradient of `x` is
/// `(g - mean(g) - z mean(g z)) / size`, without `mean(g)` where no mean was subtracted.
#[inline(always)]
fn backward<T: Float>(
    (x, sizes, gradient): (&[T], &Sizes<T>, &[T]),
    (weight, centred): (&[T], bool),
    (scale, shift): (&mut [T], &mut [T]),
    to: &mut [T],
) {
    let (width, zero) = (weight.len(), T::of(0.0));
    let share = T::of(1.0 / width as f64);
    let mut z = vec![zero; width];
    let mut scaled = vec![zero; width];
    let rows = x.chunks_exact(width).zip(gradient.chunks_exact(width)).zip(to.chunks_exact_mut(width));
    for (row, ((x, gradient), to)) in rows.enumerate() {
        let (mean, inverse) = (sizes.mean[row], sizes.inverse[row]);
        for i in 0..width {
            z[i] = (x[i] - mean) * inverse;
            scaled[i] = gradient[i] * weight[i];
            scale[i] += gradient[i] * z[i];
            shift[i] += gradient[i];
        }
        let along = pairs(&scaled, &z) * share;
        let level = if centred { fold(&scaled, zero, plus, plus) * share } else { zero };
        for i in 0..width {
            to[i] += (scaled[i] - level - z[i] * along) * inverse;
        }
    }
}

#[inline(always)]
fn plus<T: Float>(a: T, b: T) -> T {
    a + b
}

/// The sum of products, in an order that fills the vectors.
#[inline(always)]
fn pairs<T: Float>(a: &[T], b: &[T]) -> T {
    const LANES: usize = 16;
    let mut lanes = [T::of(0.0); LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    for (i, (&a, &b)) in a_rest.iter().zip(b_rest).enumerate() {
        lanes[i] += a * b;
    }
    lanes.into_iter().fold(T::of(0.0), plus)
}

/// The layer as one node of the graph.
struct Fused(Norm);

impl Operation<1> for Fused {
    const NAME: &'static str = "normalisation";
    type Saved<T: Float> = Sizes<T>;

    fn forward<T: Float>(&self, inputs: &Inputs<1>) -> candle_core::Result<(Vec<T>, Shape, Sizes<T>)> {
        let shape = inputs.shape(0);
        if shape.dims().last() != Some(&self.0.width) {
            candle_core::bail!("a normalisation of {} columns was given {shape:?}", self.0.width);
        }
        let (y, sizes) = self.0.normalised(inputs.elements(0)?)?;
        Ok((y, shape.clone(), sizes))
    }

    fn backward<T: Float>(
        &self,
        [x]: [&Tensor; 1],
        _: &Tensor,
        gradient: &Tensor,
        sizes: Sizes<T>,
    ) -> candle_core::Result<[Option<Tensor>; 1]> {
        let mut to = vec![T::of(0.0); x.elem_count()];
        read_all(&[x, gradient], |slices: Vec<&[T]>| self.0.back(slices[0], &sizes, slices[1], &mut to))??;
        Ok([Some(Tensor::from_vec(to, x.shape(), x.device())?)])
    }
}
