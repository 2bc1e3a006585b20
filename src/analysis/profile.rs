//! Performance profiles: one picture and one number over many tasks.

use crate::analysis::{Rank, Ranking, Sample, Summary};

/// The share of tasks that an arm solves within `tau` times the fastest arm's time
/// (Dolan and Moré 2002), where `times[task][arm]` is `None` for a target never reached.
/// A task that nobody solved counts as unsolved for everybody.
pub fn profile(times: &[Vec<Option<f64>>], arm: usize, tau: f64) -> f64 {
    let solved = ratios(times, arm).filter(|ratio| ratio.is_some_and(|ratio| ratio <= tau)).count();
    solved as f64 / times.len() as f64
}

/// The area under the profile from 1 to `most`, divided by `most - 1`: `AlgoPerf`'s score (Dahl et
/// al. 2023, with `most` = 4). 1 is the fastest on every task, 0 is never within `most` times.
pub fn score(times: &[Vec<Option<f64>>], arm: usize, most: f64) -> f64 {
    let area: f64 = ratios(times, arm).flatten().map(|ratio| (most - ratio).max(0.0)).sum();
    area / (most - 1.0) / times.len() as f64
}

/// The time of an arm on each task over the fastest; `None` where it never got there.
pub fn ratios(times: &[Vec<Option<f64>>], arm: usize) -> impl Iterator<Item = Option<f64>> {
    times.iter().map(move |task| {
        let fastest = task.iter().flatten().copied().reduce(f64::min)?;
        task[arm].map(|time| if time == fastest { 1.0 } else { time / fastest })
    })
}

/// How many times the fastest arm's time still counts in a score.
pub const MOST: f64 = 4.0;

/// The times to the targets of an experiment: `times[task][arm]`, `None` where a seed never got there.
pub struct Profiles<'a, 'b> {
    /// The tasks whose target some arm reached under every seed.
    pub tasks: Vec<&'b str>,
    /// The arms of all these tasks, each as on the first task that it ran on.
    pub arms: Vec<&'b Rank<'a>>,
    /// Seconds of training, evaluations not counted.
    pub seconds: Vec<Vec<Option<f64>>>,
    /// Updates.
    pub steps: Vec<Vec<Option<f64>>>,
}

impl<'a, 'b> Profiles<'a, 'b> {
    /// `None` below two tasks on which some arm reached its target under every seed.
    pub fn new(rankings: impl IntoIterator<Item = &'b Ranking<'a>>) -> Option<Self> {
        let reached = |ranking: &&Ranking<'a>| {
            ranking.ranks.iter().any(|rank| all_seeds(rank, Summary::steps_to_target).is_some())
        };
        let targeted: Vec<&Ranking> = rankings.into_iter().filter(reached).collect();
        if targeted.len() < 2 {
            return None;
        }
        let mut arms: Vec<&Rank> = Vec::new();
        for rank in targeted.iter().flat_map(|ranking| &ranking.ranks) {
            if !arms.iter().any(|arm| same(arm, rank)) {
                arms.push(rank);
            }
        }
        let times = |of: fn(&Summary<'a>) -> Sample| -> Vec<Vec<Option<f64>>> {
            let time =
                |ranking: &Ranking<'a>, arm: &Rank| all_seeds(ranking.ranks.iter().find(|rank| same(rank, arm))?, of);
            targeted.iter().map(|ranking| arms.iter().map(|arm| time(ranking, arm)).collect()).collect()
        };
        let (seconds, steps) = (times(Summary::seconds_to_target), times(Summary::steps_to_target));
        let tasks = targeted.iter().map(|ranking| ranking.task.as_str()).collect();
        Some(Self { tasks, arms, seconds, steps })
    }

    /// The arms by their scores, the best first.
    pub fn order(&self, times: &[Vec<Option<f64>>]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.arms.len()).collect();
        order.sort_by(|a, b| score(times, *b, MOST).total_cmp(&score(times, *a, MOST)));
        order
    }
}

fn same(a: &Rank, b: &Rank) -> bool {
    (a.optimizer, a.schedule) == (b.optimizer, b.schedule)
}

fn all_seeds<'a>(rank: &Rank<'a>, time: fn(&Summary<'a>) -> Sample) -> Option<f64> {
    let times = time(&rank.best);
    (times.len() == rank.best.runs.len()).then(|| times.mean()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_and_score_by_hand() {
        let times = [vec![Some(10.0), Some(20.0)], vec![Some(30.0), Some(10.0)], vec![None, None]];
        assert_eq!([profile(&times, 0, 1.0), profile(&times, 0, 3.0)], [1.0 / 3.0, 2.0 / 3.0]);
        assert!((score(&times, 0, 4.0) - (3.0 + 1.0) / 9.0).abs() < 1e-15);
        assert!((score(&times, 1, 4.0) - (2.0 + 3.0) / 9.0).abs() < 1e-15);
    }
}
