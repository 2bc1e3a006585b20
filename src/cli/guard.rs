//! What stands between a command and the results that are there already: nothing is mixed, nothing lost.

use std::io::{self, BufRead, IsTerminal};

use crate::catalog::Catalog;
use crate::cli::admission::{Beside, admit, apply, indented};
use crate::cli::again::beside_or_fresh;
use crate::cli::say;
use crate::config::Experiment;
use crate::error::{Error, Result};
use crate::results::{EXPERIMENT, Hold, Inventory, Store};
use crate::sweep::{Plan, Run};
use crate::words::count;

/// Runs of an earlier start stay; whatever is not there, or failed, is missing.
pub(super) fn missing<'a>(store: &Store, there: &Inventory, chosen: &[&'a Run]) -> Result<Vec<&'a Run>> {
    let mut missing = Vec::new();
    let mut without_curves = 0;
    for run in chosen {
        let known = there.done_run(&run.name);
        if known.is_some_and(|record| record.fingerprint != run.fingerprint) {
            return Err(Error::Usage(format!(
                "{} in {} was trained with other settings, although the config is the same\n  help: {}",
                run.name,
                store.root().display(),
                beside_or_fresh(store.root())
            )));
        }
        if there.finished(&run.name).is_none() {
            if let Some(flaw) = there.flaw(&run.name) {
                say(&format!("warning: {flaw}; {} is trained again", run.name));
            }
            without_curves += usize::from(known.is_some());
            missing.push(*run);
        }
    }
    if !missing.is_empty() {
        refuse_other_version(store, there)?;
    }
    if without_curves > 0 {
        say(&format!(
            "{without_curves} of these runs have no curves (only `records.toml`): each is trained again, and its result is \
             kept until then"
        ));
    }
    Ok(missing)
}

/// Runs of one experiment are compared with each other: they come from one version.
fn refuse_other_version(store: &Store, there: &Inventory) -> Result<()> {
    const THIS: &str = env!("CARGO_PKG_VERSION");
    let Some((run, other)) = there.trained_by_other(THIS) else { return Ok(()) };
    Err(Error::Usage(format!(
        "{run} in {} was trained by optbench {other}, this is {THIS}, and numbers may differ between versions\n  \
         help: go on with {other}; or train everything anew with `--fresh`, or beside it with `--out DIR`; \
         `optbench report` reads what is there",
        store.root().display()
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

/// Makes a folder ready for a plan and holds it: as long as that lasts, no other experiment comes into it. What is there
/// is read again once it is held.
pub(super) fn enter(
    catalog: &Catalog,
    store: &Store,
    there: &mut Inventory,
    plan: &Plan,
    earlier: Earlier,
) -> Result<Hold> {
    refuse_foreign(store)?;
    if let Earlier::Forget { agreed: false } = earlier {
        ask(store)?;
    }
    let forgets = matches!(earlier, Earlier::Forget { .. });
    let wanted = plan.experiment.to_toml();
    let alone = store.hold_alone()?;
    let decided = alone.is_some();
    match alone {
        Some(_alone) => {
            store.sweep();
            if forgets {
                store.clear()?;
            }
            let beside = if earlier == Earlier::Extend { Beside::Extending } else { Beside::Results };
            there.refresh(store)?;
            apply(&admit(catalog, store, there, plan, beside)?, store, plan)?;
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
    if !hold.guards() {
        say(&format!(
            "warning: the file system of {} has no file locks, so that a second process could not be kept out; run only \
             one optbench at a time in this folder",
            store.root().display()
        ));
    }
    // Another process may have come first, but from here on none can make the folder one of another experiment.
    let written = store.read(EXPERIMENT)?.unwrap_or_default();
    if written != wanted {
        let differences = Experiment::stored(catalog, "", &written)?.differences(&plan.experiment);
        if !differences.is_empty() {
            return Err(Error::Usage(format!(
                "another process is training another experiment in {}:\n{}\n  help: `--out DIR` keeps both",
                store.root().display(),
                indented(&differences)
            )));
        }
        store.write(EXPERIMENT, &wanted)?;
    }
    if !decided {
        // Its runs may be of other data, although the config is the same.
        there.refresh(store)?;
        admit(catalog, store, there, plan, Beside::Process)?;
    }
    Ok(hold)
}

/// A folder without an experiment is new, or somebody else's.
pub(super) fn refuse_foreign(store: &Store) -> Result<()> {
    store.refuse_file()?;
    let Some(name) = store.foreign() else { return Ok(()) };
    Err(Error::Usage(format!(
        "{} was not made by optbench: it has {name} but no {EXPERIMENT}\n  help: `--out DIR` names a folder of its own",
        store.root().display()
    )))
}

/// Asks whether earlier results, if there are any, may go.
fn ask(store: &Store) -> Result<()> {
    // What cannot be read is asked about all the same.
    let runs = store.inventory().map_or(1, |there| there.len());
    if runs > 0 {
        let question = format!("Delete the results of {} in {}?", count(runs, "run"), store.root().display());
        if !io::stdin().is_terminal() {
            return Err(Error::Usage(format!("{question}\n  help: add `--yes` to say so where nobody can be asked")));
        }
        say(&format!("{question} [y/N]"));
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map_err(Error::io("read", "standard input"))?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(Error::Usage("nothing was deleted and nothing was trained".into()));
        }
    }
    Ok(())
}
