//! Who is at work in a results folder: one process that decides what the folder is of, or several that train it.

use std::fs;
use std::path::PathBuf;

use crate::disk::Lock;
use crate::error::{Error, Result};
use crate::results::Store;

const FILE: &str = ".lock";

/// A folder in use until this is dropped; a process that dies drops it too.
#[derive(Debug)]
pub struct Hold(Option<Lock>);

impl Hold {
    /// Whether it keeps others out: some file systems have no locks, and then this must be the only process.
    pub fn guards(&self) -> bool {
        self.0.as_ref().is_none_or(Lock::guards)
    }
}

impl Store {
    /// Takes the folder for this process alone; `None` while another one is at work there.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn hold_alone(&self) -> Result<Option<Hold>> {
        Ok(Lock::alone(self.lock_file()?)?.map(|lock| Hold(Some(lock))))
    }

    /// Takes the folder beside others that do the same; waits while a process has it alone.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn hold(&self) -> Result<Hold> {
        Ok(Hold(Some(Lock::shared(self.lock_file()?)?)))
    }

    fn lock_file(&self) -> Result<PathBuf> {
        fs::create_dir_all(self.root()).map_err(Error::io("create", self.root()))?;
        Ok(self.root().join(FILE))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // The last one out leaves nothing behind.
        if let Some(lock) = self.0.take() {
            lock.leave();
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
        assert!(alone.guards() && store.hold_alone().unwrap().is_none());
        drop(alone);
        let (first, second) = (store.hold().unwrap(), store.hold().unwrap());
        drop(first);
        assert!(store.hold_alone().unwrap().is_none(), "one is still at it");
        drop(second);
        assert!(store.hold_alone().unwrap().is_some());
        #[cfg(unix)]
        assert_eq!(fs::read_dir(store.root()).unwrap().count(), 0, "no file is left");
    }
}
