//! A table as a file holds it, before anybody asks what its columns mean.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Rows of texts under named columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    /// The file that it was read from.
    pub path: PathBuf,
    /// What its only run is called, where no column tells.
    pub run: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// What a file beside it says of the whole run, such as hyper-parameters: names and values.
    pub constants: Vec<(String, String)>,
    /// Whether a later row takes the place of an earlier one of the same step: how loggers go on after an interruption.
    pub later_rows_win: bool,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The cells, as many as there are columns.
    pub cells: Vec<String>,
}

impl Sheet {
    /// Reads a CSV file; commas, semicolons or tabs separate its cells.
    ///
    /// # Errors
    /// When the file cannot be read, or a row has other columns than the first line.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(mistake(path, None, "is not UTF-8 text; expected a CSV file or TensorBoard's events"));
        };
        let text = text.trim_start_matches('\u{feff}');
        let header = text.lines().next().unwrap_or_default();
        let separator = [',', ';', '\t'].into_iter().max_by_key(|c| (header.matches(*c).count(), *c == ','));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator.unwrap_or(',') as u8)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let columns: Vec<String> =
            reader.headers().map_err(|error| torn(path, &error))?.iter().map(Into::into).collect();
        if let Some(twice) = columns.iter().enumerate().find(|(i, name)| columns[..*i].contains(name)) {
            let problem = format!("has two columns `{}`; expected names that differ", twice.1);
            return Err(mistake(path, Some(1), &problem));
        }
        let mut rows = Vec::new();
        for row in reader.records() {
            let row = row.map_err(|error| torn(path, &error))?;
            // Empty lines before a row are passed over, and count.
            let line = row.position().map_or(0, |at| {
                let rest = text.get(at.byte() as usize..).unwrap_or_default();
                let empty = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
                at.line() + rest[..empty].matches('\n').count() as u64
            });
            rows.push(Row { line, cells: row.iter().map(Into::into).collect() });
        }
        if rows.is_empty() {
            return Err(mistake(
                path,
                None,
                "holds no rows; expected a line of column names, then one line for each row",
            ));
        }
        let run = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { path: path.to_owned(), run, columns, rows, ..Self::default() })
    }
}

/// An error of a file, and of a line of it.
pub(super) fn mistake(path: &Path, line: Option<u64>, problem: &str) -> Error {
    let path = path.display();
    Error::Usage(match line {
        Some(line) => format!("{path}:{line}: {problem}"),
        None => format!("{path} {problem}"),
    })
}

fn torn(path: &Path, error: &csv::Error) -> Error {
    let line = error.position().map(csv::Position::line);
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} cells; expected {expected_len}, as many as the first line names")
        }
        _ => error.to_string(),
    };
    mistake(path, line, &problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Sheet> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run-1.csv");
        fs::write(&path, text).unwrap();
        Sheet::read(&path)
    }

    #[test]
    fn tables_have_many_separators_and_every_row_has_its_line() {
        for text in ["a,b\n1,2\n\n3,4\n", "a;b\n1;2\n\n3;4", "\u{feff}a\tb\r\n1\t 2\r\n\r\n3\t4\r\n"] {
            let sheet = read(text).unwrap();
            assert_eq!((sheet.run.as_str(), &sheet.columns), ("run-1", &vec!["a".into(), "b".into()]));
            let rows: Vec<_> = sheet.rows.iter().map(|row| (row.line, row.cells.join(" "))).collect();
            assert_eq!(rows, [(2, "1 2".into()), (4, "3 4".into())], "{text:?}");
        }
    }

    #[test]
    fn what_is_no_table_is_said_with_its_line() {
        for (text, problem) in [
            ("a,b\n1,2\n3\n", "run-1.csv:3: the row has 1 cells; expected 2"),
            ("a,a\n1,2\n", "run-1.csv:1: has two columns `a`"),
            ("a,b\n", "run-1.csv holds no rows"),
            ("", "run-1.csv holds no rows"),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains(problem), "{said}");
        }
    }
}
