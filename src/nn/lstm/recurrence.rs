//! The recurrence of an LSTM over a whole sequence, forward and backward.
//!
//! Everything lies time after time, `[length, rows, ..]`: what one step touches is contiguous, and
//! the products over all steps are one each. Gates lie `i, f, g, o`, as in `PyTorch`.

use crate::nn::float::Float;
use crate::nn::matmul::{Matrix, add_product, product};
use crate::nn::simd::vectorized;
use crate::nn::transpose::transposed;

/// What the forward pass leaves for the backward pass.
pub(super) struct Trace<T> {
    rows: usize,
    hidden: usize,
    /// After their activations, `[length, rows, 4 hidden]`.
    gates: Vec<T>,
    /// From the initial one on, `[length + 1, rows, hidden]`.
    cells: Vec<T>,
    /// `tanh` of the cells, `[length, rows, hidden]`.
    squashed: Vec<T>,
    /// From the initial one on, `[length + 1, rows, hidden]`.
    outputs: Vec<T>,
}

impl<T: Float> Trace<T> {
    /// Runs the sequence. `gates` come with everything but the recurrent part; `start` holds the
    /// initial outputs and cells, each `[rows, hidden]`; `weight` is `[4 hidden, hidden]`.
    pub(super) fn run(mut gates: Vec<T>, start: (&[T], &[T]), weight: &[T], rows: usize, hidden: usize) -> Self {
        let size = rows * hidden;
        let length = gates.len() / (4 * size);
        let columns = transposed(weight, 4 * hidden);
        let columns = Matrix::new(&columns, hidden, 4 * hidden);
        let room = (length + 1) * size;
        let (mut outputs, mut cells) = (Vec::with_capacity(room), Vec::with_capacity(room));
        let mut squashed = Vec::with_capacity(length * size);
        outputs.extend_from_slice(start.0);
        cells.extend_from_slice(start.1);
        for (t, gates) in gates.chunks_exact_mut(4 * size).enumerate() {
            add_product(gates, Matrix::new(&outputs[t * size..(t + 1) * size], rows, hidden), columns);
            let zero = T::of(0.0);
            for values in [&mut outputs, &mut cells] {
                values.resize((t + 2) * size, zero);
            }
            squashed.resize((t + 1) * size, zero);
            let (before, cell) = cells[t * size..].split_at_mut(size);
            step(gates, before, cell, &mut squashed[t * size..], &mut outputs[(t + 1) * size..], hidden);
        }
        Self { rows, hidden, gates, cells, squashed, outputs }
    }

    fn size(&self) -> usize {
        self.rows * self.hidden
    }

    /// The outputs `[length, rows, hidden]`.
    pub(super) fn outputs(&self) -> &[T] {
        &self.outputs[self.size()..]
    }

    /// The outputs before each step, from the initial ones on, `[length, rows, hidden]`.
    pub(super) fn previous_outputs(&self) -> &[T] {
        &self.outputs[..self.outputs.len() - self.size()]
    }

    /// The last outputs and cells, each `[rows, hidden]`.
    pub(super) fn end(&self) -> (&[T], &[T]) {
        (&self.outputs[self.outputs.len() - self.size()..], &self.cells[self.cells.len() - self.size()..])
    }

    /// After [`Trace::backward`]: the gradients of the gates before their activations, `[length,
    /// rows, 4 hidden]`.
    pub(super) fn gate_gradients(&self) -> &[T] {
        &self.gates
    }

    /// Turns the gates into their gradients, from those of the outputs, `[length, rows, hidden]`.
    pub(super) fn backward(&mut self, gradient: &[T], weight: &[T]) {
        let (rows, hidden, size) = (self.rows, self.hidden, self.size());
        let weight = Matrix::new(weight, 4 * hidden, hidden);
        let mut from_later = vec![T::of(0.0); size];
        let mut cell_gradient = vec![T::of(0.0); size];
        for t in (0..gradient.len() / size).rev() {
            let gates = &mut self.gates[4 * t * size..4 * (t + 1) * size];
            let (here, before) = (t * size..(t + 1) * size, &self.cells[t * size..(t + 1) * size]);
            let back = Back { before, squashed: &self.squashed[here.clone()], gradient: &gradient[here] };
            step_back(gates, &back, &from_later, &mut cell_gradient, hidden);
            if t > 0 {
                from_later = product(Matrix::new(gates, rows, 4 * hidden), weight);
            }
        }
    }
}

/// One step of all rows.
fn step<T: Float>(gates: &mut [T], before: &[T], cell: &mut [T], squashed: &mut [T], output: &mut [T], hidden: usize) {
    vectorized(
        #[inline(always)]
        || {
            for (row, gates) in gates.chunks_exact_mut(4 * hidden).enumerate() {
                let at = row * hidden..(row + 1) * hidden;
                let (input, rest) = gates.split_at_mut(hidden);
                let (forget, rest) = rest.split_at_mut(hidden);
                let (candidate, open) = rest.split_at_mut(hidden);
                let open = &mut open[..hidden];
                let (before, cell) = (&before[at.clone()], &mut cell[at.clone()]);
                let (squashed, output) = (&mut squashed[at.clone()], &mut output[at]);
                for i in 0..hidden {
                    input[i] = input[i].sigmoid();
                    forget[i] = forget[i].sigmoid();
                    candidate[i] = candidate[i].tanh();
                    open[i] = open[i].sigmoid();
                    cell[i] = forget[i] * before[i] + input[i] * candidate[i];
                    squashed[i] = cell[i].tanh();
                    output[i] = open[i] * squashed[i];
                }
            }
        },
    );
}

/// What one step back reads.
struct Back<'a, T> {
    before: &'a [T],
    squashed: &'a [T],
    gradient: &'a [T],
}

/// One step back of all rows: the gates become their gradients.
fn step_back<T: Float>(gates: &mut [T], back: &Back<T>, from_later: &[T], cell_gradient: &mut [T], hidden: usize) {
    let one = T::of(1.0);
    vectorized(
        #[inline(always)]
        || {
            for (row, gates) in gates.chunks_exact_mut(4 * hidden).enumerate() {
                let at = row * hidden..(row + 1) * hidden;
                let (input, rest) = gates.split_at_mut(hidden);
                let (forget, rest) = rest.split_at_mut(hidden);
                let (candidate, open) = rest.split_at_mut(hidden);
                let open = &mut open[..hidden];
                let (before, squashed) = (&back.before[at.clone()], &back.squashed[at.clone()]);
                let (gradient, from_later) = (&back.gradient[at.clone()], &from_later[at.clone()]);
                let cell_gradient = &mut cell_gradient[at];
                for j in 0..hidden {
                    let [i, f, g, o] = [input[j], forget[j], candidate[j], open[j]];
                    let output = gradient[j] + from_later[j];
                    let cell = cell_gradient[j] + output * o * (one - squashed[j] * squashed[j]);
                    open[j] = output * squashed[j] * o * (one - o);
                    input[j] = cell * g * i * (one - i);
                    forget[j] = cell * before[j] * f * (one - f);
                    candidate[j] = cell * i * (one - g * g);
                    cell_gradient[j] = cell * f;
                }
            }
        },
    );
}
