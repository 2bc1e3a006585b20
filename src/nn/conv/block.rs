//! 3x3 convolution, bias, `ReLU` and 2x2 max-pool as one operation.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp3, DType, Device, Layout, Shape, Tensor};

use crate::error::Result;
use crate::nn::conv::padded::Frame;
use crate::nn::conv::{bound, by_channel, by_position, narrow, relu_pool, wide};
use crate::nn::float::{Float, elements, read_all};
use crate::nn::params::{HandOver, Init, Parameter};
use crate::nn::transpose::transposed;

/// Neighbourhoods of fewer numbers than this fill no vectors of their own.
const NARROW: usize = 32;

/// The layer: weight `[outputs, inputs, 3, 3]`, bias `[outputs]`, padding 1.
#[derive(Debug)]
pub struct ConvPool {
    weight: Parameter,
    bias: Parameter,
    flatten: bool,
    composed: bool,
}

impl ConvPool {
    /// A layer initialised as `PyTorch` does: weights and bias uniform within `1 / sqrt(9 inputs)`.
    ///
    /// With `flatten` it yields rows `[n, outputs * height * width]`, else feature maps.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(init: &mut Init, name: &str, inputs: usize, outputs: usize, flatten: bool) -> Result<Self> {
        let bound = bound(inputs, 3);
        Ok(Self {
            weight: init.uniform(format!("{name}.weight"), (outputs, inputs, 3, 3), bound)?,
            bias: init.uniform(format!("{name}.bias"), outputs, bound)?,
            flatten,
            composed: init.is_composed(),
        })
    }

    /// The pooled maps, of half the height and width.
    ///
    /// # Errors
    /// When the shapes or number types do not fit.
    pub fn forward(&self, maps: &Tensor) -> Result<Tensor> {
        let (weight, bias) = (self.weight.var.as_tensor(), self.bias.var.as_tensor());
        if self.composed {
            let maps = maps.conv2d(weight, 1, 1, 1, 1)?.broadcast_add(&bias.reshape((1, (), 1, 1))?)?;
            let pooled = relu_pool(&maps, true)?;
            return Ok(if self.flatten { pooled.flatten_from(1)? } else { pooled });
        }
        let op = Fused {
            flatten: self.flatten,
            weight_gradient: self.weight.handed_over.clone(),
            bias_gradient: self.bias.handed_over.clone(),
            winners: Mutex::default(),
        };
        Ok(maps.contiguous()?.apply_op3(weight, bias, op)?)
    }
}

/// The layer as one node of the graph. The gradients of weight and bias are handed over beside it.
struct Fused {
    flatten: bool,
    weight_gradient: HandOver,
    bias_gradient: HandOver,
    /// `[n, cells, outputs]`: which pixel of each cell won.
    winners: Mutex<Vec<u8>>,
}

impl Fused {
    fn forward<T: Float>(&self, frame: Frame, maps: &[T], weight: &[T], bias: &[T]) -> Vec<T> {
        let (rows, cols) = frame.pooled();
        let (pooled, n) = (rows * cols * bias.len(), maps.len() / frame.len());
        let filters = by_position(weight, frame.channels, 3);
        let narrow = narrow::Filters::new(&filters, bias);
        let mut wide = wide::Filters::new(&filters, bias);
        let mut padded = frame.empty();
        let mut out = Vec::with_capacity(n * pooled);
        let mut winners = Vec::with_capacity(n * pooled);
        for image in maps.chunks_exact(frame.len()) {
            frame.fill(&mut padded, image);
            if frame.patch() < NARROW {
                narrow.forward(frame, &padded, &mut out, &mut winners);
            } else {
                wide.forward(frame, &padded, &mut out, &mut winners);
            }
            if self.flatten {
                let from = out.len() - pooled;
                let turned = transposed(&out[from..], rows * cols);
                out[from..].copy_from_slice(&turned);
            }
        }
        *self.winners.lock().unwrap_or_else(PoisonError::into_inner) = winners;
        out
    }

