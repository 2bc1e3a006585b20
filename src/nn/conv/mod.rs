//! Convolutions of images.
//!
//! Feature maps lie as `[n, height, width, channels]` where layers are fused, so that a
//! neighbourhood is a few contiguous runs and loops over channels fill the vectors, and as
//! `[n, channels, height, width]` where they are composed of candle's operations. [`enter`] and
//! [`flatten`] lead in and out; parameters have `PyTorch`'s shapes either way.

mod block;
mod narrow;
mod padded;
mod plain;
mod pool;
mod wide;
mod winograd;

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::float::Float;

pub use block::ConvPools;
pub use plain::Conv;
pub use pool::relu_pool;

/// Images `[n, channels, height, width]` as the feature maps of the path.
///
/// # Errors
/// When the images have another rank.
pub fn enter(images: &Tensor, composed: bool) -> Result<Tensor> {
    let (n, channels, height, width) = images.dims4()?;
    Ok(match (composed, channels) {
        (true, _) => images.clone(),
        // One channel lies the same either way.
        (false, 1) => images.reshape((n, height, width, 1))?,
        (false, _) => images.permute((0, 2, 3, 1))?.contiguous()?,
    })
}

/// Feature maps as rows `[n, channels * height * width]`, in `PyTorch`'s order.
///
/// # Errors
/// When the device refuses.
pub fn flatten(maps: &Tensor, composed: bool) -> Result<Tensor> {
    let maps = if composed { maps.clone() } else { maps.permute((0, 3, 1, 2))?.contiguous()? };
    Ok(maps.flatten_from(1)?)
}

/// A weight `[outputs, inputs, k, k]` as rows `[outputs][k][k][inputs]`.
fn by_position<T: Float>(weight: &[T], inputs: usize, kernel: usize) -> Vec<T> {
    let area = kernel * kernel;
    let mut out = Vec::with_capacity(weight.len());
    for filter in weight.chunks_exact(inputs * area) {
        for at in 0..area {
            out.extend((0..inputs).map(|i| filter[i * area + at]));
        }
    }
    out
}

/// The inverse of [`by_position`].
fn by_channel<T: Float>(weight: &[T], inputs: usize, kernel: usize) -> Vec<T> {
    let area = kernel * kernel;
    let mut out = Vec::with_capacity(weight.len());
    for filter in weight.chunks_exact(inputs * area) {
        for i in 0..inputs {
            out.extend((0..area).map(|at| filter[at * inputs + i]));
        }
    }
    out
}

/// `PyTorch`'s bound of a convolution's initial weights and bias: `1 / sqrt(inputs * k * k)`.
fn bound(inputs: usize, kernel: usize) -> f64 {
    1.0 / ((inputs * kernel * kernel) as f64).sqrt()
}
