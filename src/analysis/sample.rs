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

    /// The arithmetic mean; `None` of nothing.
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.0.iter().sum::<f64>() / self.len() as f64)
    }

    /// The standard deviation of the population behind the sample (n - 1); `None` below two values.
    pub fn deviation(&self) -> Option<f64> {
        let mean = self.mean().filter(|_| self.len() > 1)?;
        let sum: f64 = self.0.iter().map(|x| (x - mean).powi(2)).sum();
        Some((sum / (self.len() - 1) as f64).sqrt())
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
        assert_eq!((one.mean(), one.deviation(), Sample::default().mean()), (Some(1.0), None, None));
    }
}
