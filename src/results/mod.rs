//! The results folder: what has run.

mod checkpoint;
mod conditions;
mod curves;
pub mod file_name;
mod hold;
mod identity;
mod log;
mod magnitudes;
mod mark;
mod merge;
mod packed;
mod path;
mod provenance;
mod record;
mod recorder;
mod store;
mod target;

pub use checkpoint::Checkpoint;
pub use conditions::Conditions;
pub use curves::{EvaluationRow, StepRow};
pub use hold::Hold;
pub use identity::{Data, Identity, Started};
pub use log::Extent;
pub use magnitudes::{BINS, Magnitudes, Quantity, is_probed};
pub use merge::Merged;
pub use path::PathRow;
pub use record::{Best, Horizon, Mark, Record, Status};
pub use recorder::{Probes, Recorder};
pub use store::{EXPERIMENT, Store};
