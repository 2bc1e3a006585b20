//! The fused layer where a neighbourhood holds few numbers, as in the first layer: loops over the
//! output channels fill the vectors, and a cell of the pool is computed at once.

use crate::nn::conv::padded::Frame;
use crate::nn::conv::pool::{NONE, winner};
use crate::nn::float::Float;
use crate::nn::simd::vectorized;

/// Output channels that are computed side by side.
const LANES: usize = 16;

/// Filters laid out by number of the neighbourhood, then output channel, filled up to whole lanes.
pub(super) struct Filters<T> {
    weights: Vec<[T; LANES]>,
    bias: Vec<[T; LANES]>,
    outputs: usize,
}

impl<T: Float> Filters<T> {
    /// From rows `[outputs][neighbourhood]`.
    pub(super) fn new(rows: &[T], bias: &[T]) -> Self {
        let (outputs, patch) = (bias.len(), rows.len() / bias.len());
        let lanes = |value: &dyn Fn(usize) -> T, block: usize| {
            std::array::from_fn(|lane| {
                let output = block * LANES + lane;
                if output < outputs { value(output) } else { T::of(0.0) }
            })
        };
        let blocks = outputs.div_ceil(LANES);
        let weights = (0..blocks).flat_map(|block| (0..patch).map(move |at| (block, at)));
        Self {
            weights: weights.map(|(block, at)| lanes(&|output| rows[output * patch + at], block)).collect(),
            bias: (0..blocks).map(|block| lanes(&|output| bias[output], block)).collect(),
            outputs,
        }
    }

    /// Appends the pooled image `[cells, outputs]` and its winners.
    pub(super) fn forward(&self, frame: Frame, padded: &[T], out: &mut Vec<T>, winners: &mut Vec<u8>) {
        let (rows, cols) = frame.pooled();
        let cells = rows * cols;
        let (start, first) = (out.len(), winners.len());
        out.resize(start + cells * self.outputs, T::of(0.0));
        winners.resize(first + cells * self.outputs, NONE);
        let (out, winners) = (&mut out[start..], &mut winners[first..]);
        vectorized(
            #[inline(always)]
            || {
                for (block, bias) in self.bias.iter().enumerate() {
                    let weights = &self.weights[block * frame.patch()..(block + 1) * frame.patch()];
                    let first = block * LANES;
                    let count = LANES.min(self.outputs - first);
                    for cell in 0..cells {
                        let sums = cell_sums(frame, padded, frame.cell(cell), weights, bias);
                        let mut best = [T::of(0.0); LANES];
                        let mut which = [NONE; LANES];
                        for lane in 0..LANES {
                            (best[lane], which[lane]) =
                                winner([sums[0][lane], sums[1][lane], sums[2][lane], sums[3][lane]]);
                        }
                        let at = cell * self.outputs + first;
                        if count == LANES {
                            out[at..at + LANES].copy_from_slice(&best);
                            winners[at..at + LANES].copy_from_slice(&which);
                        } else {
                            out[at..at + count].copy_from_slice(&best[..count]);
                            winners[at..at + count].copy_from_slice(&which[..count]);
                        }
                    }
                }
            },
        );
    }
}

/// The four pixels of a cell for some output channels.
#[inline(always)]
fn cell_sums<T: Float>(
    frame: Frame,
    padded: &[T],
    pixels: [usize; 4],
    weights: &[[T; LANES]],
    bias: &[T; LANES],
) -> [[T; LANES]; 4] {
    let run = frame.run();
    let mut sums = [*bias; 4];
    for (y, weights) in weights.chunks_exact(run).enumerate() {
        let runs = pixels.map(|at| &padded[at + y * frame.row()..at + y * frame.row() + run]);
        for (i, weight) in weights.iter().enumerate() {
            for (sums, run) in sums.iter_mut().zip(runs) {
                for (sum, &weight) in sums.iter_mut().zip(weight) {
                    *sum += run[i] * weight;
                }
            }
        }
    }
    sums
}

