//! A layer of long short-term memory over whole sequences, as one operation.
//!
//! ```text
//! i, f, o = sigmoid(W_ih x + b_ih + W_hh h + b_hh),  g = tanh(the same), each with rows of its own
//! c <- f c + i g;  h <- o tanh(c)
//! ```

mod fused;
mod recurrence;

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::embedding::Embedding;
use crate::nn::fused::{apply1, apply2};
use crate::nn::params::{Init, Parameter};
use crate::nn::role::Role;

use fused::Fused;

/// Outputs and cells after a sequence, each `[rows, hidden]`.
pub type Memory = (Tensor, Tensor);

/// The layer: `W_ih` `[4 hidden, inputs]`, `W_hh` `[4 hidden, hidden]` and two biases `[4 hidden]`, the
/// gates in the order i, f, g, o, as in `PyTorch`.
#[derive(Debug)]
pub struct Lstm {
    input_weight: Parameter,
    recurrent_weight: Parameter,
    input_bias: Parameter,
    recurrent_bias: Parameter,
    hidden: usize,
    composed: bool,
}

/// What a layer reads.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// Vectors `[rows, length, inputs]`.
    Vectors(&'a Tensor),
    /// Tokens (u32) `[rows, length]`, each standing for its vector. Where the vocabulary is small,
    /// every vector of the table is multiplied once, not every token's.
    Tokens(&'a Embedding, &'a Tensor),
}

impl Lstm {
    /// A layer initialised as `PyTorch` does: uniform within `1 / sqrt(hidden)`.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(init: &mut Init, prefix: &str, number: usize, inputs: usize, hidden: usize) -> Result<Self> {
        let bound = 1.0 / (hidden as f64).sqrt();
        let name = |part: &str| format!("{prefix}.{part}_l{number}");
        Ok(Self {
            input_weight: init.uniform(name("weight_ih"), Role::Hidden, (4 * hidden, inputs), bound)?,
            recurrent_weight: init.uniform(name("weight_hh"), Role::Hidden, (4 * hidden, hidden), bound)?,
            input_bias: init.uniform(name("bias_ih"), Role::Bias, 4 * hidden, bound)?,
            recurrent_bias: init.uniform(name("bias_hh"), Role::Bias, 4 * hidden, bound)?,
            hidden,
            composed: init.is_composed(),
        })
    }

    /// The outputs `[rows, length, hidden]`, and the memory after them. Without a memory the
    /// sequence starts from zeros; no gradient flows into a memory.
    ///
    /// # Errors
    /// When the shapes or number types do not fit.
    pub fn forward(&self, source: Source, memory: Option<&Memory>) -> Result<(Tensor, Memory)> {
        let (rows, dtype, device) = match source {
            Source::Vectors(x) => (x.dim(0)?, x.dtype(), x.device()),
            Source::Tokens(embedding, tokens) => (tokens.dim(0)?, embedding.table().var.dtype(), tokens.device()),
        };
        let start = match memory {
            Some((output, cell)) => (output.narrow(0, 0, rows)?.contiguous()?, cell.narrow(0, 0, rows)?.contiguous()?),
            None => {
                let zeros = Tensor::zeros((rows, self.hidden), dtype, device)?;
                (zeros.clone(), zeros)
            }
        };
        if self.composed {
            return match source {
                Source::Vectors(x) => self.composed(x, start),
                Source::Tokens(embedding, tokens) => self.composed(&embedding.forward(tokens)?, start),
            };
        }
        let op = Fused::new(self, start);
        let end = op.end();
        let outputs = match source {
            Source::Vectors(x) => apply1(op, x)?,
            Source::Tokens(embedding, tokens) => {
                let table = embedding.table();
                apply2(op.with_table(table.handed_over.clone()), [table.var.as_tensor(), tokens])?
            }
        };
        Ok((outputs, end.take()?))
    }

    fn composed(&self, x: &Tensor, (mut output, mut cell): Memory) -> Result<(Tensor, Memory)> {
        let (rows, length, inputs) = x.dims3()?;
        let [w_ih, w_hh, b_ih, b_hh] =
            [&self.input_weight, &self.recurrent_weight, &self.input_bias, &self.recurrent_bias]
                .map(|parameter| parameter.var.as_tensor());
        let projected = x.reshape((rows * length, inputs))?.matmul(&w_ih.t()?)?;
        let projected = projected.broadcast_add(b_ih)?.broadcast_add(b_hh)?.reshape((rows, length, 4 * self.hidden))?;
        let recurrent = w_hh.t()?;
        let sigmoid = |x: &Tensor| (x.neg()?.exp()? + 1.0)?.recip();
        let mut outputs = Vec::with_capacity(length);
        for t in 0..length {
            let gates = (projected.narrow(1, t, 1)?.squeeze(1)? + output.matmul(&recurrent)?)?.chunk(4, 1)?;
            let kept = (sigmoid(&gates[1])? * &cell)?;
            cell = (kept + (sigmoid(&gates[0])? * gates[2].tanh()?)?)?;
            output = (sigmoid(&gates[3])? * cell.tanh()?)?;
            outputs.push(output.clone());
        }
        Ok((Tensor::stack(&outputs, 1)?, (output.detach(), cell.detach())))
    }
}
