//! The bootstrap: an interval that assumes no distribution.

use crate::analysis::Sample;
use crate::rng::Stream;

/// How often the sample is drawn again.
const DRAWS: usize = 9999;

/// How many values it takes.
pub const FEWEST: usize = 10;

/// The percentile interval of the mean at `level` (Efron and Tibshirani 1993, ch. 13), from
/// 9,999 samples drawn with replacement; the same for the same numbers, on every machine.
/// `None` below [`FEWEST`] values: of three, a 95% interval covers the mean in 75% of cases only (three values draw
/// only ten different means).
///
/// It is offered beside the t interval, not instead of it.
pub fn percentile(sample: &Sample, level: f64) -> Option<(f64, f64)> {
    let values: Vec<f64> = sample.iter().collect();
    let n = values.len();
    if n < FEWEST {
        return None;
    }
    let mut stream = Stream::new(n as u64, "bootstrap");
    let draw = |_| (0..n).map(|_| values[stream.below(n)]).sum::<f64>() / n as f64;
    let means: Sample = (0..DRAWS).map(draw).collect();
    let tail = 0.5 * (1.0 - level);
    Some((means.quantile(tail)?, means.quantile(1.0 - tail)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_near_the_normal_one_and_always_the_same() {
        let mut stream = Stream::new(1, "test");
        let sample: Sample = (0..200).map(|_| stream.normal()).collect();
        let (low, high) = percentile(&sample, 0.95).unwrap();
        let (mean, error) = (sample.mean().unwrap(), sample.deviation().unwrap() / 200f64.sqrt());
        assert!((low - (mean - 1.96 * error)).abs() < 0.1 * error, "{low}");
        assert!((high - (mean + 1.96 * error)).abs() < 0.1 * error, "{high}");
        assert_eq!(percentile(&sample, 0.95), Some((low, high)));
        let few = |n: usize| percentile(&sample.iter().take(n).collect(), 0.95);
        assert_eq!((few(0), few(3), few(9), few(10).is_some()), (None, None, None, true));
    }
}
