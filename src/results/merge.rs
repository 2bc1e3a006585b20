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
        let (records, flaws) = other.sound_records()?;
        let mut merged = Merged { flaws, ..Merged::default() };
        let here = self.sound_records()?.0;
        let known: HashMap<String, bool> = here.iter().map(|record| (record.run.clone(), record.is_done())).collect();
        let mut packed = Vec::new();
        for record in records {
            let (from, to) = (other.run(&record.run), self.run(&record.run));
            if let Some(same) = here.iter().find(|same| is_same_run(same, &record))
                && same.run != record.run
            {
                // A folder that was extended calls its runs as it did before.
                merged.known += 1;
                continue;
            }
            if let Some(another) = here.iter().find(|one| one.run == record.run && are_different_runs(one, &record)) {
                return Err(Error::Usage(format!(
                    "`{}` is another run in {} than in {}: it was trained with other settings",
                    another.run,
                    other.root().display(),
                    self.root().display()
                )));
            }
            if !from.exists() {
                if known.get(&record.run).is_some_and(|done| *done || !record.is_done()) {
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
                None if !record.is_done() && known.contains_key(&record.run) && to.exists() => merged.known += 1,
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

/// Whether two records are of one run, whatever their folders are called.
fn is_same_run(a: &Record, b: &Record) -> bool {
    let what = |record: &Record| record.identity.is_some() && record.is_done();
    what(a)
        && what(b)
        && a.fingerprint == b.fingerprint
        && (&a.task, &a.optimizer, &a.schedule) == (&b.task, &b.optimizer, &b.schedule)
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

/// Copies a run under a hidden name first, so that it appears whole.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let runs = to.parent().unwrap_or(to);
    let folder = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(runs)?;
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
