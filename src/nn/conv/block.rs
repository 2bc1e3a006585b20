//! Blocks of 3x3 convolution, bias, `ReLU` and 2x2 max-pool, one after another, as one operation.
//!
//! An image goes through all blocks before the next one: what lies between two blocks stays in the
//! cache, and its gradient never becomes a tensor, which candle would fill with zeros and add to.

use candle_core::{Device, Shape, Tensor};

use crate::error::Result;
use crate::nn::conv::padded::Frame;
use crate::nn::conv::{bound, by_channel, by_position, narrow, relu_pool, wide, winograd};
use crate::nn::float::{Float, read_all};
use crate::nn::fused::{Inputs, Operation, apply2};
use crate::nn::params::{Init, Parameter};
use crate::nn::role::Role;
use crate::nn::transpose::transposed;

/// Neighbourhoods of fewer numbers than this fill no vectors of their own.
const NARROW: usize = 32;

/// The blocks, each with a weight `[outputs, inputs, 3, 3]` and a bias `[outputs]`; padding 1.
#[derive(Debug)]
pub struct ConvPools {
    blocks: Vec<Block>,
    composed: bool,
}

#[derive(Debug, Clone)]
struct Block {
    weight: Parameter,
    bias: Parameter,
}

impl ConvPools {
    /// One block for each number of output channels, called `conv1`, `conv2`, ... and initialised as
    /// `PyTorch` does: weights and biases uniform within `1 / sqrt(9 inputs)`.
    ///
    /// # Errors
    /// When the device refuses.
    ///
    /// # Panics
    /// Without a block.
    pub fn new(init: &mut Init, mut inputs: usize, channels: &[usize]) -> Result<Self> {
        assert!(!channels.is_empty(), "at least one block");
        let mut blocks = Vec::with_capacity(channels.len());
        for (i, &outputs) in channels.iter().enumerate() {
            let (name, bound) = (format!("conv{}", i + 1), bound(inputs, 3));
            blocks.push(Block {
                weight: init.uniform(format!("{name}.weight"), Role::Hidden, (outputs, inputs, 3, 3), bound)?,
                bias: init.uniform(format!("{name}.bias"), Role::Bias, outputs, bound)?,
            });
            inputs = outputs;
        }
        Ok(Self { blocks, composed: init.is_composed() })
    }

    /// The last block's pooled maps as rows `[n, outputs * height * width]`, in `PyTorch`'s order.
    ///
    /// # Errors
    /// When the shapes or number types do not fit.
    pub fn forward(&self, maps: &Tensor) -> Result<Tensor> {
        if self.composed {
            let mut maps = maps.clone();
            for Block { weight, bias } in &self.blocks {
                let bias = bias.var.reshape((1, (), 1, 1))?;
                maps = relu_pool(&maps.conv2d(weight.var.as_tensor(), 1, 1, 1, 1)?.broadcast_add(&bias)?, true)?;
            }
            return Ok(maps.flatten_from(1)?);
        }
        let op = Fused { blocks: self.blocks.clone() };
        // Images want no gradient; the first weight makes the operation a part of the graph.
        apply2(op, [maps, self.blocks[0].weight.var.as_tensor()])
    }
}

/// The blocks as one node of the graph. The gradients of weights and biases are handed over beside it.
struct Fused {
    blocks: Vec<Block>,
}

/// What a block's forward pass leaves for the backward pass.
struct Saved<T> {
    /// `[n, cells, outputs]`: the pooled maps; of the last block nobody needs them.
    maps: Vec<T>,
    /// `[n, cells, outputs]`: which pixel of each cell won.
    winners: Vec<u8>,
}

