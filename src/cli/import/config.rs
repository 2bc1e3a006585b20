//! The config of a folder that was imported.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use toml::{Table, Value};

use crate::catalog::Catalog;
use crate::cli::import::measured::Metrics;
use crate::config::Experiment;
use crate::error::{Error, Result};
use crate::recorded::run::Run;
use crate::settings::EXTERNAL;

/// The most settings of an optimizer that are listed in the config: of a random search the product of all that was tried
/// says nothing.
const MOST_SETTINGS: usize = 1000;
/// What of a table is not a hyper-parameter.
const RESERVED: [&str; 6] = ["kind", "schedules", "tasks", "groups", "average", "base"];
/// What the hyper-parameters of a schedule begin with.
const OF_SCHEDULE: &str = "schedule.";

/// What there is to write a config of.
pub(super) struct Imported<'a> {
    pub(super) runs: &'a [Run],
    pub(super) metrics: &'a Metrics,
    /// Whether the seeds are those of the runs.
    pub(super) paired: bool,
    /// A file of claims, by its name.
    pub(super) claims: Option<(String, String)>,
    pub(super) name: &'a str,
}

/// A file that holds claims and nothing else: its name and its text.
pub(super) fn claims(path: &Path) -> Result<(String, String)> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    // What cannot be parsed is said with its place later.
    let table = text.parse::<Table>().unwrap_or_default();
    match table.keys().find(|key| *key != "claims") {
        Some(key) => Err(Error::Usage(format!("{} has a key `{key}`; expected [claims.NAME] alone", path.display()))),
        None => Ok((path.display().to_string(), text)),
    }
}

/// The experiment that would have led to the runs.
///
/// # Errors
/// With the mistakes in the claims.
pub(super) fn experiment(catalog: &Catalog, imported: &Imported) -> Result<Experiment> {
    let Imported { runs, metrics, paired, claims, name } = imported;
    let mut all = Table::new();
    let curves: Vec<_> = runs.iter().map(Run::curves).collect();
    let seeds: BTreeSet<u64> = runs.iter().filter_map(|run| run.seed).collect();
    all.insert("seeds".into(), seeds.iter().map(|seed| Value::Integer(*seed as i64)).collect::<Vec<_>>().into());
    let steps = curves.iter().map(|curves| curves.steps).max().unwrap_or(1);
    all.insert("steps".into(), Value::Integer(steps as i64));
    // At all of these there is something for a claim to ask for.
    let between = curves.iter().flat_map(|curves| curves.evaluations.keys()).fold(0, |all, step| divisor(all, *step));
    all.insert("eval_every".into(), Value::Integer(between.clamp(1, steps) as i64));

    let direction = |higher: bool| if higher { "higher" } else { "lower" };
    let entry =
        |(name, metric): &(String, crate::metric::Metric)| (name.clone(), direction(metric.higher_is_better()).into());
    let mut tasks = Table::new();
    for task in labels(runs, |run| &run.task) {
        let measures = |name: &str| {
            let own = runs.iter().filter(|run| run.task.as_deref() == Some(task)).flat_map(|run| &run.points);
            own.filter_map(|point| point.of.evaluated()).any(|(_, metric)| metric == name)
        };
        let own: Table = metrics.iter().filter(|(name, _)| measures(name)).map(entry).collect();
        let mut table = Table::new();
        table.insert("model".into(), "imported".into());
        table.insert("metrics".into(), own.into());
        if !paired {
            table.insert("common_random_numbers".into(), false.into());
        }
        tasks.insert(task.to_owned(), table.into());
    }
    all.insert("tasks".into(), tasks.into());

    let mut optimizers = Table::new();
    for optimizer in labels(runs, |run| &run.optimizer) {
        let own: Vec<&Run> = runs.iter().filter(|run| run.optimizer.as_deref() == Some(optimizer)).collect();
        let mut table = external(&own, |key| (!key.starts_with(OF_SCHEDULE)).then(|| key.to_owned()))?;
        for (key, used) in [("schedules", labels(&own, |run| &run.schedule)), ("tasks", labels(&own, |run| &run.task))]
        {
            table.insert(key.into(), used.into_iter().map(Value::from).collect::<Vec<_>>().into());
        }
        optimizers.insert(optimizer.to_owned(), table.into());
    }
    all.insert("optimizers".into(), optimizers.into());
    let mut schedules = Table::new();
    for schedule in labels(runs, |run| &run.schedule) {
        let own: Vec<&Run> = runs.iter().filter(|run| run.schedule.as_deref() == Some(schedule)).collect();
        let table = external(&own, |key| key.strip_prefix(OF_SCHEDULE).map(str::to_owned))?;
        schedules.insert(schedule.to_owned(), table.into());
    }
    all.insert("schedules".into(), schedules.into());

    // Laid over the claims, whose mistakes are thus told by their own lines.
    let (source, text) = claims.clone().unwrap_or_else(|| ("the imported config".into(), String::new()));
    let written = toml::to_string(&all).map_err(|error| Error::Usage(error.to_string()))?;
    Experiment::parse(catalog, &source, &text, name, &[written])
}

