//! How much a learning rate may be off: the width of the good range.

use crate::analysis::{Summary, values};
use crate::metric::Metric;

/// A learning rate with the best mean score that was reached at it; `None` where every setting diverged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// The learning rate.
    pub lr: f64,
    /// The mean validation score over the seeds, the other hyper-parameters at their best.
    pub score: Option<f64>,
}

/// The rates that were tried, in order, each with its best mean score.
pub fn rates(tried: &[Summary], metric: Metric) -> Vec<Rate> {
    values(tried, "lr", metric).into_iter().map(|(lr, score)| Rate { lr, score }).collect()
}

/// The rates around the best one whose score is within `margin` of it, as a share of the best: the
/// lowest and the highest. Its width in decades is `log10(high / low)`. `None` where nothing finished.
pub fn good_range(rates: &[Rate], metric: Metric, margin: f64) -> Option<(f64, f64)> {
    let best = (0..rates.len()).filter(|i| rates[*i].score.is_some()).reduce(|a, b| {
        let score = |i: usize| rates[i].score.unwrap_or(f64::NAN);
        if metric.better(score(b), score(a)) { b } else { a }
    })?;
    let top = rates[best].score?;
    let good = |rate: &Rate| {
        let loss = |score: f64| if metric.higher_is_better() { top - score } else { score - top };
        rate.score.is_some_and(|score| loss(score) <= margin * top.abs())
    };
    let low = rates[..best].iter().rev().take_while(|rate| good(rate)).last();
    let high = rates[best..].iter().take_while(|rate| good(rate)).last();
    Some((low.map_or(rates[best].lr, |rate| rate.lr), high.map_or(rates[best].lr, |rate| rate.lr)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_good_range_is_contiguous_around_the_best() {
        let scores = [(0.001, Some(1.0)), (0.01, Some(2.0)), (0.1, Some(1.005)), (1.0, Some(1.0)), (10.0, None)];
        let rates: Vec<Rate> = scores.into_iter().map(|(lr, score)| Rate { lr, score }).collect();
        assert_eq!(good_range(&rates[1..], Metric::Loss, 0.01), Some((0.1, 1.0)));
        assert_eq!(good_range(&rates[..1], Metric::Loss, 0.01), Some((0.001, 0.001)));
        assert_eq!(good_range(&rates[4..], Metric::Loss, 0.01), None);
    }
}