impl Fused {
    /// The sizes of every block's input.
    fn frames(&self, shape: &Shape) -> candle_core::Result<Vec<Frame>> {
        let (_, mut height, mut width, mut channels) = shape.dims4()?;
        let mut frames = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let (outputs, inputs, ..) = block.weight.var.dims4()?;
            if channels != inputs {
                candle_core::bail!("a convolution of {inputs} channels was given {channels}");
            }
            frames.push(Frame { height, width, channels });
            (height, width, channels) = (height / 2, width / 2, outputs);
        }
        Ok(frames)
    }

    fn weights_and_biases(&self) -> Vec<&Tensor> {
        self.blocks.iter().flat_map(|block| [block.weight.var.as_tensor(), block.bias.var.as_tensor()]).collect()
    }

    /// The pooled maps, and what every block saves.
    fn run<T: Float>(&self, frames: &[Frame], maps: &[T]) -> candle_core::Result<(Vec<T>, Vec<Saved<T>>)> {
        let n = maps.len() / frames[0].len();
        read_all(&self.weights_and_biases(), |slices: Vec<&[T]>| {
            let pairs = frames.iter().zip(slices.chunks_exact(2));
            let mut blocks: Vec<Forward<T>> =
                pairs.map(|(frame, pair)| Forward::new(*frame, pair[0], pair[1], n)).collect();
            let mut out = Vec::new();
            for image in maps.chunks_exact(frames[0].len()) {
                let mut maps = image;
                for block in &mut blocks {
                    maps = block.run(maps);
                }
                out.extend(transposed(maps, frames[frames.len() - 1].cells()));
                if let Some(last) = blocks.last_mut() {
                    last.saved.maps.clear();
                }
            }
            (out, blocks.into_iter().map(|block| block.saved).collect())
        })
    }
}

impl Operation<2> for Fused {
    const NAME: &'static str = "convolution, relu and max-pool";
    type Saved<T: Float> = Vec<Saved<T>>;

    fn forward<T: Float>(&self, inputs: &Inputs<2>) -> candle_core::Result<(Vec<T>, Shape, Vec<Saved<T>>)> {
        let frames = self.frames(inputs.shape(0))?;
        let (out, saved) = self.run(&frames, inputs.elements(0)?)?;
        let outputs = self.blocks[self.blocks.len() - 1].bias.var.elem_count();
        Ok((out, (inputs.shape(0).dims()[0], outputs * frames[frames.len() - 1].cells()).into(), saved))
    }

    /// Hands over the gradients of the parameters; returns that of the maps where it is wanted.
    fn backward<T: Float>(
        &self,
        [maps, _]: [&Tensor; 2],
        _: &Tensor,
        gradient: &Tensor,
        saved: Vec<Saved<T>>,
    ) -> candle_core::Result<[Option<Tensor>; 2]> {
        let (frames, wanted) = (self.frames(maps.shape())?, maps.track_op());
        let mut tensors = self.weights_and_biases();
        tensors.extend([maps, gradient]);
        let (found, maps_gradient) = read_all(&tensors, |slices: Vec<&[T]>| {
            let (maps, gradient) = (slices[slices.len() - 2], slices[slices.len() - 1]);
            let filters: Vec<Vec<T>> = frames
                .iter()
                .zip(slices.chunks(2))
                .map(|(frame, pair)| by_position(pair[0], frame.channels, 3))
                .collect();
            let outputs: Vec<usize> = slices.chunks(2).take(frames.len()).map(|pair| pair[1].len()).collect();
            let sizes = frames.iter().zip(&filters).zip(&outputs).enumerate();
            let mut blocks: Vec<Backward<T>> = sizes
                .map(|(i, ((frame, filters), outputs))| Backward::new(*frame, filters, *outputs, wanted || i > 0))
                .collect();
            let mut maps_gradient = Vec::with_capacity(if wanted { maps.len() } else { 0 });
            let rows = gradient.len() / (maps.len() / frames[0].len());
            for (n, (image, gradient)) in
                maps.chunks_exact(frames[0].len()).zip(gradient.chunks_exact(rows)).enumerate()
            {
                let mut gradient = transposed(gradient, outputs[outputs.len() - 1]);
                for (i, block) in blocks.iter_mut().enumerate().rev() {
                    let pooled = frames[i].cells() * outputs[i];
                    let input = match i {
                        0 => image,
                        _ => &saved[i - 1].maps[n * frames[i].len()..][..frames[i].len()],
                    };
                    block.add(input, &gradient, &saved[i].winners[n * pooled..][..pooled]);
                    std::mem::swap(&mut gradient, &mut block.inner);
                }
                if wanted {
                    maps_gradient.extend_from_slice(&gradient);
                }
            }
            (blocks.into_iter().map(Backward::finish).collect::<Vec<_>>(), maps_gradient)
        })?;
        for (block, (weight, bias)) in self.blocks.iter().zip(found) {
            let (shape, outputs) = (block.weight.var.shape(), bias.len());
            block.weight.handed_over.put(Tensor::from_vec(weight, shape, &Device::Cpu)?)?;
            block.bias.handed_over.put(Tensor::from_vec(bias, outputs, &Device::Cpu)?)?;
        }
        if !wanted {
            return Ok([None, None]);
        }
        Ok([Some(Tensor::from_vec(maps_gradient, maps.shape(), &Device::Cpu)?), None])
    }
}

