//! The sweep: which runs an experiment has, and training them.

mod execute;
mod horizon;
mod identity;
mod marks;
mod memory;
mod name;
pub mod order;
mod panic;
mod plan;
mod rounds;
mod shard;
mod witness;

pub use execute::{Execution, Progress, execute};
pub use memory::{Room, in_words};
pub use plan::{Plan, Run};
pub use rounds::Outlook;
pub use shard::Shard;
pub use witness::Snapshots;
