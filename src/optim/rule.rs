//! Rules that treat every coordinate alike, and the driver that runs them.

use std::array;

use candle_core::{DType, Tensor};

use crate::error::{Error, Result};
use crate::nn::float::{Float, read, write_all};
use crate::nn::params::Parameter;
use crate::nn::simd::vectorized;
use crate::optim::real::{Field, Lane, Real};
use crate::optim::{Optimizer, State, Step};

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

    /// See [`Optimizer::rate`].
    fn rate(&self, at: &Step) -> f64 {
        at.lr
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

/// One remembered number of a coordinate.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    name: &'static str,
    start: Start,
}

#[derive(Debug, Clone, Copy)]
enum Start {
    Value(f64),
    Weights,
}

impl Slot {
    /// A number that starts from 0.
    pub const fn zero(name: &'static str) -> Self {
        Self { name, start: Start::Value(0.0) }
    }

    /// A number that starts from a value.
    pub const fn value(name: &'static str, value: f64) -> Self {
        Self { name, start: Start::Value(value) }
    }

    /// A number that starts from the weight.
    pub const fn weights(name: &'static str) -> Self {
        Self { name, start: Start::Weights }
    }
}

/// Runs a [`Rule`] over all parameters: one fused pass over memory on the CPU, tensor operations on
/// any other device.
pub struct Elementwise<U, const N: usize> {
    rule: U,
    fused: bool,
    /// `N` tensors for each parameter; empty before the first step.
    slots: Vec<[Tensor; N]>,
}

impl<U: Rule<N>, const N: usize> Elementwise<U, N> {
    /// The rule, ready for its first step.
    pub fn boxed(rule: U) -> Box<dyn Optimizer> {
        Box::new(Self::new(rule))
    }

    /// The rule, ready for its first step.
    pub fn new(rule: U) -> Self {
        Self { rule, fused: true, slots: Vec::new() }
    }

    /// Runs the rule as tensor operations even on the CPU.
    #[must_use]
    pub fn as_tensor_operations(mut self) -> Self {
        self.fused = false;
        self
    }

    fn initial_slots(&self, parameters: &[Parameter]) -> Result<Vec<[Tensor; N]>> {
        let start = |slot: &Slot, parameter: &Parameter| match slot.start {
            // An allocation of its own, even for a slot that starts at the weights.
            Start::Weights => parameter.var.as_detached_tensor().copy(),
            Start::Value(value) => parameter.var.zeros_like().and_then(|zeros| zeros.affine(1.0, value)),
        };
        let mut all = Vec::with_capacity(parameters.len());
        for parameter in parameters {
            let mut slots = Vec::with_capacity(N);
            for slot in &self.rule.slots() {
                slots.push(start(slot, parameter)?.detach());
            }
            all.push(slots.try_into().expect("one tensor a slot"));
        }
        Ok(all)
    }
}

impl<U: Rule<N>, const N: usize> Optimizer for Elementwise<U, N> {
    fn step(&mut self, parameters: &[Parameter], gradients: &[Tensor], at: &Step) -> Result<()> {
        if self.slots.len() != parameters.len() {
            self.slots = self.initial_slots(parameters)?;
        }
        let k = self.rule.coefficients(at);
        for ((parameter, gradient), slots) in parameters.iter().zip(gradients).zip(&mut self.slots) {
            match (self.fused && parameter.var.device().is_cpu(), parameter.var.dtype()) {
                (true, DType::F32) => fused::<U, f32, N>(&k, at.gradient_scale, parameter, gradient, slots)?,
                (true, DType::F64) => fused::<U, f64, N>(&k, at.gradient_scale, parameter, gradient, slots)?,
                _ => {
                    let fields = slots.each_ref().map(Field::new);
                    let (p, g) = (Field::new(&parameter.var), Field::new(gradient) * at.gradient_scale);
                    let (p, updated) = U::update(&k, p, g, fields);
                    for (slot, field) in slots.iter_mut().zip(updated) {
                        *slot = field.tensor()?;
                    }
                    parameter.var.set(&p.tensor()?)?;
                }
            }
        }
        Ok(())
    }

