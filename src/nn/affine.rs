//! `f(x W' + b)` for a batch of rows.

use crate::nn::float::Float;
use crate::nn::matmul::{Matrix, product};
use crate::nn::simd::vectorized;
use crate::nn::transpose::{transposed, transposed_with};

/// `then(x W' + b)`, `[n, outputs]`, for rows `x` `[n, inputs]`, a weight `[outputs, inputs]` and a bias `[outputs]`.
///
/// Both operands lie along the dimension that is summed over, but a product is fast only where
/// neighbours in memory share a vector: one of the two is turned first, the one with less to turn.
pub(super) fn affine<T: Float>(x: &[T], weight: &[T], bias: &[T], then: impl Fn(T) -> T) -> Vec<T> {
    let outputs = bias.len();
    let inputs = weight.len() / outputs;
    let n = x.len() / inputs;
    if n * (inputs + outputs) < inputs * outputs {
        let x = transposed(x, n);
        let y = product(Matrix::new(weight, outputs, inputs), Matrix::new(&x, inputs, n));
        return transposed_with(
            &y,
            outputs,
            #[inline(always)]
            |sum, output| then(sum + bias[output]),
        );
    }
    let weight = transposed(weight, outputs);
    let mut y = product(Matrix::new(x, n, inputs), Matrix::new(&weight, inputs, outputs));
    for row in y.chunks_exact_mut(outputs) {
        for (y, &bias) in row.iter_mut().zip(bias) {
            *y = then(*y + bias);
        }
    }
    y
}

/// The sum of the rows: the gradient of what is added to each.
pub(super) fn column_sums<T: Float>(rows: &[T], width: usize) -> Vec<T> {
    let mut sums = vec![T::of(0.0); width];
    vectorized(
        #[inline(always)]
        || {
            for row in rows.chunks_exact(width) {
                for (sum, &x) in sums.iter_mut().zip(row) {
                    *sum += x;
                }
            }
        },
    );
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_long_batches_agree_with_the_definition() {
        let (inputs, outputs) = (6, 5);
        for n in [1, 2, 3, 40] {
            let values = |len: usize, step: f64| -> Vec<f64> { (0..len).map(|i| (i as f64 * step).sin()).collect() };
            let (x, weight, bias) = (values(n * inputs, 0.7), values(outputs * inputs, 1.3), values(outputs, 2.1));
            let y = affine(&x, &weight, &bias, f64::abs);
            assert_eq!(y.len(), n * outputs);
            for (i, y) in y.iter().enumerate() {
                let (row, output) = (i / outputs, i % outputs);
                let dot: f64 = (0..inputs).map(|k| x[row * inputs + k] * weight[output * inputs + k]).sum();
                assert!((y - (dot + bias[output]).abs()).abs() < 1e-14, "{n} rows");
            }
        }
    }
}
