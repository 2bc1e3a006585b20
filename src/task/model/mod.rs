//! Models: networks that learn from data, and functions with a formula.
//!
//! A model is one file with a [`Definition`], and one line in [`MODELS`].

use std::sync::Arc;

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::nn::cross_entropy::cross_entropy;
use crate::nn::dropout::{dropout, mask};
use crate::nn::params::Init;
use crate::registry::{About, Accepts, Bounds, Described, Fallback, Key};
use crate::rng::Stream;
use crate::settings::{Settings, Sort};
use crate::task::data::text::Level;
use crate::task::data::{Contents, Input};

mod cnn;
mod formula;
mod from_candle;
mod imported;
mod linear;
mod logistic;
mod lstm_lm;
mod measured;
mod mlp;
#[cfg(feature = "cli")]
mod program;
mod quadratic;
mod resnet;
mod rosenbrock;
mod transformer_lm;

pub use from_candle::FromCandle;
#[cfg(feature = "cli")]
pub use program::Program;

/// Every model that a config can name.
pub const MODELS: &[Definition] = &[
    logistic::DEFINITION,
    linear::DEFINITION,
    mlp::DEFINITION,
    cnn::DEFINITION,
    resnet::DEFINITION,
    lstm_lm::DEFINITION,
    transformer_lm::DEFINITION,
    quadratic::DEFINITION,
    rosenbrock::DEFINITION,
    formula::DEFINITION,
    #[cfg(feature = "cli")]
    program::DEFINITION,
    imported::DEFINITION,
];

const DROPOUT: Key = Key::float("dropout", 0.0, Bounds::DECAY, "share of the hidden numbers set to 0 in training");
const LABEL_SMOOTHING: Key = Key::float(
    "label_smoothing",
    0.0,
    Bounds::DECAY,
    "share of the training target spread over all classes; an evaluation's loss is without",
);
const BATCH_SIZE: Key = Key::integer("batch_size", 64, Bounds::within(1.0, 1_048_576.0), "examples in a batch");
/// What a classifier is measured by.
const CLASSIFIES: &[Metric] = &[Metric::LOSS, Metric::ACCURACY];
/// What a language model is measured by; bits per byte where its tokens stand for all of the text.
const READS: &[Metric] = &[Metric::LOSS, Metric::ACCURACY, Metric::BITS_PER_BYTE, Metric::PERPLEXITY];
/// What a model of numbers is measured by.
pub(crate) const PREDICTS: &[Metric] = &[Metric::LOSS, Metric::MAE, Metric::R2, Metric::MSE];

/// A model as it is registered.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Name, equations, keys and source.
    pub about: About,
    /// What it is and how it is built.
    pub kind: Kind,
}

impl Described for Definition {
    const SORT: Sort = Sort::Model;
    const RESERVED: &'static [&'static str] = &["model", "kind", "target", "metric"];

    fn about(&self) -> &About {
        &self.about
    }
}

impl Definition {
    /// What a task of this model is measured by. Unless a config says otherwise, arms are ranked by the last metric of
    /// a built-in model, what people look at, and by the first that a config declares.
    ///
    /// # Errors
    /// In words for the user, where a config declares a metric that cannot be.
    pub fn metrics(&self, settings: &Settings) -> Result<Vec<Metric>, String> {
        match self.kind {
            Kind::Network { metrics, .. } => {
                let is_partial = settings.optional_choice("level") == Some(Level::Word);
                Ok(metrics.iter().copied().filter(|&metric| !is_partial || metric != Metric::BITS_PER_BYTE).collect())
            }
            Kind::Function(_) => Ok(vec![Metric::LOSS]),
            Kind::Program | Kind::Imported => measured::metrics(settings),
        }
    }

    /// The keys of a task beside the model's own and its dataset's, as they are for this model.
    pub fn task_keys(&self) -> Vec<Key> {
        let dtype =
            |default| Key::choice("dtype", &["f32", "f64"], default, "the number type of weights and gradients");
        match self.kind {
            Kind::Network { default_dataset, .. } => {
                let dataset = Key::required("dataset", Accepts::Text, "a name from `optbench list datasets`");
                vec![Key { default: Fallback::Text(default_dataset), ..dataset }, BATCH_SIZE, dtype("f32")]
            }
            Kind::Function(_) => vec![dtype("f64")],
            Kind::Program | Kind::Imported => Vec::new(),
        }
    }
}

/// What a model is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// It learns from examples.
    Network {
        /// The dataset where a config names none.
        default_dataset: &'static str,
        /// What it can learn from.
        learns: &'static [Contents],
        /// What is measured of classes; arms are ranked by the last unless a config says otherwise.
        metrics: &'static [Metric],
        /// Builds it for examples of a shape.
        build: BuildNetwork,
    },
    /// It is minimised as it stands.
    Function(BuildFunction),
    /// A program of the user's trains it.
    Program,
    /// It was trained elsewhere, and is not trained here.
    Imported,
}

/// Builds a network from checked settings, for examples of a shape.
pub type BuildNetwork = fn(&Settings, &Input, &mut Init) -> Result<Box<dyn Network>>;

