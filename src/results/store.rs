//! The folder of one experiment on disk.
//!
//! A run appears under `runs/` by the renaming of a finished folder: what is there is whole.
//! Everything else in the folder follows from `runs/` and can be written again at any time, but for
//! packed records whose runs have no folder any more.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::disk::{is_at, sync_folder, temporary};
use crate::error::{Error, Result};
use crate::results::{Probes, Record, Recorder};

/// What marks a run as done.
pub(super) const RECORD: &str = "run.toml";

/// `steps.csv` and `evals.csv`.
const FILES_WITH_LENGTHS: usize = 2;

/// What stands in the mark of a run.
#[derive(Debug, Deserialize)]
struct Mark {
    #[serde(flatten)]
    record: Record,
    /// How long its files are, so that one that was cut off later is found.
    bytes: Option<BTreeMap<String, u64>>,
}

/// The results folder of one experiment.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The folder at `root`, whether it exists or not.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the charts lie.
    pub fn charts(&self) -> PathBuf {
        self.root.join("charts")
    }

    /// The folder of a run.
    pub fn run(&self, run: &str) -> PathBuf {
        self.runs().join(run)
    }

    fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Makes the folder ready to take runs.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(&self) -> Result<()> {
        fs::create_dir_all(self.runs()).map_err(Error::io("create", self.runs()))?;
        fs::create_dir_all(self.charts()).map_err(Error::io("create", self.charts()))
    }

    /// Removes everything that optbench wrote there.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn clear(&self) -> Result<()> {
        let gone = |result: std::io::Result<()>, path: &Path| match result {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
            _ => Ok(()),
        };
        for folder in [self.runs(), self.charts(), self.root.join("tensorboard")] {
            gone(fs::remove_dir_all(&folder), &folder)?;
        }
        for file in ["experiment.toml", "provenance.json", "records.toml", "runs.csv", "summary.csv", "report.html"] {
            let file = self.root.join(file);
            gone(fs::remove_file(&file), &file)?;
        }
        Ok(())
    }

    /// The text of a file in the folder, if it is there.
    ///
    /// # Errors
    /// When it is there but cannot be read.
    pub fn read(&self, file: &str) -> Result<Option<String>> {
        let path = self.root.join(file);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", path)(error)),
        }
    }

    /// Writes a file of the folder: the old one stays until the new one is whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &str, contents: impl AsRef<[u8]>) -> Result<()> {
        let path = self.root.join(file);
        let write = || {
            let mut new = temporary(&self.root)?;
            new.write_all(contents.as_ref())?;
            new.as_file().sync_all()?;
            new.persist(&path)?;
            sync_folder(&self.root)
        };
        write().map_err(Error::io("write", &path))
    }

    /// The record of a run that is done; `None` where it is still to be trained.
    ///
    /// Curves may be missing altogether: results are also kept, and judged, without them.
    ///
    /// # Errors
    /// When its record cannot be read, or a file of it was cut off.
    pub fn load(&self, run: &str) -> Result<Option<Record>> {
        Ok(self.look(run)?.map(|(record, _)| record))
    }

    /// The record of a run and the first of its files that is gone.
    fn look(&self, run: &str) -> Result<Option<(Record, Option<PathBuf>)>> {
        let path = self.run(run).join(RECORD);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", path)(error)),
        };
        let Mark { record, bytes } = toml::from_str(&text).map_err(|error| Error::damaged(&path, &error.message()))?;
        if record.optbench.is_some() && bytes.as_ref().is_none_or(|bytes| bytes.len() < FILES_WITH_LENGTHS) {
            return Err(Error::damaged(path, &"its end is missing"));
        }
        let mut gone = None;
        for (file, expected) in bytes.into_iter().flatten() {
            let path = self.run(run).join(file);
            match fs::metadata(&path).map(|metadata| metadata.len()) {
                Ok(held) if held != expected => {
                    return Err(Error::damaged(path, &format!("it holds {held} bytes of {expected}")));
                }
                Ok(_) => {}
                Err(_) => gone = gone.or(Some(path)),
            }
        }
        Ok(Some((record, gone)))
    }

    /// Why a run that is there is to be trained again, in words; `None` where nothing is wrong with it.
    pub fn flaw(&self, run: &str) -> Option<String> {
        match self.look(run) {
            Err(error @ Error::Damaged { .. }) => Some(error.to_string()),
            Ok(Some((_, Some(gone)))) => Some(format!("{} is gone", gone.display())),
            _ => None,
        }
    }

    /// The record of a run that needs no more training: it is there, whole, and did not fail.
    ///
    /// # Errors
    /// When it cannot be read; a damaged one is as good as none.
    pub fn finished(&self, run: &str) -> Result<Option<Record>> {
        match self.look(run) {
            Err(Error::Damaged { .. }) => Ok(None),
            found => Ok(found?.filter(|(record, gone)| record.is_done() && gone.is_none()).map(|(record, _)| record)),
        }
    }

    /// The records of all runs in the folder that need no more training, by name.
    ///
    /// # Errors
    /// When the folder or a record cannot be read.
    pub fn finished_all(&self) -> Result<Vec<Record>> {
        self.names()?.iter().filter_map(|name| self.finished(name).transpose()).collect()
    }

    /// A run that another version of optbench than this one trained, and that version, as far as they are known.
    ///
    /// # Errors
    /// When the folder or a record cannot be read; a damaged one was trained by nobody.
    pub fn trained_by_other(&self, version: &str) -> Result<Option<(String, String)>> {
        let mut records = self.packed()?;
        for name in self.names()? {
            match self.load(&name) {
                Ok(Some(record)) => drop(records.insert(name, record)),
                Ok(None) | Err(Error::Damaged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let versions = records.into_values().filter_map(|record| Some((record.run, record.optbench?)));
        Ok(versions.into_iter().find(|(_, trained_by)| trained_by != version))
    }

    /// The records of all runs that have a folder, by name.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn load_all(&self) -> Result<Vec<Record>> {
        self.names()?.iter().filter_map(|name| self.load(name).transpose()).collect()
    }

    /// The names of all runs in the folder, in order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let runs = self.runs();
        let entries = match fs::read_dir(&runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("read", runs)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(Error::io("read", &runs))?.file_name();
            names.extend(name.into_string().ok().filter(|name| !name.starts_with('.')));
        }
        names.sort();
        Ok(names)
    }

    /// Starts to record a run, or goes on from its checkpoint; `None` while another process trains it.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn begin(
        &self,
        run: &str,
        fingerprint: &str,
        steps_per_epoch: Option<u64>,
        probes: Probes,
    ) -> Result<Option<Recorder>> {
        let lock_path = self.runs().join(format!(".{run}.lock"));
        let lock = loop {
            let lock = File::create(&lock_path).map_err(Error::io("create", &lock_path))?;
            match lock.try_lock() {
                // Whoever held it may have removed it since: a lock on a file that nobody else finds guards nothing.
                Ok(()) if !is_at(&lock, &lock_path) => {}
                Ok(()) => break lock,
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", lock_path)(error)),
            }
        };
        let folder = self.runs().join(format!(".{run}.partial"));
        Recorder::open(folder, self.run(run), (lock_path, lock), fingerprint, steps_per_epoch, probes).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::StepRecord;

    #[test]
    fn a_run_is_there_whole_or_not_at_all_and_one_process_trains_it() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        store.create().unwrap();
        let mut recorder = store.begin("a", "f", None, Probes::default()).unwrap().unwrap();
        assert!(store.begin("a", "f", None, Probes::default()).unwrap().is_none(), "locked while it is trained");
        recorder.step(&StepRecord { step: 1, lr: 0.1, loss: 2.5, grad_norm: 1.0 }).unwrap();
        recorder.abandon();
        assert!(store.load("a").unwrap().is_none());
        assert_eq!(fs::read_dir(store.runs()).unwrap().filter(|e| e.as_ref().unwrap().path().is_dir()).count(), 0);
        assert!(store.begin("a", "f", None, Probes::default()).unwrap().is_some(), "free again");
    }
}
