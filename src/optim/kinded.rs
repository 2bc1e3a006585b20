//! Which kind of optimizer a saved state is of: many remember tensors of the same names and shapes.

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::nn::params::Parameter;
use crate::optim::{Optimizer, State, Step};

/// An optimizer whose state no other kind takes back.
pub(super) struct Kinded {
    pub(super) kind: &'static str,
    pub(super) inner: Box<dyn Optimizer>,
}

/// Between the kind of a wrapper and that of its base.
const AROUND: &str = " around ";

/// That a state is of another kind.
pub(super) fn misfit_kind(found: &str, expected: &str) -> Error {
    let found = if found.is_empty() { "of no named optimizer".to_owned() } else { format!("that of `{found}`") };
    Error::Usage(format!("the saved optimizer state is {found}, expected that of `{expected}`"))
}

impl Optimizer for Kinded {
    fn step(&mut self, parameters: &[Parameter], gradients: &[Tensor], at: &Step) -> Result<()> {
        self.inner.step(parameters, gradients, at)
    }

    fn own_factor(&self, at: &Step) -> f64 {
        self.inner.own_factor(at)
    }

    fn rate(&self, at: &Step) -> f64 {
        self.inner.rate(at)
    }

    fn evaluation_weights(&self, parameters: &[Parameter]) -> Result<Option<Vec<Tensor>>> {
        self.inner.evaluation_weights(parameters)
    }

    fn state(&self) -> Result<State> {
        let mut state = self.inner.state()?;
        state.kind = match &*state.kind {
            "" => self.kind.to_owned(),
            base => format!("{}{AROUND}{base}", self.kind),
        };
        Ok(state)
    }

    fn restore(&mut self, parameters: &[Parameter], state: State) -> Result<()> {
        let base = state.kind.strip_prefix(self.kind).and_then(|rest| match rest {
            "" => Some(rest),
            _ => rest.strip_prefix(AROUND),
        });
        let kind = base.ok_or_else(|| misfit_kind(&state.kind, self.kind))?.to_owned();
        self.inner.restore(parameters, State { kind, ..state })
    }

    fn state_bytes(&self) -> usize {
        self.inner.state_bytes()
    }

    fn use_tensor_operations(&mut self) {
        self.inner.use_tensor_operations();
    }
}
