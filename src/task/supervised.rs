//! Networks that learn from labelled examples.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::metric::Scores;
use crate::nn::cross_entropy::{Tally, cross_entropy};
use crate::nn::params::{Init, Parameter, gradients};
use crate::rng::Stream;
use crate::settings::Settings;
use crate::task::data::{Dataset, Examples};
use crate::task::model::{BuildNetwork, Network, Pass};
use crate::task::{Problem, Spec, Split, Task};

/// Predictions judged at a time in an evaluation.
const EVALUATION_BATCH: usize = 500;

/// A network and the examples that it learns from.
pub(super) struct Supervised {
    model: Settings,
    build: BuildNetwork,
    data: Arc<dyn Examples>,
    batch_size: usize,
    dtype: DType,
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
        Ok(Self { model: spec.model.clone(), build, data, batch_size: spec.batch_size, dtype: spec.dtype })
    }
}

impl Task for Supervised {
    fn steps_per_epoch(&self) -> Option<u64> {
        // What does not fill a batch waits for another epoch's shuffle.
        Some((self.data.split(Split::Train).len() / self.batch_size) as u64)
    }

    fn problem(&self, seed: u64, device: &Device) -> Result<Box<dyn Problem>> {
        let mut init = Init::new(seed, self.dtype, device);
        let network = (self.build)(&self.model, &self.data.input(), &mut init)?;
        Ok(Box::new(Learner {
            network,
            composed: init.is_composed(),
            parameters: init.finish(),
            data: self.data.clone(),
            seed,
            batches: Batches::new(seed, self.data.split(Split::Train).len(), self.batch_size),
            dtype: self.dtype,
            device: device.clone(),
        }))
    }
}

struct Learner {
    seed: u64,
    network: Box<dyn Network>,
    composed: bool,
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
        let mut variants = Stream::new(self.seed, &format!("augment step {t}"));
        let (inputs, labels) = self.data.training_batch(self.batches.at(t), &mut variants, self.dtype, &self.device)?;
        let mut pass = Pass::Train(Stream::new(self.seed, &format!("dropout step {t}")));
        let loss = cross_entropy(&self.network.logits(&inputs, &mut pass)?, &labels, self.composed)?;
        let gradients = gradients(&loss, &self.parameters)?;
        Ok((loss.to_dtype(DType::F64)?.to_scalar()?, gradients))
    }

    fn evaluate(&mut self, split: Split) -> Result<Option<Scores>> {
        let positions: Vec<usize> = self.data.split(split).collect();
        let mut tally = Tally::default();
        for positions in positions.chunks(EVALUATION_BATCH) {
            let (inputs, labels) = self.data.batch(positions, self.dtype, &self.device)?;
            tally.add(Tally::of(&self.network.logits(&inputs, &mut Pass::Evaluate)?, &labels)?);
        }
        let count = tally.count as f64;
        Ok(Some(Scores { loss: tally.loss / count, accuracy: Some(tally.correct as f64 / count), perplexity: None }))
    }
}

/// The order of the training examples: every epoch shuffled anew, by the seed and the epoch alone.
struct Batches {
    seed: u64,
    size: usize,
    order: Vec<usize>,
    epoch: Option<u64>,
}

impl Batches {
    fn new(seed: u64, examples: usize, size: usize) -> Self {
        Self { seed, size, order: (0..examples).collect(), epoch: None }
    }

    /// The positions of the batch after `t` updates.
    fn at(&mut self, t: u64) -> &[usize] {
        let per_epoch = (self.order.len() / self.size) as u64;
        let (epoch, batch) = (t / per_epoch, (t % per_epoch) as usize);
        if self.epoch != Some(epoch) {
            self.order.sort_unstable();
            Stream::new(self.seed, &format!("batches epoch {epoch}")).shuffle(&mut self.order);
            self.epoch = Some(epoch);
        }
        &self.order[batch * self.size..(batch + 1) * self.size]
    }
}

#[cfg(test)]
mod tests {
    use super::Batches;

    #[test]
    fn an_epoch_sees_no_example_twice_and_any_batch_can_be_asked_for() {
        let mut batches = Batches::new(3, 10, 3);
        let epoch: Vec<Vec<usize>> = (0..3).map(|t| batches.at(t).to_vec()).collect();
        let mut seen = epoch.concat();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 9);
        assert_ne!(batches.at(3), epoch[0], "the next epoch is shuffled anew");
        assert_eq!(batches.at(1), epoch[1], "a batch depends on its number alone");
        assert_ne!(Batches::new(4, 10, 3).at(1), epoch[1]);
    }
}
