//! The formats, one file each. A renderer knows the document alone: what is said, not where it comes from.

pub mod csv;
mod format;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod terminal;

use crate::report::document::{Check, Report};

pub use format::Format;

/// The formats of `optbench report`.
pub const REPORT: &[&Format<Report>] =
    &[&terminal::REPORT, &markdown::REPORT, &csv::REPORT, &json::REPORT, &html::REPORT];

/// The formats of `optbench check`.
pub const CHECK: &[&Format<Check>] = &[&terminal::CHECK, &markdown::CHECK, &json::CHECK, &github::CHECK, &junit::CHECK];
