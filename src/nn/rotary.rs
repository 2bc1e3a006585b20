//! Rotary positions: queries and keys are turned by angles that grow with the position.
//!
//! ```text
//! column i and column i + half of a head, at position t, turn by the angle t / 10000^(i / half)
//! ```
//!
//! The product of a query and a key then depends on how far apart they stand (Su et al. 2021, arXiv 2104.09864; the halves
//! as GPT-NeoX and Llama pair them).

use candle_core::{Device, Tensor};

use crate::error::Result;
use crate::nn::float::Float;
use crate::nn::simd::vectorized;

/// The slowest angle's period, nearly, over 2 pi.
const BASE: f64 = 10_000.0;

/// Cosines and sines, `[length, half]`.
#[derive(Debug)]
pub(super) struct Rotary {
    cosines: Vec<f64>,
    sines: Vec<f64>,
    half: usize,
}

/// Which way to turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Forth,
    /// The inverse, which is also the way that gradients take.
    Back,
}

impl Rotary {
    /// The angles for windows of `length` positions and heads of `width` columns, an even number.
    pub(super) fn new(length: usize, width: usize) -> Self {
        let half = width / 2;
        let angles = (0..length * half).map(|at| {
            let (position, i) = (at / half, at % half);
            position as f64 * BASE.powf(-(i as f64) / half as f64)
        });
        let (sines, cosines) = angles.map(f64::sin_cos).unzip();
        Self { cosines, sines, half }
    }

    /// Turns rows `[.., length, heads, 2 half]` in place.
    pub(super) fn turn<T: Float>(&self, rows: &mut [T], width: usize, way: Way) {
        let of = |values: &[f64]| -> Vec<T> { values.iter().map(|&x| T::of(x)).collect() };
        let (cosines, mut sines) = (of(&self.cosines), of(&self.sines));
        if way == Way::Back {
            for sine in &mut sines {
                *sine = -*sine;
            }
        }
        let length = cosines.len() / self.half;
        vectorized(
            #[inline(always)]
            || {
                for (at, row) in rows.chunks_exact_mut(width).enumerate() {
                    let from = at % length * self.half;
                    let (cosines, sines) = (&cosines[from..][..self.half], &sines[from..][..self.half]);
                    for head in row.chunks_exact_mut(2 * self.half) {
                        let (a, b) = head.split_at_mut(self.half);
                        for i in 0..self.half {
                            let (x, y) = (a[i], b[i]);
                            a[i] = x * cosines[i] - y * sines[i];
                            b[i] = x * sines[i] + y * cosines[i];
                        }
                    }
                }
            },
        );
    }

    /// The same of candle's operations, on `[rows, heads, length, 2 half]`.
    pub(super) fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let length = self.cosines.len() / self.half;
        let table = |values: &[f64]| -> Result<Tensor> {
            let table = Tensor::from_slice(values, (length, self.half), &Device::Cpu)?;
            Ok(table.to_dtype(x.dtype())?.to_device(x.device())?)
        };
        let (cosines, sines) = (table(&self.cosines)?, table(&self.sines)?);
        let (a, b) = (x.narrow(3, 0, self.half)?, x.narrow(3, self.half, self.half)?);
        let first = (a.broadcast_mul(&cosines)? - b.broadcast_mul(&sines)?)?;
        let second = (a.broadcast_mul(&sines)? + b.broadcast_mul(&cosines)?)?;
        Ok(Tensor::cat(&[first, second], 3)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_back_undoes_and_products_depend_on_the_distance() {
        let rotary = Rotary::new(6, 4);
        let vector = [0.3, -0.7, 1.1, 0.2];
        let mut rows: Vec<f64> = vector.repeat(6);
        rotary.turn(&mut rows, 4, Way::Forth);
        assert_eq!(rows[..4], vector, "position 0 stays");
        let dot = |i: usize, j: usize| -> f64 { (0..4).map(|k| rows[4 * i + k] * rows[4 * j + k]).sum() };
        assert!((dot(0, 2) - dot(3, 5)).abs() < 1e-14 && (dot(0, 2) - dot(0, 3)).abs() > 1e-3);
        let x = Tensor::from_vec(vector.repeat(6), (1, 1, 6, 4), &Device::Cpu).unwrap();
        let composed = rotary.composed(&x).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert!(composed.iter().zip(&rows).all(|(a, b)| (a - b).abs() < 1e-15));
        rotary.turn(&mut rows, 4, Way::Back);
        assert!(rows.iter().zip(vector.repeat(6)).all(|(a, b)| (a - b).abs() < 1e-15));
    }
}
