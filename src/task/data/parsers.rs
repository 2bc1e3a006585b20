//! The parsers of data files without their files, for the fuzzer: a way to hand them any bytes.

use std::path::Path;

use crate::error::{Error, Result};
use crate::task::data::{Dataset, Text, cifar10};

/// Reads bytes as a text.
///
/// # Errors
/// When they are none.
pub fn text(bytes: &[u8]) -> Result<Dataset> {
    Text::decode("text", "text.txt", bytes.to_vec()).map(Dataset::Text)
}

/// Reads bytes as records of CIFAR-10; how many there are.
///
/// # Errors
/// When they are none.
pub fn cifar10(bytes: &[u8]) -> Result<usize> {
    let raw = cifar10::parse(bytes).map_err(|problem| Error::data("cifar10", problem))?;
    Ok(raw.check(Path::new("batch.bin"))?.labels.len())
}
