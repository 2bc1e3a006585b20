//! How large the elements of a gradient, or of an update, are: the probe `gradients`.
//!
//! After RAdam's figures (Liu et al. 2019, *On the variance of the adaptive learning rate and
//! beyond*): the histogram of log |gradient| in the first steps.

use std::fmt;

use candle_core::{DType, Tensor};
use serde::Deserialize;

use crate::error::Result;
use crate::results::log::Cell;
use crate::results::{Store, curves};

/// The file of a run.
pub(super) const FILE: &str = "gradients.csv";
pub(super) const HEADER: &str = "step,of,zeros,mean,median,deviation,first,counts";

/// Bins in a decade.
pub const BINS: f64 = 10.0;
/// Up to here every step is looked at; beyond, twenty in each decade.
const FIRST_STEPS: u64 = 100;

/// Whether the probe looks at a step, counted from 1.
pub fn is_probed(step: u64) -> bool {
    let place = |step: u64| (20.0 * (step as f64).log10() + 1e-9).floor();
    step <= FIRST_STEPS || place(step) > place(step - 1)
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantity {
    /// The elements of the gradient, before any clipping.
    Gradient,
    /// The change of each weight.
    Update,
}

impl Quantity {
    /// The name in `gradients.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::Update => "update",
        }
    }
}

/// The distribution of log10 |x| over all elements that are not zero, in one step.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Magnitudes {
    /// Updates done, this one included.
    pub step: u64,
    /// What `x` is.
    pub of: Quantity,
    /// Elements that are exactly zero: they have no logarithm and are in nothing below.
    pub zeros: u64,
    /// The mean of log10 |x|; `None` where all are zero.
    pub mean: Option<f64>,
    /// The median of log10 |x|.
    pub median: Option<f64>,
    /// The standard deviation of log10 |x|, in decades.
    pub deviation: Option<f64>,
    /// The first bin: bin k holds k <= 10 log10 |x| < k + 1.
    #[serde(deserialize_with = "bin")]
    pub first: i64,
    /// The elements in each bin, from the first.
    #[serde(deserialize_with = "split")]
    pub counts: Vec<u64>,
}

impl Magnitudes {
    /// The elements of all tensors.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn of(step: u64, of: Quantity, tensors: &[Tensor]) -> Result<Self> {
        let (mut logarithms, mut zeros) = (Vec::new(), 0);
        for tensor in tensors {
            for x in tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()? {
                match x.abs().log10() {
                    log if log.is_finite() => logarithms.push(log),
                    log if log == f64::NEG_INFINITY => zeros += 1,
                    // What is infinite or no number ends the run, and its step says so.
                    _ => {}
                }
            }
        }
        Ok(Self::of_logarithms(step, of, zeros, logarithms))
    }

    fn of_logarithms(step: u64, of: Quantity, zeros: u64, mut logarithms: Vec<f64>) -> Self {
        let mut found =
            Self { step, of, zeros, mean: None, median: None, deviation: None, first: 0, counts: Vec::new() };
        if logarithms.is_empty() {
            return found;
        }
        let bin = |log: &f64| (BINS * log).floor() as i64;
        let n = logarithms.len() as f64;
        let mean = logarithms.iter().sum::<f64>() / n;
        found.mean = Some(mean);
        found.deviation = Some((logarithms.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / n).sqrt());
        found.first = logarithms.iter().map(bin).min().unwrap_or(0);
        for log in &logarithms {
            let place = (bin(log) - found.first) as usize;
            if place >= found.counts.len() {
                found.counts.resize(place + 1, 0);
            }
            found.counts[place] += 1;
        }
        let middle = logarithms.len() / 2;
        let (below, upper, _) = logarithms.select_nth_unstable_by(middle, f64::total_cmp);
        let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| n % 2.0 == 0.0);
        found.median = Some(lower.map_or(*upper, |lower| f64::midpoint(lower, *upper)));
        found
    }

    /// The elements that are not zero.
    fn all(&self) -> f64 {
        self.counts.iter().map(|count| *count as f64).sum()
    }

    /// The share of zeros among all elements.
    pub fn zero_share(&self) -> f64 {
        let zeros = self.zeros as f64;
        if zeros > 0.0 { zeros / (zeros + self.all()) } else { 0.0 }
    }

    /// The share of the elements in each bin that is not empty: the bin's lower end in decades, the share.
    pub fn shares(&self) -> impl Iterator<Item = (f64, f64)> {
        let all = self.all();
        let bins = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        bins.map(move |(i, count)| ((self.first + i as i64) as f64 / BINS, *count as f64 / all))
    }

    /// How far, in decades, the elements of one distribution must be moved on average to give the
    /// other: the area between the two cumulative distributions (Wasserstein's distance).
    pub fn distance(&self, other: &Self) -> Option<f64> {
        if self.counts.is_empty() || other.counts.is_empty() {
            return None;
        }
        let end = |of: &Self| of.first + of.counts.len() as i64;
        let share = |of: &Self, bin: i64| {
            let place = usize::try_from(bin - of.first).ok();
            place.and_then(|place| of.counts.get(place)).map_or(0.0, |count| *count as f64 / of.all())
        };
        let (mut apart, mut area) = (0.0, 0.0);
        for bin in self.first.min(other.first)..end(self).max(end(other)) {
            apart += share(self, bin) - share(other, bin);
            area += f64::abs(apart) / BINS;
        }
        Some(area)
    }
}

