//! `optbench merge`: results of one experiment from several machines, as one.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::cli::{Exit, print, provenance, say};
use crate::error::{Error, Result};
use crate::report::{self, Format, Results};
use crate::results::Store;

/// Put the results of one experiment from several machines together
#[derive(Args)]
pub(super) struct Arguments {
    /// The folders, each of the same experiment
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Where to; may be one of the folders
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn execute(arguments: &Arguments) -> Result<Exit> {
    let sources: Vec<Results> =
        arguments.folders.iter().map(|folder| Results::open(Store::new(folder))).collect::<Result<_>>()?;
    let out = Store::new(&arguments.out);
    let first = &sources[0];
    let target = out.read("experiment.toml")?.map(|_| Results::open(out.clone())).transpose()?;
    for other in sources[1..].iter().chain(&target) {
        let differences = first.experiment.differences(&other.experiment);
        if !differences.is_empty() {
            return Err(Error::Usage(format!(
                "{} and {} are of different experiments:\n  {}",
                first.store.root().display(),
                other.store.root().display(),
                differences.join("\n  ")
            )));
        }
    }
    out.create()?;
    let mut made = Vec::new();
    for source in &sources {
        let merged = out.take_over(&source.store)?;
        say(&format!("{}: {} runs taken, {} known", source.store.root().display(), merged.taken, merged.known));
        for run in merged.different {
            say(&format!("warning: {run} has other curves there; those that came first are kept"));
        }
        for start in provenance::origins(&source.store)? {
            if !made.contains(&start) {
                made.push(start);
            }
        }
    }
    out.write("experiment.toml", first.experiment.to_toml())?;
    let made = if made.len() == 1 { made.swap_remove(0) } else { Value::Array(made) };
    provenance::write(&out, &made)?;
    let results = Results::open(out)?;
    results.write()?;
    print(&report::render(&results, Format::Brief)?)?;
    Ok(Exit::Success)
}
