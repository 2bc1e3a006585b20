//! Files that other processes and users share: what the standard library leaves open.

use std::fs::{self, File};
use std::io::Result;
use std::path::Path;

use tempfile::NamedTempFile;

/// What the names of temporary files and folders begin with, so that those of killed processes are known as ours.
pub const TEMPORARY: &str = ".optbench-";

/// A new file that others may read as any file of this user: a temporary one is private unless told otherwise.
///
/// # Errors
/// When it cannot be made.
pub fn temporary(folder: &Path) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
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

/// Whether an open file is the one that stands at a path now: a lock on any other guards nothing.
#[cfg(unix)]
pub fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let number = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().map(number).ok() == fs::metadata(path).map(number).ok()
}

/// Whether an open file is the one that stands at a path now: no other system removes a file that is open.
#[cfg(not(unix))]
pub fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Makes the names in a folder durable.
///
/// # Errors
/// When the disk refuses.
pub fn sync_folder(path: &Path) -> Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_removed_guards_nothing() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("lock");
        let old = File::create(&path).unwrap();
        assert!(is_at(&old, &path));
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&old, &path), "gone");
        let new = File::create(&path).unwrap();
        assert!(is_at(&new, &path) && !is_at(&old, &path), "another one stands there");
    }

    #[test]
    fn a_new_file_is_as_readable_as_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let mode = |file: &File| file.metadata().unwrap().permissions().mode();
        let plain = File::create(root.path().join("plain")).unwrap();
        assert_eq!(mode(temporary(root.path()).unwrap().as_file()), mode(&plain));
    }
}
