//! Images as they come out of a file, checked.

use std::path::Path;

use crate::error::{Error, Result};

/// What a file of a dataset, or a pair of files, yields: labelled images, one after the other.
#[derive(Debug)]
pub struct Raw {
    /// The name of the dataset, for messages and as the seed of its shuffle.
    pub name: &'static str,
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// How many different labels there may be, 0 among them; at least 1.
    pub classes: usize,
    /// Channel by channel and row by row of each image.
    pub pixels: Vec<u8>,
    /// One for each image.
    pub labels: Vec<u8>,
}

impl Raw {
    /// Bytes of an image.
    pub(super) fn image_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Checks that the parts fit each other and that every label is a class.
    pub(super) fn check(self, place: &Path) -> Result<Self> {
        let place = place.display();
        if self.classes == 0 {
            return Err(Error::data(self.name, format!("{place}: 0 classes; expected at least 1")));
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> Raw {
        let labels = (0..10).map(|i| i % 3).collect();
        Raw { name: "test", shape: [1, 1, 2], classes: 3, pixels: (0..20).collect(), labels }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let problem = |raw: Raw| raw.check(Path::new("labels.idx")).unwrap_err().to_string();
        let short = problem(Raw { labels: vec![0; 9], ..raw() });
        assert!(short.contains("labels.idx: 10 images, but 9 labels"), "{short}");
        let wild = problem(Raw { labels: vec![7; 10], ..raw() });
        assert!(wild.contains("labels.idx: label 7 of image 0; expected 0 to 2"), "{wild}");
        let none = problem(Raw { classes: 0, ..raw() });
        assert!(none.contains("labels.idx: 0 classes; expected at least 1"), "{none}");
    }
}
