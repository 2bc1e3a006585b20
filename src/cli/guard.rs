//! What stands between a command and the results that are there already: nothing is mixed, nothing lost.

use std::collections::HashMap;
use std::io::{self, BufRead, IsTerminal};

use crate::cli::say;
use crate::config::Experiment;
use crate::error::{Error, Result};
use crate::results::{EXPERIMENT, Hold, Record, Store};
use crate::sweep::{Plan, Run, Shard};

/// Runs of an earlier start stay; whatever is not there, or failed, is missing.
pub(super) fn missing<'a>(store: &Store, chosen: &[&'a Run]) -> Result<Vec<&'a Run>> {
    let mut missing = Vec::new();
    let mut without_curves = 0;
    let packed = store.packed()?;
    for run in chosen {
        let finished = store.finished(&run.name)?;
        let known = finished.as_ref().or_else(|| packed.get(&run.name).filter(|record| record.is_done()));
        if known.is_some_and(|record| record.fingerprint != run.fingerprint) {
            return Err(Error::Usage(format!(
                "{} in {} was trained with other settings, although the config is the same\n  \
                 help: an older optbench may have written it; `--fresh` trains everything anew, `--out DIR` keeps both",
                run.name,
                store.root().display()
            )));
        }
        if finished.is_none() {
            if let Some(flaw) = store.flaw(&run.name) {
                say(&format!("warning: {flaw}; {} is trained again", run.name));
            }
            without_curves += usize::from(known.is_some());
            missing.push(*run);
        }
    }
    if !missing.is_empty() {
        refuse_other_version(store)?;
    }
    if without_curves > 0 {
        say(&format!(
            "{without_curves} of these runs stand in records.toml without their curves: each is trained again, \
             and its result stays until then"
        ));
    }
    Ok(missing)
}

/// Runs of one experiment are compared with each other: they come from one version.
fn refuse_other_version(store: &Store) -> Result<()> {
    const THIS: &str = env!("CARGO_PKG_VERSION");
    let Some((run, other)) = store.trained_by_other(THIS)? else { return Ok(()) };
    Err(Error::Usage(format!(
        "{run} in {} was trained by optbench {other}, this is {THIS}, and numbers may differ between versions\n  \
         help: go on with {other}; or train everything anew with `--fresh`, or beside it with `--out DIR`; \
         `optbench report` reads what is there",
        store.root().display()
    )))
}

/// Results of one folder belong to one experiment: another one must not be mixed in.
pub(super) fn refuse_other_experiment(store: &Store, experiment: &Experiment) -> Result<()> {
    let old = match store.read(EXPERIMENT) {
        Ok(None) => return Ok(()),
        Ok(Some(old)) => Experiment::parse("", &old, "", &[]).ok(),
        Err(Error::Damaged { .. }) => None,
        Err(error) => return Err(error),
    };
    let path = store.root().join(EXPERIMENT);
    if store.known()?.is_empty() {
        return Ok(());
    }
    let Some(old) = old else {
        // Every run that is there is held against the config by its own fingerprint.
        say(&format!("warning: {} does not read back; it is written anew", path.display()));
        return Ok(());
    };
    let differences = old.differences(experiment);
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{} holds the results of another experiment:\n{}\n  \
         help: give this one another `name` or `--out DIR`, or forget the old results with `--fresh`",
        store.root().display(),
        indented(&differences)
    )))
}

/// What becomes of the results that are there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Earlier {
    /// They are of the same experiment.
    Keep,
    /// They are a part of the experiment.
    Extend,
    /// They go, once the user has agreed.
    Forget { agreed: bool },
}

