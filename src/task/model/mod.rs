//! Models: networks that learn from data, and functions with a formula.
//!
//! A model is one file with a [`Definition`], and one line in [`MODELS`].

use std::sync::Arc;

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::params::Init;
use crate::registry::About;
use crate::rng::Stream;
use crate::settings::Settings;
use crate::task::data::Input;

mod mlp;
mod quadratic;
mod rosenbrock;

/// Every model that a config can name.
pub const MODELS: &[Definition] = &[mlp::DEFINITION, quadratic::DEFINITION, rosenbrock::DEFINITION];

/// A model as it is registered.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Name, equations, keys and source.
    pub about: About,
    /// What it is and how it is built.
    pub kind: Kind,
}

/// What a model is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// It learns from examples.
    Network {
        /// The dataset where a config names none.
        default_dataset: &'static str,
        /// Builds it for examples of a shape.
        build: BuildNetwork,
    },
    /// It is minimised as it stands.
    Function(BuildFunction),
}

/// Builds a network from checked settings, for examples of a shape.
pub type BuildNetwork = fn(&Settings, &Input, &mut Init) -> Result<Box<dyn Network>>;

/// Builds a function from settings; what does not fit together is said in words for the user.
pub type BuildFunction = fn(&Settings) -> Result<Arc<dyn Function>, String>;

/// The model of that name.
pub fn find(name: &str) -> Option<&'static Definition> {
    MODELS.iter().find(|definition| definition.about.name == name)
}

/// A model that turns inputs into one score for each class.
pub trait Network {
    /// Logits `[predictions, classes]` for a batch of inputs.
    ///
    /// # Errors
    /// When the inputs do not fit.
    fn logits(&mut self, inputs: &Tensor, pass: &mut Pass) -> Result<Tensor>;
}

/// What a forward pass is for.
pub enum Pass {
    /// A training step, with the stream that its dropout draws from.
    Train(Stream),
    /// An evaluation: nothing is dropped, and the batch's own statistics do not count.
    Evaluate,
}

/// A differentiable function of several numbers.
pub trait Function: Send + Sync {
    /// Where a training starts.
    fn start(&self) -> &[f64];

    /// The value at `x`.
    fn value(&self, x: &[f64]) -> f64;

    /// The gradient at `x`.
    fn gradient(&self, x: &[f64]) -> Vec<f64>;
}
