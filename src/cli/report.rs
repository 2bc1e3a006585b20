//! `optbench report`: the ranking of an experiment.

use std::path::PathBuf;

use clap::Args;

use crate::catalog::Catalog;
use crate::cli::format::one_of;
use crate::cli::{Exit, print, say};
use crate::error::Result;
use crate::report::document::Report;
use crate::report::render::{Format, REPORT};
use crate::report::{self, Results};
use crate::results::Store;

/// Rank the finished runs, each optimizer and schedule at its best hyper-parameters
#[derive(Args)]
pub(super) struct Arguments {
    /// The folder of an experiment, such as results/quickstart
    results: PathBuf,
    /// Choose the output format
    #[arg(long, value_parser = one_of(REPORT), default_value = "table")]
    format: &'static Format<Report>,
}

pub(super) fn execute(catalog: &Catalog, arguments: &Arguments) -> Result<Exit> {
    let results = Results::open_run(catalog, Store::new(&arguments.results))?;
    for warning in results.mixed()? {
        say(&format!("warning: {warning}"));
    }
    print(&report::render(&results, arguments.format)?)?;
    Ok(Exit::Success)
}