    fn rate(&self, at: &Step) -> f64 {
        self.rule.rate(at)
    }

    fn evaluation_weights(&self, parameters: &[Parameter]) -> Result<Option<Vec<Tensor>>> {
        if !self.rule.evaluates_elsewhere() || self.slots.is_empty() {
            return Ok(None);
        }
        let weights = parameters.iter().zip(&self.slots).map(|(parameter, slots)| {
            Ok(self.rule.evaluation(Field::new(&parameter.var), slots.each_ref().map(Field::new)).tensor()?)
        });
        weights.collect::<Result<_>>().map(Some)
    }

    fn state(&self) -> Result<State> {
        let names = self.rule.slots().map(|slot| slot.name);
        let mut tensors = Vec::with_capacity(self.slots.len() * N);
        for (i, slots) in self.slots.iter().enumerate() {
            for (name, slot) in names.iter().zip(slots) {
                tensors.push((format!("{i}.{name}"), slot.copy()?));
            }
        }
        Ok(State { scalars: self.rule.scalars(), tensors })
    }

    fn restore(&mut self, parameters: &[Parameter], state: State) -> Result<()> {
        let misfit = || Error::Usage("the saved optimizer state does not belong to this optimizer and model".into());
        if self.rule.scalars().len() != state.scalars.len() {
            return Err(misfit());
        }
        self.rule.set_scalars(&state.scalars);
        if state.tensors.is_empty() {
            self.slots.clear();
            return Ok(());
        }
        let mut slots = self.initial_slots(parameters)?;
        if state.tensors.len() != slots.len() * N {
            return Err(misfit());
        }
        for (slot, (_, saved)) in slots.iter_mut().flatten().zip(&state.tensors) {
            if slot.shape() != saved.shape() || slot.dtype() != saved.dtype() {
                return Err(misfit());
            }
            *slot = saved.copy()?;
        }
        self.slots = slots;
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.slots.iter().flatten().map(|slot| slot.elem_count() * slot.dtype().size_in_bytes()).sum()
    }
}

fn fused<U: Rule<N>, T: Float, const N: usize>(
    k: &U::Coefficients,
    gradient_scale: f64,
    parameter: &Parameter,
    gradient: &Tensor,
    slots: &[Tensor; N],
) -> Result<()> {
    let gradient = gradient.contiguous()?;
    let mut written = vec![parameter.var.as_tensor()];
    written.extend(slots);
    write_all(&written, |written: Vec<&mut [T]>| {
        read(&gradient, |g| {
            let mut written = written.into_iter();
            let weights = written.next().unwrap_or_default();
            let slots: [&mut [T]; N] = array::from_fn(|_| written.next().unwrap_or_default());
            pass::<U, T, N>(k, gradient_scale, weights, g, slots);
        })
    })??;
    Ok(())
}

/// One pass over memory: reads weight, gradient and slots, writes weight and slots.
#[inline(never)]
fn pass<U: Rule<N>, T: Float, const N: usize>(
    k: &U::Coefficients,
    gradient_scale: f64,
    weights: &mut [T],
    gradient: &[T],
    slots: [&mut [T]; N],
) {
    let n = weights.len();
    let gradient = &gradient[..n];
    let slots = slots.map(|slot| &mut slot[..n]);
    vectorized(
        #[inline(always)]
        || {
            for i in 0..n {
                let g = Lane(gradient[i]) * gradient_scale;
                let (p, updated) = U::update(k, Lane(weights[i]), g, array::from_fn(|slot| Lane(slots[slot][i])));
                weights[i] = p.0;
                for slot in 0..N {
                    slots[slot][i] = updated[slot].0;
                }
            }
        },
    );
}
