//! The sweep: which runs an experiment has, and training them.

mod execute;
mod horizon;
mod plan;
mod witness;

pub use execute::{Execution, Progress, execute};
pub use plan::{Plan, Run, Shard};
pub use witness::Snapshots;
