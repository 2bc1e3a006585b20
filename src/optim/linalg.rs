//! The linear algebra of rules that treat a parameter as a matrix.

use candle_core::{DType, Device, Tensor};
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch as apply_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj as apply,
};
use faer::linalg::qr::no_pivoting::factor::{qr_in_place, qr_in_place_scratch, recommended_block_size};
use faer::{Conj, Mat, MatRef, Par, Spec};

use crate::error::{Error, Result};
use crate::nn::float::{Float, read_all};
use crate::nn::matmul::{self, Matrix};
use crate::nn::params::power_to_unit;

/// A parameter as a matrix: `[out, rest]` where it has more than two axes; nothing for vectors.
pub(super) fn as_matrix(dims: &[usize]) -> Option<(usize, usize)> {
    match dims {
        [] | [_] => None,
        [rows, rest @ ..] => Some((*rows, rest.iter().product())),
    }
}

/// A matrix as a factor of a product.
#[derive(Clone, Copy)]
pub(super) struct Factor<'a> {
    tensor: &'a Tensor,
    transposed: bool,
}

impl<'a> From<&'a Tensor> for Factor<'a> {
    fn from(tensor: &'a Tensor) -> Self {
        Self { tensor, transposed: false }
    }
}

/// The matrix, transposed.
pub(super) fn t(tensor: &Tensor) -> Factor<'_> {
    Factor { tensor, transposed: true }
}

/// The product of two matrices; `composed` asks for tensor operations.
pub(super) fn product<'a>(composed: bool, a: impl Into<Factor<'a>>, b: impl Into<Factor<'a>>) -> Result<Tensor> {
    let (a, b) = (a.into(), b.into());
    match (!composed && a.tensor.device().is_cpu(), a.tensor.dtype()) {
        (true, DType::F32) => fused_product::<f32>(a, b),
        (true, DType::F64) => fused_product::<f64>(a, b),
        _ => {
            let whole = |factor: Factor| if factor.transposed { factor.tensor.t() } else { Ok(factor.tensor.clone()) };
            Ok(whole(a)?.matmul(&whole(b)?)?)
        }
    }
}

fn fused_product<T: Float>(a: Factor, b: Factor) -> Result<Tensor> {
    let ((ar, ac), (br, bc)) = (a.tensor.dims2()?, b.tensor.dims2()?);
    let (rows, cols) = (if a.transposed { ac } else { ar }, if b.transposed { br } else { bc });
    let values = read_all(&[&a.tensor.contiguous()?, &b.tensor.contiguous()?], |data: Vec<&[T]>| {
        let (x, y) = (Matrix::new(data[0], ar, ac), Matrix::new(data[1], br, bc));
        matmul::product(if a.transposed { x.t() } else { x }, if b.transposed { y.t() } else { y })
    })?;
    Ok(Tensor::from_vec(values, (rows, cols), a.tensor.device())?)
}

/// A square matrix of double precision, row after row.
pub(super) struct Square {
    pub(super) values: Vec<f64>,
    pub(super) n: usize,
}

impl Square {
    pub(super) fn of(tensor: &Tensor) -> Result<Self> {
        let n = tensor.dims2()?.0;
        let values = tensor.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
        Ok(Self { values, n })
    }

    /// As a tensor of the number type and on the device of another one.
    pub(super) fn tensor(self, like: &Tensor) -> Result<Tensor> {
        let tensor = Tensor::from_vec(self.values, (self.n, self.n), &Device::Cpu)?;
        Ok(tensor.to_dtype(like.dtype())?.to_device(like.device())?)
    }

    /// The same directions at a size at which no square leaves the range of a number.
    #[must_use]
    fn scaled(mut self) -> Self {
        let largest = self.values.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        if largest > 0.0 && largest.is_finite() && !(1e-100..1e100).contains(&largest) {
            let scale = power_to_unit(largest);
            self.values.iter_mut().for_each(|x| *x *= scale);
        }
        self
    }

