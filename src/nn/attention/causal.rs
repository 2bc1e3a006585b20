//! The mixing of values by queries and keys, block after block of queries: of the scores no more is kept than a block's.
//!
//! What the softmax of a row was divided by is kept instead of its shares, which the backward pass computes anew
//! (Dao et al. 2022, arXiv 2205.14135).

use crate::nn::float::Float;
use crate::nn::matmul::{Matrix, add_strided, write_strided};
use crate::nn::simd::{fold, vectorized};

/// Queries in a block. Keys after a block's last query are never looked at: smaller blocks waste less, larger ones make
/// longer products.
const BLOCK: usize = 64;

/// The shape: windows `[length, width]`, whose columns are those of one head after the other.
pub(super) struct Heads {
    pub(super) length: usize,
    pub(super) count: usize,
    pub(super) width: usize,
}

/// A block of queries of one head in one window.
struct Block {
    /// The first element of the window in this head's columns.
    start: usize,
    /// The number of the first query within the window.
    first: usize,
    queries: usize,
    /// Where the sums of its rows stand.
    sums: usize,
}

impl Heads {
    /// Columns of a head.
    fn columns(&self) -> usize {
        self.width / self.count
    }

    fn scale<T: Float>(&self) -> T {
        T::of(1.0 / (self.columns() as f64).sqrt())
    }

    /// Every block of every head in every window.
    fn blocks(&self, len: usize) -> impl Iterator<Item = Block> + use<> {
        let (length, heads, width, columns) = (self.length, self.count, self.width, self.columns());
        (0..len / (length * width) * heads).flat_map(move |at| {
            let start = at / heads * length * width + at % heads * columns;
            (0..length).step_by(BLOCK).map(move |first| {
                let queries = BLOCK.min(length - first);
                Block { start, first, queries, sums: at * length + first }
            })
        })
    }

    /// The rows of a block in its head's columns.
    fn rows<'a, T>(&self, of: &'a [T], block: &Block) -> Matrix<'a, T> {
        let from = block.start + block.first * self.width;
        Matrix::strided(&of[from..], block.queries, self.columns(), self.width)
    }

    /// The rows that a block looks at: all up to its last.
    fn seen<'a, T>(&self, of: &'a [T], block: &Block) -> Matrix<'a, T> {
        Matrix::strided(&of[block.start..], block.seen(), self.columns(), self.width)
    }

    /// The mixed values, and of every row the logarithm of the sum that its softmax was divided by.
    pub(super) fn forward<T: Float>(&self, [query, key, value]: [&[T]; 3]) -> (Vec<T>, Vec<T>) {
        let mut mixed = vec![T::of(0.0); query.len()];
        let mut log_sums = vec![T::of(0.0); query.len() / self.columns()];
        let mut scores = Vec::new();
        for block in self.blocks(query.len()) {
            let seen = block.seen();
            scores.resize(block.queries * seen, T::of(0.0));
            write_strided(&mut scores, seen, self.rows(query, &block), self.seen(key, &block).t());
            let sums = &mut log_sums[block.sums..][..block.queries];
            vectorized(
                #[inline(always)]
                || block.softmax(&mut scores, self.scale(), sums),
            );
            let out = &mut mixed[block.start + block.first * self.width..];
            write_strided(out, self.width, Matrix::new(&scores, block.queries, seen), self.seen(value, &block));
        }
        (mixed, log_sums)
    }

    /// The gradients of queries, keys and values.
    pub(super) fn backward<T: Float>(
        &self,
        [query, key, value]: [&[T]; 3],
        (mixed, log_sums): (&[T], &[T]),
        gradient: &[T],
    ) -> [Vec<T>; 3] {
        let zeros = || vec![T::of(0.0); query.len()];
        let (mut of_query, mut of_key, mut of_value) = (zeros(), zeros(), zeros());
        let (mut shares, mut of_shares) = (Vec::new(), Vec::new());
        for block in self.blocks(query.len()) {
            let seen = block.seen();
            shares.resize(block.queries * seen, T::of(0.0));
            of_shares.resize(block.queries * seen, T::of(0.0));
            write_strided(&mut shares, seen, self.rows(query, &block), self.seen(key, &block).t());
            write_strided(&mut of_shares, seen, self.rows(gradient, &block), self.seen(value, &block).t());
            let rows = block.start + block.first * self.width;
            let sums = &log_sums[block.sums..][..block.queries];
            vectorized(
                #[inline(always)]
                || {
                    let along = |row: usize| {
                        let from = rows + row * self.width;
                        let pair = mixed[from..][..self.columns()].iter().zip(&gradient[from..]);
                        pair.fold(
                            T::of(0.0),
                            #[inline(always)]
                            |sum, (&a, &b)| sum + a * b,
                        )
                    };
                    block.softmax_backward((&mut shares, &mut of_shares), self.scale(), sums, along);
                },
            );
            let shares = Matrix::new(&shares, block.queries, seen);
            let of_scores = Matrix::new(&of_shares, block.queries, seen);
            add_strided(&mut of_value[block.start..], self.width, shares.t(), self.rows(gradient, &block));
            write_strided(&mut of_query[rows..], self.width, of_scores, self.seen(key, &block));
            add_strided(&mut of_key[block.start..], self.width, of_scores.t(), self.rows(query, &block));
        }
        [of_query, of_key, of_value]
    }
}

impl Block {
    fn seen(&self) -> usize {
        self.first + self.queries
    }

    /// The softmax of every row up to its own position; 0 after it.
    #[inline(always)]
    fn softmax<T: Float>(&self, scores: &mut [T], scale: T, log_sums: &mut [T]) {
        let zero = T::of(0.0);
        for (row, (scores, log_sum)) in scores.chunks_exact_mut(self.seen()).zip(log_sums).enumerate() {
            let (scores, later) = scores.split_at_mut(self.first + row + 1);
            let max = fold(scores, T::of(f64::NEG_INFINITY), larger, larger);
            for score in &mut *scores {
                *score = (scale * (*score - max)).exp();
            }
            let sum = fold(scores, zero, plus, plus);
            let share = T::of(1.0) / sum;
            for score in scores {
                *score *= share;
            }
            later.fill(zero);
            *log_sum = scale * max + sum.ln();
        }
    }

    /// Scores become shares, and the gradient of the shares becomes that of the products before their scale.
    #[inline(always)]
    fn softmax_backward<T: Float>(
        &self,
        (scores, gradient): (&mut [T], &mut [T]),
        scale: T,
        log_sums: &[T],
        along: impl Fn(usize) -> T,
    ) {
        let zero = T::of(0.0);
        let rows = scores.chunks_exact_mut(self.seen()).zip(gradient.chunks_exact_mut(self.seen()));
        for (row, ((scores, gradient), &log_sum)) in rows.zip(log_sums).enumerate() {
            let ends = self.first + row + 1;
            let along = along(row);
            for (score, gradient) in scores[..ends].iter_mut().zip(&mut gradient[..ends]) {
                *score = (scale * *score - log_sum).exp();
                *gradient = *score * (*gradient - along) * scale;
            }
            scores[ends..].fill(zero);
            gradient[ends..].fill(zero);
        }
    }
}

/// The larger of two; a NaN is never it.
#[inline(always)]
fn larger<T: Float>(max: T, x: T) -> T {
    if x > max { x } else { max }
}

#[inline(always)]
fn plus<T: Float>(a: T, b: T) -> T {
    a + b
}
