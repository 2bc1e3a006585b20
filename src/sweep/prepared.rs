//! A task made ready to run: what trains it, on which data, and for how long.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::Device;

use crate::config::{Budget, Experiment};
use crate::error::{Error, Result};
use crate::results::Data;
use crate::sweep::in_process::InProcess;
use crate::sweep::marks;
use crate::sweep::program::{self, ByProgram};
use crate::sweep::trainer::{Facts, Trainer};
use crate::task::data::Library;
use crate::task::{self, Spec};

/// A task with its data.
#[derive(Clone)]
pub struct Prepared {
    /// What trains its runs.
    pub trainer: Arc<dyn Trainer>,
    /// What is known of it.
    pub facts: Facts,
    /// The length of its runs.
    pub budget: Budget,
    /// The horizons of its anytime comparison, in steps.
    pub horizons: Vec<u64>,
    /// Its data; `None` for functions, and where only a training program knows it.
    pub data: Option<Data>,
    /// The files of its training program that decide the numbers, each with its SHA-256.
    pub files: BTreeMap<String, String>,
}

impl Prepared {
    /// A task with what trains it.
    ///
    /// # Errors
    /// When its dataset or a file of its program is missing, or with what does not fit the data.
    pub(super) fn new(device: &Device, spec: &Spec, experiment: &Experiment, library: &Library) -> Result<Self> {
        let mut files = BTreeMap::new();
        let trainer: Arc<dyn Trainer> = match spec.program() {
            Some(program) => {
                files = program::digests(spec, &program)?;
                Arc::new(ByProgram { program })
            }
            None => Arc::new(InProcess { task: task::build(spec, library)?, device: device.clone() }),
        };
        let facts = trainer.facts();
        let mistaken = |problem| Error::Usage(format!("task `{}`: {problem}", spec.label));
        let epoch = facts.steps_per_epoch;
        let horizons = experiment.horizons(epoch).map_err(mistaken)?;
        let budget = experiment.budget(epoch).map_err(mistaken)?;
        marks::check(experiment, spec, budget, epoch, &horizons).map_err(Error::Usage)?;
        let digest = |settings| Ok::<_, Error>(Data::of(settings, library.digest(settings)?));
        let data = spec.dataset.as_ref().map(digest).transpose()?;
        Ok(Self { trainer, facts, budget, horizons, data, files })
    }
}

/// Problems that are told all at once.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    /// What went well; a problem of the config is kept, once, and any other error passed on.
    pub(super) fn keep<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(fine) => return Ok(Some(fine)),
            Err(Error::Usage(problem)) if self.0.contains(&problem) => {}
            Err(Error::Usage(problem)) => self.0.push(problem),
            Err(other) => return Err(other),
        }
        Ok(None)
    }

    /// More of them.
    pub(super) fn extend(&mut self, problems: impl IntoIterator<Item = String>) {
        self.0.extend(problems);
    }

    /// All of them as one error, if there are any.
    pub(super) fn none(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Usage(self.0.join("\n"))) }
    }
}
