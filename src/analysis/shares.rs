//! Two shares: does something happen more often on one side than on the other?

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use statrs::function::gamma::ln_gamma;

/// In how many of some runs something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// In so many.
    pub count: usize,
    /// Of so many.
    pub of: usize,
}

impl Share {
    /// Whether this is a larger share than another.
    pub fn is_more_than(self, other: Self) -> bool {
        self.count * other.of > other.count * self.of
    }
}

/// The p-value that it happens no more often on side `a` than on side `b`: Boschloo's test (1970), exact and
/// one-sided, for independent runs.
///
/// Tables are ordered by Fisher's one-sided p-value. The result is the probability of a table at least as extreme
/// as the one found, at the common share at which that is most likely. It is never larger than Fisher's, which
/// three of three against none of three (1/20) leave above the level of a claim; this one is 1/64.
pub fn more_often(a: Share, b: Share) -> f64 {
    // The same few tables come back in every comparison.
    static KNOWN: Mutex<BTreeMap<[Share; 2], f64>> = Mutex::new(BTreeMap::new());
    if a.count == 0 || b.count == b.of {
        return 1.0;
    }
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(p) = known().get(&[a, b]) {
        return *p;
    }
    let p = highest(&extreme(a, b), a.of, b.of);
    known().insert([a, b], p);
    p
}

/// The p-value that it happens in no more than half of all runs: the upper tail of the binomial distribution.
pub fn more_than_half(share: Share) -> f64 {
    let ways = (share.count..=share.of).map(|count| ln_choose(share.of, count));
    ways.map(|ways| (ways - share.of as f64 * std::f64::consts::LN_2).exp()).sum::<f64>().min(1.0)
}

/// Whether any split of this many cases over both sides would make one of them differ from the other at `level`
/// (one-sided).
pub fn could_differ(cases: usize, [a, b]: [usize; 2], level: f64) -> bool {
    let most = |of: usize, other: usize| {
        let count = cases.min(of);
        more_often(Share { count, of }, Share { count: cases - count, of: other }) <= level
    };
    most(a, b) || most(b, a)
}

/// Of every count on side `a`, the counts on side `b` that are at least as extreme are those below this number.
fn extreme(a: Share, b: Share) -> Vec<usize> {
    // Fisher's p-values of tables that are as extreme differ by rounding.
    let found = fisher(a, b) * (1.0 + 1e-10);
    let mut below = 0;
    let counts = (0..=a.of).map(|count| {
        // The more cases on side `a`, the more may there be on side `b`.
        while below <= b.of && fisher(Share { count, ..a }, Share { count: below, ..b }) <= found {
            below += 1;
        }
        below
    });
    counts.collect()
}

/// Fisher's one-sided p-value: of all ways to spread the cases over the runs, the share with at least as many on side `a`.
fn fisher(a: Share, b: Share) -> f64 {
    let cases = a.count + b.count;
    let all = ln_choose(a.of + b.of, cases);
    let tail = (a.count..=a.of.min(cases)).filter(|count| cases - count <= b.of);
    tail.map(|count| (ln_choose(a.of, count) + ln_choose(b.of, cases - count) - all).exp()).sum()
}

/// The largest probability of the tables below a limit, over all shares that both sides may have in common.
fn highest(limits: &[usize], a: usize, b: usize) -> f64 {
    const PIECES: usize = 256;
    let [ways_a, ways_b] = [a, b].map(|n| (0..=n).map(|count| ln_choose(n, count)).collect::<Vec<f64>>());
    let binomial = |ways: &[f64], share: f64| -> Vec<f64> {
        let n = ways.len() - 1;
        let power = |base: f64, times: usize| if times == 0 { 0.0 } else { times as f64 * base.ln() };
        (0..=n).map(|count| (ways[count] + power(share, count) + power(1.0 - share, n - count)).exp()).collect()
    };
    // Where the share is sin^2 of what is searched, its own noise is the same everywhere.
    let probability = |angle: f64| -> f64 {
        let share = angle.sin().powi(2);
        let (of_a, of_b) = (binomial(&ways_a, share), binomial(&ways_b, share));
        let mut up_to = vec![0.0; of_b.len() + 1];
        for (count, p) in of_b.iter().enumerate() {
            up_to[count + 1] = up_to[count] + p;
        }
        of_a.iter().zip(limits).map(|(p, &limit)| p * up_to[limit]).sum()
    };
    let step = std::f64::consts::FRAC_PI_2 / PIECES as f64;
    let grid: Vec<f64> = (0..=PIECES).map(|place| probability(place as f64 * step)).collect();
    let best = grid.iter().copied().fold(0.0, f64::max);
    let tops = (1..PIECES).filter(|&i| grid[i] >= grid[i - 1] && grid[i] >= grid[i + 1] && grid[i] > 0.98 * best);
    let refined = tops.map(|place| top(&probability, (place as f64 - 1.0) * step, (place as f64 + 1.0) * step));
    refined.fold(best, f64::max).min(1.0)
}

/// The top of what rises, then falls (golden section).
fn top(of: &impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    const RATIO: f64 = 0.618_033_988_749_894_9;
    let [mut left, mut right] = [high - RATIO * (high - low), low + RATIO * (high - low)];
    let [mut at_left, mut at_right] = [of(left), of(right)];
    for _ in 0..30 {
        if at_left > at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - RATIO * (high - low);
            at_left = of(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + RATIO * (high - low);
            at_right = of(right);
        }
    }
    at_left.max(at_right)
}

fn ln_choose(n: usize, k: usize) -> f64 {
    ln_gamma(n as f64 + 1.0) - ln_gamma(k as f64 + 1.0) - ln_gamma((n - k) as f64 + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(a: (usize, usize), b: (usize, usize)) -> f64 {
        more_often(Share { count: a.0, of: a.1 }, Share { count: b.0, of: b.1 })
    }

    #[test]
    fn what_can_be_counted_by_hand() {
        // The sixth power of a half; two of two reach no claim's level.
        assert!((p((3, 3), (0, 3)) - 1.0 / 64.0).abs() < 1e-12);
        assert!((p((2, 2), (0, 2)) - 1.0 / 16.0).abs() < 1e-12);
        assert_eq!([p((0, 3), (0, 3)), p((0, 3), (3, 3)), p((3, 3), (3, 3)), p((0, 0), (0, 3))], [1.0; 4]);
        let half = |count, of| more_than_half(Share { count, of });
        assert!((half(6, 6) - 1.0 / 64.0).abs() < 1e-12 && (half(3, 4) - 5.0 / 16.0).abs() < 1e-12);
        assert!((half(0, 5) - 1.0).abs() < 1e-12);
        assert!(could_differ(3, [3, 3], 0.025) && !could_differ(2, [3, 3], 0.025) && !could_differ(4, [3, 3], 0.025));
    }

    #[test]
    fn more_cases_are_never_less_evidence() {
        for n in [3, 7, 12] {
            for count in 0..n {
                assert!(p((count + 1, n), (1, n)) <= p((count, n), (1, n)) + 1e-12);
                assert!(p((count + 1, n), (count, n)) >= p((count + 1, n), (0, n)) - 1e-12);
            }
        }
    }
}
