//! What tuning buys: the best that is expected after so many tries.

use crate::metric::Metric;

/// The expected best of `k` hyper-parameter settings drawn at random, for k = 1 up to all of them
/// (Dodge et al. 2019, "Show Your Work"): with scores sorted from worst to best,
/// `E_k = sum_i x_i ((i/n)^k - ((i-1)/n)^k)`. A setting that diverged has the worst score that
/// another one has: its own says nothing finite.
pub fn expected_best(scores: &[Option<f64>], metric: Metric) -> Vec<f64> {
    let finite = |score: &Option<f64>| score.filter(|x| x.is_finite());
    let worst = scores.iter().filter_map(finite).reduce(|a, b| if metric.better(a, b) { b } else { a });
    let Some(worst) = worst else { return Vec::new() };
    let mut sorted: Vec<f64> = scores.iter().map(|score| finite(score).unwrap_or(worst)).collect();
    sorted.sort_by(f64::total_cmp);
    if !metric.higher_is_better() {
        sorted.reverse();
    }
    let n = sorted.len() as f64;
    let share = |i: usize, k: usize| (i as f64 / n).powi(k as i32);
    let after = |k: usize| sorted.iter().enumerate().map(|(i, x)| x * (share(i + 1, k) - share(i, k))).sum();
    (1..=sorted.len()).map(after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_two_by_hand() {
        // Pairs drawn with replacement from 1, 2: the best is 2 in three of four.
        assert_eq!(expected_best(&[Some(2.0), Some(1.0)], Metric::Accuracy), [1.5, 1.75]);
        assert_eq!(expected_best(&[Some(2.0), Some(1.0)], Metric::Loss), [1.5, 1.25]);
        assert_eq!(expected_best(&[None, Some(1.0)], Metric::Loss), [1.0, 1.0]);
        assert!(expected_best(&[None, Some(f64::NAN)], Metric::Loss).is_empty());
    }
}
