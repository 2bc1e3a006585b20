//! The sweep: which runs an experiment has, and training them.

mod execute;
mod plan;

pub use execute::{Execution, Progress, execute};
pub use plan::{Plan, Run, Shard};
