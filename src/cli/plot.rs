//! `optbench plot`: draws the charts of an experiment again.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::{Exit, print, say};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::registry::choices;
use crate::report::{Results, charts};
use crate::results::Store;

/// Redraw the charts, all or some
#[derive(Args)]
pub(super) struct Arguments {
    /// The folder of an experiment, such as results/quickstart
    results: PathBuf,
    /// One format only [default: both]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Curves over steps or over seconds of training only [default: both]; seconds are steps at a run's mean time
    /// of a step, and learning rates are drawn over steps alone
    #[arg(long, value_enum)]
    x: Option<X>,
    /// Curves and sensitivity of one metric only
    #[arg(long, value_parser = metric)]
    metric: Option<Metric>,
    /// Only arms that fit, such as 'adamw+*'; `*` is anything, `?` one letter
    #[arg(long, value_name = "GLOB")]
    only: Option<String>,
    /// Only charts of a kind, as their files are named behind the task: `lr_sensitivity`, `*_lr_by_*`
    #[arg(long, value_name = "GLOB")]
    chart: Option<String>,
    /// Where they go [default: RESULTS/charts, or its folder `selection` where --only or --metric would put
    /// partial charts in the place of complete ones]
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

fn metric(name: &str) -> Result<Metric, String> {
    let known: Vec<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    Metric::parse(name).ok_or_else(|| format!("there is no metric `{name}`; expected {}", choices(&known)))
}

pub(super) fn execute(arguments: &Arguments) -> Result<Exit> {
    let results = Results::open(Store::new(&arguments.results))?;
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
        metric: arguments.metric,
        only: arguments.only.clone(),
        kind: arguments.chart.clone(),
    };
    let charts = charts::draw(&results, &choice)?;
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
