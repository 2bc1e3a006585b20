//! Batch normalisation of feature maps, its running statistics kept apart from the parameters.

use candle_core::{DType, Device, Shape, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, read_all};
use crate::nn::fused::{Inputs, Operation, apply3};
use crate::nn::hand_over::HandOver;
use crate::nn::params::{Init, Parameter};
use crate::nn::role::Role;
use crate::nn::running::Running;
use crate::nn::simd::vectorized;

/// What is added to a variance, as in `PyTorch`.
const EPS: f64 = 1e-5;

/// `weight (x - mean) / sqrt(variance + 1e-5) + bias` for every channel: over the batch in training,
/// by the running statistics in an evaluation.
#[derive(Debug)]
pub struct BatchNorm {
    weight: Parameter,
    bias: Parameter,
    running: Running,
    composed: bool,
}

impl BatchNorm {
    /// A layer that starts with weight 1 and bias 0.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(init: &mut Init, name: &str, channels: usize) -> Result<Self> {
        Ok(Self {
            weight: init.constant(format!("{name}.weight"), Role::Norm, channels, 1.0)?,
            bias: init.constant(format!("{name}.bias"), Role::Norm, channels, 0.0)?,
            running: init.running(channels),
            composed: init.is_composed(),
        })
    }

    /// The normalised maps; `by_batch` normalises by the batch's own statistics and follows them.
    ///
    /// # Errors
    /// When the shapes or number types do not fit.
    pub fn forward(&self, maps: &Tensor, by_batch: bool) -> Result<Tensor> {
        if !by_batch {
            return self.by_running_statistics(maps);
        }
        if self.composed {
            return self.composed(maps);
        }
        let op = Fused {
            running: self.running.clone(),
            weight_gradient: self.weight.handed_over.clone(),
            bias_gradient: self.bias.handed_over.clone(),
        };
        apply3(op, [maps, self.weight.var.as_tensor(), self.bias.var.as_tensor()])
    }

    /// The shape that a channel's number is broadcast from.
    fn per_channel(&self, channels: usize) -> [usize; 4] {
        if self.composed { [1, channels, 1, 1] } else { [1, 1, 1, channels] }
    }

    fn by_running_statistics(&self, maps: &Tensor) -> Result<Tensor> {
        let (scale, mean) = {
            let statistics = self.running.lock();
            let scale: Vec<f64> = statistics.variance.iter().map(|variance| 1.0 / (variance + EPS).sqrt()).collect();
            (scale, statistics.mean.clone())
        };
        let channels = mean.len();
        let tensor = |values| -> Result<Tensor> {
            Ok(Tensor::from_vec(values, channels, &Device::Cpu)?.to_dtype(maps.dtype())?.to_device(maps.device())?)
        };
        let scale = (tensor(scale)? * self.weight.var.as_tensor())?;
        let shift = (self.bias.var.as_tensor() - (tensor(mean)? * &scale)?)?;
        let shape = self.per_channel(channels);
        Ok(maps.broadcast_mul(&scale.reshape(&shape)?)?.broadcast_add(&shift.reshape(&shape)?)?)
    }

    fn composed(&self, maps: &Tensor) -> Result<Tensor> {
        let channels = self.weight.var.elem_count();
        let shape = self.per_channel(channels);
        let mean = maps.mean_keepdim(0)?.mean_keepdim(2)?.mean_keepdim(3)?;
        let centred = maps.broadcast_sub(&mean)?;
        let variance = centred.sqr()?.mean_keepdim(0)?.mean_keepdim(2)?.mean_keepdim(3)?;
        let values = |tensor: &Tensor| -> Result<Vec<f64>> {
            Ok(tensor.detach().flatten_all()?.to_dtype(DType::F64)?.to_vec1()?)
        };
        self.running.follow(&values(&mean)?, &values(&variance)?, maps.elem_count() / channels);
        let normal = centred.broadcast_div(&(variance + EPS)?.sqrt()?)?;
        let scaled = normal.broadcast_mul(&self.weight.var.reshape(&shape)?)?;
        Ok(scaled.broadcast_add(&self.bias.var.reshape(&shape)?)?)
    }
}

/// The layer in training as one node of the graph. Weight and bias gradients are handed over.
struct Fused {
    running: Running,
    weight_gradient: HandOver,
    bias_gradient: HandOver,
}

/// Mean and `1 / sqrt(variance + eps)` of each channel of a batch.
type Moments = (Vec<f64>, Vec<f64>);

/// The sums for each channel, over all rows `[rows, channels]`, of what `add` adds for one row.
#[inline(always)]
fn sums<T: Float>(rows: &[T], channels: usize, mut add: impl FnMut(&mut [f64], &[T])) -> Vec<f64> {
    let mut sums = vec![0.0; channels];
    for row in rows.chunks_exact(channels) {
        add(&mut sums, row);
    }
    sums
}

