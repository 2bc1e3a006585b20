//! Writes down a run as it goes.
//!
//! A run under way lives in a hidden folder beside the finished ones. It becomes one of them by
//! being renamed, or is taken up again from its last checkpoint, or leaves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use candle_core::{DType, Tensor};

use crate::disk::{Lock, sync_folder};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::results::checkpoint::CHECKPOINT;
use crate::results::identity::STARTED;
use crate::results::log::{Cell, Extent, Log};
use crate::results::mark::{RECORD, written};
use crate::results::store::{LOCK, PARTIAL};
use crate::results::{Checkpoint, EvaluationRow, Magnitudes, Record, Started, Store, curves, magnitudes, path};
use crate::train::{EvaluationRecord, Snapshot, StepRecord};

const STEPS: (&str, &str) = ("steps.csv", "step,epoch,lr,loss,grad_norm");
const EVALUATIONS: &str = "evals.csv";
/// The seconds that a run had taken, where it goes on without a checkpoint.
const SECONDS: &str = "seconds";
/// The files that a training program leaves in the folder of a run, beside those in a folder of its own.
const KEPT: [&str; 2] = ["run.json", "output.log"];

/// What a run writes down beside its steps and evaluations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Probes {
    /// How large gradients and updates are: `gradients.csv`.
    pub gradients: bool,
    /// Where the point is that a function of two numbers is minimised from: `path.csv`.
    pub path: bool,
}

/// What the curves of a run hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Curves {
    /// Updates in one pass over the training set; `None` where there is none.
    pub steps_per_epoch: Option<u64>,
    /// What is measured, beside the built-in metrics, which have a column in every run.
    pub metrics: Vec<Metric>,
    /// What is written down beside steps and evaluations.
    pub probes: Probes,
    /// Whether an interrupted run goes on from what is in its folder, without a checkpoint.
    pub keeps_folder: bool,
}

/// The files of a run that is under way.
pub struct Recorder {
    folder: PathBuf,
    destination: PathBuf,
    fingerprint: String,
    steps: Log,
    evaluations: Log,
    gradients: Option<Log>,
    path: Option<Log>,
    steps_per_epoch: Option<u64>,
    columns: BTreeSet<Metric>,
    checkpoint: Option<Checkpoint>,
    /// Seconds that the run had taken before, where it goes on from what is in its folder.
    continued: Option<f64>,
    lock: Lock,
}

impl Store {
    /// Starts to record a run, or goes on from its checkpoint; `None` while another process trains it.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn begin(&self, run: &str, started: &Started, curves: Curves) -> Result<Option<Recorder>> {
        let Some(lock) = Lock::alone(self.runs().join(format!(".{run}{LOCK}")))? else { return Ok(None) };
        let folder = self.runs().join(format!(".{run}{PARTIAL}"));
        Recorder::open(folder, self.run(run), lock, started, curves).map(Some)
    }
}

