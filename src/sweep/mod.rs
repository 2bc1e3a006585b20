//! The sweep: which runs an experiment has, and training them.

mod execute;
mod horizon;
mod memory;
mod plan;
mod tuning;
mod witness;

pub use execute::{Execution, Progress, execute};
pub use memory::in_words;
pub use plan::{Plan, Run, Shard};
pub use tuning::Outlook;
pub use witness::Snapshots;
