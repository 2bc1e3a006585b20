//! The layer as one node of the graph; the gradients of its parameters are handed over beside it.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Device, Shape, Tensor};

use crate::error::{Error, Result};
use crate::nn::affine::{affine, column_sums};
use crate::nn::embedding::{add_rows, check};
use crate::nn::float::{Float, read, read_all};
use crate::nn::fused::{Inputs, Operation};
use crate::nn::hand_over::HandOver;
use crate::nn::lstm::recurrence::Trace;
use crate::nn::lstm::{Lstm, Memory};
use crate::nn::matmul::{Matrix, product, write_product};
use crate::nn::params::Parameter;
use crate::nn::simd::vectorized;

/// Where the forward pass leaves the memory after the sequence.
#[derive(Clone, Default)]
pub(super) struct End(Arc<Mutex<Option<Memory>>>);

impl End {
    pub(super) fn take(&self) -> Result<Memory> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        memory.ok_or_else(|| Error::Usage("a recurrent layer did not run".into()))
    }
}

/// One pass over one batch.
pub(super) struct Fused {
    input_weight: Parameter,
    recurrent_weight: Parameter,
    input_bias: Parameter,
    recurrent_bias: Parameter,
    /// Where the gradient of the table goes, if the layer reads tokens.
    table: Option<HandOver>,
    start: Memory,
    end: End,
}

/// What the backward pass needs of the forward pass.
pub(super) struct Saved<T> {
    trace: Trace<T>,
    /// The vectors that were read, `[length, rows, inputs]`; empty for tokens.
    vectors: Vec<T>,
    /// The tokens that were read, `[length, rows]`; empty for vectors.
    tokens: Vec<u32>,
}

impl Fused {
    pub(super) fn new(layer: &Lstm, start: Memory) -> Self {
        Self {
            input_weight: layer.input_weight.clone(),
            recurrent_weight: layer.recurrent_weight.clone(),
            input_bias: layer.input_bias.clone(),
            recurrent_bias: layer.recurrent_bias.clone(),
            table: None,
            start,
            end: End::default(),
        }
    }

    pub(super) fn with_table(self, gradient: HandOver) -> Self {
        Self { table: Some(gradient), ..self }
    }

    pub(super) fn end(&self) -> End {
        self.end.clone()
    }

    fn hidden(&self) -> usize {
        self.recurrent_bias.var.elem_count() / 4
    }

    /// `rows` times the two biases, plus the vectors times the input weight.
    fn projected<T: Float>(&self, vectors: &[T]) -> candle_core::Result<Vec<T>> {
        let biases = [&self.input_bias, &self.recurrent_bias].map(|bias| bias.var.as_tensor());
        let bias: Vec<T> =
            read_all(&biases, |biases: Vec<&[T]>| biases[0].iter().zip(biases[1]).map(|(&a, &b)| a + b).collect())?;
        read(self.input_weight.var.as_tensor(), |weight| affine(vectors, weight, &bias, |y| y))
    }

    fn run<T: Float>(
        &self,
        gates: Vec<T>,
        rows: usize,
        vectors: Vec<T>,
        tokens: Vec<u32>,
    ) -> candle_core::Result<(Vec<T>, Saved<T>)> {
        let hidden = self.hidden();
        let weight = self.recurrent_weight.var.as_tensor();
        let trace = read_all(&[&self.start.0, &self.start.1, weight], |slices: Vec<&[T]>| {
            Trace::run(gates, (slices[0], slices[1]), slices[2], rows, hidden)
        })?;
        let memory = |values: &[T]| Tensor::from_slice(values, (rows, hidden), &Device::Cpu);
        let (output, cell) = trace.end();
        *self.end.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((memory(output)?, memory(cell)?));
        let out = exchanged(trace.outputs(), trace.outputs().len() / (rows * hidden), hidden);
        Ok((out, Saved { trace, vectors, tokens }))
    }

    fn run_vectors<T: Float>(&self, x: &[T], rows: usize) -> candle_core::Result<(Vec<T>, Saved<T>)> {
        let (_, inputs) = self.input_weight.var.dims2()?;
        let vectors = exchanged(x, rows, inputs);
        self.run(self.projected(&vectors)?, rows, vectors, Vec::new())
    }

    fn run_tokens<T: Float>(
        &self,
        table: &[T],
        tokens: &[u32],
        rows: usize,
    ) -> candle_core::Result<(Vec<T>, Saved<T>)> {
        let (width, inputs) = self.input_weight.var.dims2()?;
        check(tokens, table.len() / inputs)?;
        let projected = self.projected(table)?;
        let length = tokens.len() / rows;
        let tokens: Vec<u32> = (0..tokens.len()).map(|i| tokens[(i % rows) * length + i / rows]).collect();
        let mut gates = Vec::with_capacity(tokens.len() * width);
        for &token in &tokens {
            gates.extend_from_slice(&projected[token as usize * width..][..width]);
        }
        self.run(gates, rows, Vec::new(), tokens)
    }

