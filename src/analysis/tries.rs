//! What tuning buys: the best that is expected after so many tries.

use statrs::distribution::{Continuous, ContinuousCDF, Normal};

use crate::analysis::by_seed::Seed;
use crate::analysis::{Rank, Ranking, Summary, order};
use crate::metric::Metric;

impl Ranking<'_> {
    /// The expected best validation score of one arm after k tries, for k = 1 up to all of its own; nothing
    /// where none of them came to a score. See [`expected_best`].
    ///
    /// A setting that lost a seed counts as the worst setting of all arms of the task, so that an arm
    /// whose settings diverge does not look free of tuning.
    pub fn expected_best(&self, rank: &Rank) -> Vec<f64> {
        let mean =
            |arm: &Summary| (arm.lost_in(self.metric) == 0).then(|| arm.validation(self.metric).mean()).flatten();
        let worse = |a, b| if self.metric.better(a, b) { b } else { a };
        let all = self.ranks.iter().flat_map(|rank| &rank.tried);
        let Some(worst) = all.filter_map(mean).reduce(worse) else { return Vec::new() };
        let own: Vec<Option<f64>> = rank.tried.iter().map(mean).collect();
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

/// By how much the best setting of an arm may look better than the best of `fewer` settings of the same quality would,
/// by chance alone; `None` where the noise of its settings is unknown.
///
/// The means of equally good settings differ by noise with some standard deviation s; the best of k of them is better
/// than their expectation by s times [`expected_maximum`]. The noise is what setting and seed do together, beyond what
/// either does to all, over the better half of the settings that have every seed.
pub(super) fn luck(rank: &Rank, fewer: usize) -> Option<f64> {
    let metric = rank.metric;
    let seeds: Vec<Seed> = rank.selection.validation_by_seed(metric).into_iter().map(|(seed, _)| seed).collect();
    let mut whole: Vec<&Summary> =
        rank.tried.iter().filter(|arm| arm.validation(metric).len() == seeds.len()).collect();
    whole.sort_by(|a, b| order(a, b, metric));
    whole.truncate((rank.tried.len() / 2).max(2));
    let rows: Vec<Vec<f64>> =
        whole.iter().map(|arm| arm.validation_by_seed(metric).into_iter().map(|(_, score)| score).collect()).collect();
    let (k, n) = (rows.len(), seeds.len());
    if k < 2 || n < 2 {
        return None;
    }
    let mean = |values: &mut dyn Iterator<Item = f64>, count: usize| values.sum::<f64>() / count as f64;
    let of_setting: Vec<f64> = rows.iter().map(|row| mean(&mut row.iter().copied(), n)).collect();
    let of_seed: Vec<f64> = (0..n).map(|seed| mean(&mut rows.iter().map(|row| row[seed]), k)).collect();
    let of_all = mean(&mut of_setting.iter().copied(), k);
    let left = |(row, i): (&Vec<f64>, usize)| -> f64 {
        row.iter().zip(&of_seed).map(|(x, seed)| (x - of_setting[i] - seed + of_all).powi(2)).sum()
    };
    let squares: f64 = rows.iter().zip(0..).map(left).sum();
    let noise = (squares / ((k - 1) * (n - 1)) as f64 / n as f64).sqrt();
    Some(noise * (expected_maximum(rank.tried.len()) - expected_maximum(fewer))).filter(|by| *by > 0.0)
}

/// The expectation of the largest of `k` independent standard normal numbers: the integral of
/// x k pdf(x) cdf(x)^(k - 1), by Simpson's rule.
fn expected_maximum(k: usize) -> f64 {
    const PIECES: i32 = 2000;
    const END: f64 = 10.0;
    let normal = Normal::standard();
    let step = 2.0 * END / f64::from(PIECES);
    let density = |x: f64| x * k as f64 * normal.pdf(x) * normal.cdf(x).powi(k as i32 - 1);
    let weight = |i: i32| match i {
        0 | PIECES => 1.0,
        i if i % 2 == 1 => 4.0,
        _ => 2.0,
    };
    (0..=PIECES).map(|i| weight(i) * density(f64::from(i) * step - END)).sum::<f64>() * step / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};

    #[test]
    fn the_best_of_two_by_hand() {
        // Pairs drawn with replacement from 1, 2: the best is 2 in three of four.
        assert_eq!(expected_best(vec![2.0, 1.0], Metric::ACCURACY), [1.5, 1.75]);
        assert_eq!(expected_best(vec![2.0, 1.0], Metric::LOSS), [1.5, 1.25]);
    }

    #[test]
    fn the_luck_of_many_settings_is_that_of_the_largest_of_many_normals() {
        // Harter 1961, table of expected values of normal order statistics.
        for (k, known) in [(1, 0.0), (2, 0.564_189_6), (3, 0.846_284_4), (16, 1.765_991_4), (100, 2.507_593_6)] {
            assert!((expected_maximum(k) - known).abs() < 1e-6, "{k}: {}", expected_maximum(k));
        }
        // Means of 4 seeds, noise 1 beside a seed's own effect of 10: the best of 16 against the best of one.
        let mut stream = crate::rng::Stream::new(2, "luck");
        let seeds: Vec<f64> = (0..4).map(|_| 10.0 * stream.normal()).collect();
        let settings = (1..=16).map(|lr| {
            let losses: Vec<f64> = seeds.iter().map(|seed| 100.0 + seed + stream.normal()).collect();
            Arm::at("a", f64::from(lr), &losses)
        });
        let records = records(&settings.collect::<Vec<_>>());
        let by = luck(&ranking(&records, "task", Metric::LOSS).ranks[0], 1).unwrap();
        assert!((0.5..1.3).contains(&by), "0.5 times 1.77 is expected: {by}");
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
        let ranking = ranking(&records, "task", Metric::LOSS);
        let curves: Vec<Vec<f64>> = ranking.ranks.iter().map(|rank| ranking.expected_best(rank)).collect();
        assert_eq!(curves, [vec![3.0, 2.0], vec![3.5, 2.75], vec![]], "1 and 5, 2 and 5, nothing");
    }
}
