//! Whether the runs of a plan and the results in a folder belong together, and what becomes of those that are there.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::Path;

use crate::catalog::Catalog;
use crate::cli::again::beside_or_fresh;
use crate::cli::say;
use crate::config::Experiment;
use crate::error::{Error, Result};
use crate::results::{Conditions, EXPERIMENT, Inventory, Other, Record, Setting, Store};
use crate::sweep::{Plan, Run};

/// What else there is in the folder that a plan comes into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// Results of the same experiment, if any.
    Results,
    /// Results of a part of the experiment.
    Extending,
    /// Another process that trains.
    Process,
}

/// What a plan that extends an experiment changes about the results that are there.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Changes {
    /// Seeds that the results have not.
    pub(super) seeds: Vec<u64>,
    /// The labels of tasks with another target.
    pub(super) targets: Vec<String>,
}

/// Holds a plan against what is in its folder: it must be of the same experiment and under the same conditions or,
/// with `extend`, leave every run that is there in its place. Writes nothing.
pub(super) fn admit(
    catalog: &Catalog,
    store: &Store,
    there: &Inventory,
    plan: &Plan,
    beside: Beside,
) -> Result<Changes> {
    let extend = beside == Beside::Extending;
    let known = there.all_done();
    refuse_older(store, &known)?;
    let root = store.root().display();
    let old = experiment(catalog, store, there)?.filter(|_| !there.is_empty());
    let settings = old.as_ref().map(|old| old.differences(&plan.experiment)).unwrap_or_default();
    let conditions = other_conditions(store, plan, &known, beside)?;
    if !conditions.is_empty() {
        return Err(Error::Usage(format!(
            "{root} holds runs that were trained under other conditions:\n{}\n  help: {}",
            indented(&conditions),
            beside_or_fresh(store.root())
        )));
    }
    if settings.is_empty() {
        return match retrained(plan, &known) {
            None => Ok(Changes::default()),
            Some(run) => Err(Error::Usage(format!(
                "{run} in {root} was trained with other settings, although the config is the same\n  help: {}",
                beside_or_fresh(store.root())
            ))),
        };
    }
    let refusal = format!(
        "{root} holds the results of another experiment:\n{}\n  help: {}",
        indented(&settings),
        beside_or_fresh(store.root())
    );
    match (misfit(plan, old.as_ref(), &known), extend) {
        (None, true) => Ok(old.map(|old| changes(&old, &plan.experiment)).unwrap_or_default()),
        (None, false) => Err(Error::Usage(format!(
            "{refusal}\n  help: `--extend` keeps the existing runs and trains only the new ones"
        ))),
        (Some(_), false) => Err(Error::Usage(refusal)),
        (Some(misfit), true) => Err(Error::Usage(format!("`--extend` is not possible: {misfit}\n{refusal}"))),
    }
}

pub(super) fn indented(lines: &[impl Display]) -> String {
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// The experiment of a folder, if it can be read.
fn experiment(catalog: &Catalog, store: &Store, there: &Inventory) -> Result<Option<Experiment>> {
    let old = match store.read(EXPERIMENT) {
        Ok(None) => return Ok(None),
        Ok(Some(old)) => Experiment::stored(catalog, "", &old).ok(),
        Err(Error::Damaged { .. }) => None,
        Err(error) => return Err(error),
    };
    if old.is_none() && !there.is_empty() {
        // Every run that is there is held against the config by its own fingerprint.
        let path = store.root().join(EXPERIMENT);
        say(&format!("warning: {} cannot be parsed; it is written anew", path.display()));
    }
    Ok(old)
}

/// Of runs from before records kept their data and device nobody can tell whether new ones may join them.
fn refuse_older(store: &Store, known: &[Record]) -> Result<()> {
    if known.iter().all(|record| record.identity.is_some()) {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{} was made by an earlier optbench, which did not record the data of each run: no runs can be added\n  \
         help: {}; `report`, `plot`, `check` and `merge` read these results as before",
        store.root().display(),
        beside_or_fresh(store.root())
    )))
}

