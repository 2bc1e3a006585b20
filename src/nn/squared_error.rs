//! The mean squared error of numbers that a model predicts: the loss, and the evaluation.

use candle_core::{DType, Device, Tensor};

use crate::error::Result;

/// The mean of `(output - label)^2` for outputs `[n, 1]` and labels `[n]`, as a scalar.
///
/// # Errors
/// When the shapes do not fit.
pub fn squared_error(outputs: &Tensor, labels: &Tensor) -> Result<Tensor> {
    Ok((outputs.squeeze(1)? - labels)?.sqr()?.mean_all()?)
}

/// What a batch of predicted numbers is worth: sums over the predictions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Fit {
    squares: f64,
    absolutes: f64,
    labels: f64,
    label_squares: f64,
    count: f64,
}

impl Fit {
    /// Judges outputs `[n, 1]` against labels `[n]`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn of(outputs: &Tensor, labels: &Tensor) -> Result<Self> {
        let numbers = |x: &Tensor| -> Result<Vec<f64>> {
            Ok(x.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
        };
        let mut fit = Self::default();
        for (output, label) in numbers(outputs)?.into_iter().zip(numbers(labels)?) {
            let error = output - label;
            fit.squares += error * error;
            fit.absolutes += error.abs();
            fit.labels += label;
            fit.label_squares += label * label;
            fit.count += 1.0;
        }
        Ok(fit)
    }

    /// Adds another batch.
    pub fn add(&mut self, other: Self) {
        self.squares += other.squares;
        self.absolutes += other.absolutes;
        self.labels += other.labels;
        self.label_squares += other.label_squares;
        self.count += other.count;
    }

    /// The mean squared error.
    pub fn mean_square(&self) -> f64 {
        self.squares / self.count
    }

    /// The mean absolute error.
    pub fn mean_absolute(&self) -> f64 {
        self.absolutes / self.count
    }

    /// The share of the labels' variance that is explained, `1 - sum of squared errors / sum of squared deviations`; of
    /// labels that do not vary, 1 where all are met and else 0, as in scikit-learn's `r2_score`.
    pub fn explained(&self) -> f64 {
        let spread = self.label_squares - self.labels * self.labels / self.count;
        if spread > 1e-12 * self.label_squares {
            1.0 - self.squares / spread
        } else {
            f64::from(u8::from(self.squares == 0.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_scikit_learn() {
        // mean_squared_error, mean_absolute_error and r2_score of y = [3, -0.5, 2, 7], predicted [2.5, 0, 2, 8].
        let outputs = Tensor::new(&[[2.5], [0.0], [2.0], [8.0]], &Device::Cpu).unwrap();
        let labels = Tensor::new(&[3.0, -0.5, 2.0, 7.0], &Device::Cpu).unwrap();
        let mut fit = Fit::of(&outputs.narrow(0, 0, 1).unwrap(), &labels.narrow(0, 0, 1).unwrap()).unwrap();
        fit.add(Fit::of(&outputs.narrow(0, 1, 3).unwrap(), &labels.narrow(0, 1, 3).unwrap()).unwrap());
        assert_eq!((fit.mean_square(), fit.mean_absolute()), (0.375, 0.5));
        assert!((fit.explained() - 0.948_608_137_044_967_9).abs() < 1e-15);
        assert_eq!(squared_error(&outputs, &labels).unwrap().to_scalar::<f64>().unwrap(), 0.375);
        let same = Tensor::new(&[2.0, 2.0, 2.0, 2.0], &Device::Cpu).unwrap();
        assert_eq!(Fit::of(&outputs, &same).unwrap().explained(), 0.0);
    }
}
