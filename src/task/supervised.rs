//! Networks that learn from labelled examples.

use std::sync::{Arc, OnceLock};

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::metric::{Metric, Scores};
use crate::nn::cross_entropy::Tally;
use crate::nn::params::{Init, Parameter, gradients};
use crate::nn::role::Role;
use crate::nn::squared_error::{Fit, squared_error};
use crate::nn::statistics::Statistics;
use crate::settings::{Settings, Value};
use crate::task::batches::Batches;
use crate::task::data::{Dataset, Draw, Examples, Input};
use crate::task::foreign::Trial;
use crate::task::model::{BuildNetwork, Memory, Network, Pass};
use crate::task::{Footprint, Problem, Spec, Split, Task};

/// Predictions judged at a time in an evaluation: about as many as in training, so that its buffers are
/// those that a step leaves behind, and stay in the cache.
const EVALUATION_BATCH: usize = 128;
/// Training examples that a model with layers of others is checked with.
const CHECKED_EXAMPLES: usize = 16;
/// More bytes than the weights of any model take.
const MOST_BYTES: f64 = 1e12;
/// Training batches that running statistics are estimated from for an evaluation at other weights.
const CALIBRATION_BATCHES: u64 = 20;

/// A network and the examples that it learns from.
pub(super) struct Supervised {
    model: Settings,
    build: BuildNetwork,
    data: Arc<dyn Examples>,
    batch_size: usize,
    dtype: DType,
    /// What a check of a model with layers of others found, once it was made.
    checked: OnceLock<Result<(), String>>,
}

impl Supervised {
    pub(super) fn new(spec: &Spec, build: BuildNetwork, data: &Dataset) -> Result<Self> {
        let data = data.examples(&spec.model)?;
        let examples = data.split(Split::Train).len();
        if spec.batch_size > examples {
            return Err(Error::Usage(format!(
                "task `{}`: a batch of {} is more than the {examples} training examples",
                spec.label, spec.batch_size
            )));
        }
        let (model, batch_size, dtype) = (spec.model.clone(), spec.batch_size, spec.dtype);
        Ok(Self { model, build, data, batch_size, dtype, checked: OnceLock::new() })
    }

    /// Builds the network, and tells the head of a model with layers of others.
    fn build(&self, init: &mut Init) -> Result<Box<dyn Network>> {
        let input = self.data.input();
        let network = (self.build)(&self.model, &input, init)?;
        if init.is_foreign() {
            init.guess_head(input.classes());
        }
        Ok(network)
    }

    /// Tries a model with layers of others; one of our own layers alone is not even built.
    fn try_out(&self, seed: u64, device: &Device) -> Result<()> {
        let mut outline = Init::outline(self.dtype, f64::MAX);
        self.build(&mut outline)?;
        if !outline.is_foreign() {
            return Ok(());
        }
        let train = self.data.split(Split::Train);
        let positions: Vec<usize> = train.take(self.batch_size.min(CHECKED_EXAMPLES)).collect();
        let trial = Trial {
            model: self.model.name(),
            build: &|init| self.build(init),
            batch: &|dtype| self.data.batch(&positions, dtype, device),
            classes: self.data.input().classes(),
            seed,
            dtype: self.dtype,
            device,
        };
        trial.check()
    }
}

impl Task for Supervised {
    fn steps_per_epoch(&self) -> Option<u64> {
        // What does not fill a batch waits for another epoch's shuffle.
        Some((self.data.split(Split::Train).len() / self.batch_size) as u64)
    }

    fn examples(&self, split: Split) -> Option<u64> {
        let predictions = match self.data.input() {
            Input::Tokens { length, .. } => length,
            Input::Image { .. } | Input::Row { .. } => 1,
        };
        Some((self.data.split(split).len() * predictions) as u64)
    }

    fn floor(&self) -> Option<f64> {
        self.data.floor()
    }

