//! Results of one experiment from several machines, as one.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::disk::{TEMPORARY, sync_folder};
use crate::error::{Error, Result};
use crate::results::{Record, Store};

/// What came of a merge.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Runs that were taken over.
    pub taken: usize,
    /// Runs that were there already.
    pub known: usize,
    /// Runs that were there already with other curves, as another processor may yield; the first were kept.
    pub different: Vec<String>,
    /// What is wrong with the runs that were left out.
    pub flaws: Vec<String>,
}

impl Store {
    /// Takes over every run of another folder of the same experiment that is not here yet.
    ///
    /// A run that is damaged there is left out. A run that failed or is damaged here gives way to one that is
    /// done there. What is known there by its packed record alone is packed here.
    ///
    /// # Errors
    /// When a folder cannot be read or written to.
    pub fn take_over(&self, other: &Self) -> Result<Merged> {
        self.create()?;
        let (records, flaws) = other.inventory()?.sound();
        let mut merged = Merged { flaws, ..Merged::default() };
        let here = self.inventory()?.sound().0;
        let by_name: HashMap<&str, &Record> = here.iter().map(|record| (record.run.as_str(), record)).collect();
        // Of the same run under two names the first counts.
        let by_identity: HashMap<Key, &Record> =
            here.iter().rev().filter_map(|record| Some((key(record)?, record))).collect();
        let mut packed = Vec::new();
        for record in records {
            let (from, to) = (other.run(&record.run), self.run(&record.run));
            let known = by_name.get(record.run.as_str());
            let same = key(&record).and_then(|key| by_identity.get(&key));
            if same.is_some_and(|same| same.run != record.run) {
                // A folder that was extended calls its runs as it did before.
                merged.known += 1;
                continue;
            }
            if let Some(another) = known.filter(|known| are_different_runs(known, &record)) {
                return Err(Error::Usage(format!(
                    "`{}` is another run in {} than in {}: it was trained with other settings",
                    another.run,
                    other.root().display(),
                    self.root().display()
                )));
            }
            if !from.exists() {
                if known.is_some_and(|known| known.is_done() || !record.is_done()) {
                    merged.known += 1;
                } else {
                    merged.taken += 1;
                    packed.push(record);
                }
                continue;
            }
            match self.finished(&record.run)? {
                Some(_) => {
                    merged.known += 1;
                    if record.is_done() && !same_curves(&from, &to)? {
                        merged.different.push(record.run);
                    }
                }
                None if !record.is_done() && known.is_some() && to.exists() => merged.known += 1,
                _ => {
                    copy(&from, &to).map_err(Error::io("write", &to))?;
                    merged.taken += 1;
                }
            }
        }
        if !packed.is_empty() {
            self.pack(&packed)?;
        }
        Ok(merged)
    }
}

/// A fingerprint, and the labels of task, optimizer and schedule.
type Key<'a> = [&'a str; 4];

/// What two records of one run have alike, whatever their folders are called; `None` where nobody can tell.
fn key(record: &Record) -> Option<Key<'_>> {
    let is_known = record.identity.is_some() && record.is_done();
    is_known.then_some([&record.fingerprint, &record.task, &record.optimizer, &record.schedule])
}

/// Whether two records are known to be of different runs: those from before records kept their conditions may be one.
fn are_different_runs(a: &Record, b: &Record) -> bool {
    a.is_done() && b.is_done() && a.identity.is_some() && b.identity.is_some() && a.fingerprint != b.fingerprint
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

/// Copies the files of a folder, and those of the folders in it: what a training program kept.
fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copied = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&copied)?;
            copy_files(&entry.path(), &copied)?;
        } else {
            fs::copy(entry.path(), &copied)?;
            fs::File::open(copied)?.sync_all()?;
        }
    }
    Ok(())
}

/// Copies a run under a hidden name first, so that it appears whole.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let runs = to.parent().unwrap_or(to);
    let folder = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(runs)?;
    copy_files(from, folder.path())?;
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::rename(folder.keep(), to)?;
    sync_folder(runs)
}
