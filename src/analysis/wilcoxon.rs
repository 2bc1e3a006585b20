//! Wilcoxon's signed-rank test: is the difference real, whatever its distribution?

use statrs::distribution::{ContinuousCDF, Normal};

use crate::analysis::Sample;

/// The most differences for which the distribution is counted out instead of approximated.
const EXACT: usize = 50;

/// The two-sided p-value that differences are symmetric about zero (Wilcoxon 1945).
///
/// Zeros are dropped and ties share their mean rank. Up to 50 differences the distribution over all
/// signs is counted out; beyond, it is approximated by a normal one with the correction for ties.
/// With n differences it cannot be below `2 / 2^n`: five seeds never reach 0.05.
pub fn signed_rank(differences: &Sample) -> Option<f64> {
    let mut all: Vec<f64> = differences.iter().filter(|d| *d != 0.0).collect();
    if all.is_empty() {
        return None;
    }
    all.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    // Twice the ranks are whole numbers, ties or not.
    let (mut doubled, mut positive, mut ties) = (Vec::with_capacity(all.len()), 0, 0.0);
    for group in all.chunk_by(|a, b| a.abs() == b.abs()) {
        let rank = 2 * doubled.len() + group.len() + 1;
        positive += rank * group.iter().filter(|d| **d > 0.0).count();
        ties += (group.len() as f64).powi(3) - group.len() as f64;
        doubled.extend(std::iter::repeat_n(rank, group.len()));
    }
    let total: usize = doubled.iter().sum();
    let smaller = positive.min(total - positive);
    if all.len() <= EXACT {
        return Some((2.0 * share_at_most(&doubled, smaller)).min(1.0));
    }
    let n = all.len() as f64;
    let deviation = (n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0).sqrt();
    let normal = Normal::new(0.0, 1.0).ok()?;
    Some((2.0 * normal.cdf(0.5 * (smaller as f64 - 0.5 * total as f64) / deviation)).min(1.0))
}

/// The share of all choices of these ranks whose sum is at most `limit`.
fn share_at_most(ranks: &[usize], limit: usize) -> f64 {
    let mut ways = vec![0.0; limit + 1];
    ways[0] = 1.0;
    for &rank in ranks {
        for sum in (rank..=limit).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    ways.iter().sum::<f64>() / 2f64.powi(ranks.len() as i32)
}
