//! What an optimizer is: what an update is told and may ask, and what it remembers.

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::nn::params::{Parameter, assign, copies};

/// What a single update is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Updates done before this one.
    pub t: u64,
    /// All updates of the run; a kind that reads it says so: [`Ask::Length`](crate::optim::Ask::Length).
    pub steps: u64,
    /// The learning rate: the peak rate times the schedule's factor.
    pub lr: f64,
    /// The momentum (beta1 for Adam-like rules) where the schedule moves it.
    pub momentum: Option<f64>,
    /// The loss where the gradient was taken; a kind that reads it says so: [`Ask::Loss`](crate::optim::Ask::Loss).
    pub loss: f64,
    /// What the gradient is multiplied by first; below 1 where it is clipped.
    pub gradient_scale: f64,
}

impl Step {
    /// The first and only update at a rate, with nothing else of note and a loss of 0; for tests and benches.
    pub fn first(lr: f64) -> Self {
        Self { t: 0, steps: 1, lr, momentum: None, loss: 0.0, gradient_scale: 1.0 }
    }
}

/// What an update may ask: the loss and its gradients at other weights.
pub trait Oracle {
    /// At the parameters' current values, on the same batch and with the same random numbers as the gradient that the
    /// update was given; what the model carries from step to step does not move.
    ///
    /// # Errors
    /// When the device refuses, or where there is nobody to answer.
    fn ask(&mut self) -> Result<Answer>;
}

/// What an [`Oracle`] answers.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The loss.
    pub loss: f64,
    /// Its gradients, in the order of the parameters.
    pub gradients: Vec<Tensor>,
    /// What these are to be multiplied by first, as in [`Step::gradient_scale`].
    pub gradient_scale: f64,
}

/// Nobody to ask.
impl Oracle for () {
    fn ask(&mut self) -> Result<Answer> {
        Err(Error::Usage("the optimizer asks for a gradient at other weights, and nothing here can compute one".into()))
    }
}

/// Asks for the loss and gradients at other weights, and brings the parameters back to theirs.
pub(super) fn ask_at(oracle: &mut dyn Oracle, parameters: &[Parameter], weights: &[Tensor]) -> Result<Answer> {
    let here = copies(parameters)?;
    assign(parameters, weights)?;
    let answer = oracle.ask();
    assign(parameters, &here)?;
    answer
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
    fn step(
        &mut self,
        parameters: &[Parameter],
        gradients: &[Tensor],
        at: &Step,
        oracle: &mut dyn Oracle,
    ) -> Result<()>;

    /// Whether its updates ask the oracle. Only then does a training keep what it takes to answer.
    fn asks(&self) -> bool {
        false
    }

    /// What the rule, as its latest update left it, multiplies the rate of an update by of its own accord: Prodigy's
    /// estimate of the distance, or a warmup of its own. The logged rate shows it, and an average around the rule
    /// weights by the rate that this makes.
    fn own_factor(&self, _at: &Step) -> f64 {
        1.0
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

/// More optimizers than any config is made of.
const MOST_WITHIN: usize = 10_000;

/// States in order, each with how many are within it.
pub(crate) type Outline = Vec<(usize, State)>;

/// An optimizer's memory in a form that can be stored: a tree, as optimizers are around others.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// What it is of, such as `adamw` or `ema`: nothing else takes it back.
    pub kind: String,
    /// Numbers that belong to the whole model.
    pub scalars: Vec<f64>,
    /// Tensors, parameter by parameter; a name begins with the number of its parameter, as `0.m` does.
    pub tensors: Vec<(String, Tensor)>,
    /// The states of the optimizers that it is around.
    pub inner: Vec<State>,
}

impl State {
    /// The kinds in words, such as `ema around schedule_free around prodigy`.
    pub fn kinds(&self) -> String {
        let inner: Vec<String> = self.inner.iter().map(Self::kinds).collect();
        if inner.is_empty() { self.kind.clone() } else { format!("{} around {}", self.kind, inner.join(", ")) }
    }

    /// The state, then those within it, each before its own.
    pub(crate) fn in_order(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.inner.iter().flat_map(Self::in_order)).collect()
    }

    /// The states [in order](Self::in_order) in words, one a line: how many are within it, and its kind.
    pub(crate) fn outline(&self) -> String {
        let lines: Vec<String> =
            self.in_order().iter().map(|state| format!("{} {}", state.inner.len(), state.kind)).collect();
        lines.join("\n")
    }

    /// The states of an [outline](Self::outline), in order and without what they hold; `None` where it is none.
    pub(crate) fn of_outline(outline: &str) -> Option<Outline> {
        let state = |line: &str| {
            let (inner, kind) = line.split_once(' ')?;
            Some((inner.parse().ok()?, Self { kind: kind.to_owned(), ..Self::default() }))
        };
        outline.lines().take(MOST_WITHIN).map(state).collect()
    }

    /// Puts the states of an outline within each other; `None` where they are not one state.
    pub(crate) fn whole(outline: Outline) -> Option<Self> {
        let mut whole: Vec<Self> = Vec::new();
        // From the last to the first: those within one have come by then.
        for (inner, mut state) in outline.into_iter().rev() {
            for _ in 0..inner {
                state.inner.push(whole.pop()?);
            }
            whole.push(state);
        }
        whole.pop().filter(|_| whole.is_empty())
    }

    /// The same with other numbers for the parameters, in what is within, too; `None` where one has no other number.
    pub(super) fn renumbered(self, number: &impl Fn(usize) -> Option<usize>) -> Option<Self> {
        let renamed = |(name, tensor): (String, Tensor)| {
            let (old, slot) = name.split_once('.')?;
            Some((format!("{}.{slot}", number(old.parse().ok()?)?), tensor))
        };
        let tensors = self.tensors.into_iter().map(renamed).collect::<Option<_>>()?;
        let inner = self.inner.into_iter().map(|state| state.renumbered(number)).collect::<Option<_>>()?;
        Some(Self { tensors, inner, ..self })
    }
}
