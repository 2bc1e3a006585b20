//! The results folder: what has run.

mod checkpoint;
mod curves;
mod merge;
mod record;
mod recorder;
mod store;

pub use checkpoint::Checkpoint;
pub use curves::{EvaluationRow, StepRow};
pub use merge::Merged;
pub use record::{Best, Horizon, Record, Status};
pub use recorder::Recorder;
pub use store::Store;
