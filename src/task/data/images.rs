//! Labelled images in memory, and batches of them.

use std::ops::Range;

use candle_core::{DType, Device, Tensor};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::nn::float::Float;
use crate::nn::simd::vectorized;
use crate::rng::Stream;
use crate::task::Split;
use crate::task::data::{Examples, Input};

/// Labelled images: bytes as they came, scaled and normalised when a batch is cut.
#[derive(Debug)]
pub struct Images {
    input: Input,
    /// Image after image: training, validation, test.
    pixels: Vec<u8>,
    labels: Vec<u8>,
    /// Where validation and test start.
    validation_from: usize,
    test_from: usize,
    /// A pixel becomes `scale * byte + shift`.
    scale: f64,
    shift: f64,
}

/// What a dataset file yields before it is split and normalised.
pub(super) struct Raw {
    pub(super) name: &'static str,
    pub(super) input: Input,
    pub(super) pixels: Vec<u8>,
    pub(super) labels: Vec<u8>,
}

impl Raw {
    /// Checks that the parts fit each other and that every label is a class.
    pub(super) fn check(&self) -> Result<()> {
        let (images, labels) = (self.pixels.len() / self.input.len(), self.labels.len());
        if images != labels {
            return Err(Error::data(self.name, format!("{images} images, but {labels} labels")));
        }
        match self.labels.iter().position(|&label| usize::from(label) >= self.input.classes()) {
            Some(i) => Err(Error::data(
                self.name,
                format!("label {} of image {i}; expected 0 to {}", self.labels[i], self.input.classes() - 1),
            )),
            None => Ok(()),
        }
    }

    /// The images in the order of a fixed shuffle, the same in every process and for every seed.
    pub(super) fn shuffled(self) -> Self {
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        Stream::new(0, &format!("split {}", self.name)).shuffle(&mut order);
        let inputs = self.input.len();
        let pixels = order.iter().flat_map(|&i| &self.pixels[i * inputs..(i + 1) * inputs]).copied().collect();
        let labels = order.iter().map(|&i| self.labels[i]).collect();
        Self { pixels, labels, ..self }
    }

    /// Appends the images of another part.
    pub(super) fn followed_by(mut self, other: Self) -> Self {
        self.pixels.extend(other.pixels);
        self.labels.extend(other.labels);
        self
    }

    /// Splits in order into training, `validation` and `test` images; bytes are divided by
    /// `full_scale` and normalised by `mean` and `deviation`, those of the training images unless given.
    pub(super) fn split(
        self,
        validation: usize,
        test: usize,
        full_scale: f64,
        normalisation: Option<(f64, f64)>,
    ) -> Images {
        let test_from = self.labels.len() - test;
        let validation_from = test_from - validation;
        let train = &self.pixels[..validation_from * self.input.len()];
        let (mean, deviation) = normalisation.unwrap_or_else(|| moments(train, full_scale));
        Images {
            input: self.input,
            pixels: self.pixels,
            labels: self.labels,
            validation_from,
            test_from,
            scale: 1.0 / (full_scale * deviation),
            shift: -mean / deviation,
        }
    }
}

fn moments(pixels: &[u8], full_scale: f64) -> (f64, f64) {
    let n = pixels.len() as f64;
    let mean = pixels.iter().map(|&p| f64::from(p) / full_scale).sum::<f64>() / n;
    let variance = pixels.iter().map(|&p| (f64::from(p) / full_scale - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

impl Images {
    /// SHA-256 of pixels and labels in order, in hexadecimal.
    pub fn digest(&self) -> String {
        let digest = Sha256::new().chain_update(&self.pixels).chain_update(&self.labels).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn normalised<T: Float>(&self, positions: &[usize]) -> Vec<T> {
        let inputs = self.input.len();
        let (scale, shift) = (T::of(self.scale), T::of(self.shift));
        let mut out = Vec::with_capacity(positions.len() * inputs);
        vectorized(
            #[inline(always)]
            || {
                for &i in positions {
                    let image = &self.pixels[i * inputs..(i + 1) * inputs];
                    out.extend(image.iter().map(
                        #[inline(always)]
                        |&byte| T::of(f64::from(byte)) * scale + shift,
                    ));
                }
            },
        );
        out
    }
}

impl Examples for Images {
    fn input(&self) -> Input {
        self.input
    }

    fn split(&self, split: Split) -> Range<usize> {
        match split {
            Split::Train => 0..self.validation_from,
            Split::Validation => self.validation_from..self.test_from,
            Split::Test => self.test_from..self.labels.len(),
        }
    }

    /// Images `[n, channels, height, width]` and labels `[n]`.
    fn batch(&self, positions: &[usize], dtype: DType, device: &Device) -> Result<(Tensor, Tensor)> {
        let Input::Image { shape: [channels, height, width], .. } = self.input else {
            return Err(Error::Usage("images are no tokens".into()));
        };
        let shape = (positions.len(), channels, height, width);
        let images = match dtype {
            DType::F64 => Tensor::from_vec(self.normalised::<f64>(positions), shape, device)?,
            _ => Tensor::from_vec(self.normalised::<f32>(positions), shape, device)?,
        };
        let labels: Vec<u32> = positions.iter().map(|&i| u32::from(self.labels[i])).collect();
        Ok((images, Tensor::from_vec(labels, positions.len(), device)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> Raw {
        Raw {
            name: "test",
            input: Input::Image { shape: [1, 1, 2], classes: 3 },
            pixels: (0..20).collect(),
            labels: (0..10).map(|i| i % 3).collect(),
        }
    }

    #[test]
    fn splits_partition_and_the_training_images_are_normalised() {
        let images = raw().shuffled().split(2, 3, 255.0, None);
        assert_eq!([Split::Train, Split::Validation, Split::Test].map(|s| images.split(s)), [0..5, 5..7, 7..10]);
        let (train, _) = images.batch(&[0, 1, 2, 3, 4], DType::F64, &Device::Cpu).unwrap();
        let x = train.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let mean = x.iter().sum::<f64>() / 10.0;
        let variance = x.iter().map(|x| x * x).sum::<f64>() / 10.0;
        assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_image_keeps_its_label_through_the_shuffle() {
        let shuffled = raw().shuffled();
        for (pair, label) in shuffled.pixels.chunks(2).zip(&shuffled.labels) {
            assert_eq!(pair[0] / 2 % 3, *label);
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let short = Raw { labels: vec![0; 9], ..raw() };
        assert!(short.check().unwrap_err().to_string().contains("10 images, but 9 labels"));
        let wild = Raw { labels: vec![7; 10], ..raw() };
        assert!(wild.check().unwrap_err().to_string().contains("label 7 of image 0; expected 0 to 2"));
    }
}
