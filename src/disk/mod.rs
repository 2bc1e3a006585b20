//! Files that other processes and users share: what the standard library leaves open.

use std::fs;
use std::io::{Result, Write};
use std::path::Path;

use tempfile::NamedTempFile;

#[cfg(any(not(unix), test))]
mod elsewhere;
mod lock;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use elsewhere as here;
#[cfg(unix)]
use unix as here;

pub(crate) use here::{is_at, sync_folder};
pub use lock::Lock;

/// What the names of temporary files and folders begin with, so that those of killed processes are known as ours.
pub const TEMPORARY: &str = ".optbench-";

/// A new file that others may read as any file of this user: a temporary one is private unless told otherwise.
///
/// # Errors
/// When it cannot be made.
pub fn temporary(folder: &Path) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    here::readable(builder.prefix(TEMPORARY)).tempfile_in(folder)
}

/// Writes a file: the old one stays until the new one is whole and on the disk.
///
/// # Errors
/// When it cannot be written.
pub fn replace(path: &Path, contents: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    let mut new = temporary(folder)?;
    new.write_all(contents)?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    sync_folder(folder)
}

/// Removes the temporary files and folders in a folder; those that cannot be removed do no harm.
pub fn remove_temporary(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}
