//! Windows: files without modes and without numbers that stable Rust can ask for, folders that need no synchronising.

use std::fs::File;
use std::io::Result;
use std::path::Path;

use tempfile::Builder;

/// Nobody could tell that a lock file was removed and another stands in its place: it stays.
pub(super) const REMOVES_LOCKS: bool = false;

/// A temporary file has the permissions of its folder.
pub(super) fn readable<'a, 'b, 'c>(builder: &'a mut Builder<'b, 'c>) -> &'a mut Builder<'b, 'c> {
    builder
}

/// Whether an open file is the one that stands at a path now: lock files are never removed here, so it is.
pub(crate) fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Makes the names in a folder durable; they are with the files.
///
/// # Errors
/// None.
#[expect(clippy::unnecessary_wraps, reason = "where there is something to do, it can fail")]
pub(crate) fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_made_and_locks_stay() {
        let root = tempfile::tempdir().unwrap();
        let made = readable(Builder::new().prefix("x")).tempfile_in(root.path()).unwrap();
        assert!(is_at(made.as_file(), made.path()) && !REMOVES_LOCKS);
        sync_folder(root.path()).unwrap();
    }
}