    fn backward<T: Float>(
        &self,
        maps: &Tensor,
        weight: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<Option<Tensor>> {
        let frame = frame(maps.shape())?;
        let (outputs, ..) = weight.dims4()?;
        let (rows, cols) = frame.pooled();
        let (cells, wanted) = (rows * cols, maps.track_op());
        let winners = std::mem::take(&mut *self.winners.lock().unwrap_or_else(PoisonError::into_inner));
        let ((weights, bias), maps_gradient) = read_all(&[maps, weight, gradient], |slices: Vec<&[T]>| {
            let (maps, gradient) = (slices[0], slices[2]);
            let filters = by_position(slices[1], frame.channels, 3);
            let mut narrow = (frame.patch() < NARROW && !wanted).then(|| narrow::Gradients::new(frame, outputs));
            let mut wide = wide::Gradients::new(&filters, outputs);
            let mut padded = frame.empty();
            let mut around = if wanted { frame.empty() } else { Vec::new() };
            let mut maps_gradient = Vec::with_capacity(if wanted { maps.len() } else { 0 });
            let batch = maps.chunks_exact(frame.len());
            let pooled = gradient.chunks_exact(cells * outputs).zip(winners.chunks_exact(cells * outputs));
            for (image, (gradient, winners)) in batch.zip(pooled) {
                frame.fill(&mut padded, image);
                let turned = if self.flatten { transposed(gradient, outputs) } else { Vec::new() };
                let gradient = if self.flatten { &turned } else { gradient };
                match &mut narrow {
                    Some(narrow) => narrow.add(frame, &padded, gradient, winners),
                    None if wanted => {
                        around.fill(T::of(0.0));
                        wide.add(frame, &padded, gradient, winners, Some(&mut around));
                        frame.append_inside(&around, &mut maps_gradient);
                    }
                    None => wide.add(frame, &padded, gradient, winners, None),
                }
            }
            let found = match narrow {
                Some(narrow) => narrow.finish(frame),
                None => wide.finish(),
            };
            (found, maps_gradient)
        })?;
        let weights = by_channel(&weights, frame.channels, 3);
        self.weight_gradient.put(Tensor::from_vec(weights, weight.shape(), &Device::Cpu)?)?;
        self.bias_gradient.put(Tensor::from_vec(bias, outputs, &Device::Cpu)?)?;
        if !wanted {
            return Ok(None);
        }
        Tensor::from_vec(maps_gradient, maps.shape(), &Device::Cpu).map(Some)
    }
}

fn frame(shape: &Shape) -> candle_core::Result<Frame> {
    let (_, height, width, channels) = shape.dims4()?;
    Ok(Frame { height, width, channels })
}

impl CustomOp3 for Fused {
    fn name(&self) -> &'static str {
        "convolution, relu and max-pool"
    }

    fn cpu_fwd(
        &self,
        maps: &CpuStorage,
        maps_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let frame = frame(maps_layout.shape())?;
        let (outputs, inputs, ..) = weight_layout.shape().dims4()?;
        if frame.channels != inputs {
            candle_core::bail!("a convolution of {inputs} channels was given {}", frame.channels);
        }
        let (n, (height, width)) = (maps_layout.dims()[0], frame.pooled());
        let shape: Shape =
            if self.flatten { (n, outputs * height * width).into() } else { (n, height, width, outputs).into() };
        let out = match maps {
            CpuStorage::F64(_) => CpuStorage::F64(self.forward(
                frame,
                elements(maps, maps_layout)?,
                elements(weight, weight_layout)?,
                elements(bias, bias_layout)?,
            )),
            _ => CpuStorage::F32(self.forward(
                frame,
                elements(maps, maps_layout)?,
                elements(weight, weight_layout)?,
                elements(bias, bias_layout)?,
            )),
        };
        Ok((out, shape))
    }

    fn bwd(
        &self,
        maps: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _out: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let maps_gradient = match maps.dtype() {
            DType::F64 => self.backward::<f64>(maps, weight, &gradient)?,
            _ => self.backward::<f32>(maps, weight, &gradient)?,
        };
        Ok((maps_gradient, None, None))
    }
}
