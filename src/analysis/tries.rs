//! What tuning buys: the best that is expected after so many tries.

use crate::analysis::{Rank, Ranking, Summary};
use crate::metric::Metric;

impl Ranking<'_> {
    /// The expected best validation score of one arm after k tries, for k = 1 up to all of its own; nothing
    /// where none of them came to a score. See [`expected_best`].
    ///
    /// A setting that lost a seed counts as the worst setting of all arms of the task, so that an arm
    /// whose settings diverge does not look free of tuning.
    pub fn expected_best(&self, rank: &Rank) -> Vec<f64> {
        let mean = |arm: &Summary| (arm.lost() == 0).then(|| arm.validation(self.metric).mean()).flatten();
        let score = |arm: &Summary| mean(arm).filter(|x| x.is_finite());
        let worse = |a, b| if self.metric.better(a, b) { b } else { a };
        let all = self.ranks.iter().flat_map(|rank| &rank.tried);
        let Some(worst) = all.filter_map(score).reduce(worse) else { return Vec::new() };
        let own: Vec<Option<f64>> = rank.tried.iter().map(score).collect();
        if own.iter().all(Option::is_none) {
            return Vec::new();
        }
        expected_best(own.into_iter().map(|score| score.unwrap_or(worst)).collect(), self.metric)
    }
}

/// The expected best of `k` hyper-parameter settings drawn at random, for k = 1 up to all of them
/// (Dodge et al. 2019, "Show Your Work"): with scores sorted from worst to best,
/// `E_k = sum_i x_i ((i/n)^k - ((i-1)/n)^k)`.
pub fn expected_best(scores: Vec<f64>, metric: Metric) -> Vec<f64> {
    let mut sorted = scores;
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
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};

    #[test]
    fn the_best_of_two_by_hand() {
        // Pairs drawn with replacement from 1, 2: the best is 2 in three of four.
        assert_eq!(expected_best(vec![2.0, 1.0], Metric::Accuracy), [1.5, 1.75]);
        assert_eq!(expected_best(vec![2.0, 1.0], Metric::Loss), [1.5, 1.25]);
    }

    #[test]
    fn what_diverged_is_as_bad_as_the_worst_of_the_task() {
        let records = records(&[
            Arm::at("a", 0.1, &[1.0, 1.0]),
            Arm::at("a", 1.0, &[1.0, f64::NAN]),
            Arm::at("b", 0.1, &[2.0, 2.0]),
            Arm::at("b", 1.0, &[5.0, 5.0]),
            Arm::at("c", 0.1, &[f64::NAN, f64::NAN]),
        ]);
        let ranking = ranking(&records, "task", Metric::Loss);
        let curves: Vec<Vec<f64>> = ranking.ranks.iter().map(|rank| ranking.expected_best(rank)).collect();
        assert_eq!(curves, [vec![3.0, 2.0], vec![3.5, 2.75], vec![]], "1 and 5, 2 and 5, nothing");
    }
}
