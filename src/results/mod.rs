//! The results folder: what has run.

mod curves;
mod record;
mod store;

pub use curves::{EvaluationRow, StepRow};
pub use record::{Best, Record, Status};
pub use store::{Recorder, Store};
