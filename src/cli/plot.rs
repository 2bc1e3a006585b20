//! `optbench plot`: draws the charts of an experiment again.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::{Exit, print};
use crate::error::Result;
use crate::report::{Results, charts};
use crate::results::Store;

/// Redraw the charts
#[derive(Args)]
pub(super) struct Arguments {
    /// The folder of an experiment, such as results/quickstart
    results: PathBuf,
    /// One format only [default: both]
    #[arg(long, value_enum)]
    format: Option<Choice>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    Svg,
    Png,
}

pub(super) fn execute(arguments: &Arguments) -> Result<Exit> {
    let results = Results::open(Store::new(&arguments.results))?;
    let formats = match arguments.format {
        None => charts::SVG_AND_PNG,
        Some(Choice::Svg) => &["svg"],
        Some(Choice::Png) => &["png"],
    };
    let charts = charts::draw(&results)?;
    charts::save(&results, &charts, formats)?;
    let folder = results.store.charts();
    let files = charts.iter().flat_map(|chart| formats.iter().map(move |format| format!("{}.{format}", chart.name)));
    print(&files.map(|file| format!("{}\n", folder.join(file).display())).collect::<String>())?;
    Ok(Exit::Success)
}
