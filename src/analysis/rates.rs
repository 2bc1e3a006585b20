//! How much a learning rate may be off: the width of the good range.

use crate::analysis::{Rank, Tried};

/// The share of the best score that a rate may lose and still count as good.
pub const GOOD: f64 = 0.01;

/// A learning rate that was tried, the other hyper-parameters at their best for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// The learning rate.
    pub lr: f64,
    /// The mean validation score over the seeds; `None` where every setting lost a seed.
    pub score: Option<f64>,
    /// How much worse it is on validation than the chosen settings, over the seeds of both.
    pub behind: Option<f64>,
    /// Whether it is the chosen rate.
    pub is_chosen: bool,
}

/// The rates that were tried, in order.
pub fn rates(rank: &Rank) -> Vec<Rate> {
    let of = |tried: Tried| Rate {
        lr: tried.value,
        score: tried.score(rank.metric),
        behind: tried.behind,
        is_chosen: tried.is_chosen,
    };
    rank.tried_with("lr").into_iter().map(of).collect()
}

/// The rates around the chosen one whose score is at most `margin` behind it, as a share of its score: the
/// lowest and the highest. Its width in decades is `log10(high / low)`. `None` where nothing finished.
pub fn good_range(rates: &[Rate], margin: f64) -> Option<(f64, f64)> {
    let chosen = rates.iter().position(|rate| rate.is_chosen)?;
    let top = rates[chosen].score?;
    // A rate of 0 is no neighbour: it lies infinitely many decades below.
    let good = |rate: &Rate| rate.lr > 0.0 && rate.behind.is_some_and(|behind| behind <= margin * top.abs());
    let low = rates[..chosen].iter().rev().take_while(|rate| good(rate)).last();
    let high = rates[chosen..].iter().take_while(|rate| good(rate)).last();
    Some((low.map_or(rates[chosen].lr, |rate| rate.lr), high.map_or(rates[chosen].lr, |rate| rate.lr)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Metric;

    #[test]
    fn the_good_range_is_contiguous_around_the_best() {
        let scores = [(0.001, Some(1.0)), (0.01, Some(0.0)), (0.1, Some(0.995)), (1.0, Some(1.0)), (10.0, None)];
        let of = |chosen: usize| -> Vec<Rate> {
            let rate = |(place, (lr, behind)): (usize, (f64, Option<f64>))| Rate {
                lr,
                score: behind.map(|behind| 2.0 - behind),
                behind,
                is_chosen: place == chosen,
            };
            scores.into_iter().enumerate().map(rate).collect()
        };
        assert_eq!(good_range(&of(1), 0.01), Some((0.01, 0.01)));
        assert_eq!(good_range(&of(1), 0.5), Some((0.001, 1.0)), "10 lost a seed");
        assert_eq!(good_range(&of(4), 0.01), None);
        assert_eq!(good_range(&[], 0.01), None);
    }

    #[test]
    fn the_chosen_rate_is_the_good_one_though_another_did_better_under_the_only_seed_that_it_has() {
        // As after a search: 0.3 leads under the first seed, and 0.1, a finalist, over all of them.
        let arms = [Arm::at("a", 0.1, &[1.0, 1.0, 1.1]), Arm::at("a", 0.3, &[0.999]), Arm::at("a", 1.0, &[5.0])];
        let records = records(&arms);
        let rank = &ranking(&records, "task", Metric::LOSS).ranks[0];
        assert_eq!((rank.best.lr(), good_range(&rates(rank), 0.01)), (Some(0.1), Some((0.1, 0.3))));
    }
}