/// A block on its way forward.
struct Forward<'a, T> {
    frame: Frame,
    filters: Filters<'a, T>,
    padded: Vec<T>,
    saved: Saved<T>,
}

enum Filters<'a, T> {
    Narrow(narrow::Filters<T>),
    Wide(winograd::Filters<'a, T>),
}

impl<'a, T: Float> Forward<'a, T> {
    fn new(frame: Frame, weight: &[T], bias: &'a [T], n: usize) -> Self {
        let filters = if frame.patch() < NARROW {
            Filters::Narrow(narrow::Filters::new(&by_position(weight, frame.channels, 3), bias))
        } else {
            Filters::Wide(winograd::Filters::new(frame, weight, bias))
        };
        let room = n * frame.cells() * bias.len();
        let saved = Saved { maps: Vec::with_capacity(room), winners: Vec::with_capacity(room) };
        Self { frame, filters, padded: frame.empty(), saved }
    }

    /// The pooled maps of one image, `[cells, outputs]`.
    fn run(&mut self, image: &[T]) -> &[T] {
        let Saved { maps, winners } = &mut self.saved;
        let start = maps.len();
        self.frame.fill(&mut self.padded, image);
        match &mut self.filters {
            Filters::Narrow(filters) => filters.forward(self.frame, &self.padded, maps, winners),
            Filters::Wide(filters) => filters.forward(self.frame, &self.padded, maps, winners),
        }
        &maps[start..]
    }
}

/// A block on its way back.
struct Backward<'a, T> {
    frame: Frame,
    gradients: Gradients<'a, T>,
    padded: Vec<T>,
    /// The gradient of the padded image; empty where nobody wants it.
    around: Vec<T>,
    /// The gradient of the image that was added last.
    inner: Vec<T>,
}

enum Gradients<'a, T> {
    Narrow(narrow::Gradients<T>),
    Wide(wide::Gradients<'a, T>),
}

impl<'a, T: Float> Backward<'a, T> {
    fn new(frame: Frame, filters: &'a [T], outputs: usize, wanted: bool) -> Self {
        let gradients = if frame.patch() < NARROW && !wanted {
            Gradients::Narrow(narrow::Gradients::new(frame, outputs))
        } else {
            Gradients::Wide(wide::Gradients::new(filters, outputs))
        };
        let around = if wanted { frame.empty() } else { Vec::new() };
        Self { frame, gradients, padded: frame.empty(), around, inner: Vec::new() }
    }

    /// Adds the gradients of one image; `gradient` and `winners` are `[cells, outputs]`.
    fn add(&mut self, image: &[T], gradient: &[T], winners: &[u8]) {
        let (frame, padded) = (self.frame, &mut self.padded);
        frame.fill(padded, image);
        self.inner.clear();
        match &mut self.gradients {
            Gradients::Narrow(gradients) => gradients.add(frame, padded, gradient, winners),
            Gradients::Wide(gradients) if self.around.is_empty() => {
                gradients.add(frame, padded, gradient, winners, None);
            }
            Gradients::Wide(gradients) => {
                self.around.fill(T::of(0.0));
                gradients.add(frame, padded, gradient, winners, Some(&mut self.around));
                frame.append_inside(&self.around, &mut self.inner);
            }
        }
    }

    /// The gradients of the weight, in `PyTorch`'s order, and of the bias.
    fn finish(self) -> (Vec<T>, Vec<T>) {
        let (weight, bias) = match self.gradients {
            Gradients::Narrow(gradients) => gradients.finish(self.frame),
            Gradients::Wide(gradients) => gradients.finish(),
        };
        (by_channel(&weight, self.frame.channels, 3), bias)
    }
}
