//! Products of matrices, through the `gemm` crate.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::nn::float::Float;

static THREADS: AtomicUsize = AtomicUsize::new(1);

/// Sets how many threads one product may use; 1 unless set.
pub fn set_threads(threads: usize) {
    THREADS.store(threads.max(1), Ordering::Relaxed);
}

/// Multiplications below which one thread is through before a second one is awake, about 80 us.
const WORTH_A_THREAD: usize = 1 << 22;

fn parallelism(multiplications: usize) -> gemm::Parallelism {
    match THREADS.load(Ordering::Relaxed) {
        threads if threads > 1 && multiplications >= WORTH_A_THREAD => gemm::Parallelism::Rayon(threads),
        _ => gemm::Parallelism::None,
    }
}

/// A matrix in memory, not necessarily row after row.
#[derive(Clone, Copy)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A matrix stored row after row.
    ///
    /// # Panics
    /// When the data is not `rows * cols` long.
    pub fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(cols), "a {rows} by {cols} matrix");
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// Rows that lie `row_stride` elements apart, such as the columns of one head in a wider matrix.
    ///
    /// # Panics
    /// When the rows overlap or reach beyond the data.
    pub fn strided(data: &'a [T], rows: usize, cols: usize, row_stride: usize) -> Self {
        check_rows(data.len(), rows, cols, row_stride);
        Self { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The transposed matrix, without moving anything.
    #[must_use]
    pub fn t(self) -> Self {
        Self { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }
}

/// Checks that rows so far apart lie side by side and within the data.
fn check_rows(len: usize, rows: usize, cols: usize, row_stride: usize) {
    let end = rows.checked_sub(1).map_or(Some(0), |last| last.checked_mul(row_stride)?.checked_add(cols));
    let fits = cols <= row_stride && end.is_some_and(|end| end <= len);
    assert!(fits, "a {rows} by {cols} matrix with rows {row_stride} apart");
}

/// The length of a product. Sides of matrices without elements may be of any length: their product must not wrap.
fn length<T: Copy>(a: Matrix<T>, b: Matrix<T>) -> usize {
    a.rows.checked_mul(b.cols).unwrap_or_else(|| panic!("a {} by {} product is too large", a.rows, b.cols))
}

/// `a b`, row after row.
///
/// # Panics
/// When the inner dimensions differ, or the product is larger than memory can be.
#[expect(unsafe_code, reason = "the product is written into memory that was not zeroed first")]
pub fn product<T: Float>(a: Matrix<T>, b: Matrix<T>) -> Vec<T> {
    let len = length(a, b);
    if a.cols == 0 {
        assert_eq!(b.rows, 0, "inner dimensions of a product");
        return vec![T::of(0.0); len];
    }
    let mut out = Vec::with_capacity(len);
    // SAFETY: the buffer holds `len` elements, and the product, of at least one term, writes every one without reading it.
    unsafe {
        raw_product(out.as_mut_ptr(), b.cols, a, b, false);
        out.set_len(len);
    }
    out
}

/// `out = a b`, with `out` stored row after row; what it held does not matter.
///
/// # Panics
/// When the dimensions differ.
#[expect(unsafe_code, reason = "hands the slice to the product as a pointer")]
pub fn write_product<T: Float>(out: &mut [T], a: Matrix<T>, b: Matrix<T>) {
    assert_eq!(out.len(), length(a, b), "a {} by {} product", a.rows, b.cols);
    // SAFETY: the slice is exactly as long as the product.
    unsafe { raw_product(out.as_mut_ptr(), b.cols, a, b, false) }
}

/// `out += a b`, with `out` stored row after row.
///
/// # Panics
/// When the dimensions differ.
#[expect(unsafe_code, reason = "hands the slice to the product as a pointer")]
pub fn add_product<T: Float>(out: &mut [T], a: Matrix<T>, b: Matrix<T>) {
    assert_eq!(out.len(), length(a, b), "a {} by {} product", a.rows, b.cols);
    // SAFETY: the slice is exactly as long as the product and initialised.
    unsafe { raw_product(out.as_mut_ptr(), b.cols, a, b, true) }
}

/// Writes the product `a b` to rows that lie `row_stride` elements apart.
///
/// # Panics
/// When inner dimensions differ, or the rows overlap or reach beyond `out`.
#[expect(unsafe_code, reason = "hands the slice to the product as a pointer")]
pub fn write_strided<T: Float>(out: &mut [T], row_stride: usize, a: Matrix<T>, b: Matrix<T>) {
    check_rows(out.len(), a.rows, b.cols, row_stride);
    // SAFETY: every row of the product lies within the slice.
    unsafe { raw_product(out.as_mut_ptr(), row_stride, a, b, false) }
}

/// Adds the product `a b` to rows that lie `row_stride` elements apart.
///
/// # Panics
/// When inner dimensions differ, or the rows overlap or reach beyond `out`.
#[expect(unsafe_code, reason = "hands the slice to the product as a pointer")]
pub fn add_strided<T: Float>(out: &mut [T], row_stride: usize, a: Matrix<T>, b: Matrix<T>) {
    check_rows(out.len(), a.rows, b.cols, row_stride);
    // SAFETY: every row of the product lies within the slice, which is initialised.
    unsafe { raw_product(out.as_mut_ptr(), row_stride, a, b, true) }
}

/// # Safety
/// `out` points to room for `a.rows` rows of `b.cols` elements that begin `row_stride` elements apart, initialised where
/// `accumulate`.
#[expect(unsafe_code, reason = "the kernel takes pointers and strides")]
unsafe fn raw_product<T: Float>(out: *mut T, row_stride: usize, a: Matrix<T>, b: Matrix<T>, accumulate: bool) {
    assert_eq!(a.cols, b.rows, "inner dimensions of a product");
    let one = T::of(1.0);
    // SAFETY: a `Matrix` covers exactly its data, so that every element lies inside; without elements there is nothing to
    // step over, and a stride that does not fit `isize` is not used. `out` is the caller's promise.
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            out,
            1,
            row_stride as isize,
            accumulate,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            one,
            one,
            false,
            false,
            false,
            parallelism(a.rows.saturating_mul(a.cols).saturating_mul(b.cols)),
        );
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    /// The product of two row-major matrices by candle, which has packing and strides of its own.
    fn candle_s(a: &[f64], b: &[f64], (m, k, n): (usize, usize, usize)) -> Vec<f64> {
        let tensor = |values: &[f64], shape| Tensor::from_slice(values, shape, &Device::Cpu).unwrap();
        tensor(a, (m, k)).matmul(&tensor(b, (k, n))).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn products_of_all_transpositions_agree_with_candle_s() {
        // One by one, thin, the kernels' edges, and longer than a packed block.
        for (m, k, n) in [(1, 1, 1), (5, 3, 7), (1, 300, 9), (17, 16, 33), (70, 530, 65)] {
            let a: Vec<f64> = (0..m * k).map(|i| (i as f64).sin()).collect();
            let b: Vec<f64> = (0..k * n).map(|i| (i as f64).cos()).collect();
            let transpose = |x: &[f64], rows: usize, cols: usize| -> Vec<f64> {
                (0..rows * cols).map(|i| x[(i % rows) * cols + i / rows]).collect()
            };
            let expected = candle_s(&a, &b, (m, k, n));
            let naive: Vec<f64> =
                (0..m * n).map(|i| (0..k).map(|l| a[i / n * k + l] * b[l * n + i % n]).sum()).collect();
            let (at, bt) = (transpose(&a, m, k), transpose(&b, k, n));
            let left = [Matrix::new(&a, m, k), Matrix::new(&at, k, m).t()];
            let right = [Matrix::new(&b, k, n), Matrix::new(&bt, n, k).t()];
            for a in left {
                for b in right {
                    let mut sum = vec![1.0; m * n];
                    add_product(&mut sum, a, b);
                    let mut written = vec![f64::NAN; m * n];
                    write_product(&mut written, a, b);
                    assert_eq!(written, product(a, b));
                    for i in 0..m * n {
                        for want in [expected[i], naive[i]] {
                            let close = |got: f64| (got - want).abs() < 1e-12;
                            assert!(close(written[i]) && close(sum[i] - 1.0), "{m} {k} {n}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn rows_may_lie_apart() {
        let wide: Vec<f64> = (0..20).map(f64::from).collect();
        let (a, b) = (Matrix::strided(&wide[1..], 3, 2, 5), Matrix::strided(&wide, 2, 3, 10));
        let mut out = vec![-1.0; 12];
        write_strided(&mut out[1..], 4, a, b);
        assert_eq!(out, [-1.0, 20.0, 23.0, 26.0, -1.0, 70.0, 83.0, 96.0, -1.0, 120.0, 143.0, 166.0]);
        add_strided(&mut out, 4, Matrix::strided(&wide, 2, 1, 1), Matrix::strided(&wide[2..], 1, 2, 2));
        assert_eq!(out[..6], [-1.0, 20.0, 23.0, 26.0, 1.0, 73.0]);
        for (rows, cols, stride) in [(3, 6, 5), (3, 5, 8), (usize::MAX, 2, 2)] {
            assert!(std::panic::catch_unwind(|| _ = Matrix::strided(&wide, rows, cols, stride)).is_err());
        }
    }

    #[test]
    fn a_product_of_no_terms_is_0() {
        let (tall, wide) = (Matrix::<f32>::new(&[], 2, 0), Matrix::new(&[], 0, 3));
        assert_eq!(product(tall, wide), [0.0; 6]);
        let mut out = [1.0; 6];
        add_product(&mut out, tall, wide);
        assert_eq!(out, [1.0; 6]);
        write_product(&mut out, tall, wide);
        assert_eq!(out, [0.0; 6]);
        assert!(product(wide, Matrix::new(&[], 3, 0)).is_empty());
    }

    /// What a safe function was called with must not lead outside of memory, whatever it was.
    #[test]
    fn no_size_wraps() {
        const HUGE: usize = 1 << (usize::BITS / 2);
        let refused = |call: &dyn Fn()| {
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err());
        };
        // HUGE squared is 2^64, and so 0 where it wraps.
        refused(&|| _ = Matrix::<f32>::new(&[], HUGE, HUGE));
        let (tall, wide) = (Matrix::<f32>::new(&[], HUGE, 0), Matrix::new(&[], 0, HUGE));
        refused(&|| drop(product(tall, wide)));
        refused(&|| write_product(&mut [], tall, wide));
        refused(&|| add_product(&mut [], tall, wide));
        let odd = Matrix::<f32>::new(&[], 2, 0);
        refused(&|| drop(product(odd, Matrix::new(&[0.0; 3], 1, 3))));
    }
}