    fn footprint(&self, most: f64) -> Result<Option<Footprint>> {
        let mut init = Init::outline(self.dtype, most);
        let built = self.build(&mut init);
        let weights = init.into_outline();
        if weights.bytes <= most {
            built?;
        }
        let rows = match self.data.input() {
            Input::Tokens { length, .. } => self.batch_size * length,
            Input::Image { .. } | Input::Row { .. } => self.batch_size,
        };
        let batch_bytes = rows as f64 * weights.widest as f64 * self.dtype.size_in_bytes() as f64;
        Ok(Some(Footprint { weights, batch_bytes }))
    }

    fn parameters(&self) -> Option<Vec<(String, Role)>> {
        // Of a model too large for any memory the parameters do not matter.
        let weights = self.footprint(MOST_BYTES).ok()??.weights;
        (weights.bytes <= MOST_BYTES).then_some(weights.parameters)
    }

    fn check(&self, seed: u64, device: &Device) -> Result<()> {
        let found = self.checked.get_or_init(|| self.try_out(seed, device).map_err(|error| error.to_string()));
        found.clone().map_err(Error::Usage)
    }

    fn problem(&self, seed: u64, device: &Device) -> Result<Box<dyn Problem>> {
        self.check(seed, device)?;
        let mut init = Init::new(seed, self.dtype, device);
        let network = self.build(&mut init)?;
        let stateful = self.model.get("stateful") == Some(&Value::Bool(true));
        let examples = self.data.split(Split::Train).len();
        Ok(Box::new(Learner {
            network,
            statistics: init.statistics(),
            stateful,
            label_smoothing: self.model.optional_float("label_smoothing").unwrap_or(0.0),
            parameters: init.finish(),
            data: self.data.clone(),
            seed,
            batches: if stateful {
                Batches::in_order(examples, self.batch_size)
            } else {
                Batches::shuffled(seed, "batches", examples, self.batch_size)
            },
            dtype: self.dtype,
            device: device.clone(),
        }))
    }
}

struct Learner {
    seed: u64,
    network: Box<dyn Network>,
    /// The running statistics of its layers.
    statistics: Statistics,
    /// Whether the network carries a memory from batch to batch.
    stateful: bool,
    label_smoothing: f64,
    parameters: Vec<Parameter>,
    data: Arc<dyn Examples>,
    batches: Batches,
    dtype: DType,
    device: Device,
}

impl Problem for Learner {
    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn gradients(&mut self, t: u64) -> Result<(f64, Vec<Tensor>)> {
        let draw = Draw { purpose: "augment", seed: self.seed, step: t };
        let (inputs, labels) = self.data.training_batch(self.batches.at(t), draw, self.dtype, &self.device)?;
        if self.stateful && self.batches.starts_epoch(t) {
            self.network.exchange_memory(Memory::new());
        }
        let mut pass = Pass::train(self.seed, t);
        let loss = if self.data.input().is_regression() {
            squared_error(&self.network.logits(&inputs, &mut pass)?, &labels)?
        } else {
            self.network.loss(&inputs, &labels, self.label_smoothing, &mut pass)?
        };
        let gradients = gradients(&loss, &self.parameters)?;
        Ok((loss.to_dtype(DType::F64)?.to_scalar()?, gradients))
    }

    fn evaluate(&mut self, split: Split) -> Result<Option<Scores>> {
        let trained = self.network.exchange_memory(Memory::new());
        let scores = if self.data.input().is_regression() { self.measure(split) } else { self.judge(split) };
        self.network.exchange_memory(trained);
        scores.map(Some)
    }

    fn recalibrate(&mut self) -> Result<Option<Vec<Tensor>>> {
        if self.statistics.is_empty() {
            return Ok(None);
        }
        let trained = self.statistics.save()?;
        let examples = self.data.split(Split::Train).len();
        let mut batches = Batches::shuffled(self.seed, "recalibrate", examples, self.batches.size());
        let count = CALIBRATION_BATCHES.min(batches.per_epoch());
        self.statistics.clone().estimate(count, |t| {
            // As the training sees them, augmented or not: its own statistics are of such batches, too.
            let draw = Draw { purpose: "augment recalibrate", seed: self.seed, step: t };
            let (inputs, _) = self.data.training_batch(batches.at(t), draw, self.dtype, &self.device)?;
            self.network.logits(&inputs, &mut Pass::Calibrate)?;
            Ok(())
        })?;
        Ok(Some(trained))
    }

