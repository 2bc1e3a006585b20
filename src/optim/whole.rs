//! Rules that look at whole tensors or at the whole model, and the driver that runs them.

use std::borrow::Cow;

use candle_core::{DType, Tensor};

use crate::error::Result;
use crate::nn::params::{self, Parameter};
use crate::optim::memory::{Memory, Slot};
use crate::optim::optimizer::{Optimizer, Oracle, State, Step};
use crate::optim::pass::{self, Kernel, Term};
use crate::optim::real::{Real, ema};
use crate::optim::rule::{self, Rule, write_weights};

/// An update of the whole model.
pub(super) trait WholeRule: Send + 'static {
    /// What is remembered for a parameter.
    fn slots(&self, parameter: &Parameter) -> Vec<Slot>;

    /// Updates all parameters.
    fn step(&mut self, tensors: &mut [Work], at: &Step) -> Result<()>;

    /// Numbers that are carried from step to step for the whole model.
    fn scalars(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Takes back what [`WholeRule::scalars`] gave.
    fn set_scalars(&mut self, _scalars: &[f64]) {}

    /// See [`Optimizer::own_factor`].
    fn own_factor(&self, _at: &Step) -> f64 {
        1.0
    }
}

/// One parameter in an update.
pub(super) struct Work<'a> {
    pub(super) parameter: &'a Parameter,
    /// Scaled as [`Step::gradient_scale`] asks.
    pub(super) gradient: Cow<'a, Tensor>,
    /// In the order of [`WholeRule::slots`].
    pub(super) slots: &'a mut [Tensor],
    /// Whether to compute with tensor operations even on the CPU.
    pub(super) composed: bool,
}

impl Work<'_> {
    /// Updates the weights by a rule for single coordinates that has these slots.
    pub(super) fn update<U: Rule<N>, const N: usize>(&mut self, k: &U::Coefficients) -> Result<()> {
        rule::update::<U, N>(self.composed, k, 1.0, self.parameter, &self.gradient, self.slots)
    }

    /// Writes to the weights and all `N` slots, with the gradient to read.
    pub(super) fn sweep<const N: usize>(&mut self, kernel: &impl Kernel<N, 1>) -> Result<()> {
        let slots: &mut [Tensor; N] = (&mut *self.slots).try_into().expect("N slots");
        write_weights(self.parameter, |p| pass::sweep(self.composed, kernel, p, slots.each_mut(), [&*self.gradient]))
    }

    /// Writes to the weights, with other tensors to read.
    pub(super) fn write_weights<const M: usize>(&self, kernel: &impl Kernel<0, M>, read: [&Tensor; M]) -> Result<()> {
        write_weights(self.parameter, |p| pass::sweep(self.composed, kernel, p, [], read))
    }

    /// Writes to the first `1 + N` slots, with the gradient to read.
    pub(super) fn write_slots<const N: usize>(&mut self, kernel: &impl Kernel<N, 1>) -> Result<()> {
        let (first, rest) = self.slots.split_first_mut().expect("slots to write to");
        let rest: &mut [Tensor; N] = (&mut rest[..N]).try_into().expect("N more slots");
        pass::sweep(self.composed, kernel, first, rest.each_mut(), [&*self.gradient])
    }

    /// Sums over the coordinates of tensors such as those in here.
    pub(super) fn sum<const M: usize>(&self, term: &impl Term<M>, read: [&Tensor; M]) -> Result<f64> {
        pass::sum(self.composed, term, read)
    }

    /// The Euclidean norm of a tensor such as those in here.
    pub(super) fn norm(&self, tensor: &Tensor) -> Result<f64> {
        norm(self.composed, tensor)
    }

    /// The weights.
    pub(super) fn weights(&self) -> &Tensor {
        self.parameter.var.as_tensor()
    }
}

/// The Euclidean norm of a tensor; `composed` asks for tensor operations.
pub(super) fn norm(composed: bool, tensor: &Tensor) -> Result<f64> {
    let sum = pass::sum(composed, &Squared, [tensor])?;
    // Squares are taken in the tensor's own precision, which holds fewer of them than numbers.
    let least = if tensor.dtype() == DType::F32 { 1e-25 } else { params::LEAST_SUM };
    params::root(sum, least).map_or_else(|| params::norm(std::slice::from_ref(tensor)), Ok)
}

struct Squared;

impl Term<1> for Squared {
    #[inline(always)]
    fn term<R: Real>(&self, [x]: [R; 1]) -> R {
        x.clone() * x
    }
}

/// An average that moves on to newer values.
pub(super) struct Average {
    pub(super) keep: f64,
}

impl Kernel<0, 1> for Average {
    #[inline(always)]
    fn apply<R: Real>(&self, average: R, _: [R; 0], [value]: [R; 1]) -> (R, [R; 0]) {
        (ema(average, value, self.keep), [])
    }
}

/// An average that moves on to the squares of newer values.
pub(super) struct AverageOfSquares {
    pub(super) keep: f64,
}

impl Kernel<0, 1> for AverageOfSquares {
    #[inline(always)]
    fn apply<R: Real>(&self, average: R, _: [R; 0], [value]: [R; 1]) -> (R, [R; 0]) {
        (ema(average, value.clone() * value, self.keep), [])
    }
}

/// `x own + y other`.
pub(super) struct Mix {
    pub(super) own: f64,
    pub(super) other: f64,
}

impl Kernel<0, 1> for Mix {
    #[inline(always)]
    fn apply<R: Real>(&self, x: R, _: [R; 0], [y]: [R; 1]) -> (R, [R; 0]) {
        (x * self.own + y * self.other, [])
    }
}

/// Runs a [`WholeRule`].
pub(super) struct Whole<U> {
    rule: U,
    composed: bool,
    memory: Memory,
}

impl<U: WholeRule> Whole<U> {
    /// The rule, ready for its first step.
    pub(super) fn boxed(rule: U) -> Box<dyn Optimizer> {
        Box::new(Self { rule, composed: false, memory: Memory::default() })
    }
}

impl<U: WholeRule> Optimizer for Whole<U> {
    fn step(&mut self, parameters: &[Parameter], gradients: &[Tensor], at: &Step, _: &mut dyn Oracle) -> Result<()> {
        let memory = self.memory.of(parameters, |parameter| self.rule.slots(parameter))?;
        let mut tensors = Vec::with_capacity(parameters.len());
        for ((parameter, gradient), slots) in parameters.iter().zip(gradients).zip(memory) {
            let gradient = match at.gradient_scale {
                1.0 => Cow::Borrowed(gradient),
                scale => Cow::Owned(gradient.affine(scale, 0.0)?),
            };
            tensors.push(Work { parameter, gradient, slots, composed: self.composed });
        }
        self.rule.step(&mut tensors, at)
    }

    fn own_factor(&self, at: &Step) -> f64 {
        self.rule.own_factor(at)
    }

    fn state(&self) -> Result<State> {
        Ok(State { scalars: self.rule.scalars(), tensors: self.memory.save()?, ..State::default() })
    }

    fn restore(&mut self, parameters: &[Parameter], state: State) -> Result<()> {
        state.expect(self.rule.scalars().len(), 0)?;
        self.memory = Memory::restored(parameters, |parameter| self.rule.slots(parameter), &state.tensors)?;
        self.rule.set_scalars(&state.scalars);
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.memory.bytes()
    }

    fn use_tensor_operations(&mut self) {
        self.composed = true;
    }
}
