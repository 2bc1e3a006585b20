//! Linux, macOS and their kin.

use std::fs::{self, File, Permissions};
use std::io::Result;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use tempfile::Builder;

/// Whether a lock file is removed by the last one that had it: [`is_at`] tells the others that it is gone.
pub(super) const REMOVES_LOCKS: bool = true;

/// Lets others read the file that is built, as far as the user's mask allows it.
pub(super) fn readable<'a, 'b, 'c>(builder: &'a mut Builder<'b, 'c>) -> &'a mut Builder<'b, 'c> {
    builder.permissions(Permissions::from_mode(0o666))
}

/// Whether an open file is the one that stands at a path now: a lock on any other guards nothing.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let number = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().map(number).ok() == fs::metadata(path).map(number).ok()
}

/// Makes the names in a folder durable.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::temporary;
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
        let root = tempfile::tempdir().unwrap();
        let mode = |file: &File| file.metadata().unwrap().permissions().mode();
        let plain = File::create(root.path().join("plain")).unwrap();
        assert_eq!(mode(temporary(root.path()).unwrap().as_file()), mode(&plain));
    }
}
