//! One JSON document; `docs/schema/` holds the schemas.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::report::document::{Check, Report};
use crate::report::render::format::Format;

/// The report.
pub const REPORT: Format<Report> = Format { name: "json", render: json, is_illustrated: false };

/// The findings of a check.
pub const CHECK: Format<Check> = Format { name: "json", render: json, is_illustrated: false };

fn json<D: Serialize>(document: &D) -> Result<String> {
    serde_json::to_string_pretty(document).map(|text| text + "\n").map_err(|error| Error::Usage(error.to_string()))
}
