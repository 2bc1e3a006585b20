//! Wilcoxon's signed-rank test: is the difference real, whatever its distribution?

use statrs::distribution::{ContinuousCDF, Normal};

use crate::analysis::Sample;

/// The most differences for which the distribution is counted out instead of approximated.
const EXACT: usize = 50;

/// The two-sided p-value that differences are symmetric about zero (Wilcoxon 1945).
///
/// Zeros are dropped. Without ties and up to 50 differences the distribution is counted out;
/// otherwise it is approximated by a normal one with the correction for ties, as SciPy does.
/// With n differences it cannot be below `2 / 2^n`: five seeds never reach 0.05.
pub fn signed_rank(differences: &Sample) -> Option<f64> {
    let mut all: Vec<f64> = differences.iter().filter(|d| *d != 0.0).collect();
    let n = all.len();
    if n == 0 {
        return None;
    }
    all.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let (mut positive, mut ties, mut place) = (0.0, 0.0, 0);
    for group in all.chunk_by(|a, b| a.abs() == b.abs()) {
        let size = group.len() as f64;
        let rank = place as f64 + 0.5 * (size + 1.0);
        positive += rank * group.iter().filter(|d| **d > 0.0).count() as f64;
        ties += size.powi(3) - size;
        place += group.len();
    }
    let total = (n * (n + 1)) as f64 / 2.0;
    let smaller = positive.min(total - positive);
    if n <= EXACT && ties == 0.0 && n == differences.len() {
        return Some((2.0 * share_at_most(n, smaller as usize)).min(1.0));
    }
    let n = n as f64;
    let deviation = (n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0).sqrt();
    let normal = Normal::new(0.0, 1.0).ok()?;
    Some((2.0 * normal.cdf((smaller - 0.5 * total) / deviation)).min(1.0))
}

/// The share of the 2^n choices of ranks 1..=n whose sum is at most `limit`.
fn share_at_most(n: usize, limit: usize) -> f64 {
    let mut ways = vec![0.0; limit + 1];
    ways[0] = 1.0;
    for rank in 1..=n {
        for sum in (rank..=limit).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    ways.iter().sum::<f64>() / 2f64.powi(n as i32)
}
