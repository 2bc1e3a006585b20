//! The idx format of MNIST and its successors: a magic number, the sizes, then bytes.

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::task::data::Dataset;
use crate::task::data::arrangement::Arrangement;
use crate::task::data::augment::Augment;
use crate::task::data::files::{Files, read_file, read_first};
use crate::task::data::images::{Images, Scaling};
use crate::task::data::locate::Locator;
use crate::task::data::raw::Raw;

/// An array of bytes and its sizes.
#[derive(Debug, PartialEq)]
pub(super) struct Idx {
    pub(super) sizes: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

/// What an idx file says of itself before its bytes.
struct Header {
    sizes: Vec<usize>,
    /// The bytes that it takes.
    length: usize,
}

/// The longest header that is read here: a magic number and four sizes.
const LONGEST: u64 = 20;

impl Header {
    fn read(bytes: &[u8], dimensions: &[usize]) -> Result<Self, String> {
        let word = |at: usize| -> Option<u32> {
            bytes.get(4 * at..4 * at + 4).and_then(|word| word.try_into().ok()).map(u32::from_be_bytes)
        };
        let magic = word(0).ok_or("the file is shorter than its header")?;
        let Some(&found) = dimensions.iter().find(|&&n| magic == 0x0800 | n as u32) else {
            let expected: Vec<String> = dimensions.iter().map(|n| format!("{:#010x}", 0x0800 | *n as u32)).collect();
            return Err(format!(
                "magic number {magic:#010x}; expected {}, idx bytes in {} dimensions",
                expected.join(" or "),
                dimensions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
            ));
        };
        let sizes: Option<Vec<usize>> = (1..=found).map(|i| word(i).map(|size| size as usize)).collect();
        Ok(Self { sizes: sizes.ok_or("the file ends within its header")?, length: 4 * (found + 1) })
    }

    /// The bytes that follow it; `None` where they are more than can be counted.
    fn promised(&self) -> Option<usize> {
        self.sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size))
    }
}

/// Reads an idx file of unsigned bytes with one of these numbers of dimensions.
///
/// # Errors
/// In words, when the file is anything else, or its header promises more or less than it holds.
pub(super) fn parse(mut bytes: Vec<u8>, dimensions: &[usize]) -> Result<Idx, String> {
    let header = Header::read(&bytes, dimensions)?;
    let held = bytes.len() - header.length;
    if header.promised() != Some(held) {
        let sizes = header.sizes;
        return Err(format!("the header promises {sizes:?} bytes, but {held} follow; is the file complete?"));
    }
    bytes.drain(..header.length);
    Ok(Idx { sizes: header.sizes, bytes })
}

/// Reads such a file of a user's, and no more of it than its header promises: a few kilobytes may unpack to
/// more than any memory.
///
/// # Errors
/// In words that name the file: as [`parse`], and when it cannot be read, or holds more than `limit`.
pub(super) fn read(path: &Path, dimensions: &[usize], limit: u64) -> Result<Idx, String> {
    let here = |problem| format!("{}: {problem}", path.display());
    let header = Header::read(&read_first(Vec::new(), path, LONGEST)?, dimensions).map_err(here)?;
    let promised = header.promised().and_then(|bytes| u64::try_from(bytes.checked_add(header.length)?).ok());
    // What cannot be counted is refused as more than the limit.
    let bytes = read_file(path, promised.unwrap_or(limit).min(limit))?;
    parse(bytes, dimensions).map_err(here)
}

/// One part of a dataset with known files: grey images and their labels.
fn known_part(name: &'static str, files: &Files, part: usize, locator: &Locator) -> Result<Raw> {
    let read = |file: usize, dimensions: usize| {
        let (path, bytes) = locator.read(name, files, &files.files[file])?;
        let idx = parse(bytes, &[dimensions]).map_err(|problem| damaged(name, &path, &problem))?;
        Ok::<_, Error>((path, idx))
    };
    let (_, images) = read(2 * part, 3)?;
    let (path, labels) = read(2 * part + 1, 1)?;
    let shape = [1, images.sizes[1], images.sizes[2]];
    Raw { name, shape, classes: 10, pixels: images.bytes, labels: labels.bytes }.check(&path)
}

/// A file that is not what it should be.
pub(super) fn damaged(dataset: &str, path: &Path, problem: &str) -> Error {
    Error::data(dataset, format!("{}: {problem}", path.display()))
}

/// A dataset that is published as MNIST is: the training part, shuffled and cut for validation, then
/// the test part as it is.
pub(super) fn known(
    name: &'static str,
    files: &Files,
    validation: usize,
    scaling: Scaling,
    settings: &Settings,
    locator: &Locator,
) -> Result<Dataset> {
    let test = known_part(name, files, 1, locator)?;
    let test_images = test.labels.len();
    let train = Arrangement::shuffled(vec![known_part(name, files, 0, locator)?]);
    let images = Images::split(train.followed_by(test), [validation, test_images], scaling, Augment::of(settings));
    Ok(Dataset::Images(Arc::new(images)))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::parse;

    pub(crate) fn file(magic: u32, sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let header = std::iter::once(magic).chain(sizes.iter().copied());
        header.flat_map(u32::to_be_bytes).chain(data.iter().copied()).collect()
    }

    #[test]
    fn sizes_and_bytes_are_read() {
        let idx = parse(file(0x803, &[2, 1, 2], &[1, 2, 3, 4]), &[3]).unwrap();
        assert_eq!((idx.sizes, idx.bytes), (vec![2, 1, 2], vec![1, 2, 3, 4]));
        assert!(parse(file(0x804, &[1, 1, 1, 2], &[1, 2]), &[3, 4]).is_ok());
    }

    #[test]
    fn lies_are_found_out() {
        for (bytes, word) in [
            (file(0x801, &[2], &[1, 2]), "magic number 0x00000801; expected 0x00000803"),
            (file(0x803, &[2, 1, 2], &[1, 2, 3]), "promises"),
            (file(0x803, &[2, 1, 2], &[1, 2, 3, 4, 5]), "promises"),
            (file(0x803, &[u32::MAX; 3], &[]), "promises"),
            (file(0x803, &[2], &[]), "header"),
            (vec![0, 0], "shorter"),
        ] {
            let problem = parse(bytes, &[3]).unwrap_err();
            assert!(problem.contains(word), "{problem}");
        }
    }

    proptest! {
        #[test]
        fn whatever_bytes_come_they_are_read_whole_or_refused(
            magic in prop_oneof![Just(0x0801u32), Just(0x0803), any::<u32>()],
            sizes in prop::collection::vec(prop_oneof![0u32..5, any::<u32>()], 0..4),
            data in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            if let Ok(idx) = parse(file(magic, &sizes, &data), &[1, 3]) {
                prop_assert_eq!(idx.sizes.iter().product::<usize>(), idx.bytes.len());
            }
        }
    }
}
