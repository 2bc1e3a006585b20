//! `optbench import`: a results folder of curves or scores that others recorded.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::catalog::Catalog;
use crate::cli::{Exit, print};
use crate::error::{Error, Result};
use crate::recorded::describe::{self, Known};
use crate::recorded::gather;
use crate::recorded::mapping::Mapping;
use crate::recorded::source;
use crate::report;
use crate::report::render::terminal;

mod config;
mod folder;
mod measured;
mod shown;

/// Import curves or scores that other programs recorded, for `report`, `plot` and `check`
///
/// Reads CSV files (long: run, step, split, metric, value; wide: a column for each metric; final scores: a row for each
/// run), exports of Weights & Biases and MLflow, folders of Lightning's CSVLogger, and TensorBoard event files. What the
/// columns hold is guessed from their names and shown.
#[derive(Args)]
pub(super) struct Arguments {
    /// Files, or folders that are searched for them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the results to this directory, which must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Say what a column holds: run, task, optimizer, schedule, seed, step, lr, val.accuracy, any hyper-parameter, or `ignored`
    #[arg(long = "column", value_name = "OURS=THEIRS")]
    columns: Vec<String>,
    /// Say whether a metric is better higher or lower; arms are ranked by the first one given
    #[arg(long = "metric", value_name = "NAME=higher|lower")]
    metrics: Vec<String>,
    /// Call the task so where no column names it
    #[arg(long, value_name = "NAME", default_value = describe::UNKNOWN)]
    task: String,
    /// Add the claims of this TOML file, which `optbench check` judges
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
}

pub(super) fn execute(catalog: &Catalog, arguments: &Arguments) -> Result<Exit> {
    refuse_existing(&arguments.out)?;
    let declared = measured::declared(&arguments.metrics)?;
    let mapping = Mapping::new(&arguments.columns, declared.iter().map(|(name, _)| name.clone()).collect())?;
    let mut sheets = Vec::new();
    for file in &arguments.files {
        sheets.extend(source::read(file)?);
    }
    mapping.check(&sheets)?;
    let mut runs = gather::runs(&sheets, &mapping)?;
    let name = arguments.out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (optimizers, schedules) = (catalog.optimizers.names(), catalog.schedules.names());
    let known = Known { task: &arguments.task, optimizers: &optimizers, schedules: &schedules };
    let completed = describe::complete(&mut runs, known);
    // What was guessed helps to mend what was not.
    shown::columns(&sheets, &mapping, &runs);
    // Numbers in place of seeds that nobody knows pair nothing.
    let paired = completed?;
    let metrics = measured::metrics(&mut runs, &declared)?;
    shown::runs(&runs, &metrics);
    let claims = arguments.claims.as_deref().map(config::claims).transpose()?;
    let experiment =
        config::experiment(catalog, &config::Imported { runs: &runs, metrics: &metrics, paired, claims, name: &name })?;
    let results = folder::write(catalog, &arguments.out, &experiment, &runs, &sheets)?;
    print(&report::render(&results, &terminal::BRIEF)?)?;
    Ok(Exit::Success)
}

/// What is there is not overwritten; an empty folder may be filled.
fn refuse_existing(out: &Path) -> Result<()> {
    let is_empty = || fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if out.symlink_metadata().is_err() || is_empty() {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{} already exists; not overwritten\n  help: `--out DIR` names a new folder",
        out.display()
    )))
}
