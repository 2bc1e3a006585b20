//! Tasks: a model, a dataset, a batch size, and what is measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::metric::{Metric, Scores};
use crate::nn::params::{Outline, Parameter};
use crate::nn::role::Role;
use crate::settings::{Settings, Value};

mod analytic;
mod batches;
pub mod data;
mod foreign;
pub mod model;
mod supervised;

use data::Library;
use model::{Function, Kind};

/// The key of a training program that names the folder it is started in.
const DIRECTORY: &str = "directory";

/// A part of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// What gradients are taken from.
    Train,
    /// What hyper-parameters are chosen on.
    Validation,
    /// What is reported at the end.
    Test,
}

impl Split {
    /// The name in `evals.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "val",
            Self::Test => "test",
        }
    }

    /// The split of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Train, Self::Validation, Self::Test].into_iter().find(|split| split.name() == name)
    }
}

/// A metric's value that counts as done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// What is compared.
    pub metric: Metric,
    /// The value to reach.
    pub value: f64,
}

impl Target {
    /// Whether an evaluation reaches the target.
    pub fn reached(&self, scores: &Scores) -> bool {
        scores.get(self.metric).is_some_and(|value| value == self.value || self.metric.better(value, self.value))
    }
}

/// A task as a config states it, all defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The label of the task's table.
    pub label: String,
    /// The model and its keys.
    pub model: Settings,
    /// The dataset and its keys; `None` for analytic functions.
    pub dataset: Option<Settings>,
    /// Examples in a batch.
    pub batch_size: usize,
    /// The number type of weights and gradients.
    pub dtype: DType,
    /// What counts as done.
    pub target: Option<Target>,
    /// What is measured of the task.
    pub metrics: Vec<Metric>,
    /// What arms are ranked by: one of these.
    pub metric: Metric,
}

impl Spec {
    /// What its model is.
    pub fn kind(&self) -> Kind {
        self.model.definition::<model::Definition>().kind
    }

    /// The program that trains it, where one does.
    #[cfg(feature = "cli")]
    pub fn program(&self) -> Option<model::Program> {
        matches!(self.kind(), Kind::Program).then(|| model::Program::of(&self.model))
    }

    /// Settles the folder that a program is started in: the one that the config names, as seen from the config's folder,
    /// or that one itself.
    ///
    /// # Errors
    /// When the current folder cannot be found.
    pub fn start_in(&mut self, folder: &Path) -> Result<()> {
        if matches!(self.kind(), Kind::Program) {
            let named = self.model.get(DIRECTORY).and_then(Value::as_text).unwrap_or_default();
            // A path of nothing is no folder to any system.
            let path = Path::new(".").join(folder).join(named);
            let path: PathBuf = std::path::absolute(&path).map_err(Error::io("find", &path))?.components().collect();
            self.model.set(DIRECTORY, path.display().to_string().into());
        }
        Ok(())
    }

    /// Whether runs of one seed share initial weights and data order under all optimizers and schedules.
    pub fn has_common_random_numbers(&self) -> bool {
        self.model.get("common_random_numbers") != Some(&Value::Bool(false))
    }

    /// Updates in one pass over its data, where the config says so of a program.
    pub fn declared_epoch(&self) -> Option<u64> {
        let declared = self.model.get("steps_per_epoch").and_then(Value::as_float);
        declared.filter(|_| !self.is_trained_here()).map(|steps| steps as u64)
    }

    /// Whether optbench trains it: the numbers of other tasks are those of other programs.
    pub fn is_trained_here(&self) -> bool {
        matches!(self.kind(), Kind::Network { .. } | Kind::Function(_))
    }

    /// The function that is minimised; `None` for a network.
    pub fn function(&self) -> Option<Arc<dyn Function>> {
        match self.kind() {
            Kind::Function(build) => build(&self.model).ok(),
            Kind::Network { .. } | Kind::Program | Kind::Imported => None,
        }
    }
}

/// What a run holds in memory at the least.
#[derive(Debug, Clone)]
pub struct Footprint {
    /// The weights.
    pub weights: Outline,
    /// Bytes of the inputs or outputs of the widest layer, for a batch.
    pub batch_bytes: f64,
}

impl Footprint {
    /// Bytes of weights, their gradients, and the widest layer's numbers.
    pub fn bytes(&self) -> f64 {
        2.0 * self.weights.bytes + self.batch_bytes
    }
}

