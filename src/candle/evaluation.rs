//! The weights to evaluate, for a while in the place of those that are trained.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::params::{Parameter, assign, copies};

/// While it lives, the variables hold the weights to evaluate and to deliver: x of Schedule-Free, or the average. When it
/// is dropped, be it by a panic, they hold those that are trained again, to the bit.
///
/// The optimizer is borrowed meanwhile: no update and no saved state can come between.
#[must_use = "the weights go back when it is dropped"]
#[derive(Debug)]
pub struct Evaluation<'a> {
    parameters: &'a [Parameter],
    /// Empty where the weights that are trained are the ones to evaluate.
    trained: Vec<Tensor>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(parameters: &'a [Parameter], weights: Option<Vec<Tensor>>) -> Result<Self> {
        let Some(weights) = weights else { return Ok(Self { parameters, trained: Vec::new() }) };
        let evaluation = Self { parameters, trained: copies(parameters)? };
        assign(parameters, &weights)?;
        Ok(evaluation)
    }
}

impl Drop for Evaluation<'_> {
    fn drop(&mut self) {
        for (parameter, trained) in self.parameters.iter().zip(&self.trained) {
            // Shapes, number types and devices are the variable's own: nothing is there to fail.
            parameter.var.set(trained).expect("a variable takes back its own values");
        }
    }
}
