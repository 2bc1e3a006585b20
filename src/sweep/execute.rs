//! Trains the runs of a sweep, several at a time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use candle_core::Device;

use crate::error::{Error, Result};
use crate::optim::{self, Common};
use crate::results::{Probes, Record, Started, Status, Store};
use crate::sweep::panic::caught;
use crate::sweep::witness::Witness;
use crate::sweep::{Plan, Run};
use crate::task::Split;
use crate::train::{self, Ending, Snapshot, Training};

/// The stack of a training thread: candle walks a graph by recursion.
const STACK: usize = 256 << 20;
/// How often to look whether another process is done with a run.
const PATIENCE: Duration = Duration::from_millis(200);

/// Follows a sweep; `worker` numbers the runs that are under way at the same time.
pub trait Progress: Sync {
    /// A run starts.
    fn started(&self, worker: usize, run: &Run, steps: u64);
    /// A run has done this many updates; called after each.
    fn step(&self, worker: usize, step: u64);
    /// A run is done.
    fn finished(&self, worker: usize, record: &Record);
}

/// What became of a sweep.
#[derive(Debug, Default)]
pub struct Execution {
    /// Runs trained now.
    pub trained: usize,
    /// Runs that failed now, with their errors.
    pub failed: Vec<(String, String)>,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Why fewer runs were trained at a time than asked for, where the machine refused a thread.
    pub fewer_jobs: Option<String>,
}

/// Trains the given runs, `jobs` at a time, and makes each durable before the next one starts.
///
/// # Errors
/// When the results folder cannot be written to. A run's own failure, a panic included, is a part of the outcome.
pub fn execute(
    plan: &Plan,
    runs: Vec<&Run>,
    store: &Store,
    device: &Device,
    jobs: usize,
    interrupt: &AtomicBool,
    progress: &dyn Progress,
) -> Result<Execution> {
    let queue = Mutex::new(VecDeque::from(runs));
    let outcome = Mutex::new(Ok(Execution::default()));
    let worker = |number: usize| {
        let context = Context { plan, store, device, interrupt, progress, worker: number };
        loop {
            // Taken in a statement of its own: the queue must be free again while the run is trained.
            let next = lock(&queue).pop_front();
            let Some(run) = next.filter(|_| !interrupt.load(Ordering::Relaxed)) else { break };
            match context.train(run) {
                Ok(Trained::Done(record)) => {
                    if let Ok(outcome) = &mut *lock(&outcome) {
                        outcome.trained += 1;
                        outcome.failed.extend(record.error.map(|error| (record.run, error)));
                    }
                }
                Ok(Trained::Before | Trained::Interrupted) => {}
                Ok(Trained::Elsewhere) => {
                    lock(&queue).push_back(run);
                    thread::sleep(PATIENCE);
                }
                Err(error) => {
                    // The folder is not to be written to: no other run would fare better.
                    lock(&queue).clear();
                    *lock(&outcome) = Err(error);
                    break;
                }
            }
        }
    };
    let refused = thread::scope(|scope| {
        // The threads that are there share the whole queue: one is enough to train it.
        (0..jobs).find_map(|number| {
            let spawned = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || worker(number));
            spawned
                .err()
                .map(|error| (number, format!("cannot start training thread {} of {jobs}: {error}", number + 1)))
        })
    });
    let mut execution = outcome.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    match refused {
        Some((0, problem)) => return Err(Error::Usage(problem)),
        refused => execution.fewer_jobs = refused.map(|(_, problem)| problem),
    }
    execution.interrupted = interrupt.load(Ordering::Relaxed);
    Ok(execution)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::large_enum_variant, reason = "one at a time, never stored")]
enum Trained {
    Done(Record),
    /// It was done already.
    Before,
    /// Another process is at it.
    Elsewhere,
    Interrupted,
}

/// What a training thread works with.
pub(super) struct Context<'a> {
    plan: &'a Plan,
    store: &'a Store,
    device: &'a Device,
    pub(super) interrupt: &'a AtomicBool,
    pub(super) progress: &'a dyn Progress,
    pub(super) worker: usize,
}

