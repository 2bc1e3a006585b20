//! What a report and a check say, in types that name no format: sentences, tables of typed cells, and the numbers for
//! scripts. What is said is put together in `content`, and written by `render`.
//!
//! The fields that JSON shows are documented here once: `docs/schema/*.json` is made from them.

mod arm;
mod cell;
mod check;
mod claim;
mod number;
mod report;
#[cfg(test)]
mod schema;
mod statistics;
mod table;
mod task;

pub use arm::{Arm, Comparison, Magnitudes, OtherValue, Search};
pub use cell::{Cell, Content, Tone};
pub use check::{Baseline, Change, Changed, Check, Decides, Finding, Level, Note, Runs};
pub use claim::{Claim, Claims, Part};
pub use number::Number;
pub use report::{OverArm, OverTasks, Performance, Provenance, Report};
pub use statistics::{Ends, Estimate, Measured, Statistics, ends};
pub use table::{Align, Column, Room, Shown, Table};
pub use task::{AtHorizon, Figure, Task};

/// The version of the JSON documents of `report` and `check`: raised where a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;
