//! A handful of numbers and their moments.

/// Measurements of the same thing under different seeds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample(Vec<f64>);

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Sample {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values in their order.
    pub fn iter(&self) -> impl Iterator<Item = f64> {
        self.0.iter().copied()
    }

    /// The arithmetic mean; `None` of nothing. Equal values have exactly their own mean.
    pub fn mean(&self) -> Option<f64> {
        let first = *self.0.first()?;
        if self.iter().all(|x| x == first) {
            return Some(first);
        }
        Some(self.0.iter().sum::<f64>() / self.len() as f64)
    }

    /// The standard deviation of the population behind the sample (n - 1); `None` below two values.
    pub fn deviation(&self) -> Option<f64> {
        let mean = self.mean().filter(|_| self.len() > 1)?;
        let sum: f64 = self.0.iter().map(|x| (x - mean).powi(2)).sum();
        Some((sum / (self.len() - 1) as f64).sqrt())
    }

    /// The value that a share of the sample lies below, between the neighbours in proportion
    /// (`NumPy`'s default, Hyndman and Fan's type 7); `None` of nothing.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = share * (self.len().checked_sub(1)? as f64);
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        Some(low + (high - low) * place.fract())
    }

    /// The smallest and the largest; `None` of nothing.
    pub fn range(&self) -> Option<(f64, f64)> {
        let low = self.0.iter().copied().reduce(f64::min)?;
        let high = self.0.iter().copied().reduce(f64::max)?;
        Some((low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn moments_of_known_numbers() {
        let sample: Sample = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter().collect();
        assert_eq!(sample.mean(), Some(5.0));
        assert!((sample.deviation().unwrap() - (32.0f64 / 7.0).sqrt()).abs() < 1e-15);
        let one: Sample = [1.0].into_iter().collect();
        let unknown: Sample = [1.0, f64::NAN, 1.0].into_iter().collect();
        assert!(unknown.mean().unwrap().is_nan(), "what is not a number has no mean");
        assert_eq!((one.mean(), one.deviation(), Sample::default().mean()), (Some(1.0), None, None));
        assert_eq!(
            (sample.quantile(0.5), sample.quantile(1.0), sample.quantile(0.25)),
            (Some(4.5), Some(9.0), Some(4.0))
        );
    }
}