impl Recorder {
    fn open(folder: PathBuf, destination: PathBuf, lock: Lock, started: &Started, curves: Curves) -> Result<Self> {
        let Curves { steps_per_epoch, metrics, probes, keeps_folder } = curves;
        let fingerprint = &started.fingerprint;
        let columns: BTreeSet<Metric> = Metric::BUILT_IN.iter().copied().chain(metrics).collect();
        let names = curves::EVALUATED.into_iter().chain(columns.iter().map(|metric| metric.name()));
        let evaluated = names.collect::<Vec<_>>().join(",");
        let mut files = vec![STEPS, (EVALUATIONS, evaluated.as_str())];
        files.extend(probes.gradients.then_some((magnitudes::FILE, magnitudes::HEADER)));
        files.extend(probes.path.then_some((path::FILE, path::HEADER)));
        let checkpoint = fs::read(folder.join(CHECKPOINT)).ok().and_then(|bytes| Checkpoint::read(&bytes, fingerprint));
        let taken_up = checkpoint.filter(|checkpoint| checkpoint.extents.len() == files.len()).and_then(|checkpoint| {
            let resume = |((name, _), extent): (&(&str, _), &Extent)| Log::resume(folder.join(name), *extent);
            let logs: Option<Vec<Log>> = files.iter().zip(&checkpoint.extents).map(resume).collect();
            Some((Some(checkpoint), logs?))
        });
        let mut continued = None;
        let left = || {
            let same = fs::read_to_string(folder.join(STARTED)).ok()? == toml::to_string(started).ok()?;
            let open = |(name, header): &(&str, &str)| Log::go_on(folder.join(name), header);
            let logs = files.iter().map(open).collect::<Option<Vec<Log>>>().filter(|_| same)?;
            let seconds = fs::read_to_string(folder.join(SECONDS)).ok().and_then(|text| text.trim().parse().ok());
            Some((seconds.unwrap_or(0.0), logs))
        };
        let taken_up = match taken_up {
            None if keeps_folder => left().map(|(seconds, logs)| {
                continued = Some(seconds);
                (None, logs)
            }),
            taken_up => taken_up,
        };
        let (checkpoint, logs) = match taken_up {
            Some(taken_up) => taken_up,
            None => {
                remove_folder(&folder)?;
                fs::create_dir(&folder).map_err(Error::io("create", &folder))?;
                let path = folder.join(STARTED);
                let text = toml::to_string(started).map_err(|error| Error::damaged(&path, &error))?;
                fs::write(&path, text).map_err(Error::io("write", &path))?;
                let start = |(name, header): &(&str, &str)| Log::start(folder.join(name), header);
                (None, files.iter().map(start).collect::<Result<_>>()?)
            }
        };
        let mut logs = logs.into_iter();
        let mut next = || logs.next().expect("a log for each file");
        Ok(Self {
            folder,
            destination,
            fingerprint: fingerprint.clone(),
            steps: next(),
            evaluations: next(),
            gradients: probes.gradients.then(&mut next),
            path: probes.path.then(&mut next),
            steps_per_epoch,
            columns,
            checkpoint,
            continued,
            lock,
        })
    }

    /// The folder of the run while it is under way.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the folder becomes.
    pub fn destination(&self) -> &Path {
        &self.destination
    }

    /// The seconds that the run had taken, where it goes on from what is in its folder.
    pub fn continued(&self) -> Option<f64> {
        self.continued
    }

