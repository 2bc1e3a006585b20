//! What an optimizer remembers: named tensors for each parameter.

use candle_core::{Shape, Tensor};

use crate::error::{Error, Result};
use crate::nn::params::Parameter;
use crate::optim::optimizer::State;

/// One remembered tensor of a parameter: its name, what it starts from, and its shape.
#[derive(Debug, Clone)]
pub struct Slot {
    name: &'static str,
    start: Start,
    /// The parameter's own where absent.
    shape: Option<Shape>,
}

#[derive(Debug, Clone, Copy)]
enum Start {
    Value(f64),
    Weights,
}

impl Slot {
    /// Numbers that start from 0.
    pub const fn zero(name: &'static str) -> Self {
        Self::value(name, 0.0)
    }

    /// Numbers that start from a value.
    pub const fn value(name: &'static str, value: f64) -> Self {
        Self { name, start: Start::Value(value), shape: None }
    }

    /// Numbers that start from the weights.
    pub const fn weights(name: &'static str) -> Self {
        Self { name, start: Start::Weights, shape: None }
    }

    /// Numbers of a shape of their own that start from 0.
    pub fn shaped(name: &'static str, shape: impl Into<Shape>) -> Self {
        Self { shape: Some(shape.into()), ..Self::zero(name) }
    }

    fn tensor(&self, parameter: &Parameter) -> Result<Tensor> {
        let var = &parameter.var;
        let shape = self.shape.as_ref().unwrap_or(var.shape());
        let tensor = match self.start {
            // An allocation of its own, even for a slot that starts at the weights.
            Start::Weights => var.as_detached_tensor().copy()?,
            Start::Value(0.0) => Tensor::zeros(shape, var.dtype(), var.device())?,
            Start::Value(value) => Tensor::zeros(shape, var.dtype(), var.device())?.affine(1.0, value)?,
        };
        Ok(tensor.detach())
    }
}

/// The remembered tensors of all parameters; empty before the first step.
#[derive(Default)]
pub(super) struct Memory {
    names: Vec<Vec<&'static str>>,
    tensors: Vec<Vec<Tensor>>,
}

impl Memory {
    /// The tensors of each parameter, made on the first call.
    pub(super) fn of(
        &mut self,
        parameters: &[Parameter],
        slots: impl Fn(&Parameter) -> Vec<Slot>,
    ) -> Result<&mut [Vec<Tensor>]> {
        if self.tensors.len() != parameters.len() {
            *self = Self::default();
            for parameter in parameters {
                let slots = slots(parameter);
                self.names.push(slots.iter().map(|slot| slot.name).collect());
                self.tensors.push(slots.iter().map(|slot| slot.tensor(parameter)).collect::<Result<_>>()?);
            }
        }
        Ok(&mut self.tensors)
    }

    /// The tensors of each parameter; none before the first step.
    pub(super) fn tensors(&self) -> &[Vec<Tensor>] {
        &self.tensors
    }

    /// Copies of all tensors, with names.
    pub(super) fn save(&self) -> Result<Vec<(String, Tensor)>> {
        let mut saved = Vec::new();
        for (i, (names, tensors)) in self.names.iter().zip(&self.tensors).enumerate() {
            for (name, tensor) in names.iter().zip(tensors) {
                saved.push((name_of(i, name), tensor.copy()?));
            }
        }
        Ok(saved)
    }

    /// What [`Memory::save`] gave, as a memory of these slots; nothing yet where it was saved before the first step.
    pub(super) fn restored(
        parameters: &[Parameter],
        slots: impl Fn(&Parameter) -> Vec<Slot>,
        saved: &[(String, Tensor)],
    ) -> Result<Self> {
        let mut memory = Self::default();
        if saved.is_empty() {
            return Ok(memory);
        }
        memory.of(parameters, slots)?;
        let names =
            memory.names.iter().enumerate().flat_map(|(i, names)| names.iter().map(move |name| name_of(i, name)));
        let names: Vec<String> = names.collect();
        if saved.len() != names.len() {
            return Err(misfit(&format!("it holds {} tensors, expected {}", saved.len(), names.len())));
        }
        for ((tensor, name), saved) in memory.tensors.iter_mut().flatten().zip(&names).zip(saved) {
            *tensor = fitting(saved, name, tensor)?;
        }
        Ok(memory)
    }

    pub(super) fn bytes(&self) -> usize {
        bytes(self.tensors.iter().flatten())
    }
}

/// The bytes of tensors' elements.
pub(super) fn bytes<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> usize {
    tensors.into_iter().map(|tensor| tensor.elem_count() * tensor.dtype().size_in_bytes()).sum()
}

/// The name under which a slot of the `i`-th parameter is saved.
fn name_of(i: usize, slot: &str) -> String {
    format!("{i}.{slot}")
}

/// A copy of a saved tensor, if it has this name, and the shape and the number type of another tensor.
pub(super) fn fitting((found, saved): &(String, Tensor), name: &str, like: &Tensor) -> Result<Tensor> {
    if found != name {
        return Err(misfit(&format!("it holds `{found}`, expected `{name}`")));
    }
    if saved.shape() != like.shape() || saved.dtype() != like.dtype() {
        let of = |tensor: &Tensor| format!("{:?} of {:?}", tensor.dtype(), tensor.dims());
        return Err(misfit(&format!("`{name}` is {}, expected {}", of(saved), of(like))));
    }
    Ok(saved.to_device(like.device())?.copy()?)
}

/// What is wrong with a state that does not fit, in words.
pub(super) fn misfit(what: &str) -> Error {
    Error::Usage(format!("the saved optimizer state does not belong to this optimizer and model: {what}"))
}

/// That a state is of another kind.
pub(super) fn misfit_kind(found: &State, expected: &str) -> Error {
    let kinds = found.kinds();
    let found = if kinds.is_empty() { "of no named optimizer".to_owned() } else { format!("that of `{kinds}`") };
    Error::Usage(format!("the saved optimizer state is {found}, expected that of `{expected}`"))
}

impl State {
    /// Refuses what does not hold as many numbers of the whole model, and states of optimizers within, as expected.
    pub(super) fn expect(&self, scalars: usize, inner: usize) -> Result<()> {
        let refuse = |what, found, expected| Err(misfit(&format!("it holds {found} {what}, expected {expected}")));
        match (self.scalars.len(), self.inner.len()) {
            (found, _) if found != scalars => refuse("numbers of the whole model", found, scalars),
            (_, found) if found != inner => refuse("optimizers within", found, inner),
            _ => Ok(()),
        }
    }
}
