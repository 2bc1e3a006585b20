//! Writes down a run as it goes.
//!
//! A run under way lives in a hidden folder beside the finished ones. It becomes one of them by
//! being renamed, or is taken up again from its last checkpoint, or leaves nothing.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::results::store::{RECORD, sync_folder};
use crate::results::{Checkpoint, EvaluationRow, Record, curves};
use crate::train::{EvaluationRecord, Snapshot, StepRecord};

const CHECKPOINT: &str = "checkpoint.safetensors";
const STEPS: &str = "steps.csv";
const EVALUATIONS: &str = "evals.csv";
const STEPS_HEADER: &str = "step,epoch,lr,loss,grad_norm\n";
const EVALUATIONS_HEADER: &str = "step,epoch,split,loss,accuracy,perplexity\n";

/// The files of a run that is under way.
pub struct Recorder {
    folder: PathBuf,
    destination: PathBuf,
    fingerprint: String,
    steps: BufWriter<File>,
    evaluations: BufWriter<File>,
    steps_per_epoch: Option<u64>,
    checkpoint: Option<Checkpoint>,
    lock_path: PathBuf,
    /// Held until the recorder is dropped; a process that dies drops it too.
    _lock: File,
}

impl Recorder {
    pub(super) fn open(
        folder: PathBuf,
        destination: PathBuf,
        (lock_path, lock): (PathBuf, File),
        fingerprint: &str,
        steps_per_epoch: Option<u64>,
    ) -> Result<Self> {
        let checkpoint = fs::read(folder.join(CHECKPOINT)).ok().and_then(|bytes| Checkpoint::read(&bytes, fingerprint));
        let taken_up = checkpoint.and_then(|checkpoint| {
            let steps = cut(&folder.join(STEPS), checkpoint.steps_bytes)?;
            let evaluations = cut(&folder.join(EVALUATIONS), checkpoint.evaluations_bytes)?;
            Some((Some(checkpoint), steps, evaluations))
        });
        let (checkpoint, steps, evaluations) = match taken_up {
            Some(taken_up) => taken_up,
            None => {
                remove_folder(&folder)?;
                fs::create_dir(&folder).map_err(Error::io("create", &folder))?;
                let start = |name: &str, header: &str| {
                    let path = folder.join(name);
                    let mut file = File::create_new(&path).map_err(Error::io("create", &path))?;
                    file.write_all(header.as_bytes()).map_err(Error::io("write", &path))?;
                    Ok::<_, Error>(file)
                };
                (None, start(STEPS, STEPS_HEADER)?, start(EVALUATIONS, EVALUATIONS_HEADER)?)
            }
        };
        Ok(Self {
            folder,
            destination,
            fingerprint: fingerprint.to_owned(),
            steps: BufWriter::with_capacity(1 << 16, steps),
            evaluations: BufWriter::new(evaluations),
            steps_per_epoch,
            checkpoint,
            lock_path,
            _lock: lock,
        })
    }

    /// Takes the checkpoint that the run goes on from, if there is one, and the evaluations up to it.
    ///
    /// # Errors
    /// When the evaluations cannot be read.
    pub fn take_checkpoint(&mut self) -> Result<Option<(Checkpoint, Vec<EvaluationRow>)>> {
        let Some(checkpoint) = self.checkpoint.take() else { return Ok(None) };
        Ok(Some((checkpoint, curves::rows(&self.folder.join(EVALUATIONS))?)))
    }

