//! Rules that treat every coordinate alike, and the driver that runs them.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::params::Parameter;
use crate::optim::memory::Memory;
pub use crate::optim::memory::Slot;
use crate::optim::optimizer::{Optimizer, Oracle, State, Step};
use crate::optim::pass::{Kernel, same_memory, sweep};
use crate::optim::real::{Field, Real};

/// An update of one coordinate, with `N` remembered numbers.
pub trait Rule<const N: usize>: Send + 'static {
    /// What depends on the step alone, computed once for all coordinates.
    type Coefficients;

    /// The remembered numbers: their names and what they start from.
    fn slots(&self) -> [Slot; N];

    /// The coefficients of the update at `at`; the place to advance what [`Rule::scalars`] tells.
    fn coefficients(&mut self, at: &Step) -> Self::Coefficients;

    /// The weight `p` and its slots after an update with gradient `g`.
    fn update<R: Real>(k: &Self::Coefficients, p: R, g: R, slots: [R; N]) -> (R, [R; N]);

    /// Numbers that are carried from step to step for the whole model.
    fn scalars(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Takes back what [`Rule::scalars`] gave.
    fn set_scalars(&mut self, _scalars: &[f64]) {}

    /// See [`Optimizer::own_factor`].
    fn own_factor(&self, _at: &Step) -> f64 {
        1.0
    }

    /// Whether evaluation takes place at [`Rule::evaluation`] instead of at `p`.
    fn evaluates_elsewhere(&self) -> bool {
        false
    }

    /// The weight to evaluate at.
    fn evaluation<R: Real>(&self, p: R, _slots: [R; N]) -> R {
        p
    }
}

/// Updates one parameter by a rule: one fused pass over memory on the CPU, tensor operations on any
/// other device and where `composed`.
pub(super) fn update<U: Rule<N>, const N: usize>(
    composed: bool,
    k: &U::Coefficients,
    gradient_scale: f64,
    parameter: &Parameter,
    gradient: &Tensor,
    slots: &mut [Tensor],
) -> Result<()> {
    struct Update<'a, U: Rule<N>, const N: usize> {
        k: &'a U::Coefficients,
        gradient_scale: f64,
    }

    impl<U: Rule<N>, const N: usize> Kernel<N, 1> for Update<'_, U, N> {
        #[inline(always)]
        fn apply<R: Real>(&self, p: R, slots: [R; N], [g]: [R; 1]) -> (R, [R; N]) {
            U::update(self.k, p, g * self.gradient_scale, slots)
        }
    }

    let slots: &mut [Tensor; N] = slots.try_into().expect("one tensor a slot");
    let kernel = Update::<U, N> { k, gradient_scale };
    write_weights(parameter, |p| sweep(composed, &kernel, p, slots.each_mut(), [gradient]))
}

/// Lets a pass write to the weights; what it wrote elsewhere, as tensor operations do, is copied back.
pub(super) fn write_weights(parameter: &Parameter, pass: impl FnOnce(&mut Tensor) -> Result<()>) -> Result<()> {
    let mut weights = parameter.var.as_tensor().clone();
    pass(&mut weights)?;
    if !same_memory(&weights, parameter.var.as_tensor()) {
        parameter.var.set(&weights)?;
    }
    Ok(())
}

/// Runs a [`Rule`] over all parameters.
pub struct Elementwise<U, const N: usize> {
    rule: U,
    composed: bool,
    memory: Memory,
}

impl<U: Rule<N>, const N: usize> Elementwise<U, N> {
    /// The rule, ready for its first step.
    pub fn boxed(rule: U) -> Box<dyn Optimizer> {
        Box::new(Self { rule, composed: false, memory: Memory::default() })
    }
}

impl<U: Rule<N>, const N: usize> Optimizer for Elementwise<U, N> {
    fn step(&mut self, parameters: &[Parameter], gradients: &[Tensor], at: &Step, _: &mut dyn Oracle) -> Result<()> {
        let memory = self.memory.of(parameters, |_| self.rule.slots().into())?;
        let k = self.rule.coefficients(at);
        for ((parameter, gradient), slots) in parameters.iter().zip(gradients).zip(memory) {
            update::<U, N>(self.composed, &k, at.gradient_scale, parameter, gradient, slots)?;
        }
        Ok(())
    }

    fn own_factor(&self, at: &Step) -> f64 {
        self.rule.own_factor(at)
    }

    fn evaluation_weights(&self, parameters: &[Parameter]) -> Result<Option<Vec<Tensor>>> {
        if !self.rule.evaluates_elsewhere() || self.memory.tensors().is_empty() {
            return Ok(None);
        }
        let weights = parameters.iter().zip(self.memory.tensors()).map(|(parameter, slots)| {
            let slots: &[Tensor; N] = slots[..].try_into().expect("one tensor a slot");
            Ok(self.rule.evaluation(Field::new(&parameter.var), slots.each_ref().map(Field::new)).tensor()?)
        });
        weights.collect::<Result<_>>().map(Some)
    }

    fn state(&self) -> Result<State> {
        Ok(State { scalars: self.rule.scalars(), tensors: self.memory.save()?, ..State::default() })
    }

    fn restore(&mut self, parameters: &[Parameter], state: State) -> Result<()> {
        state.expect(self.rule.scalars().len(), 0)?;
        self.memory = Memory::restored(parameters, |_| self.rule.slots().into(), &state.tensors)?;
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
