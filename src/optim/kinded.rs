//! Which kind of optimizer a saved state is of: many remember tensors of the same names and shapes.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::params::Parameter;
use crate::optim::memory::misfit_kind;
use crate::optim::optimizer::{Optimizer, Oracle, State, Step};

/// An optimizer whose state no other kind takes back.
pub(super) struct Kinded {
    pub(super) kind: &'static str,
    pub(super) inner: Box<dyn Optimizer>,
}

impl Optimizer for Kinded {
    fn step(
        &mut self,
        parameters: &[Parameter],
        gradients: &[Tensor],
        at: &Step,
        oracle: &mut dyn Oracle,
    ) -> Result<()> {
        self.inner.step(parameters, gradients, at, oracle)
    }

    fn asks(&self) -> bool {
        self.inner.asks()
    }

    fn own_factor(&self, at: &Step) -> f64 {
        self.inner.own_factor(at)
    }

    fn evaluation_weights(&self, parameters: &[Parameter]) -> Result<Option<Vec<Tensor>>> {
        self.inner.evaluation_weights(parameters)
    }

    fn state(&self) -> Result<State> {
        Ok(State { kind: self.kind.to_owned(), ..self.inner.state()? })
    }

    fn restore(&mut self, parameters: &[Parameter], state: State) -> Result<()> {
        if state.kind != self.kind {
            return Err(misfit_kind(&state, self.kind));
        }
        self.inner.restore(parameters, state)
    }

    fn state_bytes(&self) -> usize {
        self.inner.state_bytes()
    }

    fn use_tensor_operations(&mut self) {
        self.inner.use_tensor_operations();
    }
}
