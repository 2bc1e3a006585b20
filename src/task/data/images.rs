//! Labelled images in memory, and batches of them.

use std::ops::Range;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::nn::float::Float;
use crate::nn::simd::vectorized;
use crate::rng::Stream;
use crate::task::Split;
use crate::task::data::arrangement::Arrangement;
use crate::task::data::augment::Augment;
use crate::task::data::raw::Raw;
use crate::task::data::{Draw, Examples, Input};

/// How bytes become the numbers that a network sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scaling {
    /// The byte that becomes 1.
    pub(super) full_scale: f64,
    /// Mean and deviation of every channel after that; those of the training images where absent.
    pub(super) moments: Option<&'static [(f64, f64)]>,
}

impl Scaling {
    /// Bytes from 0 to 255, with these means and deviations.
    pub(super) const fn bytes(moments: &'static [(f64, f64)]) -> Self {
        Self { full_scale: 255.0, moments: Some(moments) }
    }
}

/// Labelled images: bytes as they came, scaled and normalised when a batch is cut.
#[derive(Debug)]
pub struct Images {
    /// Channels, height and width.
    pub(super) shape: [usize; 3],
    pub(super) classes: usize,
    /// Training, validation, test.
    pub(super) arrangement: Arrangement,
    /// Where validation and test start.
    pub(super) validation_from: usize,
    pub(super) test_from: usize,
    /// A byte becomes `scale * byte + shift`, with a pair for every channel.
    pub(super) scaling: Vec<(f64, f64)>,
    pub(super) augment: Augment,
}

impl Images {
    /// Checks images, puts them into the order of a fixed shuffle, the same in every process and for every seed, and
    /// splits that into training, `validation` and `test`. Pixels from 0 to `full_scale` are normalised by the mean and
    /// deviation of the training images' channels.
    ///
    /// # Errors
    /// When pixels and labels do not fit each other, or no image is left to train on.
    pub fn shuffled(raw: Raw, [validation, test]: [usize; 2], full_scale: f64) -> Result<Self> {
        let raw = raw.check(Path::new("in memory"))?;
        let (name, images) = (raw.name, raw.labels.len());
        if validation + test >= images {
            let problem = format!(
                "{images} images leave none to train on beside {validation} for validation and {test} for test"
            );
            return Err(Error::data(name, problem));
        }
        let scaling = Scaling { full_scale, moments: None };
        Ok(Self::split(Arrangement::shuffled(vec![raw]), [validation, test], scaling, Augment::default()))
    }

    /// Splits in order into training, `validation` and `test` images.
    pub(super) fn split(
        arrangement: Arrangement,
        [validation, test]: [usize; 2],
        scaling: Scaling,
        augment: Augment,
    ) -> Self {
        let test_from = arrangement.len() - test;
        let validation_from = test_from - validation;
        let (shape, classes) = arrangement.shape();
        let moments = match scaling.moments {
            Some(moments) => moments.to_vec(),
            None => moments(|| (0..validation_from).map(|i| arrangement.image(i)), shape, scaling.full_scale),
        };
        // (byte / full scale - mean) / deviation, as one multiplication and one addition.
        let scaling =
            moments.iter().map(|(mean, deviation)| (1.0 / (scaling.full_scale * deviation), -mean / deviation));
        let scaling = scaling.collect();
        Self { shape, classes, arrangement, validation_from, test_from, scaling, augment }
    }

    /// SHA-256 of pixels and labels in order, in hexadecimal.
    pub fn digest(&self) -> String {
        self.arrangement.digest()
    }

    fn normalised<'a, T: Float>(&self, images: impl Iterator<Item = &'a [u8]>, count: usize) -> Vec<T> {
        let [channels, height, width] = self.shape;
        let mut out = Vec::with_capacity(count * channels * height * width);
        vectorized(
            #[inline(always)]
            || {
                for image in images {
                    for (plane, (scale, shift)) in image.chunks_exact(height * width).zip(&self.scaling) {
                        let (scale, shift) = (T::of(*scale), T::of(*shift));
                        out.extend(plane.iter().map(
                            #[inline(always)]
                            |&byte| T::of(f64::from(byte)) * scale + shift,
                        ));
                    }
                }
            },
        );
        out
    }

    fn tensors<'a>(
        &self,
        images: impl Iterator<Item = &'a [u8]>,
        positions: &[usize],
        dtype: DType,
        device: &Device,
    ) -> Result<(Tensor, Tensor)> {
        let [channels, height, width] = self.shape;
        let n = positions.len();
        let shape = (n, channels, height, width);
        let images = match dtype {
            DType::F64 => Tensor::from_vec(self.normalised::<f64>(images, n), shape, device)?,
            _ => Tensor::from_vec(self.normalised::<f32>(images, n), shape, device)?,
        };
        let labels: Vec<u32> = positions.iter().map(|&i| u32::from(self.arrangement.label(i))).collect();
        Ok((images, Tensor::from_vec(labels, n, device)?))
    }
}

