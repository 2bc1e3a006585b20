//! Models that were written for candle.

use candle_core::{ModuleT, Tensor};

use crate::error::Result;
use crate::task::model::{Network, Pass};

/// A model that was written for candle, as a [`Network`].
///
/// It turns a batch of inputs into scores, `[examples, classes]` or, of text, `[examples, length, vocabulary]`; `train`
/// is set in training steps, and where running statistics are estimated anew. Whatever is a `candle_nn::Module` is a
/// `ModuleT`. A model with dropout implements [`Network`] itself: [`Pass::dropout`] is seeded, candle-nn's is not.
#[derive(Debug, Clone)]
pub struct FromCandle<M>(pub M);

impl<M: ModuleT> Network for FromCandle<M> {
    fn logits(&mut self, inputs: &Tensor, pass: &mut Pass) -> Result<Tensor> {
        let scores = self.0.forward_t(inputs, pass.by_batch())?;
        Ok(if scores.rank() > 2 { scores.flatten_to(scores.rank() - 2)? } else { scores })
    }
}
