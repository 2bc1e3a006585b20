//! The images of some files in the order in which they are used, each where it was read: no image is copied.

use sha2::{Digest, Sha256};

use crate::checksum::hexadecimal;
use crate::rng::Stream;
use crate::task::data::raw::Raw;

/// Images of equal shape in an order.
#[derive(Debug, Default)]
pub(super) struct Arrangement {
    files: Vec<Raw>,
    places: Vec<Place>,
}

/// Where an image lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    file: u32,
    image: u32,
}

impl Arrangement {
    /// The images of some files in the order of a fixed shuffle, the same in every process and for every seed.
    pub(super) fn shuffled(files: Vec<Raw>) -> Self {
        let stream = files.first().map(|file| Stream::new(0, &format!("split {}", file.name)));
        let mut arrangement = files.into_iter().fold(Self::default(), Self::followed_by);
        if let Some(mut stream) = stream {
            stream.shuffle(&mut arrangement.places);
        }
        arrangement
    }

    /// Appends the images of another file.
    pub(super) fn followed_by(mut self, file: Raw) -> Self {
        let number = self.files.len() as u32;
        self.places.extend((0..file.labels.len() as u32).map(|image| Place { file: number, image }));
        self.files.push(file);
        self
    }

    /// Channels, height and width of every image, and how many classes there are.
    pub(super) fn shape(&self) -> ([usize; 3], usize) {
        self.files.first().map_or(([0; 3], 0), |file| (file.shape, file.classes))
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn image(&self, position: usize) -> &[u8] {
        let (file, image) = self.at(position);
        let len = file.image_len();
        &file.pixels[image * len..(image + 1) * len]
    }

    pub(super) fn label(&self, position: usize) -> u8 {
        let (file, image) = self.at(position);
        file.labels[image]
    }

    fn at(&self, position: usize) -> (&Raw, usize) {
        let Place { file, image } = self.places[position];
        (&self.files[file as usize], image as usize)
    }

    /// SHA-256 of images and labels in order, in hexadecimal.
    pub(super) fn digest(&self) -> String {
        let images = (0..self.len()).fold(Sha256::new(), |hash, i| hash.chain_update(self.image(i)));
        let labels: Vec<u8> = (0..self.len()).map(|i| self.label(i)).collect();
        hexadecimal(&images.chain_update(labels).finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(first: u8) -> Raw {
        let labels = (0..10).map(|i| i % 3).collect();
        Raw { name: "test", shape: [1, 1, 2], classes: 3, pixels: (first..first + 20).collect(), labels }
    }

    #[test]
    fn an_image_keeps_its_label_through_the_shuffle() {
        let shuffled = Arrangement::shuffled(vec![file(0), file(20)]).followed_by(file(40));
        let firsts: Vec<u8> = (0..30).map(|i| shuffled.image(i)[0]).collect();
        let sorted: Vec<u8> = (0..60).step_by(2).collect();
        assert_ne!(firsts[..20], sorted[..20]);
        assert_eq!(firsts[20..], sorted[20..]);
        assert_eq!(
            {
                let mut all = firsts.clone();
                all.sort_unstable();
                all
            },
            sorted
        );
        for (i, first) in firsts.iter().enumerate() {
            assert_eq!(first / 2 % 10 % 3, shuffled.label(i));
        }
    }
}
