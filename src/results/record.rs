//! What is kept of one run beside its curves.

use serde::{Deserialize, Serialize};

use crate::metric::Scores;
use crate::results::{Identity, Setting};

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
    /// The version of optbench that trained it, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optbench: Option<String>,
    /// The commit that this optbench was built from, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The name of the run and of its folder.
    pub run: String,
    /// The hash of everything that decides the run's numbers.
    pub fingerprint: String,
    /// The conditions that it was trained under; `None` of a run from before they were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The task's label.
    pub task: String,
    /// The optimizer's label.
    pub optimizer: String,
    /// The schedule's label.
    pub schedule: String,
    /// The seed.
    pub seed: u64,
    /// Whether the seed makes nothing that other arms share, so that runs of one seed are no pair. It is the config's to
    /// say, not the record's: a reader of both fills it in.
    #[serde(skip)]
    pub is_independent: bool,
    /// The program that computed the numbers, or the file that they were imported from, where optbench did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed_by: Option<String>,
    /// The optimizer's hyper-parameters, then the schedule's as `schedule.KEY`.
    pub hyper_parameters: Vec<(String, Setting)>,
    /// How it ended.
    pub status: Status,
    /// The step that it ends at by plan, where that is a horizon before the experiment's full length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<u64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Updates done; for a diverged run the update that could not be done counts.
    pub steps: u64,
    /// Gradients taken, where the optimizer asked for more than one an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_evaluations: Option<u64>,
    /// The last scores on validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Scores>,
    /// The last scores on test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Scores>,
    /// The best scores on validation, each metric for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Scores>,
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
    /// Predictions that the scores on validation are a mean of, where they are counted: an accuracy moves in steps of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_examples: Option<u64>,
    /// The same of the scores on test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_examples: Option<u64>,
    /// The scores on validation at steps that claims ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// The horizons before its end at which it stands for a shorter run, because no update depends on its length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub horizons: Vec<Horizon>,
}

/// What a run had reached at a step that a claim asks for: `within = "3000 steps"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Updates done.
    pub steps: u64,
    /// The scores on validation; `None` where the run diverged before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Scores>,
}

/// What a run had reached at a horizon before its end; no scores where it diverged before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Horizon {
    /// Updates done.
    pub steps: u64,
    /// The scores on validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Scores>,
    /// The scores on test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Scores>,
}

impl Record {
    /// Whether the run needs no more training.
    pub fn is_done(&self) -> bool {
        self.status != Status::Failed
    }

    /// Seconds of training: without evaluations where optbench trained, and of the whole run where another program did;
    /// `None` where they are not known.
    pub fn training_seconds(&self) -> Option<f64> {
        match self.computed_by {
            None => Some(self.gradient_seconds + self.optimizer_seconds),
            Some(_) => Some(self.seconds).filter(|seconds| *seconds > 0.0),
        }
    }

    /// The optimizer and the schedule, as claims name them.
    pub fn arm(&self) -> String {
        format!("{}+{}", self.optimizer, self.schedule)
    }

    /// The record that the run would have left had it ended at a horizon; `None` where it was not read there.
    ///
    /// Its seconds are the run's in proportion, and its best scores are not known.
    #[must_use]
    pub fn ended_at(&self, steps: u64) -> Option<Self> {
        let reached = self.horizons.iter().find(|horizon| horizon.steps == steps)?;
        let share = (steps as f64 / self.steps.max(1) as f64).min(1.0);
        Some(Self {
            status: match self.status {
                _ if reached.validation.is_some() => Status::Finished,
                Status::Diverged => Status::Diverged,
                Status::Finished | Status::Failed => Status::Failed,
            },
            steps: steps.min(self.steps),
            validation: reached.validation.clone(),
            test: reached.test.clone(),
            best: None,
            steps_to_target: self.steps_to_target.filter(|reached| *reached <= steps),
            seconds: share * self.seconds,
            gradient_seconds: share * self.gradient_seconds,
            optimizer_seconds: share * self.optimizer_seconds,
            evaluation_seconds: share * self.evaluation_seconds,
            horizons: Vec::new(),
            marks: Vec::new(),
            ..self.clone()
        })
    }

    /// The value of a hyper-parameter.
    pub fn hyper_parameter(&self, key: &str) -> Option<&Setting> {
        self.hyper_parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}
