//! Watches one training: writes it down, remembers what its record needs, asks for checkpoints.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::metric::Scores;
use crate::results::{Best, Horizon, Magnitudes, Mark, Probes, Quantity, Recorder, is_probed};
use crate::sweep::execute::Context;
use crate::task::{Split, Target};
use crate::train::{EvaluationRecord, Look, Observer, Snapshot, StepRecord};

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
/// What a run must have taken for its state to be kept at an interruption.
const WORTH_KEEPING: Duration = Duration::from_secs(1);

/// The observer of a run.
pub(super) struct Witness<'a> {
    pub(super) recorder: Recorder,
    pub(super) steps: u64,
    pub(super) validation: Option<Scores>,
    pub(super) test: Option<Scores>,
    pub(super) best: Option<Best>,
    pub(super) steps_to_target: Option<u64>,
    pub(super) horizons: Vec<Horizon>,
    /// The steps that claims ask for, with the scores there.
    pub(super) marks: Vec<Mark>,
    /// Whether there is a checkpoint to go on from.
    pub(super) saved: bool,
    /// Seconds that the run had taken when it was taken up again.
    pub(super) seconds_before: f64,
    target: Option<Target>,
    probes: Probes,
    context: &'a Context<'a>,
    snapshots: Snapshots,
    start: Instant,
    last: Instant,
    cost: Duration,
}

impl<'a> Witness<'a> {
    pub(super) fn new(
        recorder: Recorder,
        context: &'a Context<'a>,
        target: Option<Target>,
        probes: Probes,
        snapshots: Snapshots,
        horizons: &[u64],
    ) -> Self {
        let now = Instant::now();
        Self {
            recorder,
            steps: 0,
            validation: None,
            test: None,
            best: None,
            steps_to_target: None,
            horizons: horizons.iter().map(|&steps| Horizon { steps, validation: None, test: None }).collect(),
            marks: Vec::new(),
            saved: false,
            seconds_before: 0.0,
            target,
            probes,
            context,
            snapshots,
            start: now,
            last: now,
            cost: Duration::ZERO,
        }
    }

    /// Takes note of an evaluation, whether it is new or from before an interruption.
    pub(super) fn judge(&mut self, split: Split, step: u64, scores: &Scores) {
        let horizon = self.horizons.iter_mut().find(|horizon| horizon.steps == step);
        let finite = scores.are_finite().then_some(*scores);
        match split {
            Split::Validation => {
                if let Some(horizon) = horizon {
                    horizon.validation = finite;
                }
                if let Some(mark) = self.marks.iter_mut().find(|mark| mark.steps == step) {
                    mark.validation = finite;
                }
                self.validation = Some(*scores);
                self.best = Some(self.best.map_or(Best(*scores), |best| best.update(scores)));
                if self.target.is_some_and(|target| target.reached(scores)) {
                    self.steps_to_target.get_or_insert(step);
                }
            }
            Split::Test => {
                if let Some(horizon) = horizon {
                    horizon.test = finite;
                    // Without scores it counts as diverged by then.
                    horizon.validation = horizon.validation.filter(|_| finite.is_some());
                }
                self.test = Some(*scores);
            }
            Split::Train => {}
        }
    }
}

impl Observer for Witness<'_> {
    fn step(&mut self, record: &StepRecord) -> Result<()> {
        self.steps = record.step;
        self.context.progress.step(self.context.worker, record.step);
        self.recorder.step(record)
    }

    fn evaluation(&mut self, record: &EvaluationRecord) -> Result<()> {
        self.judge(record.split, record.step, &record.scores);
        self.recorder.evaluation(record)
    }

    fn watches(&mut self, step: u64) -> bool {
        self.probes.path || (self.probes.gradients && is_probed(step))
    }

    fn look(&mut self, look: &Look) -> Result<()> {
        let Look { step, gradients, before, after, delivered } = look;
        if self.probes.gradients && is_probed(*step) {
            let pairs = after.iter().zip(*before);
            let updates = pairs.map(|(after, before)| after - before).collect::<candle_core::Result<Vec<_>>>()?;
            self.recorder.magnitudes(&Magnitudes::of(*step, Quantity::Gradient, gradients)?)?;
            self.recorder.magnitudes(&Magnitudes::of(*step, Quantity::Update, &updates)?)?;
        }
        if self.probes.path {
            if *step == 1 {
                self.recorder.point(0, before)?;
            }
            self.recorder.point(*step, delivered.as_ref().unwrap_or(after))?;
        }
        Ok(())
    }

    fn proceed(&mut self) -> bool {
        !self.context.interrupt.load(Ordering::Relaxed)
    }

    fn wants_snapshot(&mut self) -> bool {
        let since = self.last.elapsed();
        if self.context.interrupt.load(Ordering::Relaxed) {
            return since >= WORTH_KEEPING;
        }
        match self.snapshots {
            Snapshots::Every(steps) => self.steps > 0 && self.steps.is_multiple_of(steps),
            Snapshots::Automatic => since >= PERIOD.max(self.cost * SHARE),
        }
    }

    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<()> {
        let start = Instant::now();
        self.recorder.save(snapshot, self.seconds_before + self.start.elapsed().as_secs_f64())?;
        self.saved = true;
        self.cost = start.elapsed();
        self.last = Instant::now();
        Ok(())
    }
}
