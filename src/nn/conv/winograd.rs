//! The fused layer's forward pass where a neighbourhood holds many numbers, by Winograd's minimal
//! filtering F(2x2, 3x3): 16 products where the definition takes 36.
//!
//! A tile of four by four pixels yields two by two results, and those are just one cell of the pool:
//! `Y = A' [(G g G') . (B' d B)] A`, summed over input channels, for a filter `g` and a tile `d`.
//! What stands between the brackets is, for each of the 16 places, a product of matrices
//! `[cells, inputs] [inputs, outputs]`.
//!
//! Source: Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308.

use crate::nn::conv::padded::Frame;
use crate::nn::conv::pool::{NONE, winner};
use crate::nn::float::Float;
use crate::nn::matmul::{Matrix, write_product};
use crate::nn::simd::vectorized;

/// Channels that a pass computes side by side; what is left over goes one by one.
const LANES: usize = 16;
/// Places of a tile.
const PLACES: usize = 16;

/// Filters in the transformed space, and room for one image's work.
pub(super) struct Filters<'a, T> {
    /// `[place][inputs][outputs]`.
    transformed: Vec<T>,
    bias: &'a [T],
    /// `[place][cells][inputs]`.
    tiles: Vec<T>,
    /// `[place][cells][outputs]`.
    products: Vec<T>,
}

impl<'a, T: Float> Filters<'a, T> {
    /// From a weight `[outputs, inputs, 3, 3]`.
    pub(super) fn new(frame: Frame, weight: &[T], bias: &'a [T]) -> Self {
        let (inputs, outputs, cells) = (frame.channels, bias.len(), frame.cells());
        let mut transformed = vec![T::of(0.0); PLACES * inputs * outputs];
        for (i, filter) in weight.chunks_exact(9).enumerate() {
            let (output, input) = (i / inputs, i % inputs);
            for (place, value) in transformed_filter(filter).into_iter().enumerate() {
                transformed[(place * inputs + input) * outputs + output] = value;
            }
        }
        let tiles = vec![T::of(0.0); PLACES * cells * inputs];
        Self { transformed, bias, tiles, products: vec![T::of(0.0); PLACES * cells * outputs] }
    }

    /// Appends the pooled image `[cells, outputs]` and its winners.
    pub(super) fn forward(&mut self, frame: Frame, padded: &[T], out: &mut Vec<T>, winners: &mut Vec<u8>) {
        let (inputs, outputs, cells) = (frame.channels, self.bias.len(), frame.cells());
        let (start, first) = (out.len(), winners.len());
        out.resize(start + cells * outputs, T::of(0.0));
        winners.resize(first + cells * outputs, NONE);
        vectorized(
            #[inline(always)]
            || transform_tiles(frame, padded, &mut self.tiles),
        );
        let places = self.tiles.chunks_exact(cells * inputs).zip(self.transformed.chunks_exact(inputs * outputs));
        for (product, (tiles, filters)) in self.products.chunks_exact_mut(cells * outputs).zip(places) {
            write_product(product, Matrix::new(tiles, cells, inputs), Matrix::new(filters, inputs, outputs));
        }
        vectorized(
            #[inline(always)]
            || pool_products(&self.products, self.bias, &mut out[start..], &mut winners[first..]),
        );
    }
}

/// `G g G'`.
fn transformed_filter<T: Float>(g: &[T]) -> [T; PLACES] {
    let half = T::of(0.5);
    let four = |a: T, b: T, c: T| [a, (a + b + c) * half, (a - b + c) * half, c];
    let rows: [[T; 4]; 3] = [0, 1, 2].map(|y| four(g[3 * y], g[3 * y + 1], g[3 * y + 2]));
    let cols: [[T; 4]; 4] = [0, 1, 2, 3].map(|x| four(rows[0][x], rows[1][x], rows[2][x]));
    std::array::from_fn(|place| cols[place % 4][place / 4])
}

/// `B' d B` for every cell and channel of an image.
#[inline(always)]
fn transform_tiles<T: Float>(frame: Frame, padded: &[T], tiles: &mut [T]) {
    let (channels, plane) = (frame.channels, frame.cells() * frame.channels);
    for cell in 0..frame.cells() {
        let (from, to) = (frame.cell(cell)[0], cell * channels);
        let mut channel = 0;
        while channel + LANES <= channels {
            transform_tile::<T, LANES>(frame, &padded[from + channel..], &mut tiles[to + channel..], plane);
            channel += LANES;
        }
        while channel < channels {
            transform_tile::<T, 1>(frame, &padded[from + channel..], &mut tiles[to + channel..], plane);
            channel += 1;
        }
    }
}

#[inline(always)]
fn transform_tile<T: Float, const N: usize>(frame: Frame, from: &[T], to: &mut [T], plane: usize) {
    let mut d = [[T::of(0.0); N]; PLACES];
    for (place, pixel) in d.iter_mut().enumerate() {
        pixel.copy_from_slice(&from[place / 4 * frame.row() + place % 4 * frame.channels..][..N]);
    }
    let mut transformed = [[T::of(0.0); N]; PLACES];
    for i in 0..N {
        let mut across = [[T::of(0.0); 4]; 4];
        for y in 0..4 {
            across[y] = differences(d[4 * y][i], d[4 * y + 1][i], d[4 * y + 2][i], d[4 * y + 3][i]);
        }
        for x in 0..4 {
            let column = differences(across[0][x], across[1][x], across[2][x], across[3][x]);
            for y in 0..4 {
                transformed[4 * y + x][i] = column[y];
            }
        }
    }
    for (place, value) in transformed.iter().enumerate() {
        to[place * plane..][..N].copy_from_slice(value);
    }
}

