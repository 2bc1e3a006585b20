//! A table in the formats that people and scripts read.

use comfy_table::{CellAlignment, ContentArrangement, Table as Terminal, presets};

use crate::error::{Error, Result};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns for a terminal.
    Table,
    /// The same without what follows the ranking.
    Brief,
    /// GitHub's Markdown.
    Markdown,
    /// Comma-separated values.
    Csv,
    /// One JSON document.
    Json,
    /// The self-contained page.
    Html,
}

/// A table of text; the first columns are words, the others numbers.
pub(super) struct Table {
    pub(super) title: String,
    /// What a reader needs to know of the columns.
    pub(super) note: String,
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// How many columns are words.
    pub(super) words: usize,
}

impl Table {
    /// A table without columns.
    pub(super) fn new(title: impl Into<String>, note: impl Into<String>, words: usize) -> Self {
        Self { title: title.into(), note: note.into(), header: Vec::new(), rows: Vec::new(), words }
    }

    /// Adds columns.
    pub(super) fn head<S: Into<String>>(&mut self, columns: impl IntoIterator<Item = S>) {
        self.header.extend(columns.into_iter().map(Into::into));
    }

    /// The table in columns, no wider than the terminal.
    pub(super) fn terminal(&self) -> String {
        let mut table = Terminal::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(&self.header);
        table.add_rows(&self.rows);
        for column in table.column_iter_mut().skip(self.words) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.lines().map(|line| format!("  {}\n", line.trim_end())).collect()
    }

    /// The table in GitHub's Markdown.
    pub(super) fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule: Vec<String> =
            (0..self.header.len()).map(|i| if i < self.words { "---" } else { "---:" }.to_owned()).collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        line(&self.header) + &line(&rule) + &rows
    }

    /// The table as comma-separated values.
    pub(super) fn csv(&self) -> Result<String> {
        let refused = |error: csv::Error| Error::Usage(format!("a table could not be written: {error}"));
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(&self.header).map_err(refused)?;
        for row in &self.rows {
            csv.write_record(row).map_err(refused)?;
        }
        let bytes = csv.into_inner().map_err(|error| refused(error.into_error().into()))?;
        String::from_utf8(bytes).map_err(|error| Error::Usage(error.to_string()))
    }
}
