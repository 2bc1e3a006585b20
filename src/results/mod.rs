//! The results folder: what has run.

mod checkpoint;
mod conditions;
mod curves;
pub mod file_name;
mod hold;
mod identity;
mod inventory;
mod log;
mod magnitudes;
mod mark;
mod merge;
mod packed;
mod path;
mod provenance;
mod record;
mod recorder;
mod setting;
mod store;
mod target;

pub use checkpoint::Checkpoint;
pub use conditions::{Conditions, Other};
pub use curves::{EvaluationRow, StepRow};
pub use hold::Hold;
pub use identity::{Data, Identity, Started};
pub use inventory::Inventory;
pub use log::Extent;
pub use magnitudes::{BINS, Magnitudes, Quantity, is_probed};
pub use merge::Merged;
pub use path::PathRow;
pub use provenance::Provenance;
pub use record::{Horizon, Mark, Record, Status};
pub use recorder::{Curves, Probes, Recorder};
pub use setting::Setting;
pub use store::{EXPERIMENT, Store};
