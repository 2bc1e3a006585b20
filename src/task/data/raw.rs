//! Images as they come out of a file: checked, shuffled, split and normalised.

use std::path::Path;

use crate::error::{Error, Result};
use crate::rng::Stream;
use crate::task::data::augment::Augment;
use crate::task::data::images::Images;

/// What a dataset's files yield before it is split and normalised.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) name: &'static str,
    /// Channels, height and width.
    pub(super) shape: [usize; 3],
    pub(super) classes: usize,
    pub(super) pixels: Vec<u8>,
    pub(super) labels: Vec<u8>,
}

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

impl Raw {
    fn image_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Checks that the parts fit each other and that every label is a class.
    pub(super) fn check(self, place: &Path) -> Result<Self> {
        let place = place.display();
        let (images, labels) = (self.pixels.len() / self.image_len().max(1), self.labels.len());
        if images != labels {
            return Err(Error::data(self.name, format!("{place}: {images} images, but {labels} labels")));
        }
        match self.labels.iter().position(|&label| usize::from(label) >= self.classes) {
            Some(i) => Err(Error::data(
                self.name,
                format!("{place}: label {} of image {i}; expected 0 to {}", self.labels[i], self.classes - 1),
            )),
            None => Ok(self),
        }
    }

    /// The images in the order of a fixed shuffle, the same in every process and for every seed.
    pub(super) fn shuffled(self) -> Self {
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        Stream::new(0, &format!("split {}", self.name)).shuffle(&mut order);
        let inputs = self.image_len();
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for &i in &order {
            pixels.extend_from_slice(&self.pixels[i * inputs..(i + 1) * inputs]);
        }
        let labels = order.iter().map(|&i| self.labels[i]).collect();
        Self { pixels, labels, ..self }
    }

    /// Appends the images of another part.
    pub(super) fn followed_by(mut self, other: &Self) -> Self {
        self.pixels.extend_from_slice(&other.pixels);
        self.labels.extend_from_slice(&other.labels);
        self
    }

    /// Splits in order into training, `validation` and `test` images.
    pub(super) fn split(self, validation: usize, test: usize, scaling: Scaling, augment: Augment) -> Images {
        let test_from = self.labels.len() - test;
        let validation_from = test_from - validation;
        let train = &self.pixels[..validation_from * self.image_len()];
        let moments = match scaling.moments {
            Some(moments) => moments.to_vec(),
            None => moments(train, self.shape, scaling.full_scale),
        };
        // (byte / full scale - mean) / deviation, as one multiplication and one addition.
        let scaling =
            moments.iter().map(|(mean, deviation)| (1.0 / (scaling.full_scale * deviation), -mean / deviation));
        Images {
            shape: self.shape,
            classes: self.classes,
            scaling: scaling.collect(),
            pixels: self.pixels,
            labels: self.labels,
            validation_from,
            test_from,
            augment,
        }
    }
}

/// Mean and deviation of every channel. Where a channel is the same everywhere, its deviation counts as 1.
fn moments(pixels: &[u8], [channels, height, width]: [usize; 3], full_scale: f64) -> Vec<(f64, f64)> {
    let area = height * width;
    let channel = |c: usize| pixels.chunks_exact(area).skip(c).step_by(channels).flatten();
    let of = |c: usize| {
        let n = (pixels.len() / channels) as f64;
        let mean = channel(c).map(|&p| f64::from(p) / full_scale).sum::<f64>() / n;
        let variance = channel(c).map(|&p| (f64::from(p) / full_scale - mean).powi(2)).sum::<f64>() / n;
        (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
    };
    (0..channels).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> Raw {
        let labels = (0..10).map(|i| i % 3).collect();
        Raw { name: "test", shape: [1, 1, 2], classes: 3, pixels: (0..20).collect(), labels }
    }

    #[test]
    fn an_image_keeps_its_label_through_the_shuffle() {
        let shuffled = raw().shuffled();
        assert_ne!(shuffled.pixels, raw().pixels);
        for (pair, label) in shuffled.pixels.chunks(2).zip(&shuffled.labels) {
            assert_eq!(pair[0] / 2 % 3, *label);
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let problem = |raw: Raw| raw.check(Path::new("labels.idx")).unwrap_err().to_string();
        let short = problem(Raw { labels: vec![0; 9], ..raw() });
        assert!(short.contains("labels.idx: 10 images, but 9 labels"), "{short}");
        let wild = problem(Raw { labels: vec![7; 10], ..raw() });
        assert!(wild.contains("labels.idx: label 7 of image 0; expected 0 to 2"), "{wild}");
    }

    #[test]
    fn every_channel_has_its_own_moments() {
        let pixels = [0, 2, 9, 9, 2, 0, 9, 9];
        assert_eq!(moments(&pixels, [2, 1, 2], 1.0), [(1.0, 1.0), (9.0, 1.0)]);
    }
}
