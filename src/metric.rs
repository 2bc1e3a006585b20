//! What an evaluation measures.

use serde::{Deserialize, Serialize};

/// A number that an evaluation yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Mean loss: cross-entropy in nats, or the value of a function.
    Loss,
    /// The share of right answers.
    Accuracy,
    /// `exp(loss)`: how many equally likely choices the model is torn between.
    Perplexity,
}

impl Metric {
    /// Every metric, in the order of the columns of `evals.csv`.
    pub const ALL: [Self; 3] = [Self::Loss, Self::Accuracy, Self::Perplexity];

    /// The name in configs and columns.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::Perplexity => "perplexity",
        }
    }

    /// The metric of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// One line for `optbench list metrics`.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Loss => "mean cross-entropy in nats, or the function's value; lower is better",
            Self::Accuracy => "share of right answers, 0 to 1; higher is better",
            Self::Perplexity => "exp(loss), per token; lower is better",
        }
    }

    /// Whether more is better.
    pub fn higher_is_better(self) -> bool {
        self == Self::Accuracy
    }

    /// Whether `a` is strictly better than `b`. Nothing is better than, or worse than, NaN by accident:
    /// a number beats NaN, NaN beats nothing.
    pub fn better(self, a: f64, b: f64) -> bool {
        if a.is_nan() || b.is_nan() {
            return b.is_nan() && !a.is_nan();
        }
        if self.higher_is_better() { a > b } else { a < b }
    }
}

/// The metrics of one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// See [`Metric::Loss`].
    pub loss: f64,
    /// See [`Metric::Accuracy`]; `None` for functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// See [`Metric::Perplexity`]; `None` except for language models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perplexity: Option<f64>,
}

impl Scores {
    /// The value of one metric, where the task has it.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Loss => Some(self.loss),
            Metric::Accuracy => self.accuracy,
            Metric::Perplexity => self.perplexity,
        }
    }

    /// Whether every metric that was measured is a finite number.
    pub fn are_finite(&self) -> bool {
        Metric::ALL.into_iter().filter_map(|metric| self.get(metric)).all(f64::is_finite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_may_be_finite_where_its_exponential_is_not() {
        let scores = |loss: f64| Scores { loss, accuracy: None, perplexity: Some(loss.exp()) };
        assert!(scores(709.0).are_finite());
        assert!(!scores(710.0).are_finite() && !scores(f64::NAN).are_finite());
    }

    #[test]
    fn better_has_a_direction_and_survives_nan() {
        assert!(Metric::Accuracy.better(0.9, 0.8) && Metric::Loss.better(0.1, 0.2));
        assert!(!Metric::Loss.better(0.1, 0.1));
        assert!(Metric::Loss.better(0.1, f64::NAN) && !Metric::Loss.better(f64::NAN, 0.1));
    }
}
