//! The fused layer's backward pass where a neighbourhood holds many numbers: through the winners of
//! the pool alone, one pixel in four at most.

use crate::nn::conv::padded::Frame;
use crate::nn::conv::pool::NONE;
use crate::nn::float::Float;
use crate::nn::simd::vectorized;

/// Numbers that a loop adds at a time.
const LANES: usize = 16;

/// A run of numbers that starts at an offset, and what it is multiplied by.
type Term<T> = (usize, T);

/// The gradients of the filters, summed over images, and that of the image at hand.
pub(super) struct Gradients<'a, T> {
    rows: &'a [T],
    weights: Vec<T>,
    bias: Vec<T>,
    /// For each output channel, the neighbourhoods that won it a cell.
    of_output: Vec<Vec<Term<T>>>,
    /// For each pixel of a cell, the filters that it won the cell for.
    of_pixel: [Vec<Term<T>>; 4],
}

impl<'a, T: Float> Gradients<'a, T> {
    /// For filters given as rows `[outputs][neighbourhood]`.
    pub(super) fn new(rows: &'a [T], outputs: usize) -> Self {
        Self {
            rows,
            weights: vec![T::of(0.0); rows.len()],
            bias: vec![T::of(0.0); outputs],
            of_output: vec![Vec::new(); outputs],
            of_pixel: Default::default(),
        }
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
        self.of_output.iter_mut().for_each(Vec::clear);
        for (cell, (gradient, winners)) in gradient.chunks_exact(outputs).zip(winners.chunks_exact(outputs)).enumerate()
        {
            let pixels = frame.cell(cell);
            self.of_pixel.iter_mut().for_each(Vec::clear);
            for (output, (&g, &winner)) in gradient.iter().zip(winners).enumerate() {
                if winner != NONE {
                    let winner = usize::from(winner);
                    self.bias[output] += g;
                    self.of_output[output].push((pixels[winner], g));
                    self.of_pixel[winner].push((output * patch, g));
                }
            }
            if let Some(image) = &mut image_gradient {
                for (at, terms) in pixels.into_iter().zip(&self.of_pixel) {
                    vectorized(
                        #[inline(always)]
                        || {
                            for y in 0..3 {
                                let at = at + y * row;
                                add_terms(&mut image[at..at + run], terms, &self.rows[y * run..]);
                            }
                        },
                    );
                }
            }
        }
        for (weights, terms) in self.weights.chunks_exact_mut(patch).zip(&self.of_output) {
            vectorized(
                #[inline(always)]
                || {
                    for (y, weights) in weights.chunks_exact_mut(run).enumerate() {
                        add_terms(weights, terms, &padded[y * row..]);
                    }
                },
            );
        }
    }

    /// Rows `[outputs][neighbourhood]`, and the bias.
    pub(super) fn finish(self) -> (Vec<T>, Vec<T>) {
        (self.weights, self.bias)
    }
}

/// Adds to a run the terms' runs of the same length, each times its factor.
#[inline(always)]
fn add_terms<T: Float>(to: &mut [T], terms: &[Term<T>], from: &[T]) {
    let mut at = 0;
    while to.len() - at >= 6 * LANES {
        add_block::<T, 6>(to, at, terms, from);
        at += 6 * LANES;
    }
    while to.len() - at >= 2 * LANES {
        add_block::<T, 2>(to, at, terms, from);
        at += 2 * LANES;
    }
    if to.len() - at >= LANES {
        add_block::<T, 1>(to, at, terms, from);
        at += LANES;
    }
    for &(offset, factor) in terms {
        for (to, &from) in to[at..].iter_mut().zip(&from[offset + at..]) {
            *to += factor * from;
        }
    }
}

/// A block of fixed size, whose sums stay in registers.
#[inline(always)]
fn add_block<T: Float, const N: usize>(to: &mut [T], at: usize, terms: &[Term<T>], from: &[T]) {
    let (to, _) = to[at..at + N * LANES].as_chunks_mut::<LANES>();
    let mut sums = [[T::of(0.0); LANES]; N];
    sums.copy_from_slice(to);
    for &(offset, factor) in terms {
        let (from, _) = from[offset + at..offset + at + N * LANES].as_chunks::<LANES>();
        for n in 0..N {
            for lane in 0..LANES {
                sums[n][lane] += factor * from[n][lane];
            }
        }
    }
    to.copy_from_slice(&sums);
}
