//! What is seen of a training, and what may be asked of it.

use candle_core::Tensor;

use crate::error::Result;
use crate::metric::Scores;
use crate::task::Split;
use crate::train::snapshot::Snapshot;

/// One update, as it is logged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRecord {
    /// Updates done, this one included.
    pub step: u64,
    /// The rate of this update, where it is known.
    pub lr: Option<f64>,
    /// The training loss where the gradient was taken.
    pub loss: f64,
    /// The length of the whole gradient, before any clipping, where it is known.
    pub grad_norm: Option<f64>,
}

/// One evaluation, as it is logged.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationRecord {
    /// Updates done.
    pub step: u64,
    /// What was evaluated on.
    pub split: Split,
    /// What was measured.
    pub scores: Scores,
}

/// The inside of one update, for an observer that asked to look.
pub struct Look<'a> {
    /// Updates done, this one included.
    pub step: u64,
    /// The gradient, parameter by parameter, before any clipping.
    pub gradients: &'a [Tensor],
    /// The weights that the gradient was taken at.
    pub before: &'a [Tensor],
    /// The weights that the next gradient is taken at.
    pub after: Vec<Tensor>,
    /// The weights that an evaluation would be of, where they are not those of `after`.
    pub delivered: Option<Vec<Tensor>>,
}

/// Sees what happens in a training. Every method may stay as it is.
pub trait Observer {
    /// An update was done, or found impossible because it diverged.
    ///
    /// # Errors
    /// Ends the training.
    fn step(&mut self, _record: &StepRecord) -> Result<()> {
        Ok(())
    }

    /// An evaluation was done.
    ///
    /// # Errors
    /// Ends the training.
    fn evaluation(&mut self, _record: &EvaluationRecord) -> Result<()> {
        Ok(())
    }

    /// So many updates are done, of which nothing more is known.
    fn progressed(&mut self, _step: u64) {}

    /// Something that the user should know of the run, in one sentence.
    fn note(&mut self, _text: &str) {}

    /// Asked before every update, by the number it will have: whether to look inside.
    fn watches(&mut self, _step: u64) -> bool {
        false
    }

    /// The inside of an update that was asked for and done.
    ///
    /// # Errors
    /// Ends the training.
    fn look(&mut self, _look: &Look) -> Result<()> {
        Ok(())
    }

    /// Asked before every update; `false` interrupts the training.
    fn proceed(&mut self) -> bool {
        true
    }

    /// Asked before every update and at an interruption: whether to be given a snapshot now.
    fn wants_snapshot(&mut self) -> bool {
        false
    }

    /// A snapshot, of the state after the last record that was seen.
    ///
    /// # Errors
    /// Ends the training.
    fn snapshot(&mut self, _snapshot: &Snapshot) -> Result<()> {
        Ok(())
    }
}

/// An observer that looks away.
impl Observer for () {}
