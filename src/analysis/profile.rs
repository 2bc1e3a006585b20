//! Performance profiles: one picture and one number over many tasks.

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
