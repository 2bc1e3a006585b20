//! A convolution alone, of any stride, as one operation.

use candle_core::{Device, Shape, Tensor};

use crate::error::Result;
use crate::nn::conv::{bound, by_channel, by_position};
use crate::nn::float::{Float, read_all};
use crate::nn::fused::{Inputs, Operation, apply2};
use crate::nn::hand_over::HandOver;
use crate::nn::matmul::{Matrix, add_product, product};
use crate::nn::params::{Init, Parameter};
use crate::nn::role::Role;

/// A convolution without bias: weight `[outputs, inputs, kernel, kernel]`, zero padding `kernel / 2`.
#[derive(Debug)]
pub struct Conv {
    weight: Parameter,
    stride: usize,
    composed: bool,
}

impl Conv {
    /// A layer initialised as `PyTorch` does: uniform within `1 / sqrt(inputs * kernel * kernel)`.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(
        init: &mut Init,
        name: &str,
        (inputs, outputs): (usize, usize),
        kernel: usize,
        stride: usize,
    ) -> Result<Self> {
        let weight = init.uniform(
            format!("{name}.weight"),
            Role::Hidden,
            (outputs, inputs, kernel, kernel),
            bound(inputs, kernel),
        )?;
        Ok(Self { weight, stride, composed: init.is_composed() })
    }

    /// The maps of the outputs; height and width are divided by the stride, rounded up.
    ///
    /// # Errors
    /// When the shapes or number types do not fit.
    pub fn forward(&self, maps: &Tensor) -> Result<Tensor> {
        let weight = self.weight.var.as_tensor();
        if self.composed {
            return self.composed(maps, weight);
        }
        let op = Fused { stride: self.stride, gradient: self.weight.handed_over.clone() };
        apply2(op, [maps, weight])
    }
}

impl Conv {
    fn composed(&self, maps: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let (.., height, width) = maps.dims4()?;
        let padding = weight.dim(2)? / 2;
        if height % self.stride == width % self.stride {
            return Ok(maps.conv2d(weight, padding, self.stride, 1, 1)?);
        }
        // candle 0.11 takes the gradient's width to end like its height: pick the pixels afterwards.
        let every = |size: usize| Tensor::arange_step(0, size as u32, self.stride as u32, maps.device());
        let all = maps.conv2d(weight, padding, 1, 1, 1)?;
        Ok(all.index_select(&every(height)?, 2)?.index_select(&every(width)?, 3)?)
    }
}

/// How a kernel passes over an image `[height, width, channels]`.
#[derive(Clone, Copy)]
struct Window {
    height: usize,
    width: usize,
    channels: usize,
    kernel: usize,
    stride: usize,
}

impl Window {
    fn new(maps: &Shape, weight: &Shape, stride: usize) -> candle_core::Result<Self> {
        let (_, height, width, channels) = maps.dims4()?;
        let (_, inputs, kernel, _) = weight.dims4()?;
        if inputs != channels {
            candle_core::bail!("a convolution of {inputs} channels was given {channels}");
        }
        Ok(Self { height, width, channels, kernel, stride })
    }

    fn out(self) -> (usize, usize) {
        (self.height.div_ceil(self.stride), self.width.div_ceil(self.stride))
    }

