//! What becomes of a run, whatever trains it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use candle_core::{DType, Device, Tensor};

use crate::catalog::Catalog;
use crate::config::Experiment;
use crate::error::{Error, Result};
use crate::metric::{Direction, Metric, Scores};
use crate::nn::params::Parameter;
use crate::results::{Record, Status, Store};
use crate::sweep::{Execution, InProcess, Job, Machine, Plan, Progress, Run, Sweep, Trainer};
use crate::task::data::Library;
use crate::task::{self, Problem, Split, Target, Task};
use crate::train::{Ending, EvaluationRecord, Observer, Outcome, Snapshot, StepRecord, Times};

/// A task that panics under one seed, in the middle of the run.
struct Breaks(Arc<dyn Task>);

impl Task for Breaks {
    fn steps_per_epoch(&self) -> Option<u64> {
        self.0.steps_per_epoch()
    }

    fn problem(&self, seed: u64, device: &Device) -> Result<Box<dyn Problem>> {
        let sound = self.0.problem(seed, device)?;
        Ok(if seed == 1 { Box::new(Breaking(sound)) } else { sound })
    }
}

struct Breaking(Box<dyn Problem>);

impl Problem for Breaking {
    fn parameters(&self) -> &[Parameter] {
        self.0.parameters()
    }

    fn gradients(&mut self, t: u64) -> Result<(f64, Vec<Tensor>)> {
        assert!(t < 3, "gradient {t} breaks");
        self.0.gradients(t)
    }

    fn evaluate(&mut self, split: Split) -> Result<Option<Scores>> {
        self.0.evaluate(split)
    }
}

struct Silent;

impl Progress for Silent {
    fn started(&self, _: usize, _: &Run, _: u64) {}
    fn step(&self, _: usize, _: u64) {}
    fn finished(&self, _: usize, _: &Record) {}
}

#[test]
fn a_run_that_panics_is_recorded_as_failed_and_the_others_are_trained() {
    let config = "seeds = 4\nsteps = 9\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\n";
    let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", config, "c", &[]).unwrap();
    let mut plan = Plan::new(experiment, &Library::default()).unwrap();
    let sound = task::build(&plan.experiment.tasks[0], &Library::default()).unwrap();
    let trained = |task: Arc<dyn Task>| Arc::new(InProcess { task, device: Device::Cpu });
    plan.tasks[0].trainer = trained(Arc::new(Breaks(sound.clone())));
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.create().unwrap();
    let train = |plan: &Plan, jobs: usize| {
        let missing = plan.runs.iter().filter(|run| store.finished(&run.name).unwrap().is_none()).collect();
        let interrupt = AtomicBool::new(false);
        Sweep { plan, store: &store, jobs, interrupt: &interrupt, progress: &Silent, machine: Machine::default() }
            .train(missing)
            .unwrap()
    };
    let execution = train(&plan, 1);
    let [(name, error)] = &execution.failed[..] else { panic!("{execution:?}") };
    assert!(name.ends_with("-s1") && error.contains("gradient 3 breaks (at src"), "{name}: {error}");
    assert_eq!(execution.trained, 4);
    let record = store.load(name).unwrap().unwrap();
    assert_eq!((record.status, record.steps, record.error.as_ref()), (Status::Failed, 3, Some(error)));
    // Once it is mended, the same command trains what failed.
    plan.tasks[0].trainer = trained(sound);
    let execution = train(&plan, 2);
    assert_eq!((execution.trained, execution.failed.len()), (1, 0));
    assert!(plan.runs.iter().all(|run| store.finished(&run.name).unwrap().is_some()));
}

/// Trains nothing: what it reports is made up, as the seed says. It keeps the last step that it was told to go on from.
#[derive(Default)]
struct MadeUp {
    resumed_at: AtomicU64,
}

const F1: &str = "sweep_tests_f1";

impl MadeUp {
    fn outcome(ending: Ending, steps: u64) -> Outcome {
        Outcome { ending, steps, gradient_evaluations: steps, times: Times::default(), state_bytes: 0 }
    }
}

impl Trainer for MadeUp {
    fn check(&self, _job: &Job) -> Result<()> {
        Ok(())
    }

    fn train(&self, job: &Job, resume: Option<Snapshot>, observer: &mut dyn Observer) -> Result<Outcome> {
        let course = job.course();
        let f1 = Metric::declared(F1, Direction::Higher).map_err(Error::Usage)?;
        let mut done = resume.map_or(0, |snapshot| snapshot.steps);
        self.resumed_at.store(done, Ordering::Relaxed);
        while done < course.steps {
            if observer.wants_snapshot() {
                let tensors = vec![("anything".to_owned(), Tensor::zeros(1, DType::F32, &Device::Cpu)?)];
                let words = [("by".to_owned(), "made up".to_owned())].into();
                observer.snapshot(&Snapshot { steps: done, times: Times::default(), tensors, words })?;
            }
            if !observer.proceed() {
                return Ok(Self::outcome(Ending::Interrupted, done));
            }
            done += 1;
            let loss = if (job.run.seed, done) == (1, 3) { f64::NAN } else { 1.0 / done as f64 };
            observer.step(&StepRecord { step: done, lr: None, loss, grad_norm: None })?;
            if loss.is_nan() {
                return Ok(Self::outcome(Ending::Diverged, done));
            }
            if (job.run.seed, done) == (2, 2) {
                return Err(Error::io("start", "train.py")(std::io::ErrorKind::NotFound.into()));
            }
            if done.is_multiple_of(course.eval_every) || done == course.steps {
                // Best in the middle.
                let scores = [(f1, [0.5, 0.9, 0.8][(done / course.eval_every - 1) as usize])].into_iter().collect();
                observer.evaluation(&EvaluationRecord { step: done, split: Split::Validation, scores })?;
            }
        }
        Ok(Self::outcome(Ending::Finished, done))
    }
}