    /// The orthogonal factor of the QR decomposition; its column for a column of zeros is orthogonal to all others.
    pub(super) fn orthogonal_factor(self) -> Self {
        let n = self.n;
        if !self.is_finite() {
            return Self::lost(n);
        }
        let a = self.scaled().values;
        // Columns of zeros come last: faer's QR would move the directions behind them to their places.
        let (some, zeros): (Vec<_>, Vec<_>) = (0..n).partition(|j| (0..n).any(|i| a[i * n + j] != 0.0));
        let order = [some, zeros].concat();
        let mut reflections = Mat::from_fn(n, n, |i, j| a[i * n + order[j]]);
        let block = recommended_block_size::<f64>(n, n);
        let mut factors = Mat::zeros(block, n);
        let mut scratch = MemBuffer::new(StackReq::any_of(&[
            qr_in_place_scratch::<f64>(n, n, block, Par::Seq, Spec::default()),
            apply_scratch::<f64>(n, block, n),
        ]));
        let stack = MemStack::new(&mut scratch);
        qr_in_place(reflections.as_mut(), factors.as_mut(), Par::Seq, stack, Spec::default());
        let mut q = Mat::identity(n, n);
        apply(reflections.as_ref(), factors.as_ref(), Conj::No, q.as_mut(), Par::Seq, stack);
        let mut values = a;
        for (j, place) in order.into_iter().enumerate() {
            (0..n).for_each(|i| values[i * n + place] = q[(i, j)]);
        }
        Self { values, n }
    }