/// A task that is ready to be run under any seed, shared by all runs of a process.
pub trait Task: Send + Sync {
    /// Updates in one pass over the training set; `None` where there is none.
    fn steps_per_epoch(&self) -> Option<u64>;

    /// Predictions that an evaluation on a split judges: an accuracy moves in steps of one of them. `None` where
    /// nothing is counted.
    fn examples(&self, _split: Split) -> Option<u64> {
        None
    }

    /// The mean loss in nats below which no model comes but by luck; `None` where it is not known.
    fn floor(&self) -> Option<f64> {
        None
    }

    /// What one run holds in memory at the least, as far as `most` bytes; `None` where that is next to nothing.
    ///
    /// # Errors
    /// When the model cannot be built for its data.
    fn footprint(&self, _most: f64) -> Result<Option<Footprint>> {
        Ok(None)
    }

    /// Names and roles of the model's parameters; `None` where they are not known before a run.
    fn parameters(&self) -> Option<Vec<(String, Role)>> {
        None
    }

    /// Tries out a model with layers that are not this crate's, in the first call of all: whether its gradient is that of
    /// its loss, and whether all its random numbers are seeded. [`Task::problem`] refuses what this refuses.
    ///
    /// # Errors
    /// When the model cannot be trained: what was found, and what to use instead.
    fn check(&self, _seed: u64, _device: &Device) -> Result<()> {
        Ok(())
    }

    /// A fresh problem: initial weights and an order of batches that depend on the seed alone.
    ///
    /// # Errors
    /// When the device refuses.
    fn problem(&self, seed: u64, device: &Device) -> Result<Box<dyn Problem>>;
}

/// A task under one seed: weights, and gradients at them.
pub trait Problem {
    /// The parameters, in a fixed order.
    fn parameters(&self) -> &[Parameter];

    /// The loss and its gradients at the current weights on the batch of the update after `t` updates.
    ///
    /// The batch depends on the seed and on `t` alone, so that a training can be continued anywhere.
    ///
    /// # Errors
    /// When the device refuses.
    fn gradients(&mut self, t: u64) -> Result<(f64, Vec<Tensor>)>;

    /// The scores of the current weights on a split; `None` where the task does not have it.
    ///
    /// # Errors
    /// When the device refuses.
    fn evaluate(&mut self, split: Split) -> Result<Option<Scores>>;

    /// Estimates running statistics anew at the current weights, on training batches, varied as in the training, of a
    /// stream of their own, and returns those of before; `None` where a problem has none.
    ///
    /// # Errors
    /// When the device refuses.
    fn recalibrate(&mut self) -> Result<Option<Vec<Tensor>>> {
        Ok(None)
    }

    /// Takes back what [`Problem::recalibrate`] gave.
    ///
    /// # Errors
    /// When it is not of this problem.
    fn restore_statistics(&mut self, _statistics: Vec<Tensor>) -> Result<()> {
        Ok(())
    }

    /// What is carried from step to step beside the weights: running statistics, a network's memory.
    ///
    /// # Errors
    /// When the device refuses.
    fn state(&mut self) -> Result<Vec<Tensor>> {
        Ok(Vec::new())
    }

    /// Takes back what [`Problem::state`] gave.
    ///
    /// # Errors
    /// When the state is not one of this problem.
    fn restore(&mut self, _state: Vec<Tensor>) -> Result<()> {
        Ok(())
    }
}

/// Makes a task ready to run: loads its dataset, once for all that share it.
///
/// # Errors
/// When the dataset is missing or damaged, or the model does not fit it.
pub fn build(spec: &Spec, library: &Library) -> Result<Arc<dyn Task>> {
    match (spec.kind(), &spec.dataset) {
        (Kind::Function(build), _) => {
            let function =
                build(&spec.model).map_err(|problem| Error::Usage(format!("task `{}`: {problem}", spec.label)))?;
            Ok(Arc::new(analytic::Analytic::new(function, spec.dtype)))
        }
        (Kind::Network { build, .. }, Some(dataset)) => {
            let data = library.load(dataset)?;
            Ok(Arc::new(supervised::Supervised::new(spec, build, &data)?))
        }
        (Kind::Network { .. }, None) => Err(Error::Usage(format!("task `{}` needs a dataset", spec.label))),
        (Kind::Program, _) => Err(Error::Usage(format!("task `{}` is trained by a program", spec.label))),
        (Kind::Imported, _) => Err(Error::Usage(format!(
            "task `{}` was imported: optbench did not train it and cannot\n  help: `optbench report` shows what is there",
            spec.label
        ))),
    }
}