impl Examples for Images {
    fn input(&self) -> Input {
        Input::Image { shape: self.shape, classes: self.classes }
    }

    fn split(&self, split: Split) -> Range<usize> {
        match split {
            Split::Train => 0..self.validation_from,
            Split::Validation => self.validation_from..self.test_from,
            Split::Test => self.test_from..self.arrangement.len(),
        }
    }

    /// Images `[n, channels, height, width]` and labels `[n]`.
    fn batch(&self, positions: &[usize], dtype: DType, device: &Device) -> Result<(Tensor, Tensor)> {
        self.tensors(positions.iter().map(|&i| self.arrangement.image(i)), positions, dtype, device)
    }

    fn training_batch(
        &self,
        positions: &[usize],
        Draw { purpose, seed, step }: Draw,
        dtype: DType,
        device: &Device,
    ) -> Result<(Tensor, Tensor)> {
        if self.augment.is_none() {
            return self.batch(positions, dtype, device);
        }
        let len: usize = self.shape.iter().product();
        let mut stream = Stream::new(seed, &format!("{purpose} step {step}"));
        let mut variants = Vec::with_capacity(positions.len() * len);
        for &i in positions {
            self.augment.draw(self.arrangement.image(i), self.shape, &mut stream, &mut variants);
        }
        self.tensors(variants.chunks_exact(len), positions, dtype, device)
    }
}

/// Mean and deviation of every channel. Where a channel is the same everywhere, its deviation counts as 1.
fn moments<'a, I: Iterator<Item = &'a [u8]>>(
    images: impl Fn() -> I,
    [channels, height, width]: [usize; 3],
    full_scale: f64,
) -> Vec<(f64, f64)> {
    let area = height * width;
    let channel = |c: usize| images().flat_map(move |image| &image[c * area..(c + 1) * area]);
    let of = |c: usize| {
        let n = (images().count() * area) as f64;
        let mean = channel(c).map(|&p| f64::from(p) / full_scale).sum::<f64>() / n;
        let variance = channel(c).map(|&p| (f64::from(p) / full_scale - mean).powi(2)).sum::<f64>() / n;
        (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
    };
    (0..channels).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Described;
    use crate::settings::Value;
    use crate::task::data::DATASETS;

    const PLAIN: Scaling = Scaling { full_scale: 255.0, moments: None };

    fn images(augment: Augment) -> Images {
        let labels = (0..10).map(|i| i % 3).collect();
        let pixels = (0..10 * 2 * 14 * 14).map(|i| (i * i % 251) as u8).collect();
        let raw = Raw { name: "test", shape: [2, 14, 14], classes: 3, pixels, labels };
        Images::split(Arrangement::shuffled(vec![raw]), [2, 3], PLAIN, augment)
    }

    fn numbers(batch: Result<(Tensor, Tensor)>) -> Vec<f64> {
        batch.unwrap().0.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn splits_partition_and_the_training_images_are_normalised() {
        let images = images(Augment::default());
        assert_eq!([Split::Train, Split::Validation, Split::Test].map(|s| images.split(s)), [0..5, 5..7, 7..10]);
        let x = numbers(images.batch(&[0, 1, 2, 3, 4], DType::F64, &Device::Cpu));
        for channel in 0..2 {
            let x: Vec<f64> = x.chunks(14 * 14).skip(channel).step_by(2).flatten().copied().collect();
            let n = x.len() as f64;
            let mean = x.iter().sum::<f64>() / n;
            let variance = x.iter().map(|x| x * x).sum::<f64>() / n;
            assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn training_batches_alone_vary_and_only_with_their_stream() {
        let asked = Value::List(vec!["flip".into(), "crop".into()]);
        let varied = images(Augment::of(&DATASETS[0].defaults().with("augment", asked)));
        let positions = [3, 1, 4];
        let training = |images: &Images, step: u64| {
            let draw = Draw { purpose: "augment", seed: 0, step };
            numbers(images.training_batch(&positions, draw, DType::F64, &Device::Cpu))
        };
        let still = numbers(varied.batch(&positions, DType::F64, &Device::Cpu));
        assert_eq!(training(&varied, 1), training(&varied, 1));
        assert_ne!(training(&varied, 1), training(&varied, 2));
        assert_ne!(training(&varied, 1), still);
        let plain = images(Augment::default());
        assert_eq!(training(&plain, 1), numbers(plain.batch(&positions, DType::F64, &Device::Cpu)));
    }

    #[test]
    fn every_channel_has_its_own_moments() {
        let pixels = [0, 2, 9, 9, 2, 0, 9, 9];
        assert_eq!(moments(|| pixels.chunks(4), [2, 1, 2], 1.0), [(1.0, 1.0), (9.0, 1.0)]);
    }
}