    /// The eigenvectors of a symmetric matrix as columns, that of the largest eigenvalue first.
    ///
    /// # Errors
    /// When the iterations do not come to an end.
    pub(super) fn eigenvectors(self) -> Result<Self> {
        let n = self.n;
        if !self.is_finite() {
            return Ok(Self::lost(n));
        }
        let (mut sizes, mut vectors) = (Diag::zeros(n), Mat::zeros(n, n));
        let mut scratch =
            MemBuffer::new(self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, Par::Seq, Spec::default()));
        self_adjoint_evd(
            MatRef::from_row_major_slice(&self.scaled().values, n, n),
            sizes.as_mut(),
            Some(vectors.as_mut()),
            Par::Seq,
            MemStack::new(&mut scratch),
            Spec::default(),
        )
        .map_err(|_| Error::Usage(format!("the eigenvectors of a {n} by {n} matrix were not found")))?;
        // Theirs begin with the smallest.
        Ok(Self { values: (0..n * n).map(|i| vectors[(i / n, n - 1 - i % n)]).collect(), n })
    }

    fn is_finite(&self) -> bool {
        self.values.iter().all(|x| x.is_finite())
    }

    /// What a matrix that is not finite has for vectors: no numbers, so that the training ends as diverged.
    fn lost(n: usize) -> Self {
        Self { values: vec![f64::NAN; n * n], n }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(i: usize) -> f64 {
        (i as f64 * 12.9898).sin() * 43758.5453 % 1.0
    }

    fn times(a: &Square, b: &Square) -> Square {
        let n = a.n;
        let values = matmul::product(Matrix::new(&a.values, n, n), Matrix::new(&b.values, n, n));
        Square { values, n }
    }

    /// `a^T b`.
    fn across(a: &Square, b: &Square) -> Square {
        let n = a.n;
        let values = matmul::product(Matrix::new(&a.values, n, n).t(), Matrix::new(&b.values, n, n));
        Square { values, n }
    }

    fn identity(n: usize) -> Square {
        Square { values: (0..n * n).map(|i| f64::from(i / n == i % n)).collect(), n }
    }

    fn far_from(a: &Square, b: &Square) -> f64 {
        a.values.iter().zip(&b.values).fold(0.0, |worst, (a, b)| worst.max((a - b).abs()))
    }

    #[test]
    fn eigenvectors_diagonalize_largest_first_whatever_the_rank() {
        for (n, rank) in [(1, 1), (2, 2), (3, 2), (20, 20), (21, 5), (30, 0)] {
            let g: Vec<f64> = (0..n * rank).map(noise).collect();
            let values = match rank {
                0 => vec![0.0; n * n],
                _ => matmul::product(Matrix::new(&g, n, rank), Matrix::new(&g, n, rank).t()),
            };
            let gram = Square { values, n };
            let q = Square { values: gram.values.clone(), n }.eigenvectors().unwrap();
            assert!(far_from(&across(&q, &q), &identity(n)) < 1e-13);
            let turned = times(&across(&q, &gram), &q);
            for i in 0..n {
                for j in 0..n {
                    assert!(i == j || turned.values[i * n + j].abs() < 1e-12, "{n} {rank}");
                }
                assert!(i == 0 || turned.values[i * n + i] < turned.values[(i - 1) * n + i - 1] + 1e-12);
            }
        }
    }

    #[test]
    fn the_orthogonal_factor_leaves_a_triangle() {
        for n in [1, 2, 5, 17] {
            let a = Square { values: (0..n * n).map(noise).collect(), n };
            let q = Square { values: a.values.clone(), n }.orthogonal_factor();
            assert!(far_from(&across(&q, &q), &identity(n)) < 1e-14);
            let r = across(&q, &a);
            assert!((0..n).all(|i| (0..i).all(|j| r.values[i * n + j].abs() < 1e-13)));
        }
    }

    #[test]
    fn directions_stay_in_place_beside_a_column_of_zeros() {
        let a = Square { values: vec![2.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0], n: 3 };
        let q = a.orthogonal_factor();
        assert!(q.values.iter().zip(identity(3).values).all(|(q, one)| (q.abs() - one).abs() < 1e-15));
    }

    #[test]
    fn directions_do_not_depend_on_the_size_of_the_numbers() {
        let n = 7;
        let g: Vec<f64> = (0..n * n).map(noise).collect();
        let gram = matmul::product(Matrix::new(&g, n, n), Matrix::new(&g, n, n).t());
        let times = |values: &[f64], factor: f64| Square { values: values.iter().map(|x| x * factor).collect(), n };
        let (vectors, factor) = (times(&gram, 1.0).eigenvectors().unwrap(), times(&g, 1.0).orthogonal_factor());
        for size in [2f64.powi(700), 2f64.powi(-700), 2f64.powi(1020), 2f64.powi(-1000)] {
            assert!(far_from(&times(&gram, size).eigenvectors().unwrap(), &vectors) < 1e-14, "{size:e}");
            assert!(far_from(&times(&g, size).orthogonal_factor(), &factor) < 1e-14, "{size:e}");
        }
    }

    #[test]
    fn a_matrix_that_is_not_finite_has_no_directions() {
        for lost in [f64::NAN, f64::INFINITY] {
            let square = || Square { values: vec![2.0, lost, lost, 3.0], n: 2 };
            for directions in [square().eigenvectors().unwrap(), square().orthogonal_factor()] {
                assert!(directions.values.iter().all(|x| x.is_nan()));
            }
        }
    }

    #[test]
    fn the_same_matrix_has_the_same_bits() {
        let bits = |tensor: Tensor| -> Vec<u64> {
            let values: Vec<f64> = tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            values.into_iter().map(f64::to_bits).collect()
        };
        for (dtype, n) in [(DType::F32, 30), (DType::F64, 30), (DType::F32, 150), (DType::F64, 150)] {
            let g = Tensor::from_vec((0..n * n).map(noise).collect(), (n, n), &Device::Cpu).unwrap();
            let g = g.to_dtype(dtype).unwrap();
            let gram = g.matmul(&g.t().unwrap()).unwrap();
            let directions = || {
                let factor = Square::of(&g).unwrap().orthogonal_factor().tensor(&g).unwrap();
                let vectors = Square::of(&gram).unwrap().eigenvectors().unwrap().tensor(&g).unwrap();
                (bits(factor), bits(vectors))
            };
            let first = directions();
            // Another thread has memory of its own, at other addresses.
            let other = std::thread::scope(|scope| scope.spawn(directions).join().unwrap());
            assert!(first == directions() && first == other, "{dtype:?} {n}");
        }
    }
}
