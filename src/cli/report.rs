//! `optbench report`: the ranking of an experiment.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::catalog::Catalog;
use crate::cli::{Exit, print, say};
use crate::error::Result;
use crate::report::{self, Format, Results};
use crate::results::Store;

/// Rank the finished runs, each optimizer and schedule at its best hyper-parameters
#[derive(Args)]
pub(super) struct Arguments {
    /// The folder of an experiment, such as results/quickstart
    results: PathBuf,
    /// Choose the output format
    #[arg(long, value_enum, default_value_t = Choice::Table)]
    format: Choice,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    Table,
    Markdown,
    Csv,
    Json,
    Html,
}

pub(super) fn execute(catalog: &Catalog, arguments: &Arguments) -> Result<Exit> {
    let results = Results::open_run(catalog, Store::new(&arguments.results))?;
    for warning in results.mixed()? {
        say(&format!("warning: {warning}"));
    }
    let format = match arguments.format {
        Choice::Table => Format::Table,
        Choice::Markdown => Format::Markdown,
        Choice::Csv => Format::Csv,
        Choice::Json => Format::Json,
        Choice::Html => Format::Html,
    };
    print(&report::render(&results, format)?)?;
    Ok(Exit::Success)
}
