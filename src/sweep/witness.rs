//! Watches one training: writes it down, remembers what its record needs, asks for checkpoints.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::metric::Scores;
use crate::results::{EvaluationRow, Horizon, Magnitudes, Mark, Probes, Quantity, Record, Recorder, is_probed};
use crate::sweep::progress::Progress;
use crate::sweep::run::Run;
use crate::task::{Split, Target};
use crate::train::{Ending, EvaluationRecord, Look, Observer, Outcome, Snapshot, StepRecord};

/// When checkpoints are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snapshots {
    /// After this many updates.
    Every(u64),
    /// Twice a minute, but never so often that they cost more than a fiftieth of the time.
    Automatic,
}

const PERIOD: Duration = Duration::from_secs(30);
const SHARE: u32 = 50;
/// How often the time is noted that a run has taken which can go on from its folder.
const NOTED: Duration = Duration::from_secs(2);
/// What a run must have taken for its state to be kept at an interruption.
const WORTH_KEEPING: Duration = Duration::from_secs(1);

/// Who follows a run, and who may interrupt it.
#[derive(Clone, Copy)]
pub(super) struct Follower<'a> {
    pub(super) interrupt: &'a AtomicBool,
    pub(super) progress: &'a dyn Progress,
    pub(super) worker: usize,
    pub(super) run: &'a Run,
}

/// What is seen of a run: what its record needs beside the outcome.
pub(super) struct Seen {
    pub(super) steps: u64,
    pub(super) validation: Option<Scores>,
    pub(super) test: Option<Scores>,
    pub(super) best: Option<Scores>,
    pub(super) steps_to_target: Option<u64>,
    /// The horizons that it stands for, with the scores there.
    pub(super) horizons: Vec<Horizon>,
    /// The steps that claims ask for, with the scores there.
    pub(super) marks: Vec<Mark>,
    target: Option<Target>,
}

impl Seen {
    /// Nothing yet of a run with these horizons and marks.
    pub(super) fn new(target: Option<Target>, horizons: &[u64], marks: Vec<Mark>) -> Self {
        let horizons = horizons.iter().map(|&steps| Horizon { steps, validation: None, test: None }).collect();
        Self { steps: 0, validation: None, test: None, best: None, steps_to_target: None, horizons, marks, target }
    }

    /// The outcome of a run, which is none where scores are missing that claims ask for.
    pub(super) fn whole(&self, outcome: Outcome) -> Result<Outcome> {
        let lacking = self.marks.iter().find(|mark| mark.validation.is_none());
        match lacking.filter(|_| outcome.ending == Ending::Finished) {
            Some(mark) => Err(Error::Usage(format!(
                "a claim asks for the scores on validation at step {}, and the run was not evaluated there",
                mark.steps
            ))),
            None => Ok(outcome),
        }
    }

    /// Takes note of an evaluation, whether it is new or from before an interruption.
    fn judge(&mut self, split: Split, step: u64, scores: &Scores) {
        let horizon = self.horizons.iter_mut().find(|horizon| horizon.steps == step);
        let finite = scores.are_finite().then(|| scores.clone());
        match split {
            Split::Validation => {
                if let Some(horizon) = horizon {
                    horizon.validation.clone_from(&finite);
                }
                if let Some(mark) = self.marks.iter_mut().find(|mark| mark.steps == step) {
                    mark.validation = finite;
                }
                self.validation = Some(scores.clone());
                self.best.get_or_insert_default().improve(scores);
                if self.target.is_some_and(|target| target.reached(scores)) {
                    self.steps_to_target.get_or_insert(step);
                }
            }
            Split::Test => {
                if let Some(horizon) = horizon {
                    horizon.test = finite;
                    if horizon.test.is_none() {
                        // Without scores it counts as diverged by then.
                        horizon.validation = None;
                    }
                }
                self.test = Some(scores.clone());
            }
            Split::Train => {}
        }
    }
}

/// What the folder of a run is to a later start, beside a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folder {
    /// Nothing goes on from it.
    Unused,
    /// A later start goes on from what is in it.
    Kept,
    /// This start does, and nothing was heard of it yet.
    TakenUp,
}

/// The observer of a run.
pub(super) struct Witness<'a> {
    pub(super) seen: Seen,
    recorder: Recorder,
    follower: Follower<'a>,
    probes: Probes,
    snapshots: Snapshots,
    /// Whether there is something to go on from: a checkpoint, or what a program keeps in its folder.
    saved: bool,
    /// What the folder is to a later start.
    folder: Folder,
    /// Whether the folder was not to be written to.
    refused: bool,
    /// Seconds that the run had taken when it was taken up again.
    seconds_before: f64,
    start: Instant,
    last: Instant,
    cost: Duration,
}

impl<'a> Witness<'a> {
    /// At the start of a run.
    pub(super) fn new(
        seen: Seen,
        recorder: Recorder,
        follower: Follower<'a>,
        probes: Probes,
        snapshots: Snapshots,
    ) -> Self {
        let now = Instant::now();
        Self {
            seen,
            recorder,
            follower,
            probes,
            snapshots,
            saved: false,
            folder: Folder::Unused,
            refused: false,
            seconds_before: 0.0,
            start: now,
            last: now,
            cost: Duration::ZERO,
        }
    }

