//! Trains the runs of a sweep, several at a time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::results::{Curves, Identity, Probes, Record, Started, Status, Store};
use crate::sweep::panic::caught;
use crate::sweep::plan::Plan;
use crate::sweep::progress::Progress;
use crate::sweep::run::Run;
use crate::sweep::trainer::{Job, Place};
use crate::sweep::witness::{Follower, Seen, Witness};
use crate::train::{Ending, Outcome};

/// The stack of a training thread: candle walks a graph by recursion.
const STACK: usize = 256 << 20;
/// How often to look whether another process is done with a run.
const PATIENCE: Duration = Duration::from_millis(200);

/// A plan that is trained into a folder.
pub struct Sweep<'a> {
    /// What there is to train.
    pub plan: &'a Plan,
    /// Where it is written down.
    pub store: &'a Store,
    /// How many runs are trained at a time.
    pub jobs: usize,
    /// Stops it where it stands once it is raised.
    pub interrupt: &'a AtomicBool,
    /// Who follows it.
    pub progress: &'a dyn Progress,
    /// What the runs of training programs have of the machine.
    pub machine: Machine<'a>,
}

/// What the runs of training programs have of the machine: optbench does not see what they do with it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine<'a> {
    /// The devices that they take turns on, as they were named; none where that is left to them.
    pub devices: &'a [String],
    /// How many threads each is to use.
    pub threads: usize,
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

impl Sweep<'_> {
    /// Trains the given runs, and makes each durable before the next one starts.
    ///
    /// # Errors
    /// When the results folder cannot be written to, or a trainer refuses in [`Trainer::prepare`](crate::sweep::Trainer::prepare). A run's
    /// own failure, a panic included, is a part of the outcome.
    pub fn train(&self, runs: Vec<&Run>) -> Result<Execution> {
        let Self { jobs, interrupt, .. } = *self;
        let queue = Mutex::new(VecDeque::from(runs));
        let outcome = Mutex::new(Ok(Execution::default()));
        let worker = |number: usize| {
            loop {
                // Taken in a statement of its own: the queue must be free again while the run is trained.
                let next = lock(&queue).pop_front();
                let Some(run) = next.filter(|_| !interrupt.load(Ordering::Relaxed)) else { break };
                match self.train_one(run, number) {
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
                        // The folder is not to be written to, or a model is not to be trained: no other run would fare
                        // better, or not as it is meant.
                        lock(&queue).clear();
                        *lock(&outcome) = Err(error);
                        break;
                    }
                }
            }
        };
        let worker = &worker;
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

    fn train_one(&self, run: &Run, worker: usize) -> Result<Trained> {
        let Self { plan, store, interrupt, progress, machine, .. } = *self;
        let (job, facts) = (plan.job(run), plan.tasks[run.task].facts);
        let trainer = &plan.tasks[run.task].trainer;
        caught(|| trainer.prepare(&job))?;
        let spec = job.spec;
        let probes = Probes {
            gradients: plan.experiment.probes_gradients,
            path: spec.function().is_some_and(|function| function.start().len() == 2),
        };
        let keeps_folder = trainer.keeps_folder();
        let curves =
            Curves { steps_per_epoch: facts.steps_per_epoch, metrics: spec.metrics.clone(), probes, keeps_folder };
        let identity = plan.identity(run);
        let started =
            Started { fingerprint: run.fingerprint.clone(), task: spec.label.clone(), identity: identity.clone() };
        let Some(recorder) = store.begin(&run.name, &started, curves)? else { return Ok(Trained::Elsewhere) };
        if let Some(before) = store.finished(&run.name)? {
            recorder.abandon();
            if before.fingerprint != run.fingerprint {
                let problem = format!("{} was trained with other settings by another process meanwhile", run.name);
                return Err(Error::Usage(problem));
            }
            return Ok(Trained::Before);
        }
        progress.started(worker, run, job.budget.steps);
        let place = Place {
            folder: recorder.folder().to_owned(),
            destination: recorder.destination().to_owned(),
            resumes: recorder.continued().is_some(),
            device: machine.devices.get(worker % machine.devices.len().max(1)).cloned(),
            threads: machine.threads,
        };
        let seen = Seen::new(spec.target, &run.stands_for, plan.marks_of(run));
        let follower = Follower { interrupt, progress, worker, run };
        let mut witness =
            Witness::new(seen, recorder, follower, probes, plan.snapshots(run)).keeping_folder(keeps_folder);
        let resume = witness.take_up()?;
        let job = Job { place: Some(&place), ..job };
        let outcome = match caught(|| trainer.train(&job, resume, &mut witness)) {
            Err(error) if witness.was_refused() => return Err(error),
            Ok(outcome) if outcome.ending == Ending::Interrupted => {
                witness.leave();
                return Ok(Trained::Interrupted);
            }
            outcome => outcome.and_then(|outcome| witness.seen.whole(outcome)),
        };
        let record = self.record(run, identity, &witness, outcome);
        witness.finish(&record)?;
        progress.finished(worker, &record);
        Ok(Trained::Done(record))
    }

    /// What is kept of a run that has ended.
    fn record(&self, run: &Run, identity: Identity, witness: &Witness, outcome: Result<Outcome>) -> Record {
        let (seen, facts) = (&witness.seen, self.plan.tasks[run.task].facts);
        let times = outcome.as_ref().map(|outcome| outcome.times).unwrap_or_default();
        Record {
            optbench: Some(env!("CARGO_PKG_VERSION").to_owned()),
            commit: option_env!("OPTBENCH_COMMIT").map(str::to_owned),
            run: run.name.clone(),
            fingerprint: run.fingerprint.clone(),
            identity: Some(identity),
            task: self.plan.experiment.tasks[run.task].label.clone(),
            optimizer: run.optimizer_label.clone(),
            schedule: run.schedule_label.clone(),
            seed: run.seed,
            is_independent: false,
            computed_by: self.plan.tasks[run.task].trainer.computed_by(),
            hyper_parameters: run.hyper_parameters(),
            status: match &outcome {
                Ok(outcome) if outcome.ending == Ending::Diverged => Status::Diverged,
                Ok(_) => Status::Finished,
                Err(_) => Status::Failed,
            },
            horizon: run.horizon,
            error: outcome.as_ref().err().map(ToString::to_string),
            steps: outcome.as_ref().map_or(seen.steps, |outcome| outcome.steps),
            gradient_evaluations: outcome.as_ref().ok().and_then(|outcome| {
                (outcome.gradient_evaluations > outcome.steps).then_some(outcome.gradient_evaluations)
            }),
            validation: seen.validation.clone(),
            test: seen.test.clone(),
            best: seen.best.clone(),
            steps_to_target: seen.steps_to_target,
            seconds: witness.seconds(),
            gradient_seconds: times.gradients.as_secs_f64(),
            optimizer_seconds: times.optimizer.as_secs_f64(),
            evaluation_seconds: times.evaluation.as_secs_f64(),
            state_bytes: outcome.map_or(0, |outcome| outcome.state_bytes as u64),
            loss_floor: facts.loss_floor,
            validation_examples: facts.validation_examples,
            test_examples: facts.test_examples.filter(|_| seen.test.is_some()),
            marks: seen.marks.clone(),
            horizons: seen.horizons.clone(),
        }
    }
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
