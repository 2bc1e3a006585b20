//! The feed-forward layer of a transformer: `down(activation(up(x)))`, with a gate where the activation has one.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::activation::Activation;
use crate::nn::float::Float;
use crate::nn::norm::Norm;
use crate::nn::params::Init;
use crate::nn::projection::Projection;
use crate::nn::residual::{Branch, Residual};

/// The maps: `up` and `gate` `[hidden, width]`, `down` `[width, hidden]`, each with a bias.
#[derive(Debug)]
pub struct FeedForward {
    up: Projection,
    gate: Option<Projection>,
    down: Projection,
    activation: Activation,
}

impl FeedForward {
    /// A residual branch after a normalisation. Weights are normal with `deviation`, those of `down` with
    /// `deviation_of_last`; biases are 0.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn branch(
        init: &mut Init,
        name: &str,
        norm: Norm,
        (hidden, activation): (usize, Activation),
        (deviation, deviation_of_last): (f64, f64),
    ) -> Result<Residual<Self>> {
        let width = norm.width();
        let up = Projection::new(init, &format!("{name}.up"), (width, hidden), deviation)?;
        let gate = if activation.is_gated() {
            Some(Projection::new(init, &format!("{name}.gate"), (width, hidden), deviation)?)
        } else {
            None
        };
        let down = Projection::new(init, &format!("{name}.down"), (hidden, width), deviation_of_last)?;
        Ok(Residual::of(norm, Self { up, gate, down, activation }, init.is_composed()))
    }
}

/// What the backward pass needs of the forward pass.
pub(super) struct Saved<T> {
    up: Vec<T>,
    gate: Vec<T>,
    active: Vec<T>,
}

impl Branch for FeedForward {
    type Saved<T: Float> = Saved<T>;

    fn forward<T: Float>(&self, x: &[T], _: usize) -> candle_core::Result<(Vec<T>, Saved<T>)> {
        let up = self.up.forward(x)?;
        let gate = self.gate.as_ref().map_or(Ok(Vec::new()), |gate| gate.forward(x))?;
        let active = self.activation.values(&up, &gate);
        Ok((self.down.forward(&active)?, Saved { up, gate, active }))
    }

    fn backward<T: Float>(&self, x: &[T], _: usize, saved: Saved<T>, gradient: &[T]) -> candle_core::Result<Vec<T>> {
        self.down.hand_over(&saved.active, gradient)?;
        let inner = self.down.pulled_back(gradient)?;
        let (of_up, of_gate) = self.activation.gradients(&saved.up, &saved.gate, &inner);
        self.up.hand_over(x, &of_up)?;
        let mut to = self.up.pulled_back(&of_up)?;
        if let Some(gate) = &self.gate {
            gate.hand_over(x, &of_gate)?;
            gate.add_pulled_back(&of_gate, &mut to)?;
        }
        Ok(to)
    }

    fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let gate = self.gate.as_ref().map(|gate| gate.composed(x)).transpose()?;
        self.down.composed(&self.activation.composed(&self.up.composed(x)?, gate.as_ref())?)
    }
}
