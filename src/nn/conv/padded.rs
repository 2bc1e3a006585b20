//! One image with a border of zeros, so that every 3x3 neighbourhood is three contiguous runs.

use crate::nn::float::Float;

/// The sizes of an image `[height, width, channels]` that a 3x3 kernel and a 2x2 pool pass over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
}

impl Frame {
    /// Numbers in one image.
    pub(super) fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Numbers in one padded row.
    pub(super) fn row(self) -> usize {
        (self.width + 2) * self.channels
    }

    /// Numbers in a contiguous run of a neighbourhood.
    pub(super) fn run(self) -> usize {
        3 * self.channels
    }

    /// Numbers in a neighbourhood.
    pub(super) fn patch(self) -> usize {
        3 * self.run()
    }

    /// An image of zeros with its border.
    pub(super) fn empty<T: Float>(self) -> Vec<T> {
        vec![T::of(0.0); (self.height + 2) * self.row()]
    }

    /// Copies an image inside the border.
    pub(super) fn fill<T: Float>(self, padded: &mut [T], image: &[T]) {
        let width = self.width * self.channels;
        let rows = padded[self.row()..].chunks_mut(self.row());
        for (row, image) in rows.zip(image.chunks_exact(width)) {
            row[self.channels..self.channels + width].copy_from_slice(image);
        }
    }

    /// Appends what lies inside the border.
    pub(super) fn append_inside<T: Float>(self, padded: &[T], image: &mut Vec<T>) {
        let width = self.width * self.channels;
        for row in padded[self.row()..].chunks(self.row()).take(self.height) {
            image.extend_from_slice(&row[self.channels..self.channels + width]);
        }
    }

    /// Height and width after 2x2 pooling; what is left over of an odd size is not seen.
    pub(super) fn pooled(self) -> (usize, usize) {
        (self.height / 2, self.width / 2)
    }

    /// Cells of the pool.
    pub(super) fn cells(self) -> usize {
        (self.height / 2) * (self.width / 2)
    }

    /// Where the neighbourhoods of the four pixels of a pool's cell start in the padded image.
    #[inline(always)]
    pub(super) fn cell(self, cell: usize) -> [usize; 4] {
        let width = self.width / 2;
        let corner = (cell / width) * 2 * self.row() + (cell % width) * 2 * self.channels;
        let below = corner + self.row();
        [corner, corner + self.channels, below, below + self.channels]
    }
}
