//! Comma-separated values: one row an arm.

use crate::error::{Error, Result};
use crate::report::document::{Report, Room};
use crate::report::render::format::Format;

/// The report.
pub const REPORT: Format<Report> = Format { name: "csv", render: report, is_illustrated: false };

fn report(report: &Report) -> Result<String> {
    let refused = |error: csv::Error| Error::Usage(format!("a table could not be written: {error}"));
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(report.arms.titles(Room::Wide)).map_err(refused)?;
    for row in report.arms.rows_in(Room::Wide) {
        csv.write_record(row.iter().map(ToString::to_string)).map_err(refused)?;
    }
    let bytes = csv.into_inner().map_err(|error| refused(error.into_error().into()))?;
    String::from_utf8(bytes).map_err(|error| Error::Usage(error.to_string()))
}
