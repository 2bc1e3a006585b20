//! The folder of what was imported: whole, or not there at all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, absolute};

use serde_json::json;

use crate::catalog::Catalog;
use crate::checksum::sha256;
use crate::cli::import::config::key_of;
use crate::config::Experiment;
use crate::error::{Error, Result};
use crate::metric::{Metric, Scores};
use crate::recorded::run::Run;
use crate::recorded::sheet::Sheet;
use crate::report::Results;
use crate::results::file_name::Distinct;
use crate::results::{Curves, EXPERIMENT, Identity, Record, Setting, Started, Status, Store};
use crate::settings::EXTERNAL;
use crate::task::Split;
use crate::train::{EvaluationRecord, StepRecord};

/// Writes the folder beside where it is to be, and gives it its name once it is whole.
pub(super) fn write(
    catalog: &Catalog,
    out: &Path,
    experiment: &Experiment,
    runs: &[Run],
    sheets: &[Sheet],
) -> Result<Results> {
    let out = absolute(out).map_err(Error::io("find", out))?;
    let parent = out.parent().unwrap_or(&out);
    fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    // Removed again wherever this ends before its renaming.
    let new = tempfile::Builder::new().prefix(".import-").tempdir_in(parent).map_err(Error::io("create", parent))?;
    let store = Store::new(new.path());
    store.write(EXPERIMENT, experiment.to_toml())?;
    store.create()?;
    store.add_origin(origin(sheets)?)?;
    let mut names = Distinct::default();
    for run in runs {
        put(&store, &name(&run.name, &mut names), experiment, run)?;
    }
    Results::open(catalog, store)?.write()?;
    fs::rename(new.path(), &out).map_err(Error::io("create", &out))?;
    // It has another name now.
    drop(new.keep());
    Results::open(catalog, Store::new(out))
}

/// What was read, as `provenance.json` tells it.
fn origin(sheets: &[Sheet]) -> Result<serde_json::Value> {
    let mut files = BTreeMap::new();
    for Sheet { path, .. } in sheets {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        files.insert(path.display().to_string(), sha256(bytes));
    }
    Ok(json!({
        "imported_with": env!("CARGO_PKG_VERSION"),
        "device": EXTERNAL,
        "files_sha256": files,
        "command": std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>(),
    }))
}

/// A run's name as one of a folder.
fn name(name: &str, names: &mut Distinct) -> String {
    const LONGEST: usize = 150;
    let short: String = name.chars().take(LONGEST).collect();
    let visible = if short.starts_with(['.', '-']) || short.is_empty() { format!("_{short}") } else { short };
    names.name(&visible)
}

/// Writes one run.
fn put(store: &Store, name: &str, experiment: &Experiment, run: &Run) -> Result<()> {
    let missing = || Error::Usage(format!("run `{}` has no labels", run.name));
    let [task, optimizer, schedule] = [&run.task, &run.optimizer, &run.schedule].map(Clone::clone);
    let (task, optimizer, schedule) =
        task.zip(optimizer).zip(schedule).map(|((a, b), c)| (a, b, c)).ok_or_else(missing)?;
    let spec = experiment.tasks.iter().find(|spec| spec.label == task).ok_or_else(missing)?;
    let identity = Identity { device: EXTERNAL.into(), data: None, revisions: BTreeMap::new() };
    let seen = Seen::of(run, spec.metric);
    let keys = run.settings.iter().map(|(key, value)| (key_of(key), Setting::printed(value)));
    let (mut hyper_parameters, of_schedule): (Vec<_>, Vec<_>) =
        keys.partition(|(key, _)| !key.starts_with("schedule."));
    hyper_parameters.sort_by_key(|(key, _)| key != "lr");
    hyper_parameters.extend(of_schedule);
    let fingerprint =
        sha256(format!("{:?}", (&run.name, &task, &optimizer, &schedule, run.seed, &run.settings, &run.points)));
    let started = Started { fingerprint: fingerprint.clone(), task: task.clone(), identity: identity.clone() };
    let curves = Curves { metrics: spec.metrics.clone(), ..Curves::default() };
    let Some(mut recorder) = store.begin(name, &started, curves)? else { return Err(missing()) };
    for step in &seen.updates {
        recorder.step(step)?;
    }
    for evaluation in &seen.evaluations {
        recorder.evaluation(evaluation)?;
    }
    recorder.finish(&Record {
        optbench: None,
        commit: None,
        run: name.to_owned(),
        fingerprint,
        identity: Some(identity),
        task,
        optimizer,
        schedule,
        seed: run.seed.unwrap_or_default(),
        hyper_parameters,
        status: seen.status,
        horizon: None,
        error: (seen.status == Status::Failed).then(|| failure(run)),
        steps: seen.steps,
        gradient_evaluations: None,
        validation: seen.validation,
        test: seen.test,
        best: seen.best,
        steps_to_target: None,
        seconds: 0.0,
        gradient_seconds: 0.0,
        optimizer_seconds: 0.0,
        evaluation_seconds: 0.0,
        state_bytes: 0,
        loss_floor: None,
        validation_examples: None,
        test_examples: None,
        marks: Vec::new(),
        horizons: Vec::new(),
        is_independent: false,
        computed_by: Some(run.path.display().to_string()),
    })
}