    fn patch(self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    /// Calls back with every contiguous run inside the image: where it lies in the image, where in
    /// the neighbourhoods that lie one after the other, and how long it is.
    fn runs(self, mut run: impl FnMut(usize, usize, usize)) {
        let border = self.kernel / 2;
        let (rows, cols) = self.out();
        for out in 0..rows * cols {
            let (top, left) = ((out / cols) * self.stride, (out % cols) * self.stride);
            let first = border.saturating_sub(left);
            let last = self.kernel.min(self.width + border - left);
            for y in border.saturating_sub(top)..self.kernel.min(self.height + border - top) {
                let image = ((top + y - border) * self.width + left + first - border) * self.channels;
                let patch = out * self.patch() + (y * self.kernel + first) * self.channels;
                run(image, patch, (last - first) * self.channels);
            }
        }
    }
}

struct Fused {
    stride: usize,
    gradient: HandOver,
}

impl Fused {
    fn output<T: Float>(window: Window, maps: &[T], weight: &[T]) -> Vec<T> {
        let outputs = weight.len() / window.patch();
        let filters = by_position(weight, window.channels, window.kernel);
        let (rows, cols) = window.out();
        let size = window.height * window.width * window.channels;
        let mut out = vec![T::of(0.0); maps.len() / size * rows * cols * outputs];
        let mut patches = vec![T::of(0.0); rows * cols * window.patch()];
        for (image, out) in maps.chunks_exact(size).zip(out.chunks_exact_mut(rows * cols * outputs)) {
            // What lies outside the image stays 0.
            window.runs(|at, patch, len| patches[patch..patch + len].copy_from_slice(&image[at..at + len]));
            let patches = Matrix::new(&patches, rows * cols, window.patch());
            add_product(out, patches, Matrix::new(&filters, outputs, window.patch()).t());
        }
        out
    }
}

impl Operation<2> for Fused {
    const NAME: &'static str = "convolution";
    type Saved<T: Float> = ();

    fn forward<T: Float>(&self, inputs: &Inputs<2>) -> candle_core::Result<(Vec<T>, Shape, ())> {
        let (maps, weight) = (inputs.shape(0), inputs.shape(1));
        let window = Window::new(maps, weight, self.stride)?;
        let (rows, cols) = window.out();
        let shape = (maps.dims()[0], rows, cols, weight.dims()[0]);
        Ok((Self::output(window, inputs.elements(0)?, inputs.elements(1)?), shape.into(), ()))
    }

    fn backward<T: Float>(
        &self,
        [maps, weight]: [&Tensor; 2],
        _: &Tensor,
        gradient: &Tensor,
        (): (),
    ) -> candle_core::Result<[Option<Tensor>; 2]> {
        let window = Window::new(maps.shape(), weight.shape(), self.stride)?;
        let (outputs, wanted) = (weight.dim(0)?, maps.track_op());
        let (rows, cols) = window.out();
        let size = window.height * window.width * window.channels;
        let (weights, maps_gradient) = read_all(&[maps, weight, gradient], |slices: Vec<&[T]>| {
            let filters = by_position(slices[1], window.channels, window.kernel);
            let mut weights = vec![T::of(0.0); filters.len()];
            let mut maps_gradient = vec![T::of(0.0); if wanted { slices[0].len() } else { 0 }];
            let mut patches = vec![T::of(0.0); rows * cols * window.patch()];
            let pairs = slices[0].chunks_exact(size).zip(slices[2].chunks_exact(rows * cols * outputs));
            for (i, (image, gradient)) in pairs.enumerate() {
                window.runs(|at, patch, len| patches[patch..patch + len].copy_from_slice(&image[at..at + len]));
                let gradient = Matrix::new(gradient, rows * cols, outputs);
                add_product(&mut weights, gradient.t(), Matrix::new(&patches, rows * cols, window.patch()));
                if wanted {
                    let patches = product(gradient, Matrix::new(&filters, outputs, window.patch()));
                    let to = &mut maps_gradient[i * size..(i + 1) * size];
                    window.runs(|at, patch, len| {
                        for (to, &from) in to[at..at + len].iter_mut().zip(&patches[patch..patch + len]) {
                            *to += from;
                        }
                    });
                }
            }
            (by_channel(&weights, window.channels, window.kernel), maps_gradient)
        })?;
        self.gradient.put(Tensor::from_vec(weights, weight.shape(), &Device::Cpu)?)?;
        if !wanted {
            return Ok([None, None]);
        }
        Ok([Some(Tensor::from_vec(maps_gradient, maps.shape(), &Device::Cpu)?), None])
    }
}
