//! The sweep: which runs an experiment has, and training them.

mod execute;
mod horizon;
mod plan;
mod tuning;
mod witness;

pub use execute::{Execution, Progress, execute};
pub use plan::{Plan, Run, Shard};
pub use tuning::Outlook;
pub use witness::Snapshots;