/// The table of an optimizer or a schedule: every hyper-parameter with the values that were seen.
fn external(runs: &[&Run], own: impl Fn(&str) -> Option<String>) -> Result<Table> {
    let mut axes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for run in runs {
        for (key, text) in &run.settings {
            let Some(key) = own(key) else { continue };
            let value = value(text);
            if key == "lr" && !matches!(value, Value::Integer(_) | Value::Float(_)) {
                return Err(Error::Usage(format!(
                    "the learning rate of `{}` is `{text}`; expected a number\n  help: `--column NAME=COLUMN` makes the column \
                     another hyper-parameter",
                    run.name
                )));
            }
            let values = axes.entry(setting(&key)).or_default();
            if !values.contains(&value) {
                values.push(value);
            }
        }
    }
    let mut table = Table::new();
    table.insert("kind".into(), EXTERNAL.into());
    let mut axes: Vec<(String, Vec<Value>)> = axes.into_iter().collect();
    axes.sort_by_key(|(key, values)| (key != "lr", values.len()));
    let mut settings = 1;
    for (key, mut values) in axes {
        settings *= values.len();
        if settings > MOST_SETTINGS && key != "lr" {
            break;
        }
        let order = |value: &Value| value.as_float().or(value.as_integer().map(|n| n as f64)).unwrap_or(f64::INFINITY);
        values.sort_by(|a, b| order(a).total_cmp(&order(b)));
        let value = match <[Value; 1]>::try_from(values) {
            Ok([only]) => only,
            Err(values) => values.into(),
        };
        table.insert(key, value);
    }
    Ok(table)
}

/// The name of a hyper-parameter in a config and in columns.
pub(super) fn setting(key: &str) -> String {
    let plain: String =
        key.chars().map(|c| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' }).collect();
    if RESERVED.contains(&plain.as_str()) { plain + "_" } else { plain }
}

/// A hyper-parameter's name in a record, where those of the schedule have its prefix.
pub(super) fn key_of(name: &str) -> String {
    match name.strip_prefix(OF_SCHEDULE) {
        Some(own) => format!("{OF_SCHEDULE}{}", setting(own)),
        None => setting(name),
    }
}

fn value(text: &str) -> Value {
    if let Ok(flag) = text.parse::<bool>() {
        return flag.into();
    }
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(n), _) => n.into(),
        (_, Ok(x)) if x.is_finite() => x.into(),
        _ => text.into(),
    }
}

/// The different labels of runs, in the order in which they come.
fn labels<R: std::borrow::Borrow<Run>>(runs: &[R], of: impl Fn(&Run) -> &Option<String>) -> Vec<&str> {
    let mut labels: Vec<&str> = Vec::new();
    for label in runs.iter().filter_map(|run| of(run.borrow()).as_deref()) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}
