//! What was guessed, said before anything is written.

use std::collections::BTreeSet;

use crate::cli::import::measured::Metrics;
use crate::cli::say;
use crate::recorded::columns::Column;
use crate::recorded::mapping::Mapping;
use crate::recorded::run::Run;
use crate::recorded::sheet::Sheet;
use crate::words::{count, listed};

/// Values of a column that are shown.
const SHOWN: usize = 3;
/// Columns that are shown: an export may have hundreds.
const MOST: usize = 40;

/// Every column: what it holds, and a few of its values.
pub(super) fn columns(sheets: &[Sheet], mapping: &Mapping, runs: &[Run]) {
    let mut lines: Vec<[String; 3]> = Vec::new();
    for sheet in sheets {
        let long = sheet.columns.iter().zip(mapping.columns(&sheet.columns)).enumerate();
        for (place, (name, column)) in long {
            let cells = || sheet.rows.iter().map(|row| row.cells[place].as_str()).filter(|cell| !cell.is_empty());
            if column == Column::Name {
                let names: BTreeSet<&str> = cells().collect();
                for name in names {
                    add(&mut lines, name, holds(&mapping.guess(name), runs), std::iter::empty());
                }
            } else {
                add(&mut lines, name, holds(&column, runs), cells());
            }
        }
        let (names, values): (Vec<String>, Vec<&str>) =
            sheet.constants.iter().map(|(name, value)| (name.clone(), value.as_str())).unzip();
        for ((name, column), value) in names.iter().zip(mapping.columns(&names)).zip(values) {
            add(&mut lines, name, holds(&column, runs), std::iter::once(value));
        }
    }
    say("Columns, as they are read (`--column OURS=THEIRS` changes one):");
    let width = |place: usize| lines.iter().map(|line| line[place].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1)];
    for [name, holds, values] in lines.iter().take(MOST) {
        let line = format!("  {name:<0$}  {holds:<1$}  {values}", widths[0], widths[1]);
        say(line.trim_end());
    }
    if lines.len() > MOST {
        say(&format!("  and {} more", lines.len() - MOST));
    }
}

fn add<'a>(lines: &mut Vec<[String; 3]>, name: &str, holds: String, cells: impl Iterator<Item = &'a str>) {
    if lines.iter().any(|[known, ..]| known == name) {
        return;
    }
    let mut values: Vec<&str> = Vec::new();
    for cell in cells {
        if !values.contains(&cell) {
            if values.len() == SHOWN {
                values.push("...");
                break;
            }
            values.push(cell);
        }
    }
    lines.push([name.to_owned(), holds, values.join(", ")]);
}

fn holds(column: &Column, runs: &[Run]) -> String {
    match column {
        Column::Other(name) if runs.iter().any(|run| run.settings.contains_key(name)) => {
            format!("hyper-parameter {name}")
        }
        Column::Other(_) => "not used".into(),
        column => column.to_string(),
    }
}

/// What became of them: metrics with their directions, and runs.
pub(super) fn runs(runs: &[Run], metrics: &Metrics) {
    let way = |higher: bool| if higher { "higher is better" } else { "lower is better" };
    let measured: Vec<String> =
        metrics.iter().map(|(name, metric)| format!("{name} ({})", way(metric.higher_is_better()))).collect();
    let first = metrics.first().map_or("", |(name, _)| name);
    say(&format!("Metrics: {}; arms are ranked by {first}", measured.join(", ")));
    let labels = |of: fn(&Run) -> &Option<String>| -> Vec<String> {
        let all: BTreeSet<&str> = runs.iter().filter_map(|run| of(run).as_deref()).collect();
        all.into_iter().map(str::to_owned).collect()
    };
    let seeds: BTreeSet<u64> = runs.iter().filter_map(|run| run.seed).collect();
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    say(&format!("{}:", count(runs.len(), "run")));
    for (thing, all) in [
        ("tasks", labels(|run| &run.task)),
        ("optimizers", labels(|run| &run.optimizer)),
        ("schedules", labels(|run| &run.schedule)),
        ("seeds", seeds),
    ] {
        say(&format!("  {thing}: {}", listed(&all, ", ")));
    }
    say("");
}