/// Makes a folder ready for a plan and holds it: as long as that lasts, no other experiment comes into it.
pub(super) fn enter(store: &Store, plan: &Plan, earlier: Earlier) -> Result<Hold> {
    refuse_foreign(store)?;
    if let Earlier::Forget { agreed: false } = earlier {
        ask(store)?;
    }
    let forgets = matches!(earlier, Earlier::Forget { .. });
    let wanted = plan.experiment.to_toml();
    match store.hold_alone()? {
        Some(_alone) => {
            store.sweep();
            if forgets {
                store.clear()?;
            }
            admit(store, plan, earlier == Earlier::Extend)?;
            if earlier == Earlier::Extend {
                note_added_seeds(store, &plan.experiment)?;
            }
            store.write(EXPERIMENT, &wanted)?;
            store.create()?;
        }
        None if forgets => {
            return Err(Error::Usage(format!(
                "another process is training in {}\n  help: `--fresh` once it has ended, or `--out DIR` beside it",
                store.root().display()
            )));
        }
        None => {}
    }
    let hold = store.hold()?;
    // Another process may have come first, but from here on none can make the folder one of another experiment.
    let there = store.read(EXPERIMENT)?.unwrap_or_default();
    if there != wanted {
        let differences = Experiment::parse("", &there, "", &[])?.differences(&plan.experiment);
        if !differences.is_empty() {
            return Err(Error::Usage(format!(
                "another process is training another experiment in {}:\n{}\n  help: `--out DIR` keeps both",
                store.root().display(),
                indented(&differences)
            )));
        }
        store.write(EXPERIMENT, &wanted)?;
    }
    Ok(hold)
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// A folder without an experiment is new, or somebody else's.
pub(super) fn refuse_foreign(store: &Store) -> Result<()> {
    let Some(name) = store.foreign() else { return Ok(()) };
    Err(Error::Usage(format!(
        "{} was not made by optbench: it has {name} but no {EXPERIMENT}\n  help: `--out DIR` names a folder of its own",
        store.root().display()
    )))
}

/// Holds a plan against what is in its folder: it must be of the same experiment or, with `extend`, leave every run
/// that is there in its place.
fn admit(store: &Store, plan: &Plan, extend: bool) -> Result<()> {
    let Err(refusal) = refuse_other_experiment(store, &plan.experiment) else { return Ok(()) };
    match (misfit(store, plan)?, extend) {
        (None, true) => Ok(()),
        (None, false) => Err(Error::Usage(format!(
            "{refusal}\n  help: `--extend` keeps every run that is there and trains what is new"
        ))),
        (Some(_), false) => Err(refusal),
        (Some(misfit), true) => Err(Error::Usage(format!("`--extend` cannot go on from here: {misfit}\n{refusal}"))),
    }
}

/// Notes the seeds that are added to results: before the config says them, so that a kill loses no note.
fn note_added_seeds(store: &Store, experiment: &Experiment) -> Result<()> {
    let Some(old) = store.read(EXPERIMENT)?.and_then(|old| Experiment::parse("", &old, "", &[]).ok()) else {
        return Ok(());
    };
    if store.known()?.is_empty() {
        return Ok(());
    }
    store.note_extended(experiment.seeds.iter().copied().filter(|seed| !old.seeds.contains(seed)))
}

/// The first thing in a folder that has no place in a plan, in words.
fn misfit(store: &Store, plan: &Plan) -> Result<Option<String>> {
    let old = store.read(EXPERIMENT)?.and_then(|old| Experiment::parse("", &old, "", &[]).ok());
    for task in old.iter().flat_map(|old| &old.tasks) {
        // A record tells when the target of its day was reached: a hash of what was trained knows nothing of it.
        if plan.experiment.tasks.iter().any(|new| new.label == task.label && new.target != task.target) {
            return Ok(Some(format!("task `{}` had another target when its runs were trained", task.label)));
        }
    }
    if old.is_some_and(|old| old.probes_gradients != plan.experiment.probes_gradients) {
        return Ok(Some("`probe` was another when the runs were trained".into()));
    }
    let mut known = store.packed()?;
    known.extend(store.finished_all()?.into_iter().map(|record| (record.run.clone(), record)));
    let known: Vec<Record> = known.into_values().collect();
    let planned: HashMap<String, String> =
        plan.due(&known, Shard::WHOLE).into_iter().map(|run| (run.name, run.fingerprint)).collect();
    Ok(known.iter().find_map(|record| match planned.get(&record.run) {
        None => Some(format!("{} is no run of the new experiment", record.run)),
        Some(fingerprint) if *fingerprint != record.fingerprint => {
            Some(format!("{} was trained with other settings", record.run))
        }
        Some(_) => None,
    }))
}

/// Asks whether earlier results, if there are any, may go.
fn ask(store: &Store) -> Result<()> {
    let runs = store.known().map_or(1, |names| names.len());
    if runs > 0 {
        let question = format!("Forget the results of {runs} runs in {}?", store.root().display());
        if !io::stdin().is_terminal() {
            return Err(Error::Usage(format!("{question}\n  help: add `--yes` to say so where nobody can be asked")));
        }
        say(&format!("{question} [y/N]"));
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map_err(Error::io("read", "standard input"))?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(Error::Usage("nothing was forgotten and nothing trained".into()));
        }
    }
    Ok(())
}
