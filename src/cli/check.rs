//! `optbench check`: claims and regressions, with an exit code for CI.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::analysis::regression::changes;
use crate::cli::comparable::baseline;
use crate::cli::{Exit, print, say};
use crate::error::{Error, Result};
use crate::report::{Checked, Level, Results};
use crate::results::Store;

/// Judge the claims of the config and, with --baseline, what became worse
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The folder of an experiment, such as results/quickstart
    results: PathBuf,
    /// Earlier results of the same tasks and budget, to compare every arm with
    #[arg(long, value_name = "RESULTS")]
    baseline: Option<PathBuf>,
    /// How much worse than the baseline an arm may be, as a share of its mean: 1% or 0.01
    #[arg(long, default_value = "1%", value_parser = share)]
    tolerance: f64,
    /// Fail on what these seeds cannot decide, too
    #[arg(long)]
    strict: bool,
    /// Fail when steps became slower (25% and more than noise), instead of warning
    #[arg(long)]
    fail_on_time: bool,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Choice::Table)]
    format: Choice,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all well; 1 a claim is refuted or an arm became worse; 2 usage error; 3 the baseline
is missing or not comparable.";

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    Table,
    Markdown,
    Json,
    Github,
    Junit,
}

/// Reads `1%` or `0.01`.
fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.trim().parse::<f64>().ok().map(|x| x / scale).filter(|x| (0.0..=1.0).contains(x));
    share.ok_or_else(|| format!("`{text}` is no share; expected 1%, or a number from 0 to 1"))
}

pub(super) fn execute(arguments: &Arguments) -> Result<Exit> {
    let results = Results::open_run(Store::new(&arguments.results))?;
    for warning in results.conditions()?.mixed_data() {
        say(&format!("warning: {warning}"));
    }
    let experiment = &results.experiment;
    if experiment.claims.is_empty() && arguments.baseline.is_none() {
        return Err(Error::Usage(format!(
            "there is nothing to check: {} has no [claims], and no `--baseline` is given\n  \
             help: add to the config\n    [claims.mine]\n    better = \"OPTIMIZER+SCHEDULE\"\n    than = \"OPTIMIZER+SCHEDULE\"\n    margin = \"1%\"\n  \
             and `optbench run` it again, which trains nothing anew",
            experiment.name
        )));
    }
    let changed = match &arguments.baseline {
        None => None,
        Some(folder) => match baseline(folder, &results)? {
            Ok(old) => {
                let metric = |task: &str| {
                    experiment
                        .tasks
                        .iter()
                        .find(|spec| spec.label == task)
                        .map_or(crate::metric::Metric::Loss, |s| s.metric)
                };
                Some(changes(&results.records, &old.records, metric, arguments.tolerance))
            }
            Err(reason) => {
                say(&format!("error: {reason}"));
                return Ok(Exit::NotComparable);
            }
        },
    };
    let checked = Checked {
        changes: changed,
        strict: arguments.strict,
        fail_on_time: arguments.fail_on_time,
        ..Checked::new(&results)
    };
    print(&match arguments.format {
        Choice::Table => checked.terminal(),
        Choice::Markdown => checked.markdown(),
        Choice::Json => checked.json()?,
        Choice::Github => {
            summarise(&checked)?;
            checked.github()
        }
        Choice::Junit => checked.junit(),
    })?;
    Ok(if checked.level() == Level::Fail { Exit::Failure } else { Exit::Success })
}

/// Adds the findings to the summary of a GitHub job.
fn summarise(checked: &Checked) -> Result<()> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return Ok(()) };
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io("open", &path))?;
    writeln!(file, "{}", checked.markdown()).map_err(Error::io("write", &path))
}
