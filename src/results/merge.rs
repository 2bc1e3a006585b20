//! Results of one experiment from several machines, as one.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::results::Store;
use crate::results::store::sync_folder;

/// What came of a merge.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Runs that were taken over.
    pub taken: usize,
    /// Runs that were there already.
    pub known: usize,
    /// Runs that were there already with other curves, as another processor may yield; the first were kept.
    pub different: Vec<String>,
}

impl Store {
    /// Takes over every run of another folder of the same experiment that is not here yet.
    ///
    /// A run that failed here gives way to one that is done there.
    ///
    /// # Errors
    /// When a folder cannot be read or written to.
    pub fn take_over(&self, other: &Self) -> Result<Merged> {
        let mut merged = Merged::default();
        self.create()?;
        for record in other.load_all()? {
            let (from, to) = (other.run(&record.run), self.run(&record.run));
            match self.finished(&record.run)? {
                Some(_) => {
                    merged.known += 1;
                    if record.is_done() && !same_curves(&from, &to)? {
                        merged.different.push(record.run);
                    }
                }
                None if !record.is_done() && to.exists() => merged.known += 1,
                _ => {
                    copy(&from, &to).map_err(Error::io("write", &to))?;
                    merged.taken += 1;
                }
            }
        }
        Ok(merged)
    }
}

fn same_curves(a: &Path, b: &Path) -> Result<bool> {
    for file in ["steps.csv", "evals.csv"] {
        let read = |folder: &Path| fs::read(folder.join(file)).map_err(Error::io("read", folder.join(file)));
        if read(a)? != read(b)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Copies a run under a hidden name first, so that it appears whole.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let runs = to.parent().unwrap_or(to);
    let folder = tempfile::Builder::new().prefix(".merge-").tempdir_in(runs)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copied = folder.path().join(entry.file_name());
        fs::copy(entry.path(), &copied)?;
        fs::File::open(copied)?.sync_all()?;
    }
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::rename(folder.keep(), to)?;
    sync_folder(runs)
}
