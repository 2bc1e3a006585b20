//! The idx format of MNIST and its successors: a magic number, the sizes, then bytes.

use std::path::Path;

use crate::error::{Error, Result};
use crate::task::data::locate::read_file;

/// An array of bytes and its sizes.
#[derive(Debug, PartialEq)]
pub(super) struct Idx {
    pub(super) sizes: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

/// Reads an idx file of unsigned bytes with this many dimensions, gzipped or not.
pub(super) fn read(dataset: &str, path: &Path, dimensions: usize) -> Result<Idx> {
    // Twice the size of the largest known file of this kind.
    const LIMIT: u64 = 100 << 20;
    let bytes = read_file(dataset, path, LIMIT)?;
    parse(&bytes, dimensions).map_err(|problem| Error::data(dataset, format!("{}: {problem}", path.display())))
}

fn parse(bytes: &[u8], dimensions: usize) -> Result<Idx, String> {
    let word = |at: usize| -> Option<u32> {
        bytes.get(4 * at..4 * at + 4).and_then(|word| word.try_into().ok()).map(u32::from_be_bytes)
    };
    let expected = 0x0800 | dimensions as u32;
    let magic = word(0).ok_or("the file is shorter than its header")?;
    if magic != expected {
        return Err(format!(
            "magic number {magic:#010x}; expected {expected:#010x}, idx bytes in {dimensions} dimensions"
        ));
    }
    let sizes: Option<Vec<usize>> = (1..=dimensions).map(|i| word(i).map(|size| size as usize)).collect();
    let sizes = sizes.ok_or("the file ends within its header")?;
    let data = &bytes[4 * (dimensions + 1)..];
    let promised = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    if promised != Some(data.len()) {
        return Err(format!("the header promises {sizes:?} bytes, but {} follow; is the file complete?", data.len()));
    }
    Ok(Idx { sizes, bytes: data.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn file(magic: u32, sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let header = std::iter::once(magic).chain(sizes.iter().copied());
        header.flat_map(u32::to_be_bytes).chain(data.iter().copied()).collect()
    }

    #[test]
    fn sizes_and_bytes_are_read() {
        let idx = parse(&file(0x803, &[2, 1, 2], &[1, 2, 3, 4]), 3).unwrap();
        assert_eq!((idx.sizes, idx.bytes), (vec![2, 1, 2], vec![1, 2, 3, 4]));
    }

    #[test]
    fn lies_are_found_out() {
        for (bytes, word) in [
            (file(0x801, &[2], &[1, 2]), "magic"),
            (file(0x803, &[2, 1, 2], &[1, 2, 3]), "promises"),
            (file(0x803, &[u32::MAX; 3], &[]), "promises"),
            (file(0x803, &[2], &[]), "header"),
            (vec![0, 0], "shorter"),
        ] {
            let problem = parse(&bytes, 3).unwrap_err();
            assert!(problem.contains(word), "{problem}");
        }
    }
}
