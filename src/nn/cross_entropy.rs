//! Softmax cross-entropy against integer labels: the loss, its gradient, and the evaluation.

use candle_core::{DType, Device, Shape, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, read};
use crate::nn::fused::{Inputs, Operation, apply2};
use crate::nn::simd::{fold, vectorized};

/// The mean cross-entropy in nats of logits `[n, classes]` against labels `[n]` (u32), as a scalar.
///
/// A share `smoothing` of every target is spread over all classes, as `label_smoothing` of
/// `torch.nn.CrossEntropyLoss`.
///
/// # Errors
/// When the shapes do not fit or a label is not a class.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor, smoothing: f64, composed: bool) -> Result<Tensor> {
    if composed {
        let shifted = logits.broadcast_sub(&logits.max_keepdim(1)?.detach())?;
        let log_sum = shifted.exp()?.sum_keepdim(1)?.log()?;
        let chosen = shifted.gather(&labels.unsqueeze(1)?, 1)?;
        let target = match smoothing {
            0.0 => chosen,
            _ => ((chosen * (1.0 - smoothing))? + (shifted.mean_keepdim(1)? * smoothing)?)?,
        };
        return Ok((log_sum - target)?.mean_all()?);
    }
    apply2(Fused { smoothing }, [logits, labels])
}

/// What a batch of predictions is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// The sum of the cross-entropies in nats.
    pub loss: f64,
    /// How many predictions are right.
    pub correct: usize,
    /// How many predictions there are.
    pub count: usize,
}

impl Tally {
    /// Judges logits `[n, classes]` against labels `[n]`.
    ///
    /// A row with a NaN in it is wrong and makes the loss NaN.
    ///
    /// # Errors
    /// When the shapes do not fit or a label is not a class.
    pub fn of(logits: &Tensor, labels: &Tensor) -> Result<Self> {
        let logits = logits.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.contiguous()?;
        let labels = labels.to_device(&Device::Cpu)?.to_vec1::<u32>()?;
        let (count, classes) = logits.dims2()?;
        let mut tally = Self { count, ..Self::default() };
        read(&logits, |logits: &[f64]| {
            for (row, &label) in logits.chunks_exact(classes).zip(&labels) {
                let chosen = class(row, label)?;
                tally.loss += log_sum_exp(row) - chosen;
                // The first of equals counts as the prediction.
                let beaten = row
                    .iter()
                    .enumerate()
                    .all(|(i, &other)| if i < label as usize { other < chosen } else { other <= chosen });
                tally.correct += usize::from(beaten);
            }
            Ok::<_, candle_core::Error>(())
        })??;
        Ok(tally)
    }

    /// Adds another batch.
    pub fn add(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct += other.correct;
        self.count += other.count;
    }
}

fn class<T: Float>(row: &[T], label: u32) -> candle_core::Result<T> {
    row.get(label as usize)
        .copied()
        .ok_or_else(|| candle_core::Error::Msg(format!("label {label}, but there are {} classes", row.len())))
}

#[inline(always)]
fn max<T: Float>(row: &[T]) -> T {
    fold(row, T::of(f64::NEG_INFINITY), larger, larger)
}

/// The larger of two; a NaN is never it.
#[inline(always)]
fn larger<T: Float>(max: T, x: T) -> T {
    if x > max { x } else { max }
}

#[inline(always)]
fn plus<T: Float>(a: T, b: T) -> T {
    a + b
}

fn log_sum_exp(row: &[f64]) -> f64 {
    let max = max(row);
    row.iter().map(|x| (x - max).exp()).sum::<f64>().ln() + max
}

/// The loss as one node of the graph. Its gradient falls out of the forward pass.
pub(super) struct Fused {
    pub(super) smoothing: f64,
}