    fn restore_statistics(&mut self, statistics: Vec<Tensor>) -> Result<()> {
        self.statistics.restore(&statistics)
    }

    /// The running statistics, then the pairs of tensors of the network's memory.
    fn state(&mut self) -> Result<Vec<Tensor>> {
        let mut state = self.statistics.save()?;
        let memory = self.network.exchange_memory(Memory::new());
        for (a, b) in &memory {
            state.extend([a.detach().copy()?, b.detach().copy()?]);
        }
        self.network.exchange_memory(memory);
        Ok(state)
    }

    fn restore(&mut self, state: Vec<Tensor>) -> Result<()> {
        let misfit = || Error::Usage("the saved state does not belong to this model".into());
        let (statistics, memory) = state.split_at_checked(self.statistics.len()).ok_or_else(misfit)?;
        self.statistics.restore(statistics)?;
        let (pairs, rest) = memory.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(misfit());
        }
        let mut memory = Memory::new();
        for [a, b] in pairs {
            memory.push((a.to_device(&self.device)?, b.to_device(&self.device)?));
        }
        self.network.exchange_memory(memory);
        Ok(())
    }
}

impl Learner {
    /// The scores of a model that tells classes apart.
    fn judge(&mut self, split: Split) -> Result<Scores> {
        let positions: Vec<usize> = self.data.split(split).collect();
        let mut tally = Tally::default();
        for positions in self.evaluation_batches(&positions) {
            let (inputs, labels) = self.data.batch(&positions, self.dtype, &self.device)?;
            tally.add(Tally::of(&self.network.logits(&inputs, &mut Pass::Evaluate)?, &labels)?);
        }
        let (count, loss) = (tally.count as f64, tally.loss / tally.count as f64);
        let scores = Scores::of_loss(loss).with(Metric::ACCURACY, tally.correct as f64 / count);
        Ok(match self.data.input() {
            Input::Tokens { .. } => {
                let scores = scores.with(Metric::PERPLEXITY, loss.exp());
                match self.data.label_bytes(split) {
                    Some(bytes) => {
                        let bits = tally.loss / std::f64::consts::LN_2;
                        scores.with(Metric::BITS_PER_BYTE, bits / bytes as f64)
                    }
                    None => scores,
                }
            }
            Input::Image { .. } | Input::Row { .. } => scores,
        })
    }

    /// The scores of a model that predicts numbers: the loss in the standardised ones, the others in the label's units.
    fn measure(&mut self, split: Split) -> Result<Scores> {
        let positions: Vec<usize> = self.data.split(split).collect();
        let mut fit = Fit::default();
        for positions in self.evaluation_batches(&positions) {
            let (inputs, labels) = self.data.batch(&positions, self.dtype, &self.device)?;
            fit.add(Fit::of(&self.network.logits(&inputs, &mut Pass::Evaluate)?, &labels)?);
        }
        let unit = self.data.unit();
        Ok(Scores::of_loss(fit.mean_square())
            .with(Metric::MAE, fit.mean_absolute() * unit)
            .with(Metric::R2, fit.explained())
            .with(Metric::MSE, fit.mean_square() * unit * unit))
    }

    /// All positions in batches; where a memory is carried, every row of a batch continues that row
    /// of the batch before, and the last rows may end sooner.
    fn evaluation_batches(&self, positions: &[usize]) -> Vec<Vec<usize>> {
        if !self.stateful {
            let examples = match self.data.input() {
                Input::Image { .. } | Input::Row { .. } => EVALUATION_BATCH,
                Input::Tokens { length, .. } => (EVALUATION_BATCH / length).max(self.batches.size()),
            };
            return positions.chunks(examples).map(<[usize]>::to_vec).collect();
        }
        let length = positions.len().div_ceil(self.batches.size()).max(1);
        let rows: Vec<&[usize]> = positions.chunks(length).collect();
        (0..length).map(|t| rows.iter().filter_map(|row| row.get(t).copied()).collect()).collect()
    }
}