    /// Adds a row to `steps.csv`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn step(&mut self, record: &StepRecord) -> Result<()> {
        let StepRecord { step, lr, loss, grad_norm } = record;
        let epoch = Cell(self.epoch(*step));
        writeln!(self.steps, "{step},{epoch},{},{},{}", Cell(Some(*lr)), Cell(Some(*loss)), Cell(Some(*grad_norm)))
            .map_err(Error::io("write", self.folder.join(STEPS)))
    }

    /// Adds a row to `evals.csv`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn evaluation(&mut self, record: &EvaluationRecord) -> Result<()> {
        let EvaluationRecord { step, split, scores } = record;
        let epoch = Cell(self.epoch(*step));
        let (loss, accuracy, perplexity) = (Cell(Some(scores.loss)), Cell(scores.accuracy), Cell(scores.perplexity));
        writeln!(self.evaluations, "{step},{epoch},{},{loss},{accuracy},{perplexity}", split.name())
            .map_err(Error::io("write", self.folder.join(EVALUATIONS)))
    }

    fn epoch(&self, step: u64) -> Option<f64> {
        self.steps_per_epoch.map(|per_epoch| step as f64 / per_epoch as f64)
    }

    /// Makes everything so far durable, to be taken up from here.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&mut self, snapshot: &Snapshot, seconds: f64) -> Result<()> {
        let durable = |file: &mut BufWriter<File>| {
            file.flush()?;
            file.get_ref().sync_data()?;
            file.get_ref().metadata().map(|metadata| metadata.len())
        };
        let steps_bytes = durable(&mut self.steps).map_err(Error::io("write", self.folder.join(STEPS)))?;
        let evaluations_bytes =
            durable(&mut self.evaluations).map_err(Error::io("write", self.folder.join(EVALUATIONS)))?;
        let checkpoint = Checkpoint { snapshot: snapshot.clone(), steps_bytes, evaluations_bytes, seconds };
        checkpoint.write(&self.folder.join(CHECKPOINT), &self.fingerprint)
    }

    /// Leaves nothing of the run.
    pub fn abandon(self) {
        // What cannot be removed now is swept away when the run is taken up again.
        let _ = remove_folder(&self.folder);
        let _ = fs::remove_file(&self.lock_path);
    }

    /// Makes the run durable: from here on it counts.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(self, record: &Record) -> Result<()> {
        let Self { folder, destination, steps, evaluations, lock_path, .. } = self;
        let mut bytes = BTreeMap::new();
        let write = || {
            for (name, file) in [(STEPS, steps), (EVALUATIONS, evaluations)] {
                let file = file.into_inner()?;
                file.sync_all()?;
                bytes.insert(name, file.metadata()?.len());
            }
            let written = Written { optbench: env!("CARGO_PKG_VERSION"), record, bytes: &bytes };
            let text = toml::to_string(&written).map_err(std::io::Error::other)?;
            let mut file = File::create(folder.join(RECORD))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            // Checkpoints, and what a kill left of one that was being written.
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if ![STEPS, EVALUATIONS, RECORD].iter().any(|kept| entry.file_name() == *kept) {
                    fs::remove_file(entry.path())?;
                }
            }
            sync_folder(&folder)?;
            if destination.exists() {
                // Only a failed or a damaged run is ever trained again.
                fs::remove_dir_all(&destination)?;
            }
            fs::rename(&folder, &destination)?;
            sync_folder(destination.parent().unwrap_or(&destination))?;
            fs::remove_file(&lock_path)
        };
        write().map_err(Error::io("write", &destination))
    }
}

/// What stands in `run.toml`: the lengths come last, so that no part of it is missed unseen.
#[derive(Serialize)]
struct Written<'a> {
    optbench: &'a str,
    #[serde(flatten)]
    record: &'a Record,
    bytes: &'a BTreeMap<&'a str, u64>,
}

/// Opens a file to go on after its first `bytes`; `None` where it is shorter, or gone.
fn cut(path: &Path, bytes: u64) -> Option<File> {
    use std::io::Seek;
    let mut file = OpenOptions::new().write(true).open(path).ok()?;
    if file.metadata().ok()?.len() < bytes {
        return None;
    }
    file.set_len(bytes).ok()?;
    file.seek(std::io::SeekFrom::End(0)).ok()?;
    Some(file)
}

fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// A number that reads back exactly, or an empty cell.
struct Cell(Option<f64>);

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(x) if x.fract() == 0.0 && x.abs() < 1e15 => write!(f, "{x}"),
            Some(x) => write!(f, "{x:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_back_exactly() {
        for x in [0.1 + 0.2, 1e-300, 3.0, -0.0, 1e20, f64::INFINITY] {
            assert_eq!(Cell(Some(x)).to_string().parse::<f64>().unwrap().to_bits(), x.to_bits());
        }
        assert!(Cell(Some(f64::NAN)).to_string().parse::<f64>().unwrap().is_nan());
        assert_eq!(Cell(None).to_string(), "");
    }
}