/// What is not as it was when the runs that are there, or that an interruption left, were trained: a line each.
fn other_conditions(store: &Store, plan: &Plan, known: &[Record], beside: Beside) -> Result<Vec<String>> {
    let now = plan.conditions();
    let mut then = Conditions::of(store, known, &plan.experiment.tasks)?;
    // What a process is at has no checkpoint yet; what a kill left without one is worth nothing.
    for started in store.started(beside != Beside::Process) {
        then.add(&started.task, &started.identity);
    }
    // Another dataset or path is a change of the config, and told as such.
    then.data.retain(|task, all| {
        let place = plan.experiment.tasks.iter().position(|spec| spec.label == *task);
        let new = place.and_then(|place| plan.tasks[place].data.as_ref());
        all.retain(|old| new.is_some_and(|new| (&old.dataset, &old.path) == (&new.dataset, &new.path)));
        !all.is_empty()
    });
    let line = |Other { words, path }: Other| match path {
        // The same name may mean another file in another folder.
        Some(path) => {
            let place = std::path::absolute(&path).unwrap_or_else(|_| Path::new(&path).to_path_buf());
            format!("{words} ({})", place.display())
        }
        None => words,
    };
    let data = then.other_data(&now).into_iter().map(line);
    Ok(data.chain(then.other_revisions(&now)).collect())
}

/// What a run is to its reader: labels, seed, horizon and hyper-parameters.
type Key = (String, String, String, u64, Option<u64>, Vec<(String, Setting)>);

fn key(record: &Record) -> Key {
    let Record { task, optimizer, schedule, seed, horizon, hyper_parameters, .. } = record.clone();
    (task, optimizer, schedule, seed, horizon, hyper_parameters)
}

/// The fingerprints that a plan gives to its runs.
fn planned(plan: &Plan, known: &[Record]) -> HashMap<Key, String> {
    if known.is_empty() {
        return HashMap::new();
    }
    let of = |run: Run| {
        let task = plan.experiment.tasks[run.task].label.clone();
        let hyper_parameters = run.hyper_parameters();
        let key = (task, run.optimizer_label, run.schedule_label, run.seed, run.horizon, hyper_parameters);
        (key, run.fingerprint)
    };
    plan.may_be_due(known).into_iter().map(of).collect()
}

/// A run that the plan has with the same settings but other numbers.
fn retrained(plan: &Plan, known: &[Record]) -> Option<String> {
    let planned = planned(plan, known);
    let differs = |record: &&Record| planned.get(&key(record)).is_some_and(|new| *new != record.fingerprint);
    known.iter().find(differs).map(|record| record.run.clone())
}

/// The first thing in a folder that has no place in a plan, in words.
fn misfit(plan: &Plan, old: Option<&Experiment>, known: &[Record]) -> Option<String> {
    if old.is_some_and(|old| old.probes_gradients != plan.experiment.probes_gradients) {
        return Some("`probe` was another when the runs were trained".into());
    }
    let planned = planned(plan, known);
    known.iter().find_map(|record| match planned.get(&key(record)) {
        None => Some(format!("{} is not a run of the new experiment", record.run)),
        Some(fingerprint) if *fingerprint != record.fingerprint => {
            Some(format!("{} was trained with other settings", record.run))
        }
        Some(_) => None,
    })
}

fn changes(old: &Experiment, new: &Experiment) -> Changes {
    let target = |label: &str| old.tasks.iter().find(|task| task.label == label).map(|task| task.target);
    let other = new.tasks.iter().filter(|task| target(&task.label).is_some_and(|target| target != task.target));
    Changes { seeds: added_seeds(old, new), targets: other.map(|task| task.label.clone()).collect() }
}

/// The seeds that an experiment adds to one that has results.
///
/// Where other looks are planned than were, no seed's place is what it was. Judge seeds that are the first are none of
/// these, as nobody has seen what they judge; where there were some, other `seeds` may let them judge another choice.
fn added_seeds(old: &Experiment, new: &Experiment) -> Vec<u64> {
    let mut added: Vec<u64> = new.seeds.iter().copied().filter(|seed| !old.seeds.contains(seed)).collect();
    if old.judge_seeds.is_empty() {
        if old.seed_looks != new.seed_looks {
            added.clone_from(&new.seeds);
        }
    } else if !added.is_empty() || old.looks() != new.looks() {
        added.extend(&new.judge_seeds);
    } else {
        added.extend(new.judge_seeds.iter().filter(|seed| !old.judge_seeds.contains(seed)));
    }
    added
}

/// Makes the changes: before the config says them, so that a kill leaves no seed without its note.
pub(super) fn apply(changes: &Changes, store: &Store, plan: &Plan) -> Result<()> {
    if !changes.seeds.is_empty() {
        store.note_extended(changes.seeds.iter().copied())?;
    }
    for task in plan.experiment.tasks.iter().filter(|task| changes.targets.contains(&task.label)) {
        store.judge_again(&task.label, task.target)?;
    }
    Ok(())
}
