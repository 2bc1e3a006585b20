//! What trains a run.
//!
//! The sweep knows what is to be trained, under which name and fingerprint, and writes down what it sees: a trainer
//! knows how it is done. It tells an [`Observer`] of every update and every evaluation, and asks it whether to go on;
//! records, targets, checkpoints and progress follow from that alone.

use std::path::{Path, PathBuf};

use crate::config::Budget;
use crate::error::{Error, Result};
use crate::length::Timeline;
use crate::nn::role::Role;
use crate::schedule::{self, Schedule};
use crate::settings::Settings;
use crate::sweep::run::Run;
use crate::task::{Footprint, Spec};
use crate::train::{Course, Observer, Outcome, Snapshot};

/// What is known of a task before anything trains.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Facts {
    /// Updates in one pass over the training set; `None` where there is none.
    pub steps_per_epoch: Option<u64>,
    /// Predictions that an evaluation on validation judges; `None` where nothing is counted.
    pub validation_examples: Option<u64>,
    /// The same on test.
    pub test_examples: Option<u64>,
    /// The mean loss in nats below which no model comes but by luck; `None` where it is not known.
    pub loss_floor: Option<f64>,
}

/// One run, as its trainer is told.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The settings and the seed.
    pub run: &'a Run,
    /// The task.
    pub spec: &'a Spec,
    /// Its length, and the updates between two evaluations.
    pub budget: Budget,
    /// The steps before the last at which it is evaluated on both splits.
    pub horizons: &'a [u64],
    /// What lengths of time are measured by.
    pub timeline: Timeline,
    /// Where it is kept; `None` of a run that is kept nowhere.
    pub place: Option<&'a Place>,
}

/// Where a run is kept while it is trained, and what it has of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The folder of the run while it is under way.
    pub folder: PathBuf,
    /// What that folder becomes.
    pub destination: PathBuf,
    /// Whether it goes on from what it left there.
    pub resumes: bool,
    /// The device that is its own, as it was named; `None` where none was.
    pub device: Option<String>,
    /// How many threads it is to use.
    pub threads: usize,
}

impl Job<'_> {
    /// How long the run is, and where it is evaluated.
    pub fn course(&self) -> Course {
        let Budget { steps, eval_every } = self.budget;
        Course { steps, eval_every, horizons: self.horizons.to_vec() }
    }

    /// The settings of the optimizer, with every length of time in steps.
    ///
    /// # Errors
    /// When a length of time has no meaning for its task.
    pub fn optimizer_settings(&self) -> Result<Settings> {
        let settings = self.run.optimizer.in_steps(&self.timeline);
        settings.map_err(|problem| Error::Usage(format!("optimizer `{}`: {problem}", self.run.optimizer_label)))
    }

    /// The schedule of the run.
    ///
    /// # Errors
    /// When a length of time has no meaning for its task.
    pub fn schedule(&self) -> Result<Box<dyn Schedule>> {
        schedule::build(&self.run.schedule, &self.timeline)
            .map_err(|problem| Error::Usage(format!("schedule `{}`: {problem}", self.run.schedule_label)))
    }
}

/// What trains the runs of a task.
pub trait Trainer: Send + Sync {
    /// What is known of the task.
    fn facts(&self) -> Facts {
        Facts::default()
    }

    /// What one run holds in memory at the least, as far as `most` bytes; `None` where that is next to nothing, or not
    /// in the memory of this machine's sweep.
    ///
    /// # Errors
    /// When the model cannot be built for its data.
    fn footprint(&self, _most: f64) -> Result<Option<Footprint>> {
        Ok(None)
    }

    /// Names and roles of the parameters that it trains; `None` where they are not known before a run.
    fn parameters(&self) -> Option<Vec<(String, Role)>> {
        None
    }

    /// Finds what it could not train, before anything trains.
    ///
    /// # Errors
    /// In words for the user.
    fn check(&self, job: &Job) -> Result<()>;

    /// What would be done, in words or as a command that can be repeated by hand, with the folder that the run will have.
    ///
    /// # Errors
    /// In words for the user.
    fn describe(&self, _job: &Job, _folder: &Path) -> Result<Option<String>> {
        Ok(None)
    }

    /// The program that computes the numbers, where it is not this one.
    fn computed_by(&self) -> Option<String> {
        None
    }

    /// Whether a run that was interrupted goes on from what it left in its folder, where it has no snapshot.
    fn keeps_folder(&self) -> bool {
        false
    }

    /// Tries, on a thread that trains, what only a trial can find out; every run waits for the first to be through with it.
    ///
    /// # Errors
    /// In words for the user: no run of the sweep is trained then.
    fn prepare(&self, _job: &Job) -> Result<()> {
        Ok(())
    }

    /// Trains a run from its start or, where there is a snapshot that the observer was given before, from there on.
    ///
    /// The observer is to hear of every update in order and of every evaluation that [`Job::course`] asks for as far as
    /// there is something to evaluate, the last one above all, and is to be asked to proceed often. An error of the observer
    /// ends the training and is passed on; any other is the run's own failure. Divergence is an outcome.
    ///
    /// # Errors
    /// When the run failed, or the observer did.
    fn train(&self, job: &Job, resume: Option<Snapshot>, observer: &mut dyn Observer) -> Result<Outcome>;
}
