//! `optbench plot`: draws the charts of an experiment again.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::catalog::Catalog;
use crate::cli::{Exit, print, say};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::registry::choices;
use crate::report::{Results, charts};
use crate::results::Store;
use crate::task::Spec;

/// Redraw all charts, or some of them
#[derive(Args)]
pub(super) struct Arguments {
    /// The folder of an experiment, such as results/quickstart
    results: PathBuf,
    /// Write one format only [default: both]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Draw curves only over steps or only over seconds of training [default: both]; seconds are computed from the
    /// mean time of a step, and learning rates are drawn over steps only
    #[arg(long, value_enum)]
    x: Option<X>,
    /// Draw curves and sensitivity of this metric only
    #[arg(long)]
    metric: Option<String>,
    /// Draw only matching arms (optimizer+schedule), such as 'adamw+*'; `*` matches anything, `?` one character
    #[arg(long, value_name = "GLOB")]
    only: Option<String>,
    /// Draw only charts whose file name matches after the task, such as `lr_sensitivity` or `*_lr_by_*`
    #[arg(long, value_name = "GLOB")]
    chart: Option<String>,
    /// Write the charts to this directory [default: RESULTS/charts; with --only or --metric, its subfolder
    /// `selection`, so that no complete chart is replaced]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Svg,
    Png,
}

#[derive(Clone, Copy, ValueEnum)]
enum X {
    Steps,
    Seconds,
}

/// The metric of that name which any of the tasks has.
fn metric(name: &str, tasks: &[Spec]) -> Result<Metric> {
    let measured: BTreeSet<Metric> = tasks.iter().flat_map(|task| &task.metrics).copied().collect();
    let measured: Vec<Metric> = measured.into_iter().collect();
    let names: Vec<&str> = measured.iter().map(|metric| metric.name()).collect();
    let none = || Error::Usage(format!("no task has a metric `{name}`; expected {}", choices(&names)));
    Metric::find(name, &measured).ok_or_else(none)
}

pub(super) fn execute(catalog: &Catalog, arguments: &Arguments) -> Result<Exit> {
    let results = Results::open(catalog, Store::new(&arguments.results))?;
    let formats = match arguments.format {
        None => charts::SVG_AND_PNG,
        Some(Format::Svg) => &["svg"],
        Some(Format::Png) => &["png"],
    };
    let choice = charts::Choice {
        over: arguments.x.map(|x| match x {
            X::Steps => charts::Over::Steps,
            X::Seconds => charts::Over::Seconds,
        }),
        metric: arguments.metric.as_deref().map(|name| metric(name, &results.experiment.tasks)).transpose()?,
        only: arguments.only.clone(),
        kind: arguments.chart.clone(),
    };
    let charts = charts::draw(&results, &results.sections(), &choice)?;
    if charts.is_empty() {
        let problem = "nothing to draw: no run or chart is what was asked for\n  \
                       help: `optbench report` shows the arms, as OPTIMIZER+SCHEDULE, and their scores";
        return Err(Error::Usage(problem.into()));
    }
    if !results.curves {
        say(
            "note: only the records of the runs are here; what needs their curves is left out, and `optbench run` trains them again",
        );
    }
    let complete = results.store.charts();
    let usual = if choice.is_partial() { complete.join("selection") } else { complete };
    let folder = arguments.out.clone().unwrap_or(usual);
    charts::save(&folder, &charts, formats)?;
    let files = charts.iter().flat_map(|chart| formats.iter().map(move |format| format!("{}.{format}", chart.name)));
    print(&files.map(|file| format!("{}\n", folder.join(file).display())).collect::<String>())?;
    Ok(Exit::Success)
}
