//! `optbench merge`: results of one experiment from several machines, as one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use crate::catalog::Catalog;
use crate::cli::admission::indented;
use crate::cli::again::free;
use crate::cli::guard::refuse_foreign;
use crate::cli::{Exit, print, say};
use crate::error::{Error, Result};
use crate::report::Results;
use crate::report::render::terminal;
use crate::results::{EXPERIMENT, Store};
use crate::words::count;

/// Combine the results of one experiment from several machines
#[derive(Args)]
pub(super) struct Arguments {
    /// The folders, each of the same experiment
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Write the combined results to this directory, which may be one of the inputs
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn execute(catalog: &Catalog, arguments: &Arguments) -> Result<Exit> {
    let open = |folder: &PathBuf| Ok(Results::open_sound(catalog, Store::new(folder))?.0);
    let sources: Vec<Results> = arguments.folders.iter().map(open).collect::<Result<_>>()?;
    let out = Store::new(&arguments.out);
    let first = &sources[0];
    let target = out.read(EXPERIMENT)?.map(|_| open(&arguments.out)).transpose()?;
    let mut conditions = first.conditions()?;
    for other in sources[1..].iter().chain(&target) {
        let differences = first.experiment.differences(&other.experiment);
        if !differences.is_empty() {
            return Err(Error::Usage(format!(
                "{} and {} are of different experiments:\n  {}",
                first.store.root().display(),
                other.store.root().display(),
                indented(&differences).trim_start()
            )));
        }
        let own = other.conditions()?;
        let data = conditions.other_data(&own).into_iter().map(|other| other.words);
        let differences: Vec<String> = data.chain(conditions.other_revisions(&own)).collect();
        if !differences.is_empty() {
            return Err(Error::Usage(format!(
                "{} cannot be merged with the folders before it: its runs were trained under other conditions\n{}\n  \
                 help: `optbench run {}/{EXPERIMENT} --out {}` trains all runs under the conditions of now",
                other.store.root().display(),
                indented(&differences),
                first.store.root().display(),
                free(&arguments.out).display()
            )));
        }
        // A folder may hold the runs of a task that those before it have not.
        conditions.extend(own);
    }
    refuse_foreign(&out)?;
    let _hold = out.hold()?;
    out.write(EXPERIMENT, first.experiment.to_toml())?;
    out.create()?;
    let mut flaws = BTreeSet::new();
    for source in &sources {
        let merged = out.take_over(&source.store)?;
        let (from, taken) = (source.store.root().display(), count(merged.taken, "run"));
        say(&format!("{from}: {taken} taken, {} known", merged.known));
        for run in merged.different {
            say(&format!("warning: {run} has other curves there; those that came first are kept"));
        }
        flaws.extend(merged.flaws);
    }
    out.merge_provenance(&sources.iter().map(|source| &source.store).collect::<Vec<_>>())?;
    let (results, left) = Results::open_sound(catalog, out)?;
    flaws.extend(left);
    print(&(terminal::BRIEF.render)(&results.write()?)?)?;
    for flaw in &flaws {
        say(&format!("warning: {flaw}; the run is left out"));
    }
    Ok(if flaws.is_empty() { Exit::Success } else { Exit::Failure })
}