impl Fused {
    fn normalise<T: Float>(&self, maps: &[T], weight: &[T], bias: &[T]) -> (Vec<T>, Moments) {
        let channels = weight.len();
        let n = maps.len() / channels;
        let mut out = Vec::with_capacity(maps.len());
        let moments = vectorized(
            #[inline(always)]
            || {
                let mut mean = sums(
                    maps,
                    channels,
                    #[inline(always)]
                    |sums, row| {
                        for (sum, x) in sums.iter_mut().zip(row) {
                            *sum += x.to_f64();
                        }
                    },
                );
                for mean in &mut mean {
                    *mean /= n as f64;
                }
                let mut variance = sums(
                    maps,
                    channels,
                    #[inline(always)]
                    |sums, row| {
                        for ((sum, x), mean) in sums.iter_mut().zip(row).zip(&mean) {
                            let centred = x.to_f64() - mean;
                            *sum += centred * centred;
                        }
                    },
                );
                for variance in &mut variance {
                    *variance /= n as f64;
                }
                self.running.follow(&mean, &variance, n);
                let rate: Vec<f64> = variance.iter().map(|variance| 1.0 / (variance + EPS).sqrt()).collect();
                let (means, rates): (Vec<T>, Vec<T>) =
                    (mean.iter().map(|&x| T::of(x)).collect(), rate.iter().map(|&x| T::of(x)).collect());
                for row in maps.chunks_exact(channels) {
                    let start = out.len();
                    out.extend_from_slice(row);
                    let row = &mut out[start..];
                    for i in 0..channels {
                        row[i] = (row[i] - means[i]) * rates[i] * weight[i] + bias[i];
                    }
                }
                (mean, rate)
            },
        );
        (out, moments)
    }
}

impl Operation<3> for Fused {
    const NAME: &'static str = "batch normalisation";
    type Saved<T: Float> = Moments;

    fn forward<T: Float>(&self, inputs: &Inputs<3>) -> candle_core::Result<(Vec<T>, Shape, Moments)> {
        let (out, moments) = self.normalise(inputs.elements(0)?, inputs.elements(1)?, inputs.elements(2)?);
        Ok((out, inputs.shape(0).clone(), moments))
    }

    fn backward<T: Float>(
        &self,
        [maps, weight, _]: [&Tensor; 3],
        _: &Tensor,
        gradient: &Tensor,
        (mean, rate): Moments,
    ) -> candle_core::Result<[Option<Tensor>; 3]> {
        let channels = weight.elem_count();
        let n = (maps.elem_count() / channels) as f64;
        let of = |values: &[f64]| -> Vec<T> { values.iter().map(|&x| T::of(x)).collect() };
        let (mean, rate) = (of(&mean), of(&rate));
        let (bias, scale, out) = read_all(&[maps, weight, gradient], |slices: Vec<&[T]>| {
            let (maps, weight, gradient) = (slices[0], slices[1], slices[2]);
            let mut out = Vec::with_capacity(maps.len());
            let (mut bias, mut scale) = (vec![0.0; channels], vec![0.0; channels]);
            vectorized(
                #[inline(always)]
                || {
                    for (x, g) in maps.chunks_exact(channels).zip(gradient.chunks_exact(channels)) {
                        for i in 0..channels {
                            bias[i] += g[i].to_f64();
                            scale[i] += ((x[i] - mean[i]) * rate[i] * g[i]).to_f64();
                        }
                    }
                    let share = T::of(1.0 / n);
                    let (bias, scale): (Vec<T>, Vec<T>) = (
                        bias.iter().map(|&x| T::of(x) * share).collect(),
                        scale.iter().map(|&x| T::of(x) * share).collect(),
                    );
                    for (x, g) in maps.chunks_exact(channels).zip(gradient.chunks_exact(channels)) {
                        let start = out.len();
                        out.extend_from_slice(g);
                        let row = &mut out[start..];
                        for i in 0..channels {
                            let normal = (x[i] - mean[i]) * rate[i];
                            row[i] = weight[i] * rate[i] * (row[i] - bias[i] - normal * scale[i]);
                        }
                    }
                },
            );
            (of(&bias), of(&scale), out)
        })?;
        self.bias_gradient.put(Tensor::from_vec(bias, channels, &Device::Cpu)?)?;
        self.weight_gradient.put(Tensor::from_vec(scale, channels, &Device::Cpu)?)?;
        Ok([Some(Tensor::from_vec(out, maps.shape(), &Device::Cpu)?), None, None])
    }
}