fn failure(run: &Run) -> String {
    match &run.status {
        Some(status) => format!("its recorded status is `{status}`"),
        None => format!("{} has no score of it on validation", run.path.display()),
    }
}

/// What is kept of a run.
struct Seen {
    updates: Vec<StepRecord>,
    evaluations: Vec<EvaluationRecord>,
    steps: u64,
    status: Status,
    validation: Option<Scores>,
    test: Option<Scores>,
    best: Option<Scores>,
}

impl Seen {
    /// A run as far as its first number that is not finite, if there is one: there it diverged.
    fn of(run: &Run, metric: Metric) -> Self {
        let curves = run.curves();
        let decides = |name: &str| name == metric.name() || name == Metric::LOSS.name();
        let lost_update = curves.updates.iter().find(|(_, update)| update.loss.is_some_and(|loss| !loss.is_finite()));
        let lost_evaluation = curves
            .evaluations
            .iter()
            .find(|(_, scores)| scores.iter().any(|(_, name, score)| decides(name) && !score.is_finite()));
        let lost =
            [lost_update.map(|(step, _)| *step), lost_evaluation.map(|(step, _)| *step)].into_iter().flatten().min();
        let end = lost.unwrap_or(u64::MAX);
        let updates = curves.updates.range(..=end).filter_map(|(step, update)| {
            Some(StepRecord { step: *step, lr: update.lr, loss: update.loss?, grad_norm: update.grad_norm })
        });
        let (mut evaluations, mut validation, mut test, mut best) =
            (Vec::new(), Scores::default(), Scores::default(), None);
        for (step, scores) in curves.evaluations.range(..=end) {
            for split in [Split::Validation, Split::Test] {
                let own =
                    scores.iter().filter(|(of, name, score)| *of == split && (score.is_finite() || decides(name)));
                let own: Scores = own.map(|(_, name, score)| (Metric::named(name), *score)).collect();
                if own == Scores::default() {
                    continue;
                }
                let last = if split == Split::Validation { &mut validation } else { &mut test };
                own.iter().for_each(|(metric, score)| last.set(metric, score));
                if split == Split::Validation {
                    best.get_or_insert_with(Scores::default).improve(&own);
                }
                evaluations.push(EvaluationRecord { step: *step, split, scores: own });
            }
        }
        let status = match run.status.as_deref().map(str::to_ascii_lowercase).as_deref() {
            _ if lost.is_some() => Status::Diverged,
            Some("diverged" | "nan") => Status::Diverged,
            Some("failed" | "crashed" | "killed" | "running" | "scheduled" | "preempting" | "preempted") => {
                Status::Failed
            }
            _ if validation.get(metric).is_none() => Status::Failed,
            _ => Status::Finished,
        };
        let there = |scores: Scores| (scores != Scores::default()).then_some(scores);
        Self {
            updates: updates.collect(),
            evaluations,
            steps: lost.unwrap_or(curves.steps),
            status,
            validation: there(validation),
            test: there(test),
            best,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded::run::{Point, Quantity};

    fn seen(points: &[(u64, Quantity, f64)], status: Option<&str>) -> Seen {
        let point = |(step, of, value): &(u64, Quantity, f64)| Point {
            line: 1,
            step: Some(*step),
            of: of.clone(),
            value: *value,
        };
        let status = status.map(str::to_owned);
        Seen::of(&Run { points: points.iter().map(point).collect(), status, ..Run::default() }, Metric::ACCURACY)
    }

    #[test]
    fn a_run_ends_where_it_diverged() {
        let validation = |name: &str| Quantity::Validation(name.into());
        let accuracy = |step, value| (step, validation("accuracy"), value);
        let whole = seen(&[accuracy(10, 0.5), (10, validation("folder_rs"), f64::NAN), accuracy(20, 0.25)], None);
        assert_eq!((whole.status, whole.steps, whole.evaluations.len()), (Status::Finished, 20, 2));
        let scores = |value| Some(Scores::default().with(Metric::ACCURACY, value));
        assert_eq!((whole.validation, whole.best, whole.test), (scores(0.25), scores(0.5), None));
        let training = |step, value| (step, Quantity::Training("loss".into()), value);
        let lost = seen(&[training(5, 1.0), accuracy(10, 0.5), training(15, f64::INFINITY), accuracy(20, 0.75)], None);
        assert_eq!((lost.status, lost.steps, lost.updates.len(), lost.evaluations.len()), (Status::Diverged, 15, 2, 1));
        assert_eq!(seen(&[accuracy(10, 0.5)], Some("crashed")).status, Status::Failed);
        assert_eq!(seen(&[accuracy(10, 0.5)], Some("finished")).status, Status::Finished);
        assert_eq!(seen(&[training(10, 0.5)], None).status, Status::Failed);
    }
}
