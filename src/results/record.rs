//! What is kept of one run beside its curves.

use serde::{Deserialize, Serialize};

use crate::metric::{Metric, Scores};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Trained to its last step.
    Finished,
    /// Reached an infinite or undefined loss: a result.
    Diverged,
    /// Stopped by an error: to be tried again.
    Failed,
}

impl Status {
    /// The word in `runs.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Diverged => "diverged",
            Self::Failed => "failed",
        }
    }
}

/// The result of one run, as it is kept in `runs/<run>/run.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The name of the run and of its folder.
    pub run: String,
    /// The hash of everything that decides the run's numbers.
    pub fingerprint: String,
    /// The task's label.
    pub task: String,
    /// The optimizer's label.
    pub optimizer: String,
    /// The schedule's label.
    pub schedule: String,
    /// The seed.
    pub seed: u64,
    /// The optimizer's hyper-parameters, then the schedule's as `schedule.KEY`, as they are printed.
    pub hyper_parameters: Vec<(String, String)>,
    /// How it ended.
    pub status: Status,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Updates done; for a diverged run the update that could not be done counts.
    pub steps: u64,
    /// The last scores on validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Scores>,
    /// The last scores on test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Scores>,
    /// The best scores on validation, each metric for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// The first evaluation that reached the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_to_target: Option<u64>,
    /// Seconds of the whole run.
    pub seconds: f64,
    /// Seconds of batches, forward and backward passes.
    pub gradient_seconds: f64,
    /// Seconds of updates.
    pub optimizer_seconds: f64,
    /// Seconds of evaluations.
    pub evaluation_seconds: f64,
    /// Bytes of optimizer state at the end.
    pub state_bytes: u64,
    /// The loss in nats below which no model of the task comes but by luck, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_floor: Option<f64>,
}

impl Record {
    /// The optimizer and the schedule, as claims name them.
    pub fn arm(&self) -> String {
        format!("{}+{}", self.optimizer, self.schedule)
    }

    /// The value of a hyper-parameter as it is printed.
    pub fn hyper_parameter(&self, key: &str) -> Option<&str> {
        self.hyper_parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// The best scores of a run, which may come from different evaluations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Best(pub Scores);

impl Best {
    /// The best of what was and of one more evaluation.
    #[must_use]
    pub fn update(self, scores: &Scores) -> Self {
        let pick = |metric: Metric, old: Option<f64>, new: Option<f64>| match (old, new) {
            (Some(old), Some(new)) => Some(if metric.better(new, old) { new } else { old }),
            (old, new) => new.or(old),
        };
        let loss = pick(Metric::Loss, Some(self.0.loss), Some(scores.loss)).unwrap_or(f64::NAN);
        Self(Scores {
            loss,
            accuracy: pick(Metric::Accuracy, self.0.accuracy, scores.accuracy),
            perplexity: pick(Metric::Perplexity, self.0.perplexity, scores.perplexity),
        })
    }
}
