//! A training between two updates, and what it is put together from.

use std::collections::BTreeMap;
use std::time::Duration;

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::optim::State;

/// Everything that whatever trains a run needs to go on, bit for bit, from between two updates: tensors and words that
/// it alone understands.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Updates done.
    pub steps: u64,
    /// Where the time went so far.
    pub times: Times,
    /// Numbers, by names that differ.
    pub tensors: Vec<(String, Tensor)>,
    /// Words, by their names.
    pub words: BTreeMap<String, String>,
}

/// Where the time of a training went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// Batches, forward and backward passes.
    pub gradients: Duration,
    /// Updates of the weights.
    pub optimizer: Duration,
    /// Evaluations.
    pub evaluation: Duration,
}

/// The [outline](State::outline) of the optimizers that the state is of.
const OPTIMIZER: &str = "optimizer";

/// What a training in this process is made of.
///
/// Batches and random numbers are not in it: they depend on the seed and the step alone.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    /// The weights, parameter by parameter.
    pub(super) weights: Vec<Tensor>,
    /// What the problem carries along beside them.
    pub(super) problem: Vec<Tensor>,
    /// What the optimizer remembers.
    pub(super) optimizer: State,
    /// What the schedule has learned.
    pub(super) schedule: Vec<f64>,
    /// Gradients that the optimizer asked for beside the one of every update.
    pub(super) asked: u64,
}

impl Parts {
    /// The snapshot after some updates.
    pub(super) fn pack(self, steps: u64, times: Times) -> Result<Snapshot> {
        let Self { weights, problem, optimizer, schedule, asked } = self;
        let optimizers = optimizer.in_order();
        let mut tensors: Vec<(String, Tensor)> = Vec::new();
        let mut numbers = |name: String, numbers: &[f64]| -> Result<()> {
            // A tensor of nothing has no place in a file.
            if !numbers.is_empty() {
                tensors.push((name, Tensor::new(numbers, &Device::Cpu)?));
            }
            Ok(())
        };
        numbers("asked".into(), &[asked as f64])?;
        numbers("schedule".into(), &schedule)?;
        for (place, state) in optimizers.iter().enumerate() {
            numbers(format!("{OPTIMIZER}.{place}"), &state.scalars)?;
        }
        for (name, list) in [("weights", weights), ("problem", problem)] {
            tensors.extend(list.into_iter().enumerate().map(|(i, tensor)| (format!("{name}.{i}"), tensor)));
        }
        for (place, state) in optimizers.iter().enumerate() {
            let states = state.tensors.iter().enumerate();
            tensors.extend(states.map(|(i, (name, tensor))| (format!("state.{place}.{i}.{name}"), tensor.clone())));
        }
        Ok(Snapshot { steps, times, tensors, words: [(OPTIMIZER.to_owned(), optimizer.outline())].into() })
    }

    /// What [`Parts::pack`] was given.
    ///
    /// # Errors
    /// When the snapshot is of another trainer.
    pub(super) fn unpack(snapshot: Snapshot) -> Result<Self> {
        Self::read(snapshot).ok_or_else(|| Error::Usage("a snapshot that this training did not make".into()))
    }

    fn read(snapshot: Snapshot) -> Option<Self> {
        let mut tensors: BTreeMap<String, Tensor> = snapshot.tensors.into_iter().collect();
        let mut numbers = |name: &str| match tensors.remove(name) {
            None => Some(Vec::new()),
            Some(tensor) if tensor.dtype() == DType::F64 => tensor.to_vec1().ok(),
            Some(_) => None,
        };
        let [asked] = numbers("asked")?[..] else { return None };
        let schedule = numbers("schedule")?;
        let mut optimizers = State::of_outline(snapshot.words.get(OPTIMIZER)?)?;
        for (place, (_, state)) in optimizers.iter_mut().enumerate() {
            state.scalars = numbers(&format!("{OPTIMIZER}.{place}"))?;
        }
        let mut list = |name: &str| {
            let mut list = Vec::new();
            while let Some(tensor) = tensors.remove(&format!("{name}.{}", list.len())) {
                list.push(tensor);
            }
            list
        };
        let (weights, problem) = (list("weights"), list("problem"));
        let mut states: Vec<(usize, usize, String, Tensor)> = Vec::new();
        for (name, tensor) in tensors {
            let mut parts = name.strip_prefix("state.")?.splitn(3, '.');
            let (place, i) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            states.push((place, i, parts.next()?.to_owned(), tensor));
        }
        states.sort_by_key(|(place, i, ..)| (*place, *i));
        for (place, _, name, tensor) in states {
            optimizers.get_mut(place)?.1.tensors.push((name, tensor));
        }
        Some(Self { weights, problem, optimizer: State::whole(optimizers)?, schedule, asked: asked as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_gives_back_what_it_was_packed_from() {
        let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
        let optimizer = || State {
            kind: "groups".into(),
            inner: vec![
                State {
                    kind: "schedule_free".into(),
                    scalars: vec![0.1 + 0.2],
                    // More than ten, so that their order is not that of the alphabet.
                    tensors: (0..12).map(|i| (format!("{i}.z"), tensor(&[i as f32]))).collect(),
                    inner: vec![State { kind: "prodigy".into(), scalars: vec![7.0], ..State::default() }],
                },
                State { kind: "lion".into(), tensors: vec![("0.momentum".into(), tensor(&[8.0]))], ..State::default() },
            ],
            ..State::default()
        };
        let parts = Parts {
            weights: vec![tensor(&[1.0, 2.0]), tensor(&[3.0])],
            problem: vec![tensor(&[5.0])],
            optimizer: optimizer(),
            schedule: vec![],
            asked: 3,
        };
        let snapshot = parts.pack(7, Times::default()).unwrap();
        assert_eq!(snapshot.steps, 7);
        let read = Parts::unpack(snapshot.clone()).unwrap();
        assert_eq!(format!("{:?}", read.optimizer), format!("{:?}", optimizer()));
        assert_eq!(read.optimizer.kinds(), "groups around schedule_free around prodigy, lion");
        assert_eq!((read.schedule, read.asked), (vec![], 3));
        assert_eq!(read.problem[0].to_vec1::<f32>().unwrap(), [5.0]);
        assert_eq!(read.weights[1].to_vec1::<f32>().unwrap(), [3.0]);
        let foreign = Snapshot { words: BTreeMap::new(), ..snapshot };
        assert!(Parts::unpack(foreign).is_err());
    }
}
