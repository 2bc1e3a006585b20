//! One pass over memory with the widest vectors of the machine at hand.

use crate::nn::float::Float;

/// Runs a loop compiled for the machine's vector instructions (AVX-512, AVX2, NEON or the baseline).
///
/// The closure must be `#[inline(always)]`, as must be what it calls. Products and sums are never
/// contracted, so the numbers are the same on every machine.
#[inline]
pub fn vectorized<R>(pass: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(pass)
}

/// The sum of the terms in a fixed order of 16 lanes, whatever the machine.
#[inline]
pub fn sum_of<T: Copy>(values: &[T], term: impl Fn(T) -> f64) -> f64 {
    vectorized(
        #[inline(always)]
        || {
            fold(
                values,
                0.0,
                #[inline(always)]
                |sum, value| sum + term(value),
                #[inline(always)]
                |a, b| a + b,
            )
        },
    )
}

/// Adds numbers to as many others.
pub(super) fn add<T: Float>(to: &mut [T], from: &[T]) {
    vectorized(
        #[inline(always)]
        || {
            for (to, &from) in to.iter_mut().zip(from) {
                *to += from;
            }
        },
    );
}

/// All values in a fixed order of 16 lanes, so that no step waits for the one before: each lane folds
/// its own, then the lanes are joined. For use within [`vectorized`].
#[inline(always)]
pub(super) fn fold<T: Copy, A: Copy>(values: &[T], start: A, step: impl Fn(A, T) -> A, join: impl Fn(A, A) -> A) -> A {
    const LANES: usize = 16;
    let mut lanes = [start; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = step(*lane, value);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane = step(*lane, value);
    }
    lanes.into_iter().fold(start, join)
}
