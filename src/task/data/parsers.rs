//! The parsers of data files without their files, for the fuzzer: a way to hand them any bytes.

use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::task::data::{Dataset, Text, cifar10, tar};

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

/// Reads bytes as a tar archive, unpacked already; how many bytes its files hold.
///
/// # Errors
/// When they are none.
pub fn tar(bytes: &[u8]) -> std::io::Result<u64> {
    let mut held = 0;
    tar::read(bytes, |_, contents| {
        // As much as the largest file of a dataset that comes as an archive.
        held += std::io::copy(&mut contents.take(1 << 25), &mut std::io::sink())?;
        Ok(())
    })?;
    Ok(held)
}