/// A row of `B'` times four numbers, for each row.
#[inline(always)]
fn differences<T: Float>(a: T, b: T, c: T, d: T) -> [T; 4] {
    [a - c, b + c, c - b, b - d]
}

/// `A' m A`, bias, `ReLU` and pool for every cell and output channel of an image.
#[inline(always)]
fn pool_products<T: Float>(products: &[T], bias: &[T], out: &mut [T], winners: &mut [u8]) {
    let (outputs, plane) = (bias.len(), out.len());
    let cells = out.chunks_exact_mut(outputs).zip(winners.chunks_exact_mut(outputs));
    for (cell, (out, winners)) in cells.enumerate() {
        let from = cell * outputs;
        let mut output = 0;
        while output + LANES <= outputs {
            let products = &products[from + output..];
            pool_cell::<T, LANES>(products, plane, &bias[output..], &mut out[output..], &mut winners[output..]);
            output += LANES;
        }
        while output < outputs {
            let products = &products[from + output..];
            pool_cell::<T, 1>(products, plane, &bias[output..], &mut out[output..], &mut winners[output..]);
            output += 1;
        }
    }
}

#[inline(always)]
fn pool_cell<T: Float, const N: usize>(products: &[T], plane: usize, bias: &[T], out: &mut [T], winners: &mut [u8]) {
    let (mut m, bias) = ([[T::of(0.0); N]; PLACES], &bias[..N]);
    for (place, value) in m.iter_mut().enumerate() {
        value.copy_from_slice(&products[place * plane..][..N]);
    }
    let mut pixels = [[T::of(0.0); N]; 4];
    for i in 0..N {
        let mut across = [[T::of(0.0); 2]; 4];
        for y in 0..4 {
            across[y] = sums(m[4 * y][i], m[4 * y + 1][i], m[4 * y + 2][i], m[4 * y + 3][i]);
        }
        let [a, c] = sums(across[0][0], across[1][0], across[2][0], across[3][0]);
        let [b, d] = sums(across[0][1], across[1][1], across[2][1], across[3][1]);
        for (pixel, sum) in pixels.iter_mut().zip([a, b, c, d]) {
            pixel[i] = sum + bias[i];
        }
    }
    let (mut best, mut which) = ([T::of(0.0); N], [NONE; N]);
    for i in 0..N {
        (best[i], which[i]) = winner([pixels[0][i], pixels[1][i], pixels[2][i], pixels[3][i]]);
    }
    out[..N].copy_from_slice(&best);
    winners[..N].copy_from_slice(&which);
}

/// A row of `A'` times four numbers, for each row.
#[inline(always)]
fn sums<T: Float>(a: T, b: T, c: T, d: T) -> [T; 2] {
    [a + b + c, b - c - d]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pixel by the definition, then the pool.
    fn by_definition(frame: Frame, padded: &[f64], weight: &[f64], bias: &[f64]) -> Vec<(f64, u8)> {
        let pixel = |at: usize, output: usize| {
            let at = |y: usize, x: usize, input: usize| padded[at + y * frame.row() + x * frame.channels + input];
            let weight = |y: usize, x: usize, input: usize| weight[(output * frame.channels + input) * 9 + 3 * y + x];
            let terms =
                (0..9 * frame.channels).map(|i| (i / 3 / frame.channels, i / frame.channels % 3, i % frame.channels));
            terms.map(|(y, x, input)| at(y, x, input) * weight(y, x, input)).sum::<f64>() + bias[output]
        };
        let places = (0..frame.cells()).flat_map(|cell| (0..bias.len()).map(move |output| (cell, output)));
        places.map(|(cell, output)| winner(frame.cell(cell).map(|at| pixel(at, output)))).collect()
    }

    #[test]
    fn results_and_winners_are_those_of_the_definition() {
        for (height, width, channels, outputs) in [(4, 4, 4, 3), (5, 7, 18, 33), (2, 6, 16, 16)] {
            let frame = Frame { height, width, channels };
            let wave = |n: usize, step: f64| -> Vec<f64> { (0..n).map(|i| (i as f64 * step).sin()).collect() };
            let mut padded = frame.empty();
            frame.fill(&mut padded, &wave(frame.len(), 0.7));
            let (weight, bias) = (wave(outputs * channels * 9, 1.3), wave(outputs, 2.1));
            let mut filters = Filters::new(frame, &weight, &bias);
            for _ in 0..2 {
                let (mut out, mut winners) = (vec![7.0], vec![9]);
                filters.forward(frame, &padded, &mut out, &mut winners);
                assert_eq!((out[0], winners[0], out.len()), (7.0, 9, 1 + frame.cells() * outputs));
                let expected = by_definition(frame, &padded, &weight, &bias);
                for (i, (value, winner)) in expected.into_iter().enumerate() {
                    assert!((out[i + 1] - value).abs() < 1e-13, "{} {value}", out[i + 1]);
                    assert_eq!(winners[i + 1], winner);
                }
            }
        }
    }

    #[test]
    fn pixels_that_are_equal_stay_equal() {
        let frame = Frame { height: 6, width: 6, channels: 5 };
        let padded = vec![0.3f32; frame.empty::<f32>().len()];
        let weight: Vec<f32> = (0..5 * 4 * 9).map(|i| (i as f32).cos()).collect();
        let (mut out, mut winners) = (Vec::new(), Vec::new());
        Filters::new(frame, &weight, &[9.0; 4]).forward(frame, &padded, &mut out, &mut winners);
        assert!(winners.iter().all(|&winner| winner == 0), "{winners:?}");
    }
}
