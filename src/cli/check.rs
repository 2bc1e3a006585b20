//! `optbench check`: claims and regressions, with an exit code for CI.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::analysis::Standard;
use crate::analysis::regression::{Matching, Rules, Side, changes};
use crate::catalog::Catalog;
use crate::cli::comparable::baseline;
use crate::cli::format::one_of;
use crate::cli::{Exit, print, say};
use crate::error::{Error, Result};
use crate::margin::Margin;
use crate::metric::Metric;
use crate::report::document::Check;
use crate::report::render::{CHECK, Format, github, markdown};
use crate::report::{Against, Checked, Results};
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
    /// How much worse than the baseline an arm may be: "1%" of its score, "0.5 points" or "5% of the error" of an
    /// accuracy, or "absolute 0.01" in the metric's own unit
    #[arg(long, default_value = "1%", value_name = "MARGIN")]
    tolerance: Margin,
    /// Which arms are compared: those with the same settings, or those with the same labels, whatever settings changed
    #[arg(long = "match", value_enum, value_name = "WHAT", default_value_t = Match::Settings)]
    matching: Match,
    /// Fail on what these seeds cannot decide, too
    #[arg(long)]
    strict: bool,
    /// Fail when steps became slower (25% and more than noise), instead of warning
    #[arg(long)]
    fail_on_time: bool,
    /// Choose the output format
    #[arg(long, value_parser = one_of(CHECK), default_value = "table")]
    format: &'static Format<Check>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 success; 1 a claim is refuted or an arm became worse; 2 usage error; 3 the baseline
is missing or not comparable.";

#[derive(Clone, Copy, ValueEnum)]
enum Match {
    /// Task, labels and every hyper-parameter
    Settings,
    /// Task and labels, each side at the settings that were best on its validation
    Label,
}

pub(super) fn execute(catalog: &Catalog, arguments: &Arguments) -> Result<Exit> {
    let results = Results::open_run(catalog, Store::new(&arguments.results))?;
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
    let against = match &arguments.baseline {
        None => None,
        Some(folder) => match baseline(catalog, folder, &results)? {
            Ok(old) => Some(compare(&results, &old, arguments)?),
            Err(reason) => {
                say(&format!("error: {reason}"));
                return Ok(Exit::NotComparable);
            }
        },
    };
    let checked =
        Checked { against, strict: arguments.strict, fail_on_time: arguments.fail_on_time, ..Checked::new(&results) };
    let check = checked.check();
    if arguments.format.name == github::CHECK.name {
        summarise(&check)?;
    }
    print(&(arguments.format.render)(&check)?)?;
    Ok(if check.passed { Exit::Success } else { Exit::Failure })
}

/// Every arm of the baseline against the same arm now.
fn compare(now: &Results, old: &Results, arguments: &Arguments) -> Result<Against> {
    let tasks = &now.experiment.tasks;
    let metric = |task: &str| tasks.iter().find(|spec| spec.label == task).map_or(Metric::LOSS, |spec| spec.metric);
    let tolerance = arguments.tolerance;
    if let Some(task) = tasks.iter().find(|task| !tolerance.fits(task.metric)) {
        return Err(Error::Usage(format!(
            "`--tolerance \"{tolerance}\"` is for accuracies, and task `{}` is judged by its {}\n  \
             help: give a share such as \"1%\", or \"absolute 0.01\"",
            task.label,
            task.metric.name()
        )));
    }
    let rules = Rules {
        matching: match arguments.matching {
            Match::Settings => Matching::Settings,
            Match::Label => Matching::Label,
        },
        tolerance,
        standard: standard(now, old),
    };
    let [ours, theirs] = [now, old]
        .map(|side| Side { records: side.judged(), experiment: Some(side.standing.experiment(&side.experiment)) });
    Ok(Against { rules, changes: changes(ours, theirs, metric, rules) })
}

/// How sure a regression has to be: the number of seeds may have come about by looking at results, on either side.
fn standard(now: &Results, old: &Results) -> Standard {
    if now.extended || old.extended {
        return Standard::ANYTIME;
    }
    let planned = [now, old].into_iter().filter(|side| side.standing.looks > 1);
    let looks = planned.map(|side| Standard::at_look(side.experiment.looks(), side.standing.look));
    looks.min_by(|a, b| a.alpha.total_cmp(&b.alpha)).unwrap_or(Standard::FIXED)
}

/// Adds the findings to the summary of a GitHub job.
fn summarise(check: &Check) -> Result<()> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return Ok(()) };
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io("open", &path))?;
    writeln!(file, "{}", (markdown::CHECK.render)(check)?).map_err(Error::io("write", &path))
}
