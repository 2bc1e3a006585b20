//! What marks a run as done, its `run.toml`, and what may be wrong with it and the files that it tells of.

use std::collections::BTreeMap;
use std::fs;
use std::io::Result as IoResult;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::disk::replace;
use crate::error::{Error, Result};
use crate::results::store::text;
use crate::results::{Record, Store};

/// The file.
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

/// The same as it is written: the lengths come last, so that no part of it is missed unseen.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    record: &'a Record,
    bytes: &'a BTreeMap<String, u64>,
}

/// The text of a mark.
pub(super) fn written(record: &Record, bytes: &BTreeMap<String, u64>) -> IoResult<String> {
    toml::to_string(&Written { record, bytes }).map_err(std::io::Error::other)
}

impl Store {
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
        let Some(text) = text(&path)? else { return Ok(None) };
        let Mark { record, bytes } = toml::from_str(&text).map_err(|error| Error::damaged(&path, &error.message()))?;
        if record.run != run {
            // A copy of another run, or a name that leads elsewhere.
            return Err(Error::damaged(path, &format!("it is the record of `{}`", record.run)));
        }
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

    /// The records of all runs that are done, from their folders or, of those without one, as they were packed.
    ///
    /// # Errors
    /// When the folder or a record cannot be read.
    pub fn done(&self) -> Result<Vec<Record>> {
        let mut done = self.packed()?;
        done.retain(|_, record| record.is_done());
        done.extend(self.finished_all()?.into_iter().map(|record| (record.run.clone(), record)));
        Ok(done.into_values().collect())
    }

    /// Writes the record of a finished run anew, beside curves that stay as they are.
    ///
    /// # Errors
    /// When the record that is there cannot be read, or the disk refuses.
    pub fn rewrite(&self, record: &Record) -> Result<()> {
        let path = self.run(&record.run).join(RECORD);
        let old = text(&path)?.unwrap_or_default();
        let Mark { bytes, .. } = toml::from_str(&old).map_err(|error| Error::damaged(&path, &error.message()))?;
        let write = || replace(&path, written(record, &bytes.unwrap_or_default())?.as_bytes());
        write().map_err(Error::io("write", &path))
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
}
