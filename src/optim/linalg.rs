//! The linear algebra of rules that treat a parameter as a matrix.

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::nn::float::{Float, read_all};
use crate::nn::matmul::{self, Matrix};
use crate::nn::params::power_to_unit;
use crate::nn::simd::vectorized;

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

    fn identity(n: usize) -> Self {
        let mut values = vec![0.0; n * n];
        for i in 0..n {
            values[i * n + i] = 1.0;
        }
        Self { values, n }
    }

    #[must_use]
    fn transposed(&self) -> Self {
        let n = self.n;
        Self { values: (0..n * n).map(|i| self.values[i % n * n + i / n]).collect(), n }
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

    /// The orthogonal factor of the QR decomposition, by Householder's reflections.
    pub(super) fn orthogonal_factor(self) -> Self {
        let n = self.n;
        let mut columns = self.scaled().transposed();
        let mut reflections = Vec::with_capacity(n);
        vectorized(
            #[inline(always)]
            || {
                for k in 0..n {
                    let (_, reflection) = Reflection::of(&columns.values[k * n + k..(k + 1) * n]);
                    for column in columns.values.chunks_exact_mut(n).skip(k + 1) {
                        reflection.apply(&mut column[k..]);
                    }
                    reflections.push(reflection);
                }
                undo(&reflections, n, 0).transposed()
            },
        )
    }

    /// The eigenvectors of a symmetric matrix as columns, that of the largest eigenvalue first:
    /// Householder's reflections to a tridiagonal matrix, then QL iterations with implicit shifts.
    ///
    /// A matrix that is not finite has none: its are not numbers, so that the training ends as diverged.
    ///
    /// # Errors
    /// When the iterations do not come to an end.
    pub(super) fn eigenvectors(self) -> Result<Self> {
        self.eigenvectors_within(MOST_ITERATIONS)
    }

    fn eigenvectors_within(self, most: usize) -> Result<Self> {
        let n = self.n;
        if self.values.iter().any(|x| !x.is_finite()) {
            return Ok(Self { values: vec![f64::NAN; n * n], n });
        }
        vectorized(
            #[inline(always)]
            || {
                let (mut diagonal, mut beside, mut vectors) = self.scaled().tridiagonal();
                if !diagonalize(&mut diagonal, &mut beside, &mut vectors, most) {
                    let problem =
                        format!("the eigenvectors of a {n} by {n} matrix were not found in {most} iterations each");
                    return Err(Error::Usage(problem));
                }
                let mut order: Vec<usize> = (0..n).collect();
                order.sort_by(|&a, &b| diagonal[b].total_cmp(&diagonal[a]));
                let sorted = order.iter().flat_map(|&i| &vectors.values[i * n..(i + 1) * n]).copied().collect();
                Ok(Self { values: sorted, n }.transposed())
            },
        )
    }

    /// The diagonal and the numbers beside it of `Q^T A Q`, and the rows of `Q^T`.
    #[inline(always)]
    fn tridiagonal(mut self) -> (Vec<f64>, Vec<f64>, Self) {
        let n = self.n;
        let mut beside = vec![0.0; n];
        let mut reflections = Vec::new();
        for k in 0..n.saturating_sub(1) {
            let (left, reflection) = Reflection::of(&self.values[k * n + k + 1..(k + 1) * n]);
            beside[k] = left;
            let Reflection { v, scale } = &reflection;
            // A <- A - v w^T - w v^T reflects from both sides.
            let rest = k + 1..n;
            let mut w: Vec<f64> =
                rest.clone().map(|i| scale * dot(&self.values[i * n + k + 1..(i + 1) * n], v)).collect();
            let along = scale / 2.0 * dot(&w, v);
            add(&mut w, -along, v);
            for (i, row) in rest.zip(self.values.chunks_exact_mut(n).skip(k + 1)) {
                let (vi, wi) = (v[i - k - 1], w[i - k - 1]);
                add(&mut row[k + 1..], -vi, &w);
                add(&mut row[k + 1..], -wi, v);
            }
            reflections.push(reflection);
        }
        let diagonal = (0..n).map(|i| self.values[i * n + i]).collect();
        (diagonal, beside, undo(&reflections, n, 1))
    }
}

/// `1 - scale v v^T`.
struct Reflection {
    v: Vec<f64>,
    scale: f64,
}

impl Reflection {
    /// The reflection that leaves nothing of a vector but its first number, and that number.
    #[inline(always)]
    fn of(x: &[f64]) -> (f64, Self) {
        let mut v = x.to_vec();
        if dot(&v[1..], &v[1..]) == 0.0 {
            return (v[0], Self { v, scale: 0.0 });
        }
        let left = -dot(x, x).sqrt().copysign(x[0]);
        v[0] -= left;
        let scale = 2.0 / dot(&v, &v);
        (left, Self { v, scale })
    }