/// Builds a function from settings; what does not fit together is said in words for the user.
pub type BuildFunction = fn(&Settings) -> Result<Arc<dyn Function>, String>;

/// What a layer that reads all numbers of an example at once learns from.
const ANY_NUMBERS: &[Contents] = &[Contents::Images, Contents::Table];

fn learns_from_others(model: &str, learns: &str, input: &Input) -> Error {
    Error::Usage(format!("model `{model}` learns from {learns}, but the dataset is {}", input.contents().name()))
}

/// How many numbers an example has, whatever their shape.
fn columns(model: &str, input: &Input) -> Result<usize> {
    match input {
        Input::Image { .. } | Input::Row { .. } => Ok(input.len()),
        Input::Tokens { .. } => Err(learns_from_others(model, "images and tables", input)),
    }
}

/// Channels, height and width of the images that a model learns from.
fn image_shape(model: &str, input: &Input) -> Result<[usize; 3]> {
    match input {
        Input::Image { shape, .. } => Ok(*shape),
        Input::Tokens { .. } | Input::Row { .. } => Err(learns_from_others(model, "images", input)),
    }
}

/// How many tokens a model of text tells apart.
fn vocabulary(model: &str, input: &Input) -> Result<usize> {
    match *input {
        Input::Tokens { vocabulary, .. } => Ok(vocabulary),
        Input::Image { .. } | Input::Row { .. } => Err(learns_from_others(model, "text", input)),
    }
}

/// A model that turns inputs into one score for each class.
pub trait Network {
    /// Logits `[predictions, classes]` for a batch of inputs.
    ///
    /// # Errors
    /// When the inputs do not fit.
    fn logits(&mut self, inputs: &Tensor, pass: &mut Pass) -> Result<Tensor>;

    /// The mean cross-entropy of a training batch: that of the logits, unless a network has a shorter way there.
    ///
    /// # Errors
    /// When the inputs do not fit.
    fn loss(&mut self, inputs: &Tensor, labels: &Tensor, smoothing: f64, pass: &mut Pass) -> Result<Tensor> {
        let composed = !inputs.device().is_cpu();
        cross_entropy(&self.logits(inputs, pass)?, labels, smoothing, composed)
    }

    /// Takes another memory and gives up the one it has: what a recurrent network carries from one
    /// batch to the next. Nothing carried is a fresh start.
    fn exchange_memory(&mut self, _memory: Memory) -> Memory {
        Memory::default()
    }
}

/// What a recurrent network carries from batch to batch: for each layer its outputs and its cells,
/// `[rows of the batch, hidden]`.
pub type Memory = Vec<(Tensor, Tensor)>;

/// What a forward pass is for.
pub enum Pass {
    /// A training step, with what its dropout draws from.
    Train(Draws),
    /// A look at training batches for their statistics: nothing is dropped.
    Calibrate,
    /// An evaluation: nothing is dropped, and the batch's own statistics do not count.
    Evaluate,
}

/// The dropout's stream of one step, made when something is drawn.
pub struct Draws {
    seed: u64,
    step: u64,
    stream: Option<Box<Stream>>,
}

impl Pass {
    /// The training step after `step` updates.
    pub fn train(seed: u64, step: u64) -> Self {
        Self::Train(Draws { seed, step, stream: None })
    }

    /// Whether layers normalise by the batch's own statistics.
    pub fn by_batch(&self) -> bool {
        !matches!(self, Self::Evaluate)
    }

    /// Drops a share of the numbers in training; see [`dropout`].
    ///
    /// # Errors
    /// When the device refuses.
    pub fn dropout(&mut self, x: &Tensor, rate: f64) -> Result<Tensor> {
        match self.stream(rate) {
            Some(stream) => dropout(x, rate, stream),
            None => Ok(x.clone()),
        }
    }

    /// What `count` numbers are multiplied by to drop a share of them; `None` where nothing is dropped.
    pub fn mask(&mut self, count: usize, rate: f64) -> Option<Vec<f32>> {
        self.stream(rate).map(|stream| mask(count, rate, stream))
    }

    /// What a layer with this rate draws from; `None` where nothing is dropped.
    fn stream(&mut self, rate: f64) -> Option<&mut Stream> {
        match self {
            Self::Train(Draws { seed, step, stream }) if rate > 0.0 => {
                Some(stream.get_or_insert_with(|| Box::new(Stream::new(*seed, &format!("dropout step {step}")))))
            }
            _ => None,
        }
    }
}

/// A differentiable function of several numbers.
pub trait Function: Send + Sync {
    /// Where a training starts.
    fn start(&self) -> &[f64];

    /// What the numbers are called, in order; nothing where they have no names.
    fn names(&self) -> &[String] {
        &[]
    }

    /// The value at `x`.
    fn value(&self, x: &[f64]) -> f64;

    /// The gradient at `x`.
    fn gradient(&self, x: &[f64]) -> Vec<f64>;

    /// Where the value is least; `None` where there is no such place.
    fn minimum(&self) -> Option<Vec<f64>>;
}
