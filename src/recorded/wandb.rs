//! The CSV that a chart of Weights & Biases exports: a column for each run, `run name - val/loss`, with two more for the
//! least and the largest value of a group.

use crate::recorded::sheet::{Row, Sheet};

/// Between the run and the metric in the name of a column.
const SEPARATOR: &str = " - ";
/// What ends the names of columns that bound others.
const BOUNDS: [&str; 2] = ["__MIN", "__MAX"];

/// The same as a long table, where a table is such an export.
pub(super) fn long(sheet: Sheet) -> Sheet {
    let Some((step, others)) = sheet.columns.split_first() else { return sheet };
    let is_bound = |name: &String| BOUNDS.iter().any(|bound| name.ends_with(bound));
    let named: Vec<Option<(&str, &str)>> = others.iter().map(|name| name.rsplit_once(SEPARATOR)).collect();
    if named.is_empty() || named.iter().any(Option::is_none) {
        return sheet;
    }
    let mut rows = Vec::new();
    for row in &sheet.rows {
        for ((name, named), cell) in others.iter().zip(&named).zip(&row.cells[1..]) {
            if let Some((run, metric)) = named
                && !is_bound(name)
                && !cell.is_empty()
            {
                let cells = [&row.cells[0], *run, metric, cell].map(Into::into).into();
                rows.push(Row { line: row.line, cells });
            }
        }
    }
    let columns = [step.as_str(), "run", "metric", "value"].map(Into::into).into();
    Sheet { columns, rows, ..sheet }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_s_export_becomes_a_long_table() {
        let sheet = |columns: &[&str], rows: &[&[&str]]| Sheet {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: rows
                .iter()
                .map(|row| Row { line: 2, cells: row.iter().map(|cell| (*cell).to_owned()).collect() })
                .collect(),
            ..Sheet::default()
        };
        let columns = ["Step", "adamw - s0 - val/loss", "adamw - s0 - val/loss__MIN", "sgd-s0 - val/loss"];
        let exported = sheet(&columns, &[&["10", "0.5", "0.4", ""], &["20", "0.25", "0.2", "0.75"]]);
        let rows: &[&[&str]] = &[
            &["10", "adamw - s0", "val/loss", "0.5"],
            &["20", "adamw - s0", "val/loss", "0.25"],
            &["20", "sgd-s0", "val/loss", "0.75"],
        ];
        assert_eq!(long(exported), sheet(&["Step", "run", "metric", "value"], rows));
        let other = sheet(&["step", "val_loss"], &[&["1", "2"]]);
        assert_eq!(long(other.clone()), other);
    }
}
