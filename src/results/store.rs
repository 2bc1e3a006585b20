//! The folder of one experiment on disk.
//!
//! A run appears under `runs/` by the renaming of a finished folder: what is there is whole.
//! Everything else in the folder follows from `runs/` and can be written again at any time.

use std::fs::{self, File, TryLockError};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use crate::error::{Error, Result};
use crate::results::{Record, Status};
use crate::train::{EvaluationRecord, StepRecord};

const RECORD: &str = "run.toml";
const STEPS_HEADER: &str = "step,epoch,lr,loss,grad_norm\n";
const EVALUATIONS_HEADER: &str = "step,epoch,split,loss,accuracy,perplexity\n";

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
        for folder in [self.runs(), self.charts()] {
            gone(fs::remove_dir_all(&folder), &folder)?;
        }
        for file in ["experiment.toml", "provenance.json", "runs.csv", "summary.csv", "report.html"] {
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
            let mut new = NamedTempFile::new_in(&self.root)?;
            new.write_all(contents.as_ref())?;
            new.as_file().sync_all()?;
            new.persist(&path)?;
            sync_folder(&self.root)
        };
        write().map_err(Error::io("write", &path))
    }

    /// The record of a run that is done; `None` where it is still to be trained.
    ///
    /// # Errors
    /// When its record cannot be read.
    pub fn load(&self, run: &str) -> Result<Option<Record>> {
        let path = self.run(run).join(RECORD);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", path)(error)),
        };
        toml::from_str(&text).map(Some).map_err(|error| Error::damaged(path, &error.message()))
    }

    /// The records of all runs in the folder, by name.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn load_all(&self) -> Result<Vec<Record>> {
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
        names.iter().filter_map(|name| self.load(name).transpose()).collect()
    }

    /// Starts to record a run; `None` while another process trains it.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn begin(&self, run: &str, steps_per_epoch: Option<u64>) -> Result<Option<Recorder>> {
        let lock_path = self.runs().join(format!(".{run}.lock"));
        let lock = File::create(&lock_path).map_err(Error::io("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", lock_path)(error)),
        }
        let folder = tempfile::Builder::new()
            .prefix(&format!(".{run}."))
            .tempdir_in(self.runs())
            .map_err(Error::io("create a folder in", self.runs()))?;
        let open = |name: &str, header: &str| {
            let path = folder.path().join(name);
            let file = File::create(&path).map_err(Error::io("create", &path))?;
            let mut file = BufWriter::with_capacity(1 << 16, file);
            file.write_all(header.as_bytes()).map_err(Error::io("write", &path))?;
            Ok::<_, Error>(file)
        };
        Ok(Some(Recorder {
            steps: open("steps.csv", STEPS_HEADER)?,
            evaluations: open("evals.csv", EVALUATIONS_HEADER)?,
            steps_per_epoch,
            destination: self.run(run),
            folder,
            lock_path,
            _lock: lock,
        }))
    }
}

/// Writes down a run as it goes; nothing is left of it unless it is finished.
pub struct Recorder {
    folder: TempDir,
    destination: PathBuf,
    steps: BufWriter<File>,
    evaluations: BufWriter<File>,
    steps_per_epoch: Option<u64>,
    lock_path: PathBuf,
    /// Held until the recorder is dropped; a process that dies drops it too.
    _lock: File,
}

impl Recorder {
    /// Adds a row to `steps.csv`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn step(&mut self, record: &StepRecord) -> Result<()> {
        let StepRecord { step, lr, loss, grad_norm } = record;
        let epoch = Cell(self.epoch(*step));
        writeln!(self.steps, "{step},{epoch},{},{},{}", Cell(Some(*lr)), Cell(Some(*loss)), Cell(Some(*grad_norm)))
            .map_err(Error::io("write", self.folder.path().join("steps.csv")))
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
            .map_err(Error::io("write", self.folder.path().join("evals.csv")))
    }

    fn epoch(&self, step: u64) -> Option<f64> {
        self.steps_per_epoch.map(|per_epoch| step as f64 / per_epoch as f64)
    }

    /// Makes the run durable: from here on it counts.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(self, record: &Record) -> Result<()> {
        let Self { folder, destination, steps, evaluations, lock_path, .. } = self;
        let text = toml::to_string(record).map_err(|error| Error::Usage(error.to_string()))?;
        let write = || {
            for file in [steps, evaluations] {
                file.into_inner()?.sync_all()?;
            }
            let mut file = File::create(folder.path().join(RECORD))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            sync_folder(folder.path())?;
            if destination.exists() {
                // Only a failed run is ever trained again.
                fs::remove_dir_all(&destination)?;
            }
            fs::rename(folder.keep(), &destination)?;
            sync_folder(destination.parent().unwrap_or(&destination))?;
            fs::remove_file(&lock_path)
        };
        write().map_err(Error::io("write", &destination))
    }
}

impl Record {
    /// Whether the run needs no more training.
    pub fn is_done(&self) -> bool {
        self.status != Status::Failed
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

fn sync_folder(path: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
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

    #[test]
    fn a_run_is_there_whole_or_not_at_all_and_one_process_trains_it() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        store.create().unwrap();
        let mut recorder = store.begin("a", None).unwrap().unwrap();
        assert!(store.begin("a", None).unwrap().is_none(), "locked while it is trained");
        recorder.step(&StepRecord { step: 1, lr: 0.1, loss: 2.5, grad_norm: 1.0 }).unwrap();
        drop(recorder);
        assert!(store.load("a").unwrap().is_none());
        assert_eq!(fs::read_dir(store.runs()).unwrap().filter(|e| e.as_ref().unwrap().path().is_dir()).count(), 0);
        assert!(store.begin("a", None).unwrap().is_some(), "free again");
    }
}
