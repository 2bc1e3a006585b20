//! One training of a sweep.

use crate::results::Setting;
use crate::settings::Settings;

/// One training of the sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The name of the run and of its folder.
    pub name: String,
    /// The place of the task in the experiment.
    pub task: usize,
    /// The optimizer's label.
    pub optimizer_label: String,
    /// The optimizer and its hyper-parameters.
    pub optimizer: Settings,
    /// The schedule's label.
    pub schedule_label: String,
    /// The schedule and its keys.
    pub schedule: Settings,
    /// The seed.
    pub seed: u64,
    /// The horizon that it ends at, where that is before the experiment's full length.
    pub horizon: Option<u64>,
    /// The horizons at which it stands for a run that ends there, because nothing in it depends on its length.
    pub stands_for: Vec<u64>,
    /// The hash of everything that decides the run's numbers: SHA-256 of [`Plan::identity_text`](crate::sweep::Plan::identity_text).
    pub fingerprint: String,
}

impl Run {
    /// The hyper-parameters: the optimizer's, then the schedule's as `schedule.KEY`.
    pub fn hyper_parameters(&self) -> Vec<(String, Setting)> {
        Setting::all(&self.optimizer, &self.schedule)
    }
}
