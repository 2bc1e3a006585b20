//! Matrices turned over their diagonal.

use crate::nn::float::Float;

/// Rows and columns that are turned at a time, in registers.
const TILE: usize = 4;

/// A matrix of `rows` rows, stored row after row, turned over its diagonal.
///
/// # Panics
/// When the elements do not fill whole rows.
pub(super) fn transposed<T: Float>(matrix: &[T], rows: usize) -> Vec<T> {
    transposed_with(
        matrix,
        rows,
        #[inline(always)]
        |x, _| x,
    )
}

/// A matrix turned over its diagonal, each element replaced by what `map` makes of it and of the
/// number of its row.
///
/// # Panics
/// When the elements do not fill whole rows.
#[inline]
pub(super) fn transposed_with<T: Float>(matrix: &[T], rows: usize, map: impl Fn(T, usize) -> T) -> Vec<T> {
    let cols = matrix.len() / rows.max(1);
    assert_eq!(matrix.len(), rows * cols, "a matrix of {rows} rows");
    let mut out = vec![T::of(0.0); matrix.len()];
    let (whole_rows, whole_cols) = (rows - rows % TILE, cols - cols % TILE);
    for row in (0..whole_rows).step_by(TILE) {
        for col in (0..whole_cols).step_by(TILE) {
            let mut tile = [[T::of(0.0); TILE]; TILE];
            for (i, line) in tile.iter_mut().enumerate() {
                line.copy_from_slice(&matrix[(row + i) * cols + col..][..TILE]);
            }
            for j in 0..TILE {
                let line = &mut out[(col + j) * rows + row..][..TILE];
                for i in 0..TILE {
                    line[i] = map(tile[i][j], row + i);
                }
            }
        }
    }
    let mut one = |row: usize, col: usize| out[col * rows + row] = map(matrix[row * cols + col], row);
    for row in 0..whole_rows {
        (whole_cols..cols).for_each(|col| one(row, col));
    }
    for row in whole_rows..rows {
        (0..cols).for_each(|col| one(row, col));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_finds_its_place() {
        for (rows, cols) in [(1, 1), (3, 9), (4, 4), (8, 5), (13, 12), (0, 0)] {
            let matrix: Vec<f64> = (0..rows * cols).map(|i| i as f64).collect();
            let turned = transposed_with(&matrix, rows, |x, row| x + 0.5 * row as f64);
            for (i, x) in turned.iter().enumerate() {
                let (col, row) = (i / rows, i % rows);
                assert_eq!(*x, (row * cols + col) as f64 + 0.5 * row as f64, "{rows} by {cols}");
            }
        }
    }
}
