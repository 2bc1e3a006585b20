//! Who is at work in a results folder: one process that decides what the folder is of, or several that train it.

use std::fs::{self, File, TryLockError};
use std::path::PathBuf;

use crate::disk::is_at;
use crate::error::{Error, Result};
use crate::results::Store;

const FILE: &str = ".lock";

/// A folder in use until this is dropped; a process that dies drops it too.
#[derive(Debug)]
pub struct Hold {
    file: File,
    path: PathBuf,
}

impl Store {
    /// Takes the folder for this process alone; `None` while another one is at work there.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn hold_alone(&self) -> Result<Option<Hold>> {
        loop {
            let (file, path) = self.lock_file()?;
            match file.try_lock() {
                // Whoever held it took it along: a lock on a file that nobody else finds guards nothing.
                Ok(()) if !is_at(&file, &path) => {}
                Ok(()) => return Ok(Some(Hold { file, path })),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
            }
        }
    }

    /// Takes the folder beside others that do the same; waits while a process has it alone.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn hold(&self) -> Result<Hold> {
        loop {
            let (file, path) = self.lock_file()?;
            file.lock_shared().map_err(Error::io("lock", &path))?;
            if is_at(&file, &path) {
                return Ok(Hold { file, path });
            }
        }
    }

    fn lock_file(&self) -> Result<(File, PathBuf)> {
        fs::create_dir_all(self.root()).map_err(Error::io("create", self.root()))?;
        let path = self.root().join(FILE);
        Ok((File::create(&path).map_err(Error::io("write", &path))?, path))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // The last one out leaves nothing behind; what cannot be removed does no harm.
        let _ = self.file.unlock();
        if self.file.try_lock().is_ok() && is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_decides_or_several_train() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("results"));
        let alone = store.hold_alone().unwrap().unwrap();
        assert!(store.hold_alone().unwrap().is_none());
        drop(alone);
        let (first, second) = (store.hold().unwrap(), store.hold().unwrap());
        drop(first);
        assert!(store.hold_alone().unwrap().is_none(), "one is still at it");
        drop(second);
        assert!(store.hold_alone().unwrap().is_some());
        assert_eq!(fs::read_dir(store.root()).unwrap().count(), 0, "no file is left");
    }
}
