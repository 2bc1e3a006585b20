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

/// What there is of a run.
#[derive(Debug)]
pub(super) enum Found {
    /// No record: it is still to be trained.
    Nothing,
    /// Its record and all files that this tells of.
    Whole(Record),
    /// Its record, and the first of its files that is gone.
    Lacking(Record, PathBuf),
    /// A file that does not read back, and what is wrong with it.
    Damaged(PathBuf, String),
}

impl Found {
    /// The record, whatever became of the run's files.
    pub(super) fn record(&self) -> Option<&Record> {
        match self {
            Self::Whole(record) | Self::Lacking(record, _) => Some(record),
            Self::Nothing | Self::Damaged(..) => None,
        }
    }

    /// The record, where the run needs no more training.
    pub(super) fn finished(&self) -> Option<&Record> {
        match self {
            Self::Whole(record) => Some(record).filter(|record| record.is_done()),
            _ => None,
        }
    }
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
        match self.find(run)? {
            Found::Nothing => Ok(None),
            Found::Whole(record) | Found::Lacking(record, _) => Ok(Some(record)),
            Found::Damaged(path, problem) => Err(Error::Damaged { path, problem }),
        }
    }

    /// The record of a run that needs no more training: it is there, whole, and did not fail.
    ///
    /// # Errors
    /// When it cannot be read; a damaged one is as good as none.
    pub fn finished(&self, run: &str) -> Result<Option<Record>> {
        Ok(self.find(run)?.finished().cloned())
    }

    /// What there is of a run.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn find(&self, run: &str) -> Result<Found> {
        match self.parse(run) {
            Err(Error::Damaged { path, problem }) => Ok(Found::Damaged(path, problem)),
            found => found,
        }
    }

    fn parse(&self, run: &str) -> Result<Found> {
        let path = self.run(run).join(RECORD);
        let Some(text) = text(&path)? else { return Ok(Found::Nothing) };
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
        Ok(match gone {
            Some(gone) => Found::Lacking(record, gone),
            None => Found::Whole(record),
        })
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
}
