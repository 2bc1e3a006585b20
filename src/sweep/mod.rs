//! The sweep: which runs an experiment has, and training them.

mod execute;
mod groups;
mod horizon;
mod identity;
mod in_process;
mod marks;
mod memory;
mod name;
pub mod order;
mod panic;
mod plan;
mod prepared;
mod program;
mod progress;
mod rounds;
mod run;
mod shard;
#[cfg(test)]
mod tests;
mod trainer;
mod witness;

pub use execute::{Execution, Machine, Sweep};
pub use in_process::InProcess;
pub use memory::{Room, in_words};
pub use plan::Plan;
pub use prepared::Prepared;
pub use program::ByProgram;
pub use progress::Progress;
pub use rounds::{Due, Outlook};
pub use run::Run;
pub use shard::Shard;
pub use trainer::{Facts, Job, Place, Trainer};
pub use witness::Snapshots;
