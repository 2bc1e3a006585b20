//! The fused layer where a neighbourhood holds many numbers: a matrix product forward; backward
//! through the winners of the pool alone, one pixel in four at most.

use crate::nn::conv::padded::Frame;
use crate::nn::conv::pool::{NONE, pool_image};
use crate::nn::conv::transposed;
use crate::nn::float::Float;
use crate::nn::matmul::{Matrix, add_product};
use crate::nn::simd::vectorized;

/// Numbers that a loop adds at a time.
const LANES: usize = 16;

/// Filters as columns `[neighbourhood, outputs]`, and room for one image's work.
pub(super) struct Filters<'a, T> {
    columns: Vec<T>,
    bias: &'a [T],
    patches: Vec<T>,
    image: Vec<T>,
}

impl<'a, T: Float> Filters<'a, T> {
    /// From rows `[outputs][neighbourhood]`.
    pub(super) fn new(rows: &[T], bias: &'a [T]) -> Self {
        Self { columns: transposed(rows, bias.len()), bias, patches: Vec::new(), image: Vec::new() }
    }

    /// Appends the pooled image `[cells, outputs]` and its winners.
    pub(super) fn forward(&mut self, frame: Frame, padded: &[T], out: &mut Vec<T>, winners: &mut Vec<u8>) {
        let (outputs, pixels) = (self.bias.len(), frame.height * frame.width);
        self.patches.clear();
        for y in 0..frame.height {
            for x in 0..frame.width {
                for run in 0..3 {
                    let at = (y + run) * frame.row() + x * frame.channels;
                    self.patches.extend_from_slice(&padded[at..at + frame.run()]);
                }
            }
        }
        self.image.clear();
        for _ in 0..pixels {
            self.image.extend_from_slice(self.bias);
        }
        let patches = Matrix::new(&self.patches, pixels, frame.patch());
        add_product(&mut self.image, patches, Matrix::new(&self.columns, frame.patch(), outputs));
        vectorized(
            #[inline(always)]
            || pool_image(&self.image, (frame.height, frame.width, outputs), out, winners),
        );
    }
}

/// The gradients of the filters, summed over images, and that of the image at hand.
pub(super) struct Gradients<'a, T> {
    rows: &'a [T],
    weights: Vec<T>,
    bias: Vec<T>,
}

impl<'a, T: Float> Gradients<'a, T> {
    /// For filters given as rows `[outputs][neighbourhood]`.
    pub(super) fn new(rows: &'a [T], outputs: usize) -> Self {
        Self { rows, weights: vec![T::of(0.0); rows.len()], bias: vec![T::of(0.0); outputs] }
    }

    /// Adds those of one image; `gradient` and `winners` are `[cells, outputs]`. The gradient of the
    /// padded image is added to `image_gradient` where that is wanted.
    pub(super) fn add(
        &mut self,
        frame: Frame,
        padded: &[T],
        gradient: &[T],
        winners: &[u8],
        mut image_gradient: Option<&mut [T]>,
    ) {
        let (outputs, patch, run, row) = (self.bias.len(), frame.patch(), frame.run(), frame.row());
        vectorized(
            #[inline(always)]
            || {
                for (output, bias) in self.bias.iter_mut().enumerate() {
                    let filter = &self.rows[output * patch..(output + 1) * patch];
                    let weights = &mut self.weights[output * patch..(output + 1) * patch];
                    for (cell, (&g, &winner)) in gradient[output..]
                        .iter()
                        .step_by(outputs)
                        .zip(winners[output..].iter().step_by(outputs))
                        .enumerate()
                    {
                        if winner == NONE {
                            continue;
                        }
                        *bias += g;
                        let at = frame.cell(cell)[usize::from(winner)];
                        for y in 0..3 {
                            let (run_at, image_at) = (y * run..(y + 1) * run, at + y * row..at + y * row + run);
                            add_scaled(&mut weights[run_at.clone()], g, &padded[image_at.clone()]);
                            if let Some(image_gradient) = &mut image_gradient {
                                add_scaled(&mut image_gradient[image_at], g, &filter[run_at]);
                            }
                        }
                    }
                }
            },
        );
    }

    /// Rows `[outputs][neighbourhood]`, and the bias.
    pub(super) fn finish(self) -> (Vec<T>, Vec<T>) {
        (self.weights, self.bias)
    }
}

/// `to <- to + factor from`.
#[inline(always)]
fn add_scaled<T: Float>(to: &mut [T], factor: T, from: &[T]) {
    let ((to, to_rest), (from, from_rest)) = (to.as_chunks_mut::<LANES>(), from.as_chunks::<LANES>());
    for (to, from) in to.iter_mut().zip(from) {
        // Through a copy, so that the compiler need not fear that the two overlap.
        let mut sum = *to;
        for (sum, &from) in sum.iter_mut().zip(from) {
            *sum += factor * from;
        }
        *to = sum;
    }
    for (to, &from) in to_rest.iter_mut().zip(from_rest) {
        *to += factor * from;
    }
}