/// The gradients of the filters, summed over images.
pub(super) struct Gradients<T> {
    weights: Vec<[T; LANES]>,
    bias: Vec<[T; LANES]>,
    outputs: usize,
    /// The pixels of every cell, and the gradients that each of them won; last those without winner.
    cells: Vec<[usize; 4]>,
    won: Vec<[[T; LANES]; 5]>,
}

impl<T: Float> Gradients<T> {
    pub(super) fn new(frame: Frame, outputs: usize) -> Self {
        let (blocks, zero) = (outputs.div_ceil(LANES), [T::of(0.0); LANES]);
        let (rows, cols) = frame.pooled();
        let cells: Vec<[usize; 4]> = (0..rows * cols).map(|cell| frame.cell(cell)).collect();
        let won = vec![[zero; 5]; cells.len()];
        Self { weights: vec![zero; blocks * frame.patch()], bias: vec![zero; blocks], outputs, cells, won }
    }

    /// Adds those of one image; `gradient` and `winners` are `[cells, outputs]`.
    pub(super) fn add(&mut self, frame: Frame, padded: &[T], gradient: &[T], winners: &[u8]) {
        let (outputs, run, zero) = (self.outputs, frame.run(), T::of(0.0));
        let Self { weights, bias, won, cells, .. } = self;
        vectorized(
            #[inline(always)]
            || {
                for (block, bias) in bias.iter_mut().enumerate() {
                    let first = block * LANES;
                    let count = LANES.min(outputs - first);
                    let pairs = gradient.chunks_exact(outputs).zip(winners.chunks_exact(outputs));
                    for ((gradient, winners), won) in pairs.zip(&mut *won) {
                        *won = [[zero; LANES]; 5];
                        let lanes = gradient[first..first + count].iter().zip(&winners[first..first + count]);
                        for (lane, (&g, &winner)) in lanes.enumerate() {
                            won[usize::from(winner)][lane] = g;
                        }
                        for won in &won[..4] {
                            for (bias, &won) in bias.iter_mut().zip(won) {
                                *bias += won;
                            }
                        }
                    }
                    let weights = &mut weights[block * frame.patch()..(block + 1) * frame.patch()];
                    for (i, weight) in weights.iter_mut().enumerate() {
                        let offset = i / run * frame.row() + i % run;
                        // One sum a pixel, so that no addition waits for the one before.
                        let [mut a, mut b, mut c, mut d] = [[zero; LANES]; 4];
                        for (won, pixels) in won.iter().zip(&*cells) {
                            a = plus(a, padded[pixels[0] + offset], &won[0]);
                            b = plus(b, padded[pixels[1] + offset], &won[1]);
                            c = plus(c, padded[pixels[2] + offset], &won[2]);
                            d = plus(d, padded[pixels[3] + offset], &won[3]);
                        }
                        for lane in 0..LANES {
                            weight[lane] += (a[lane] + b[lane]) + (c[lane] + d[lane]);
                        }
                    }
                }
            },
        );
    }

    /// Rows `[outputs][neighbourhood]`, and the bias.
    pub(super) fn finish(self, frame: Frame) -> (Vec<T>, Vec<T>) {
        let patch = frame.patch();
        let mut rows = Vec::with_capacity(self.outputs * patch);
        for output in 0..self.outputs {
            let block = &self.weights[output / LANES * patch..(output / LANES + 1) * patch];
            rows.extend(block.iter().map(|lanes| lanes[output % LANES]));
        }
        (rows, self.bias.into_iter().flatten().take(self.outputs).collect())
    }
}

/// `sum + factor values`, by value so that the sum stays in registers.
#[inline(always)]
fn plus<T: Float>(mut sum: [T; LANES], factor: T, values: &[T; LANES]) -> [T; LANES] {
    for (sum, &value) in sum.iter_mut().zip(values) {
        *sum += factor * value;
    }
    sum
}
