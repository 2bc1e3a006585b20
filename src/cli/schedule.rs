//! `optbench schedule`: previews learning rates without training.

use std::path::PathBuf;

use clap::Args;

use crate::catalog::Catalog;
use crate::cli::{Exit, print, say};
use crate::config::{Experiment, Grid};
use crate::error::{Error, Result};
use crate::registry::choices;
use crate::report::schedules;
use crate::schedule::Point;
use crate::sweep::{Plan, in_words};
use crate::task::data::Library;

/// What the points of a preview may take.
const MOST_BYTES: f64 = 1e9;

/// Preview the learning rates without training, as a chart or with --csv FILE
#[derive(Args)]
pub(super) struct Arguments {
    /// The experiment: a TOML file, or - for standard input
    config: PathBuf,
    /// Write the rates as CSV to this file; - is standard output
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the chart to this file, .svg or .png [default: results/NAME/charts/schedules.svg and .png]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Use the length of this task [default: the first]
    #[arg(long, value_name = "LABEL")]
    task: Option<String>,
    /// Show the rates of this optimizer, at its first `lr` [default: the first under each schedule]
    #[arg(long, value_name = "LABEL")]
    optimizer: Option<String>,
    /// Override a key, such as steps=200; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Look for dataset files here first
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

pub(super) fn execute(catalog: &Catalog, arguments: &Arguments) -> Result<Exit> {
    let experiment = Experiment::load(catalog, &arguments.config, &arguments.set)?;
    let tasks: Vec<&str> = experiment.tasks.iter().map(|task| task.label.as_str()).collect();
    let task = match &arguments.task {
        None => 0,
        Some(label) => place(label, &tasks, "task")?,
    };
    let optimizers: Vec<&str> = experiment.optimizers.iter().map(|entrant| entrant.grid.label.as_str()).collect();
    if let Some(label) = &arguments.optimizer {
        place(label, &optimizers, "optimizer")?;
    }
    let title = format!("{}: learning-rate schedules", experiment.name);
    let charts = PathBuf::from("results").join(&experiment.name).join("charts");
    let plan = Plan::new(experiment, &Library::new(arguments.data_dir.clone()))?;
    refuse_long_preview(&plan, task)?;
    let courses = schedules::preview(&plan, task, arguments.optimizer.as_deref())?;
    for course in &courses {
        for warning in &course.warnings {
            say(&format!("warning: schedule `{}`: {warning}", course.schedule));
        }
        if course.listens {
            let schedule = &course.schedule;
            say(&format!(
                "note: schedule `{schedule}` depends on the evaluations of a run; the preview assumes that none has come"
            ));
        }
    }
    if let Some(file) = &arguments.csv {
        let text = schedules::csv(&courses)?;
        if file.as_os_str() == "-" {
            print(&String::from_utf8_lossy(&text))?;
        } else {
            std::fs::write(file, text).map_err(Error::io("write", file))?;
            say(&format!("wrote {}", file.display()));
        }
        if arguments.out.is_none() {
            return Ok(Exit::Success);
        }
    }
    let chart = schedules::chart(title, &courses);
    let files = match &arguments.out {
        Some(file) => vec![file.clone()],
        None => {
            std::fs::create_dir_all(&charts).map_err(Error::io("create", &charts))?;
            vec![charts.join("schedules.svg"), charts.join("schedules.png")]
        }
    };
    for file in files {
        chart.save(&file)?;
        say(&format!("wrote {}", file.display()));
    }
    Ok(Exit::Success)
}

/// A preview holds every step of every schedule.
fn refuse_long_preview(plan: &Plan, task: usize) -> Result<()> {
    let shown = plan.experiment.schedules.iter().map(Grid::len).sum::<usize>() as f64;
    let steps = plan.tasks[task].budget.steps as f64;
    let bytes = shown * steps * std::mem::size_of::<Point>() as f64;
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "a preview of {steps} steps of {shown} schedule{} takes {}; expected at most {}\n  \
         help: the courses look alike at fewer steps: `--set steps=10000`",
        if shown == 1.0 { "" } else { "s" },
        in_words(bytes),
        in_words(MOST_BYTES)
    )))
}

fn place(label: &str, labels: &[&str], what: &str) -> Result<usize> {
    labels
        .iter()
        .position(|known| *known == label)
        .ok_or_else(|| Error::Usage(format!("there is no {what} labelled `{label}`; there is {}", choices(labels))))
}