    #[inline(always)]
    fn apply(&self, x: &mut [f64]) {
        add(x, -self.scale * dot(x, &self.v), &self.v);
    }
}

/// The rows of `Q^T`, with Q the product of reflections, of which the k-th leaves the first
/// `k + offset` coordinates alone.
#[inline(always)]
fn undo(reflections: &[Reflection], n: usize, offset: usize) -> Square {
    let mut q = Square::identity(n);
    for (k, reflection) in reflections.iter().enumerate().rev() {
        for row in q.values.chunks_exact_mut(n).skip(k + offset) {
            reflection.apply(&mut row[k + offset..]);
        }
    }
    q
}

/// QL iterations for one eigenvalue; two or three are usual.
const MOST_ITERATIONS: usize = 60;

/// Turns the rows of `vectors` into the eigenvectors of the tridiagonal matrix, whose diagonal
/// becomes its eigenvalues; `false` where one of them takes more than `most` iterations.
#[inline(always)]
fn diagonalize(d: &mut [f64], e: &mut [f64], vectors: &mut Square, most: usize) -> bool {
    let n = d.len();
    for l in 0..n {
        for iteration in 0.. {
            let negligible = |m: usize| e[m].abs() <= f64::EPSILON * (d[m].abs() + d[m + 1].abs());
            let m = (l..n - 1).find(|&m| negligible(m)).unwrap_or(n - 1);
            if m == l {
                break;
            }
            if iteration == most {
                return false;
            }
            // The eigenvalue of the leading 2 by 2 block that is nearer to its first number.
            let ratio = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let shift = d[l] - e[l] / (ratio + ratio.hypot(1.0).copysign(ratio));
            chase(d, e, vectors, l..m, shift);
        }
    }
    true
}

/// One QL sweep: rotations from the bottom up push a bulge out of the tridiagonal matrix.
#[inline(always)]
fn chase(d: &mut [f64], e: &mut [f64], vectors: &mut Square, block: std::ops::Range<usize>, shift: f64) {
    let n = vectors.n;
    let (first, last) = (block.start, block.end);
    let (mut sine, mut cosine, mut carried) = (1.0, 1.0, 0.0);
    let mut g = d[last] - shift;
    for i in block.rev() {
        let (f, b) = (sine * e[i], cosine * e[i]);
        let r = f.hypot(g);
        e[i + 1] = r;
        if r == 0.0 {
            // The matrix fell apart on the way: the rest is another iteration's.
            d[i + 1] -= carried;
            e[last] = 0.0;
            return;
        }
        (sine, cosine) = (f / r, g / r);
        g = d[i + 1] - carried;
        let r = (d[i] - g) * sine + 2.0 * cosine * b;
        carried = sine * r;
        d[i + 1] = g + carried;
        g = cosine * r - b;
        let (upper, lower) = vectors.values[i * n..(i + 2) * n].split_at_mut(n);
        for (u, l) in upper.iter_mut().zip(lower) {
            (*u, *l) = (cosine * *u - sine * *l, sine * *u + cosine * *l);
        }
    }
    d[first] -= carried;
    e[first] = g;
    e[last] = 0.0;
}

/// The inner product, in a fixed order of 8 lanes.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            lanes[i] += a[i] * b[i];
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += a * b;
    }
    lanes.iter().sum()
}

/// `a <- a + factor b`.
#[inline(always)]
fn add(a: &mut [f64], factor: f64, b: &[f64]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a += factor * b;
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
            assert!(far_from(&times(&q.transposed(), &q), &Square::identity(n)) < 1e-13);
            let turned = times(&times(&q.transposed(), &gram), &q);
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
            assert!(far_from(&times(&q.transposed(), &q), &Square::identity(n)) < 1e-14);
            let r = times(&q.transposed(), &a);
            assert!((0..n).all(|i| (0..i).all(|j| r.values[i * n + j].abs() < 1e-13)));
        }
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
    fn eigenvectors_that_are_not_found_are_an_error_and_those_of_no_number_none() {
        let square = || Square { values: vec![2.0, 1.0, 1.0, 3.0], n: 2 };
        assert!(square().eigenvectors_within(0).is_err_and(|error| error.to_string().contains("0 iterations")));
        assert!(square().eigenvectors().is_ok());
        for lost in [f64::NAN, f64::INFINITY] {
            let vectors = Square { values: vec![2.0, lost, lost, 3.0], n: 2 }.eigenvectors().unwrap();
            assert!(vectors.values.iter().all(|x| x.is_nan()));
        }
    }
}