    /// Hands over the gradients of the parameters; returns that of the vectors where it is wanted.
    fn back<T: Float>(
        &self,
        source: &Tensor,
        gradient: &Tensor,
        mut saved: Saved<T>,
    ) -> candle_core::Result<Option<Tensor>> {
        let (rows, length, hidden) = gradient.dims3()?;
        let (width, inputs) = self.input_weight.var.dims2()?;
        let n = rows * length;
        let gradient = read(gradient, |gradient: &[T]| exchanged(gradient, rows, hidden))?;
        read(self.recurrent_weight.var.as_tensor(), |weight| {
            saved.trace.backward(&gradient, weight);
        })?;
        let gates = saved.trace.gate_gradients();
        let before = Matrix::new(saved.trace.previous_outputs(), n, hidden);
        self.recurrent_weight
            .handed_over
            .write((width, hidden), |out| write_product(out, Matrix::new(gates, n, width).t(), before))?;
        // Where tokens were read, all that share a token share a row from here on.
        let summed = self.table.as_ref().map(|_| {
            let mut sums = vec![T::of(0.0); source.elem_count() / inputs * width];
            vectorized(
                #[inline(always)]
                || add_rows(&saved.tokens, gates, &mut sums, width),
            );
            sums
        });
        let gates = summed.as_deref().unwrap_or(gates);
        let bias = column_sums(gates, width);
        self.input_bias.handed_over.put(Tensor::from_slice(&bias, width, &Device::Cpu)?)?;
        self.recurrent_bias.handed_over.put(Tensor::from_vec(bias, width, &Device::Cpu)?)?;
        let gates = Matrix::new(gates, gates.len() / width, width);
        let from = |vectors: &[T]| {
            let vectors = Matrix::new(vectors, vectors.len() / inputs, inputs);
            self.input_weight.handed_over.write((width, inputs), |out| write_product(out, gates.t(), vectors))
        };
        match &self.table {
            Some(_) => read(source, from)??,
            None => from(&saved.vectors)?,
        }
        if !source.track_op() {
            return Ok(None);
        }
        let weight = self.input_weight.var.as_tensor();
        let vectors = read(weight, |weight| product(gates, Matrix::new(weight, width, inputs)))?;
        match &self.table {
            Some(table) => table.put(Tensor::from_vec(vectors, source.shape(), &Device::Cpu)?).map(|()| None),
            None => Tensor::from_vec(exchanged(&vectors, length, inputs), source.shape(), &Device::Cpu).map(Some),
        }
    }
}

/// `[a, b, width]` as `[b, a, width]`.
fn exchanged<T: Float>(values: &[T], a: usize, width: usize) -> Vec<T> {
    let b = values.len() / (a * width);
    let mut out = Vec::with_capacity(values.len());
    for j in 0..b {
        for i in 0..a {
            out.extend_from_slice(&values[(i * b + j) * width..][..width]);
        }
    }
    out
}

impl Operation<1> for Fused {
    const NAME: &'static str = "lstm";
    type Saved<T: Float> = Saved<T>;

    fn forward<T: Float>(&self, inputs: &Inputs<1>) -> candle_core::Result<(Vec<T>, Shape, Saved<T>)> {
        let (rows, length, _) = inputs.shape(0).dims3()?;
        let (out, saved) = self.run_vectors(inputs.elements(0)?, rows)?;
        Ok((out, (rows, length, self.hidden()).into(), saved))
    }

    fn backward<T: Float>(
        &self,
        [x]: [&Tensor; 1],
        _: &Tensor,
        gradient: &Tensor,
        saved: Saved<T>,
    ) -> candle_core::Result<[Option<Tensor>; 1]> {
        Ok([self.back(x, gradient, saved)?])
    }
}

impl Operation<2> for Fused {
    const NAME: &'static str = "lstm of tokens";
    type Saved<T: Float> = Saved<T>;

    fn forward<T: Float>(&self, inputs: &Inputs<2>) -> candle_core::Result<(Vec<T>, Shape, Saved<T>)> {
        let (rows, length) = inputs.shape(1).dims2()?;
        let (out, saved) = self.run_tokens(inputs.elements(0)?, inputs.indices(1)?, rows)?;
        Ok((out, (rows, length, self.hidden()).into(), saved))
    }

    fn backward<T: Float>(
        &self,
        [table, _]: [&Tensor; 2],
        _: &Tensor,
        gradient: &Tensor,
        saved: Saved<T>,
    ) -> candle_core::Result<[Option<Tensor>; 2]> {
        self.back(table, gradient, saved)?;
        Ok([None, None])
    }
}
