//! Optimizers: update rules with their hyper-parameters and state.
//!
//! An optimizer is one file with a [`Definition`], and one line in [`OPTIMIZERS`]. Rules that treat
//! every coordinate alike implement [`rule::Rule`]; rules that look at whole tensors or at the
//! whole model implement `whole::WholeRule`.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::params::Parameter;
use crate::registry::{About, Accepts, Bounds, Described, Key};
use crate::settings::{Settings, Sort, Value};

pub use average::snapshots_kept;

mod adabelief;
mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adam_2k;
mod adamax;
mod adamw;
mod adan;
mod ademamix;
mod adopt;
mod average;
mod averaging;
mod decay;
mod kinded;
mod lamb;
mod linalg;
mod lion;
mod mars;
mod memory;
mod muon;
mod nadam;
mod pass;
mod prodigy;
mod radam;
pub mod real;
mod rmsprop;
pub mod rule;
mod schedule_free;
mod schedule_free_adamw;
mod schedule_free_radam;
mod schedule_free_sgd;
mod sgd;
mod soap;
mod warmup;
mod whole;

/// Every optimizer that a config can name.
pub const OPTIMIZERS: &[Definition] = &[
    sgd::DEFINITION,
    adam::DEFINITION,
    adamw::DEFINITION,
    nadam::DEFINITION,
    adamax::DEFINITION,
    adagrad::DEFINITION,
    adadelta::DEFINITION,
    rmsprop::DEFINITION,
    radam::DEFINITION,
    adam_2k::DEFINITION,
    schedule_free_sgd::DEFINITION,
    schedule_free_adamw::DEFINITION,
    schedule_free_radam::DEFINITION,
    schedule_free::DEFINITION,
    lion::DEFINITION,
    adan::DEFINITION,
    ademamix::DEFINITION,
    adopt::DEFINITION,
    adabelief::DEFINITION,
    lamb::DEFINITION,
    adafactor::DEFINITION,
    prodigy::DEFINITION,
    mars::DEFINITION,
    muon::DEFINITION,
    soap::DEFINITION,
];

/// An optimizer as it is registered.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Name, equations, keys and source.
    pub about: About,
    /// What it remembers for each parameter, in words.
    pub memory: &'static str,
    /// Builds it from checked settings whose durations are measured in steps.
    pub build: fn(&Settings) -> Box<dyn Optimizer>,
}

/// The keys that every optimizer takes beside its own.
const COMMON_KEYS: &[Key] = &[
    Key::optional(
        "clip_norm",
        Accepts::Float(Bounds::POSITIVE),
        "scale the gradient down to this Euclidean norm where it is longer",
    ),
    average::KIND,
    average::DECAY,
    average::START,
    average::EVERY,
    average::WINDOW,
    Key::optional(
        "batch_norm_statistics",
        Accepts::Choice(&["reestimated", "training"]),
        "evaluate batch normalisation with statistics estimated anew, or with those of the training; unless given, \
         anew wherever other weights than those trained are evaluated",
    ),
];

impl Described for Definition {
    const SORT: Sort = Sort::Optimizer;
    const COMMON_KEYS: &'static [Key] = COMMON_KEYS;
    const RESERVED: &'static [&'static str] = &["kind", "schedules", "tasks"];

    fn about(&self) -> &About {
        &self.about
    }
}

/// Builds an optimizer from checked settings whose durations are measured in steps.
///
/// # Panics
/// When they are those of no optimizer, or a key is missing: the config checks both.
pub fn build(settings: &Settings) -> Box<dyn Optimizer> {
    let definition = settings.definition::<Definition>();
    let kinded = kinded::Kinded { kind: definition.about.name, inner: (definition.build)(settings) };
    average::around(Box::new(kinded), settings)
}

/// The decay of the mean of squared gradients, by whose root an optimizer of these settings divides; that of the base
/// of a wrapper, and `None` where there is no such mean.
pub fn second_moment_decay(settings: &Settings) -> Option<f64> {
    settings.definition::<Definition>().about.keys.iter().find_map(|key| {
        match (settings.get(key.name), key.second_moment) {
            (Some(Value::Nested(base)), _) => second_moment_decay(base),
            (Some(value), Some(counts)) if counts(settings) => value.as_float(),
            _ => None,
        }
    })
}

/// The key `lr`, for rules that have nothing particular to say about it.
pub const fn lr(default: f64) -> Key {
    Key::float("lr", default, Bounds::NON_NEGATIVE, "peak learning rate")
}

/// What a single update is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Updates done before this one.
    pub t: u64,
    /// The learning rate: the peak rate times the schedule's factor.
    pub lr: f64,
    /// The momentum (beta1 for Adam-like rules) where the schedule moves it.
    pub momentum: Option<f64>,
    /// What the gradient is multiplied by first; below 1 where it is clipped.
    pub gradient_scale: f64,
}

impl Step {
    /// The first update at a rate, with nothing else of note; for tests and benches.
    pub fn first(lr: f64) -> Self {
        Self { t: 0, lr, momentum: None, gradient_scale: 1.0 }
    }
}

/// An update rule with its state.
///
/// The weights are the parameters' own variables. Rules that evaluate elsewhere than they train,
/// such as Schedule-Free, say so through [`Optimizer::evaluation_weights`]: there is no mode to
/// switch and so none to forget.
pub trait Optimizer: Send {
    /// Updates the parameters with the gradients taken at them, in the same order.
    ///
    /// # Errors
    /// When the tensors do not fit each other or those of the first step.
    fn step(&mut self, parameters: &[Parameter], gradients: &[Tensor], at: &Step) -> Result<()>;

    /// What the rule, as its latest update left it, multiplies the rate of that update by of its own accord: Prodigy's
    /// estimate of the distance, or a warmup of its own. An average around it weights by the rate that this makes.
    fn own_factor(&self, _at: &Step) -> f64 {
        1.0
    }

    /// The rate that an update at `at` really applies, where the rule has a warmup of its own.
    fn rate(&self, at: &Step) -> f64 {
        at.lr
    }

    /// The weights to evaluate and to keep, where they are not those that are trained.
    ///
    /// # Errors
    /// When the device refuses.
    fn evaluation_weights(&self, _parameters: &[Parameter]) -> Result<Option<Vec<Tensor>>> {
        Ok(None)
    }

    /// Everything that a continued training needs beside the weights.
    ///
    /// # Errors
    /// When the device refuses.
    fn state(&self) -> Result<State>;

    /// Takes back what [`Optimizer::state`] gave.
    ///
    /// # Errors
    /// When the state is not one of this optimizer with these parameters.
    fn restore(&mut self, parameters: &[Parameter], state: State) -> Result<()>;

    /// Bytes of state, not counting weights and gradients.
    fn state_bytes(&self) -> usize;

    /// Computes with tensor operations even on the CPU, as it does on any other device.
    fn use_tensor_operations(&mut self);
}

/// An optimizer's memory in a form that can be stored.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The kind of optimizer, such as `adamw` or `ema of schedule_free around prodigy`: no other takes the state back.
    pub kind: String,
    /// Numbers that belong to the whole model.
    pub scalars: Vec<f64>,
    /// Named tensors, parameter by parameter.
    pub tensors: Vec<(String, Tensor)>,
}
