//! The running statistics of batch normalisation, which no optimizer and no average sees.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The share of a new batch in the running statistics, as in `PyTorch`.
const MOMENTUM: f64 = 0.1;

/// Mean and variance of each channel, as an evaluation normalises by them.
#[derive(Debug)]
pub(super) struct Estimates {
    pub(super) mean: Vec<f64>,
    pub(super) variance: Vec<f64>,
    /// Batches seen since the statistics were reset; `None` where they follow a training.
    averaged: Option<u64>,
}

/// One layer's running statistics; clones share them.
#[derive(Debug, Clone)]
pub struct Running(Arc<Mutex<Estimates>>);

impl Running {
    /// Mean 0 and variance 1.
    pub fn new(channels: usize) -> Self {
        let fresh = Estimates { mean: vec![0.0; channels], variance: vec![1.0; channels], averaged: None };
        Self(Arc::new(Mutex::new(fresh)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Estimates> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts an average over the batches to come, all weighing the same.
    pub fn restart(&self) {
        self.lock().averaged = Some(0);
    }

    /// The means and then the variances, for a training that is continued.
    pub fn numbers(&self) -> Vec<f64> {
        let now = self.lock();
        [now.mean.as_slice(), &now.variance].concat()
    }

    /// Takes back what [`Running::numbers`] gave, and follows a training from there; `false` where they are not of as
    /// many channels.
    pub fn set_numbers(&self, numbers: &[f64]) -> bool {
        let mut now = self.lock();
        let channels = now.mean.len();
        if numbers.len() != 2 * channels {
            return false;
        }
        now.mean.copy_from_slice(&numbers[..channels]);
        now.variance.copy_from_slice(&numbers[channels..]);
        now.averaged = None;
        true
    }

    /// Follows the statistics of a batch of `n` numbers a channel; `variance` divides by `n`.
    pub(super) fn follow(&self, mean: &[f64], variance: &[f64], n: usize) {
        let mut now = self.lock();
        let share = now.averaged.as_mut().map_or(MOMENTUM, |seen| {
            *seen += 1;
            1.0 / *seen as f64
        });
        let unbiased = n as f64 / (n.max(2) - 1) as f64;
        for (running, x) in now.mean.iter_mut().zip(mean) {
            *running += share * (x - *running);
        }
        for (running, x) in now.variance.iter_mut().zip(variance) {
            *running += share * (x * unbiased - *running);
        }
    }
}