/// Six steps, evaluated at every other one by a metric of its own, trained by somebody else.
fn foreign(config: &str, trainer: Arc<MadeUp>) -> Plan {
    let config =
        format!("steps = 6\neval_every = 2\n{config}\n[tasks.theirs]\nmodel = \"quadratic\"\n[optimizers.sgd]\n");
    let mut experiment = Experiment::parse(&Catalog::built_in(), "c.toml", &config, "c", &[]).unwrap();
    let f1 = Metric::declared(F1, Direction::Higher).unwrap();
    let spec = &mut experiment.tasks[0];
    (spec.metrics, spec.metric, spec.target) = (vec![f1], f1, Some(Target { metric: f1, value: 0.85 }));
    let mut plan = Plan::new(experiment, &Library::default()).unwrap();
    plan.tasks[0].trainer = trainer;
    plan
}

fn in_folder(plan: &Plan, store: &Store, progress: &dyn Progress, interrupt: &AtomicBool) -> Execution {
    store.create().unwrap();
    let missing = plan.runs.iter().filter(|run| store.finished(&run.name).unwrap().is_none()).collect();
    Sweep { plan, store, jobs: 1, interrupt, progress, machine: Machine::default() }.train(missing).unwrap()
}

#[test]
fn whatever_trains_a_run_its_records_are_kept_alike() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let plan = foreign("seeds = 3", Arc::default());
    let execution = in_folder(&plan, &store, &Silent, &AtomicBool::new(false));
    // A file that a trainer misses is its own failure, not the folder's.
    let [(name, error)] = &execution.failed[..] else { panic!("{execution:?}") };
    assert!(name.ends_with("-s2") && error.contains("train.py"), "{name}: {error}");
    let records: Vec<Record> = plan.runs.iter().map(|run| store.load(&run.name).unwrap().unwrap()).collect();
    let f1 = plan.experiment.tasks[0].metric;
    let of = |scores: &Option<Scores>| scores.as_ref().and_then(|scores| scores.get(f1));
    let [finished, diverged, failed] = &records[..] else { panic!("{records:?}") };
    assert_eq!((finished.status, finished.steps, finished.steps_to_target), (Status::Finished, 6, Some(4)));
    assert_eq!((of(&finished.validation), of(&finished.best)), (Some(0.8), Some(0.9)));
    assert_eq!((diverged.status, diverged.steps, of(&diverged.validation)), (Status::Diverged, 3, Some(0.5)));
    assert_eq!((failed.status, failed.steps, failed.error.as_ref()), (Status::Failed, 2, Some(error)));
    let read = |file: &str| std::fs::read_to_string(store.run(&finished.run).join(file)).unwrap();
    let evaluations =
        format!("step,epoch,split,loss,accuracy,perplexity,{F1}\n2,,val,,,,0.5\n4,,val,,,,0.9\n6,,val,,,,0.8\n");
    assert_eq!(read("evals.csv"), evaluations);
    assert!(read("steps.csv").starts_with("step,epoch,lr,loss,grad_norm\n1,,,1,\n2,,,0.5,\n"), "{}", read("steps.csv"));
    let rows = store.evaluations(&finished.run).unwrap();
    assert_eq!(rows.iter().map(|row| row.scores.get(f1)).collect::<Vec<_>>(), [Some(0.5), Some(0.9), Some(0.8)]);
    assert_eq!(store.steps(&finished.run).unwrap()[1].lr, None);
}

/// Raises the flag at a step.
struct At<'a>(u64, &'a AtomicBool);

impl Progress for At<'_> {
    fn started(&self, _: usize, _: &Run, _: u64) {}
    fn step(&self, _: usize, step: u64) {
        self.1.fetch_or(step == self.0, Ordering::Relaxed);
    }
    fn finished(&self, _: usize, _: &Record) {}
}

#[test]
fn an_interrupted_run_goes_on_from_what_its_trainer_kept_or_leaves_nothing() {
    for (config, resumed_at) in [("seeds = 1", 0), ("seeds = 1\ncheckpoint_every = 2", 4)] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let trainer = Arc::new(MadeUp::default());
        let plan = foreign(config, trainer.clone());
        let flag = AtomicBool::new(false);
        let execution = in_folder(&plan, &store, &At(5, &flag), &flag);
        assert!(execution.interrupted && execution.trained == 0, "{execution:?}");
        assert_eq!(store.started(true).len(), usize::from(resumed_at > 0));
        assert_eq!(std::fs::read_dir(folder.path().join("runs")).unwrap().count() > 0, resumed_at > 0, "{config}");
        let execution = in_folder(&plan, &store, &Silent, &AtomicBool::new(false));
        assert_eq!((execution.trained, trainer.resumed_at.load(Ordering::Relaxed)), (1, resumed_at), "{config}");
        let record = store.load(&plan.runs[0].name).unwrap().unwrap();
        assert_eq!((record.steps, record.steps_to_target), (6, Some(4)), "what came before counts");
        let steps = store.steps(&record.run).unwrap();
        assert_eq!(steps.iter().map(|row| row.step).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6], "{config}");
    }
}
