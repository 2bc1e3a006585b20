//! Causal self-attention: every position looks at itself and at those before it.
//!
//! ```text
//! q, k, v = W_q x + b_q, W_k x + b_k, W_v x + b_v, each split into heads of width / heads columns
//! o_t = sum over s <= t of softmax(q_t k_s / sqrt(width / heads)) v_s, for each head
//! y = W_o o + b_o
//! ```

mod causal;

use candle_core::{DType, Device, Tensor};

use crate::error::Result;
use crate::nn::float::Float;
use crate::nn::norm::Norm;
use crate::nn::params::Init;
use crate::nn::projection::Projection;
use crate::nn::residual::{Branch, Residual};
use crate::nn::rotary::{Rotary, Way};

use causal::Heads;

/// The maps `query`, `key`, `value` and `output`, each `[width, width]` with a bias.
#[derive(Debug)]
pub struct Attention {
    query: Projection,
    key: Projection,
    value: Projection,
    output: Projection,
    heads: usize,
    width: usize,
    rotary: Option<Rotary>,
}

impl Attention {
    /// A residual branch after a normalisation. Weights are normal with `deviation`, those of `output` with
    /// `deviation_of_last`; biases are 0. Where `turned` says so, queries and keys are turned by their positions
    /// ([rotary positions](https://arxiv.org/abs/2104.09864)) in windows of that length.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn branch(
        init: &mut Init,
        name: &str,
        norm: Norm,
        (heads, turned): (usize, Option<usize>),
        (deviation, deviation_of_last): (f64, f64),
    ) -> Result<Residual<Self>> {
        let width = norm.width();
        let mut map =
            |part: &str, deviation| Projection::new(init, &format!("{name}.{part}"), (width, width), deviation);
        let (query, key, value) = (map("query", deviation)?, map("key", deviation)?, map("value", deviation)?);
        let output = map("output", deviation_of_last)?;
        let rotary = turned.map(|length| Rotary::new(length, width / heads));
        Ok(Residual::of(norm, Self { query, key, value, output, heads, width, rotary }, init.is_composed()))
    }

    fn heads(&self, length: usize) -> Heads {
        Heads { length, count: self.heads, width: self.width }
    }

    fn turn<T: Float>(&self, rows: [&mut [T]; 2], way: Way) {
        if let Some(rotary) = &self.rotary {
            for rows in rows {
                rotary.turn(rows, self.width, way);
            }
        }
    }
}

/// What the backward pass needs of the forward pass.
pub(super) struct Saved<T> {
    query: Vec<T>,
    key: Vec<T>,
    value: Vec<T>,
    mixed: Vec<T>,
    log_sums: Vec<T>,
}

impl Branch for Attention {
    type Saved<T: Float> = Saved<T>;

    fn forward<T: Float>(&self, x: &[T], length: usize) -> candle_core::Result<(Vec<T>, Saved<T>)> {
        let (mut query, mut key, value) = (self.query.forward(x)?, self.key.forward(x)?, self.value.forward(x)?);
        self.turn([&mut query, &mut key], Way::Forth);
        let (mixed, log_sums) = self.heads(length).forward([&query, &key, &value]);
        Ok((self.output.forward(&mixed)?, Saved { query, key, value, mixed, log_sums }))
    }

    fn backward<T: Float>(
        &self,
        x: &[T],
        length: usize,
        saved: Saved<T>,
        gradient: &[T],
    ) -> candle_core::Result<Vec<T>> {
        let Saved { query, key, value, mixed, log_sums } = saved;
        self.output.hand_over(&mixed, gradient)?;
        let inner = self.output.pulled_back(gradient)?;
        let [mut of_query, mut of_key, of_value] =
            self.heads(length).backward([&query, &key, &value], (&mixed, &log_sums), &inner);
        self.turn([&mut of_query, &mut of_key], Way::Back);
        self.query.hand_over(x, &of_query)?;
        self.key.hand_over(x, &of_key)?;
        self.value.hand_over(x, &of_value)?;
        let mut to = self.query.pulled_back(&of_query)?;
        self.key.add_pulled_back(&of_key, &mut to)?;
        self.value.add_pulled_back(&of_value, &mut to)?;
        Ok(to)
    }

    fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let (rows, length, width) = x.dims3()?;
        let columns = width / self.heads;
        let split = |x: Tensor| -> Result<Tensor> {
            Ok(x.reshape((rows, length, self.heads, columns))?.transpose(1, 2)?.contiguous()?)
        };
        let turned = |x: Tensor| self.rotary.as_ref().map_or(Ok(x.clone()), |rotary| rotary.composed(&x));
        let query = turned(split(self.query.composed(x)?)?)?;
        let key = turned(split(self.key.composed(x)?)?)?;
        let value = split(self.value.composed(x)?)?;
        let scores = (query.matmul(&key.transpose(2, 3)?.contiguous()?)? / (columns as f64).sqrt())?;
        // Far below any score, and yet so near that a difference of two is a number.
        let later: Vec<f64> =
            (0..length * length).map(|at| if at % length > at / length { -1e30 } else { 0.0 }).collect();
        let later = Tensor::from_vec(later, (length, length), &Device::Cpu)?.to_dtype(DType::F32)?;
        let scores = scores.broadcast_add(&later.to_dtype(x.dtype())?.to_device(x.device())?)?;
        let shares = scores.broadcast_sub(&scores.max_keepdim(3)?.detach())?.exp()?;
        let shares = shares.broadcast_div(&shares.sum_keepdim(3)?)?;
        let mixed = shares.matmul(&value)?.transpose(1, 2)?.reshape((rows, length, width))?;
        self.output.composed(&mixed)
    }
}