    /// Takes up a run from its checkpoint, if there is one: what its trainer goes on from.
    ///
    /// # Errors
    /// When the evaluations up to it cannot be read.
    pub(super) fn take_up(&mut self) -> Result<Option<Snapshot>> {
        if let Some(seconds) = self.recorder.continued() {
            (self.folder, self.seconds_before) = (Folder::TakenUp, seconds);
        }
        let Some((checkpoint, evaluations)) = self.recorder.take_checkpoint()? else { return Ok(None) };
        for EvaluationRow { step, split, scores, .. } in evaluations {
            if let Some(split) = Split::parse(&split) {
                self.seen.judge(split, step, &scores);
            }
        }
        (self.saved, self.seconds_before) = (true, checkpoint.seconds);
        Ok(Some(checkpoint.snapshot))
    }

    /// The same run, from whose folder a later start can go on.
    pub(super) fn keeping_folder(self, keeps_folder: bool) -> Self {
        let folder = if keeps_folder { Folder::Kept } else { Folder::Unused };
        Self { folder, saved: self.saved || keeps_folder, ..self }
    }

    /// The first measurement of a run that goes on from its folder: what had been measured beyond it is forgotten.
    fn go_on(&mut self, updates: u64, evaluations: u64) -> Result<()> {
        if self.folder == Folder::TakenUp {
            self.folder = Folder::Kept;
            let mut kept = Vec::new();
            self.write(|recorder| {
                kept = recorder.cut(updates, evaluations)?;
                Ok(())
            })?;
            for EvaluationRow { step, split, scores, .. } in kept {
                if let Some(split) = Split::parse(&split) {
                    self.seen.judge(split, step, &scores);
                }
            }
        }
        Ok(())
    }

    /// Whether the folder was not to be written to: that is not the run's fault, and concerns every other run too.
    pub(super) fn was_refused(&self) -> bool {
        self.refused
    }

    /// Seconds that the run has taken, those before an interruption included.
    pub(super) fn seconds(&self) -> f64 {
        self.seconds_before + self.start.elapsed().as_secs_f64()
    }

    /// Leaves an interrupted run to be taken up again, or nothing where it has no checkpoint.
    pub(super) fn leave(mut self) {
        if !self.saved {
            self.recorder.abandon();
        } else if self.folder != Folder::Unused {
            let seconds = self.seconds();
            // Without the last rows it goes on from those before.
            let _ = self.recorder.flush().and_then(|()| self.recorder.note_seconds(seconds));
        }
    }

    /// Makes the run durable.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn finish(self, record: &Record) -> Result<()> {
        self.recorder.finish(record)
    }

    /// Writes something down, and remembers a refusal.
    fn write(&mut self, write: impl FnOnce(&mut Recorder) -> Result<()>) -> Result<()> {
        let written = write(&mut self.recorder);
        self.refused |= matches!(written, Err(Error::Io { .. }));
        written
    }
}

impl Observer for Witness<'_> {
    fn step(&mut self, record: &StepRecord) -> Result<()> {
        // An update at step 101 was done from where 100 had led, and so was an evaluation at 100.
        self.go_on(record.step.saturating_sub(1), record.step)?;
        self.seen.steps = record.step;
        self.follower.progress.step(self.follower.worker, record.step);
        self.write(|recorder| recorder.step(record))
    }

    fn evaluation(&mut self, record: &EvaluationRecord) -> Result<()> {
        self.go_on(record.step, record.step)?;
        self.seen.judge(record.split, record.step, &record.scores);
        self.write(|recorder| recorder.evaluation(record))
    }

    fn progressed(&mut self, step: u64) {
        self.follower.progress.step(self.follower.worker, step);
    }

    fn note(&mut self, text: &str) {
        self.follower.progress.noted(&self.follower.run.name, text);
    }

    fn watches(&mut self, step: u64) -> bool {
        self.probes.path || (self.probes.gradients && is_probed(step))
    }

    fn look(&mut self, look: &Look) -> Result<()> {
        let Look { step, gradients, before, after, delivered } = look;
        if self.probes.gradients && is_probed(*step) {
            let pairs = after.iter().zip(*before);
            let updates = pairs.map(|(after, before)| after - before).collect::<candle_core::Result<Vec<_>>>()?;
            for (of, tensors) in [(Quantity::Gradient, *gradients), (Quantity::Update, &updates)] {
                let found = Magnitudes::of(*step, of, tensors)?;
                self.write(|recorder| recorder.magnitudes(&found))?;
            }
        }
        if self.probes.path {
            if *step == 1 {
                self.write(|recorder| recorder.point(0, before))?;
            }
            self.write(|recorder| recorder.point(*step, delivered.as_ref().unwrap_or(after)))?;
        }
        Ok(())
    }

    fn proceed(&mut self) -> bool {
        if self.folder != Folder::Unused {
            // What cannot be written is told with the next row.
            let _ = self.write(Recorder::flush);
            if self.last.elapsed() >= NOTED {
                self.last = Instant::now();
                let seconds = self.seconds();
                let _ = self.write(|recorder| recorder.note_seconds(seconds));
            }
        }
        !self.follower.interrupt.load(Ordering::Relaxed)
    }

    fn wants_snapshot(&mut self) -> bool {
        let since = self.last.elapsed();
        if self.follower.interrupt.load(Ordering::Relaxed) {
            return since >= WORTH_KEEPING;
        }
        match self.snapshots {
            Snapshots::Every(steps) => self.seen.steps > 0 && self.seen.steps.is_multiple_of(steps),
            Snapshots::Automatic => since >= PERIOD.max(self.cost * SHARE),
        }
    }

    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<()> {
        let start = Instant::now();
        let seconds = self.seconds();
        self.write(|recorder| recorder.save(snapshot, seconds))?;
        self.saved = true;
        self.cost = start.elapsed();
        self.last = Instant::now();
        Ok(())
    }
}
