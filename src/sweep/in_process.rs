//! Runs that are trained here, by [`train::train`].

use std::sync::Arc;

use candle_core::Device;

use crate::error::Result;
use crate::nn::role::Role;
use crate::optim::{self, Common};
use crate::sweep::trainer::{Facts, Job, Trainer};
use crate::task::{Footprint, Split, Task};
use crate::train::{self, Observer, Outcome, Snapshot, Training};

/// A task, and the device that its runs are trained on.
pub struct InProcess {
    /// The task with its data.
    pub task: Arc<dyn Task>,
    /// The device.
    pub device: Device,
}

impl InProcess {
    /// Everything that a run is trained with.
    ///
    /// # Errors
    /// When a length of time has no meaning for the task, or the device refuses.
    pub fn training(&self, job: &Job) -> Result<Training> {
        let settings = job.optimizer_settings()?;
        let Common { lr, clip_norm, statistics, .. } = Common::of(&settings);
        Ok(Training {
            problem: self.task.problem(job.run.seed, &self.device)?,
            optimizer: optim::build(&settings),
            schedule: job.schedule()?,
            lr,
            clip_norm,
            statistics,
            course: job.course(),
        })
    }
}

impl Trainer for InProcess {
    fn facts(&self) -> Facts {
        Facts {
            steps_per_epoch: self.task.steps_per_epoch(),
            validation_examples: self.task.examples(Split::Validation),
            test_examples: self.task.examples(Split::Test),
            loss_floor: self.task.floor(),
        }
    }

    fn footprint(&self, most: f64) -> Result<Option<Footprint>> {
        self.task.footprint(most)
    }

    fn parameters(&self) -> Option<Vec<(String, Role)>> {
        self.task.parameters()
    }

    fn check(&self, job: &Job) -> Result<()> {
        job.schedule()?;
        job.optimizer_settings().map(drop)
    }

    fn prepare(&self, job: &Job) -> Result<()> {
        self.task.check(job.run.seed, &self.device)
    }

    fn train(&self, job: &Job, resume: Option<Snapshot>, observer: &mut dyn Observer) -> Result<Outcome> {
        train::train(self.training(job)?, resume, observer)
    }
}