    /// Forgets what a run that goes on had written of updates after `updates` and of evaluations from `evaluations` on;
    /// returns the evaluations that are left.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn cut(&mut self, updates: u64, evaluations: u64) -> Result<Vec<EvaluationRow>> {
        self.steps.cut(|step| step <= updates)?;
        self.evaluations.cut(|step| step < evaluations)?;
        curves::evaluations(&self.folder.join(EVALUATIONS))
    }

    /// Hands everything so far to the system, which is enough for a run that goes on from what is in its folder.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&mut self) -> Result<()> {
        self.logs().try_for_each(Log::flush)
    }

    /// Notes the seconds that a run has taken which goes on from what is in its folder.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn note_seconds(&self, seconds: f64) -> Result<()> {
        let path = self.folder.join(SECONDS);
        fs::write(&path, format!("{seconds}\n")).map_err(Error::io("write", &path))
    }

    /// Takes the checkpoint that the run goes on from, if there is one, and the evaluations up to it.
    ///
    /// # Errors
    /// When the evaluations cannot be read.
    pub fn take_checkpoint(&mut self) -> Result<Option<(Checkpoint, Vec<EvaluationRow>)>> {
        let Some(checkpoint) = self.checkpoint.take() else { return Ok(None) };
        Ok(Some((checkpoint, curves::evaluations(&self.folder.join(EVALUATIONS))?)))
    }

    /// Adds a row to `steps.csv`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn step(&mut self, record: &StepRecord) -> Result<()> {
        let StepRecord { step, lr, loss, grad_norm } = record;
        let epoch = Cell(self.epoch(*step));
        let (lr, loss, grad_norm) = (Cell(*lr), Cell(Some(*loss)), Cell(*grad_norm));
        self.steps.line(format_args!("{step},{epoch},{lr},{loss},{grad_norm}"))
    }

    /// Adds a row to `evals.csv`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn evaluation(&mut self, record: &EvaluationRecord) -> Result<()> {
        let EvaluationRecord { step, split, scores } = record;
        let epoch = Cell(self.epoch(*step));
        let mut row = format!("{step},{epoch},{}", split.name());
        for metric in &self.columns {
            let _ = write!(row, ",{}", Cell(scores.get(*metric)));
        }
        self.evaluations.line(format_args!("{row}"))
    }

    /// Adds a row to `gradients.csv`, where the run has one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn magnitudes(&mut self, found: &Magnitudes) -> Result<()> {
        self.gradients.as_mut().map_or(Ok(()), |log| log.line(format_args!("{found}")))
    }

    /// Adds the two coordinates of a point to `path.csv`, where the run has one.
    ///
    /// # Errors
    /// When the disk or the device refuses.
    pub fn point(&mut self, step: u64, weights: &[Tensor]) -> Result<()> {
        let Some(log) = &mut self.path else { return Ok(()) };
        let mut point = Vec::with_capacity(2);
        for tensor in weights {
            point.extend(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?);
        }
        let coordinate = |i: usize| Cell(point.get(i).copied());
        log.line(format_args!("{step},{},{}", coordinate(0), coordinate(1)))
    }

    fn logs(&mut self) -> impl Iterator<Item = &mut Log> {
        [&mut self.steps, &mut self.evaluations].into_iter().chain(&mut self.gradients).chain(&mut self.path)
    }

    fn epoch(&self, step: u64) -> Option<f64> {
        self.steps_per_epoch.map(|per_epoch| step as f64 / per_epoch as f64)
    }

    /// Makes everything so far durable, to be taken up from here.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&mut self, snapshot: &Snapshot, seconds: f64) -> Result<()> {
        let extents = self.logs().map(Log::save).collect::<Result<_>>()?;
        let checkpoint = Checkpoint { snapshot: snapshot.clone(), extents, seconds };
        checkpoint.write(&self.folder.join(CHECKPOINT), &self.fingerprint)
    }

    /// Leaves nothing of the run.
    pub fn abandon(self) {
        // What cannot be removed now is swept away when the run is taken up again.
        let _ = remove_folder(&self.folder);
        self.lock.remove();
    }

    /// Makes the run durable: from here on it counts.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(self, record: &Record) -> Result<()> {
        let Self { folder, destination, steps, evaluations, gradients, path, lock, .. } = self;
        let mut bytes = BTreeMap::new();
        let write = || {
            for log in [steps, evaluations].into_iter().chain(gradients).chain(path) {
                let (name, length) = log.finish()?;
                bytes.insert(name, length);
            }
            let mut file = File::create(folder.join(RECORD))?;
            file.write_all(written(record, &bytes)?.as_bytes())?;
            file.sync_all()?;
            // Checkpoints, and what a kill left of one that was being written.
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name().into_string().unwrap_or_default();
                if name == RECORD || bytes.contains_key(&name) {
                    continue;
                }
                if entry.file_type()?.is_dir() {
                    // What a program kept stays; an empty folder goes.
                    let _ = fs::remove_dir(entry.path());
                } else if !KEPT.contains(&name.as_str()) {
                    fs::remove_file(entry.path())?;
                }
            }
            sync_folder(&folder)?;
            if destination.exists() {
                // Only a failed or a damaged run is ever trained again.
                fs::remove_dir_all(&destination)?;
            }
            fs::rename(&folder, &destination)?;
            sync_folder(destination.parent().unwrap_or(&destination))
        };
        write().map_err(Error::io("write", &destination))?;
        lock.remove();
        Ok(())
    }
}

fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::train::StepRecord;

    #[test]
    fn a_run_is_there_whole_or_not_at_all_and_one_process_trains_it() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        store.create().unwrap();
        let identity = crate::results::Identity { device: "cpu".into(), data: None, revisions: BTreeMap::new() };
        let started = Started { fingerprint: "f".into(), task: "t".into(), identity };
        let begin = || store.begin("a", &started, Curves::default()).unwrap();
        let mut recorder = begin().unwrap();
        assert!(begin().is_none(), "locked while it is trained");
        recorder.step(&StepRecord { step: 1, lr: Some(0.1), loss: 2.5, grad_norm: Some(1.0) }).unwrap();
        recorder.abandon();
        assert!(store.load("a").unwrap().is_none());
        assert_eq!(fs::read_dir(store.runs()).unwrap().filter(|e| e.as_ref().unwrap().path().is_dir()).count(), 0);
        assert!(begin().is_some(), "free again");
    }
}
