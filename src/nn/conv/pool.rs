//! `ReLU` and 2x2 max-pooling of one pass, remembering the winners.

use candle_core::{Device, Shape, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, read};
use crate::nn::fused::{Inputs, Operation, apply1};
use crate::nn::relu::relu;
use crate::nn::simd::vectorized;

/// What a cell without a positive pixel remembers instead of its winner's number, 0 to 3.
pub(super) const NONE: u8 = 4;

/// `max(x, 0)`, then the largest of every 2x2 cell; the first of equals passes the gradient.
///
/// What is left over of an odd height or width is not seen.
///
/// # Errors
/// When the maps have another rank.
pub fn relu_pool(maps: &Tensor, composed: bool) -> Result<Tensor> {
    if !composed {
        return apply1(Fused, maps);
    }
    let (n, channels, height, width) = maps.dims4()?;
    let (rows, cols) = (height / 2, width / 2);
    let cells = maps.narrow(2, 0, 2 * rows)?.narrow(3, 0, 2 * cols)?.contiguous()?;
    // Not `max_pool2d`: its gradient is wrong in candle 0.11.
    let cells = cells.reshape((n, channels, rows, 2, cols, 2))?.permute((0, 1, 2, 4, 3, 5))?;
    let cells = cells.contiguous()?.reshape((n, channels, rows, cols, 4))?;
    let largest = cells.max(4)?;
    // `max` passes over a NaN, which alone differs from itself.
    let lost = cells.ne(&cells)?.max(4)?;
    relu(&lost.where_cond(&largest.zeros_like()?.affine(1.0, f64::NAN)?, &largest)?, true)
}

/// Pools an image `[height, width, channels]` of given width; appends the results and the winners.
#[inline(always)]
pub(super) fn pool_image<T: Float>(
    image: &[T],
    (height, width, channels): (usize, usize, usize),
    out: &mut Vec<T>,
    winners: &mut Vec<u8>,
) {
    let zero = T::of(0.0);
    let row = width * channels;
    for y in 0..height / 2 {
        for x in 0..width / 2 {
            let corner = 2 * y * row + 2 * x * channels;
            let pixels = [corner, corner + channels, corner + row, corner + row + channels];
            let [a, b, c, d] = pixels.map(|at| &image[at..at + channels]);
            let (start, first) = (out.len(), winners.len());
            out.resize(start + channels, zero);
            winners.resize(first + channels, NONE);
            let (out, winners) = (&mut out[start..start + channels], &mut winners[first..first + channels]);
            for i in 0..channels {
                (out[i], winners[i]) = winner([a[i], b[i], c[i], d[i]]);
            }
        }
    }
}

/// The largest of four after `ReLU`, and which it was. A NaN wins and stays.
#[inline(always)]
pub(super) fn winner<T: Float>(pixels: [T; 4]) -> (T, u8) {
    let (mut best, mut which) = (pixels[0], 0);
    for (i, &pixel) in pixels.iter().enumerate().skip(1) {
        let better = pixel > best || pixel.is_nan();
        best = if better { pixel } else { best };
        which = if better { i as u8 } else { which };
    }
    let dead = best <= T::of(0.0);
    (if dead { T::of(0.0) } else { best }, if dead { NONE } else { which })
}

struct Fused;

impl Operation<1> for Fused {
    const NAME: &'static str = "relu and max-pool";
    /// The winners.
    type Saved<T: Float> = Vec<u8>;

    fn forward<T: Float>(&self, inputs: &Inputs<1>) -> candle_core::Result<(Vec<T>, Shape, Vec<u8>)> {
        let (n, height, width, channels) = inputs.shape(0).dims4()?;
        let (mut out, mut winners) = (Vec::new(), Vec::new());
        for image in inputs.elements::<T>(0)?.chunks_exact(height * width * channels) {
            vectorized(
                #[inline(always)]
                || pool_image(image, (height, width, channels), &mut out, &mut winners),
            );
        }
        Ok((out, (n, height / 2, width / 2, channels).into(), winners))
    }

    fn backward<T: Float>(
        &self,
        [maps]: [&Tensor; 1],
        _: &Tensor,
        gradient: &Tensor,
        winners: Vec<u8>,
    ) -> candle_core::Result<[Option<Tensor>; 1]> {
        let (_, height, width, channels) = maps.dims4()?;
        let (rows, cols, row) = (height / 2, width / 2, width * channels);
        let mut out = vec![T::of(0.0); maps.elem_count()];
        read(gradient, |gradient: &[T]| {
            for (cell, (gradient, winners)) in
                gradient.chunks_exact(channels).zip(winners.chunks_exact(channels)).enumerate()
            {
                let (image, cell) = (cell / (rows * cols), cell % (rows * cols));
                let corner = image * height * row + (cell / cols) * 2 * row + (cell % cols) * 2 * channels;
                let pixels = [corner, corner + channels, corner + row, corner + row + channels];
                for (i, (&gradient, &winner)) in gradient.iter().zip(winners).enumerate() {
                    if winner != NONE {
                        out[pixels[usize::from(winner)] + i] = gradient;
                    }
                }
            }
        })?;
        Ok([Some(Tensor::from_vec(out, maps.shape(), &Device::Cpu)?)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_wins_and_nan_stays() {
        assert_eq!(winner([1.0, 2.0, 2.0, 0.0]), (2.0, 1));
        assert_eq!(winner([-1.0, 0.0, -2.0, -3.0]), (0.0, NONE));
        for at in 0..4 {
            let mut pixels = [3.0; 4];
            pixels[at] = f64::NAN;
            assert!(winner(pixels).0.is_nan());
        }
    }
}