impl fmt::Display for Magnitudes {
    /// The row of `gradients.csv`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, of, zeros, mean, median, deviation, first, counts } = self;
        let (mean, median, deviation) = (Cell(*mean), Cell(*median), Cell(*deviation));
        let counts: Vec<String> = counts.iter().map(u64::to_string).collect();
        write!(f, "{step},{},{zeros},{mean},{median},{deviation},{first},{}", of.name(), counts.join(" "))
    }
}

/// A bin that a number can lie in.
fn bin<'de, D: serde::Deserializer<'de>>(cell: D) -> Result<i64, D::Error> {
    let bin = i64::deserialize(cell)?;
    if (-4000..=4000).contains(&bin) {
        Ok(bin)
    } else {
        Err(serde::de::Error::custom(format!("there is no bin {bin}")))
    }
}

fn split<'de, D: serde::Deserializer<'de>>(cell: D) -> Result<Vec<u64>, D::Error> {
    let text = String::deserialize(cell)?;
    text.split_whitespace().map(|count| count.parse().map_err(serde::de::Error::custom)).collect()
}

impl Store {
    /// What the probe `gradients` saw in a run; nothing where it was not asked for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn magnitudes(&self, run: &str) -> Result<Vec<Magnitudes>> {
        curves::rows_if_any(&self.run(run).join(FILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn of(values: &[f64]) -> Magnitudes {
        Magnitudes::of(7, Quantity::Update, &[Tensor::new(values, &Device::Cpu).unwrap()]).unwrap()
    }

    #[test]
    fn every_element_is_counted_once_by_its_size() {
        let found = of(&[1.0, -1.0, 0.0, 0.1, 200.0]);
        assert_eq!((found.zeros, found.first, found.counts.iter().sum::<u64>()), (1, -10, 4));
        assert_eq!((found.counts[0], found.counts[10], found.counts[33]), (1, 2, 1), "log10 of 200 is 2.301");
        assert_eq!(found.median, Some(0.0));
        assert!((found.mean.unwrap() - (200f64.log10() - 1.0) / 4.0).abs() < 1e-15);
        assert_eq!(of(&[10.0, 1000.0]).median, Some(2.0));
        assert_eq!(of(&[10.0, 1000.0]).deviation, Some(1.0));
        let nothing = of(&[0.0]);
        assert_eq!((nothing.zeros, nothing.median, nothing.counts.len()), (1, None, 0));
    }

    #[test]
    fn rows_read_back_as_written() {
        for written in [of(&[0.3, -1e-30, 5e8]), of(&[0.0, 0.0])] {
            let text = format!("{HEADER}\n{written}\n");
            let read: Magnitudes = csv::Reader::from_reader(text.as_bytes()).deserialize().next().unwrap().unwrap();
            assert_eq!(read, written);
        }
    }

    #[test]
    fn the_distance_is_that_of_the_move() {
        let (a, b) = (of(&[1.5, 15.0]), of(&[150.0, 1500.0]));
        assert!((a.distance(&b).unwrap() - 2.0).abs() < 1e-12);
        assert_eq!(a.distance(&a), Some(0.0));
        assert_eq!(a.distance(&of(&[0.0])), None);
        // Wider about the same middle: half of it moves down a decade, half up.
        assert!((of(&[1.5, 1.5]).distance(&of(&[0.15, 15.0])).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn later_steps_are_looked_at_ever_more_seldom() {
        let looks = |range: std::ops::RangeInclusive<u64>| range.filter(|step| is_probed(*step)).count();
        assert_eq!((looks(1..=100), looks(101..=1000), looks(10_001..=100_000)), (100, 20, 20));
    }
}
