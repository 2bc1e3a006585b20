//! Locks between processes, by a file that one of them or several hold.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::here::REMOVES_LOCKS;
use crate::disk::is_at;
use crate::error::{Error, Result};
use crate::system;

/// A file that this process holds until this is dropped; a process that dies drops it too.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    guards: bool,
}

impl Lock {
    /// Takes the file at a path for this process alone; `None` while another one has it.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn alone(path: PathBuf) -> Result<Option<Self>> {
        loop {
            let file = create(&path)?;
            match settled(file.try_lock()).map_err(Error::io("lock", &path))? {
                None => return Ok(None),
                // Whoever held it may have removed it since: a lock on a file that nobody else finds guards nothing.
                Some(true) if !is_at(&file, &path) => {}
                Some(guards) => return Ok(Some(Self { file, path, guards })),
            }
        }
    }

    /// Takes it beside others that do the same; waits while a process has it alone.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn shared(path: PathBuf) -> Result<Self> {
        loop {
            let file = create(&path)?;
            let held = settled(file.lock_shared().map_err(TryLockError::Error)).map_err(Error::io("lock", &path))?;
            let guards = held.unwrap_or(true);
            if !guards || is_at(&file, &path) {
                return Ok(Self { file, path, guards });
            }
        }
    }

    /// Whether it keeps others out: some file systems have no locks.
    pub fn guards(&self) -> bool {
        self.guards
    }

    /// Gives it up and removes the file, where that can be told from the outside.
    pub fn remove(self) {
        if REMOVES_LOCKS {
            // What cannot be removed does no harm.
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Gives it up, and removes the file where nobody else has it.
    pub fn leave(self) {
        let _ = self.file.unlock();
        if !self.guards || (self.file.try_lock().is_ok() && is_at(&self.file, &self.path)) {
            self.remove();
        }
    }
}

fn create(path: &Path) -> Result<File> {
    File::create(path).map_err(Error::io("write", path))
}

/// What asking for a lock came to: `None` where another process has it, else whether it guards anything.
fn settled(asked: Result<(), TryLockError>) -> io::Result<Option<bool>> {
    match asked {
        Ok(()) => Ok(Some(true)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) if system::lacks_locks(&error) => Ok(Some(false)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