impl Fused {
    /// Of logits `[rows, classes]`, some of the `n` in a batch, the sum of the losses, and the gradient of the batch's mean.
    pub(super) fn both<T: Float>(
        &self,
        logits: &[T],
        labels: &[u32],
        (classes, n): (usize, usize),
    ) -> candle_core::Result<(f64, Vec<T>)> {
        let share = T::of(1.0 / n as f64);
        let chosen_share = T::of((1.0 - self.smoothing) / n as f64);
        let spread = T::of(self.smoothing / (n * classes) as f64);
        let mut gradient = Vec::with_capacity(logits.len());
        let loss = vectorized(
            #[inline(always)]
            || {
                let mut loss = 0.0;
                for (row, &label) in logits.chunks_exact(classes).zip(labels) {
                    let max = max(row);
                    let start = gradient.len();
                    gradient.extend(row.iter().map(
                        #[inline(always)]
                        |&x| (x - max).exp(),
                    ));
                    let softmax = &mut gradient[start..];
                    let sum = fold(softmax, T::of(0.0), plus, plus);
                    let chosen = (max - class(row, label)?).to_f64();
                    loss += sum.ln().to_f64() + (1.0 - self.smoothing) * chosen;
                    let scale = share / sum;
                    for p in &mut *softmax {
                        *p = *p * scale - spread;
                    }
                    softmax[label as usize] -= chosen_share;
                    if self.smoothing > 0.0 {
                        let all: f64 = row.iter().map(|&x| (max - x).to_f64()).sum();
                        loss += self.smoothing * all / classes as f64;
                    }
                }
                Ok::<f64, candle_core::Error>(loss)
            },
        )?;
        Ok((loss, gradient))
    }
}

impl Operation<2> for Fused {
    const NAME: &'static str = "cross entropy";
    /// The gradient.
    type Saved<T: Float> = Vec<T>;

    fn forward<T: Float>(&self, inputs: &Inputs<2>) -> candle_core::Result<(Vec<T>, Shape, Vec<T>)> {
        let ((n, classes), labels) = (inputs.shape(0).dims2()?, inputs.indices(1)?);
        if labels.len() != n {
            candle_core::bail!("{n} predictions for {} labels", labels.len());
        }
        let (loss, gradient) = self.both(inputs.elements::<T>(0)?, labels, (classes, n))?;
        Ok((vec![T::of(loss / n as f64)], Shape::from(()), gradient))
    }

    fn backward<T: Float>(
        &self,
        [logits, _]: [&Tensor; 2],
        _: &Tensor,
        upstream: &Tensor,
        gradient: Vec<T>,
    ) -> candle_core::Result<[Option<Tensor>; 2]> {
        let gradient = Tensor::from_vec(gradient, logits.shape(), &Device::Cpu)?;
        let scale = upstream.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        Ok([Some(if scale == 1.0 { gradient } else { (gradient * scale)? }), None])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Var;

    fn batch() -> (Var, Tensor) {
        let logits: Vec<f64> = (0..12).map(|i| (f64::from(i) * 1.7).sin() * 3.0).collect();
        let logits = Var::from_vec(logits, (4, 3), &Device::Cpu).unwrap();
        (logits, Tensor::new(&[0u32, 2, 1, 2], &Device::Cpu).unwrap())
    }

    #[test]
    fn fused_and_composed_agree_in_loss_and_gradient() {
        let (logits, labels) = batch();
        let of = |composed| {
            let loss = (cross_entropy(&logits, &labels, 0.1, composed).unwrap() * 2.0).unwrap();
            let gradient = loss.backward().unwrap().remove(&logits).unwrap();
            (loss.to_scalar::<f64>().unwrap(), gradient.flatten_all().unwrap().to_vec1::<f64>().unwrap())
        };
        let ((fused, fused_gradient), (composed, composed_gradient)) = (of(false), of(true));
        assert!((fused - composed).abs() < 1e-14);
        for (a, b) in fused_gradient.iter().zip(&composed_gradient) {
            assert!((a - b).abs() < 1e-15, "{a} {b}");
        }
    }

    #[test]
    fn the_tally_agrees_with_the_loss_and_counts_right_answers() {
        let (logits, labels) = batch();
        let tally = Tally::of(&logits, &labels).unwrap();
        let loss = cross_entropy(&logits, &labels, 0.0, false).unwrap().to_scalar::<f64>().unwrap();
        assert!((tally.loss / 4.0 - loss).abs() < 1e-14);
        let rows = logits.to_vec2::<f64>().unwrap();
        let right = rows.iter().zip([0, 2, 1, 2]).filter(|(row, label)| row.iter().all(|x| *x <= row[*label])).count();
        assert_eq!((tally.correct, tally.count), (right, 4));
    }

    #[test]
    fn nan_is_never_right_and_a_wrong_label_is_an_error() {
        let nan = Tensor::new(&[[f32::NAN, 1.0]], &Device::Cpu).unwrap();
        let label = |label: u32| Tensor::new(&[label], &Device::Cpu).unwrap();
        let tally = Tally::of(&nan, &label(1)).unwrap();
        assert!(tally.loss.is_nan() && tally.correct == 0);
        assert!(cross_entropy(&nan, &label(2), 0.0, false).is_err());
    }
}