impl Context<'_> {
    fn train(&self, run: &Run) -> Result<Trained> {
        let start = Instant::now();
        let steps_per_epoch = self.plan.tasks[run.task].steps_per_epoch();
        let spec = &self.plan.experiment.tasks[run.task];
        let probes = Probes {
            gradients: self.plan.experiment.probes_gradients,
            path: spec.function().is_some_and(|function| function.start().len() == 2),
        };
        let identity = self.plan.identity(run);
        let started =
            Started { fingerprint: run.fingerprint.clone(), task: spec.label.clone(), identity: identity.clone() };
        let Some(mut recorder) = self.store.begin(&run.name, &started, steps_per_epoch, probes)? else {
            return Ok(Trained::Elsewhere);
        };
        if let Some(before) = self.store.finished(&run.name)? {
            recorder.abandon();
            if before.fingerprint != run.fingerprint {
                let problem = format!("{} was trained with other settings by another process meanwhile", run.name);
                return Err(Error::Usage(problem));
            }
            return Ok(Trained::Before);
        }
        self.progress.started(self.worker, run, self.plan.budget(run).steps);
        let checkpoint = recorder.take_checkpoint()?;
        let before = checkpoint.as_ref().map_or(0.0, |(checkpoint, _)| checkpoint.seconds);
        let mut witness = Witness::new(recorder, self, spec.target, probes, self.plan.snapshots(run), &run.stands_for);
        witness.marks = self.plan.marks_of(run);
        let mut resume = None;
        if let Some((checkpoint, evaluations)) = checkpoint {
            for row in evaluations {
                if let Some(split) = Split::parse(&row.split) {
                    witness.judge(split, row.step, &row.scores());
                }
            }
            witness.seconds_before = before;
            witness.saved = true;
            resume = Some(checkpoint.snapshot);
        }
        let outcome = caught(|| train::train(self.training(run, resume)?, &mut witness));
        if let Err(Error::Io { .. }) = outcome {
            // The disk's refusal is not the run's fault, and concerns every other run too.
            return outcome.map(|_| Trained::Interrupted);
        }
        if outcome.as_ref().is_ok_and(|outcome| outcome.ending == Ending::Interrupted) {
            if !witness.saved {
                witness.recorder.abandon();
            }
            return Ok(Trained::Interrupted);
        }
        let times = outcome.as_ref().map(|outcome| outcome.times).unwrap_or_default();
        let record = Record {
            optbench: Some(env!("CARGO_PKG_VERSION").to_owned()),
            commit: option_env!("OPTBENCH_COMMIT").map(str::to_owned),
            run: run.name.clone(),
            fingerprint: run.fingerprint.clone(),
            identity: Some(identity),
            task: spec.label.clone(),
            optimizer: run.optimizer_label.clone(),
            schedule: run.schedule_label.clone(),
            seed: run.seed,
            hyper_parameters: run.hyper_parameters(),
            status: match &outcome {
                Ok(outcome) if outcome.ending == Ending::Diverged => Status::Diverged,
                Ok(_) => Status::Finished,
                Err(_) => Status::Failed,
            },
            horizon: run.horizon,
            error: outcome.as_ref().err().map(ToString::to_string),
            steps: outcome.as_ref().map_or(witness.steps, |outcome| outcome.steps),
            gradient_evaluations: outcome.as_ref().ok().and_then(|outcome| {
                (outcome.gradient_evaluations > outcome.steps).then_some(outcome.gradient_evaluations)
            }),
            validation: witness.validation,
            test: witness.test,
            best: witness.best,
            steps_to_target: witness.steps_to_target,
            seconds: before + start.elapsed().as_secs_f64(),
            gradient_seconds: times.gradients.as_secs_f64(),
            optimizer_seconds: times.optimizer.as_secs_f64(),
            evaluation_seconds: times.evaluation.as_secs_f64(),
            state_bytes: outcome.map_or(0, |outcome| outcome.state_bytes as u64),
            loss_floor: self.plan.tasks[run.task].floor(),
            validation_examples: self.plan.tasks[run.task].examples(Split::Validation),
            test_examples: witness.test.and_then(|_| self.plan.tasks[run.task].examples(Split::Test)),
            marks: witness.marks,
            horizons: witness.horizons,
        };
        witness.recorder.finish(&record)?;
        self.progress.finished(self.worker, &record);
        Ok(Trained::Done(record))
    }

    fn training(&self, run: &Run, resume: Option<Snapshot>) -> Result<Training> {
        let budget = self.plan.budget(run);
        let settings = self.plan.optimizer_settings(run)?;
        let common = Common::of(&settings);
        Ok(Training {
            problem: self.plan.tasks[run.task].problem(run.seed, self.device)?,
            optimizer: optim::build(&settings),
            schedule: self.plan.schedule(run)?,
            lr: common.lr,
            clip_norm: common.clip_norm,
            statistics: common.statistics,
            steps: budget.steps,
            eval_every: budget.eval_every,
            horizons: if run.horizon.is_none() { self.plan.horizons[run.task].clone() } else { Vec::new() },
            resume,
        })
    }
}
