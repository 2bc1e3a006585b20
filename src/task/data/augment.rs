//! Random variants of training images: another one every time an image is drawn.

use crate::choice::Choice;
use crate::registry::{Accepts, Key};
use crate::rng::Stream;
use crate::settings::Settings;

crate::choice! {
    /// A way in which an image may be varied.
    enum Variation { Flip = "flip", Crop = "crop" }
}

/// The key of datasets whose training images may be varied.
pub(super) const KEY: Key = Key::optional(
    "augment",
    Accepts::Choices(Variation::WORDS),
    "varies training images: \"flip\" mirrors half of them, \"crop\" shifts them by up to an eighth of their height",
);

/// Which variants are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Augment {
    flip: bool,
    crop: bool,
}

impl Augment {
    /// The variants that a dataset's keys ask for.
    pub(super) fn of(settings: &Settings) -> Self {
        let asked: Vec<Variation> = settings.choices(KEY.name);
        Self { flip: asked.contains(&Variation::Flip), crop: asked.contains(&Variation::Crop) }
    }

    /// Whether images stay as they are.
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }

    /// Appends a variant of an image to `out`: mirrored or not, then cut from a black frame around it.
    pub(super) fn draw(self, image: &[u8], [_, height, width]: [usize; 3], stream: &mut Stream, out: &mut Vec<u8>) {
        let flip = self.flip && stream.below(2) == 1;
        let (mut down, mut right) = (0, 0);
        let padding = padding(height.min(width));
        if self.crop && padding > 0 {
            let mut shift = || stream.below(2 * padding + 1) as isize - padding as isize;
            (down, right) = (shift(), shift());
        }
        let within = |at: isize, size: usize| usize::try_from(at).ok().filter(|&at| at < size);
        for plane in image.chunks_exact(height * width) {
            for y in 0..height {
                let row = within(y as isize + down, height).map(|y| &plane[y * width..(y + 1) * width]);
                for x in 0..width {
                    let x = within(x as isize + right, width).map(|x| if flip { width - 1 - x } else { x });
                    out.push(row.zip(x).map_or(0, |(row, x)| row[x]));
                }
            }
        }
    }
}

/// The width of the frame: 4 pixels around 32 by 32 ones, 2 around 28 by 28 ones, as is usual.
fn padding(size: usize) -> usize {
    if size >= 32 { size / 8 } else { size / 14 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [1, 28, 28];

    fn image() -> Vec<u8> {
        (0..28 * 28).map(|i| 1 + (i % 251) as u8).collect()
    }

    fn variants(augment: Augment, n: usize) -> Vec<Vec<u8>> {
        let mut stream = Stream::new(0, "test");
        let draw = |_| {
            let mut out = Vec::new();
            augment.draw(&image(), SHAPE, &mut stream, &mut out);
            out
        };
        (0..n).map(draw).collect()
    }

    #[test]
    fn a_flip_mirrors_half_of_the_images() {
        let mirrored: Vec<u8> = image().chunks(28).flat_map(|row| row.iter().rev().copied()).collect();
        let variants = variants(Augment { flip: true, crop: false }, 400);
        let flipped = variants.iter().filter(|variant| **variant == mirrored).count();
        assert!(variants.iter().all(|variant| *variant == image() || *variant == mirrored));
        assert!((150..250).contains(&flipped), "{flipped}");
    }

    #[test]
    fn a_crop_shifts_and_fills_with_black() {
        let mut shifts = std::collections::BTreeSet::new();
        for variant in variants(Augment { flip: false, crop: true }, 400) {
            // The pixel of the middle tells the shift; black rows and columns must agree with it.
            let at = image().iter().position(|&p| p == variant[14 * 28 + 14]).unwrap() as isize;
            let middle = (image()[14 * 28 + 14] - 1) as isize;
            let down = ((at - middle) as f64 / 28.0).round() as isize;
            let right = at - middle - 28 * down;
            let rows = variant.chunks(28).filter(|row| row.iter().all(|&p| p == 0)).count();
            let columns = (0..28).filter(|x| variant.iter().skip(*x).step_by(28).all(|&p| p == 0)).count();
            assert_eq!((rows, columns), (down.unsigned_abs(), right.unsigned_abs()));
            shifts.insert((at, rows, columns));
            assert_eq!(variant.len(), 28 * 28);
        }
        assert_eq!(shifts.len(), 25, "five shifts each way");
    }

    #[test]
    fn frames_are_the_usual_ones() {
        assert_eq!([8, 14, 28, 32, 64].map(padding), [0, 1, 2, 4, 8]);
    }
}
