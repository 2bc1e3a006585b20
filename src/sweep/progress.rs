//! Who follows a sweep.

use crate::results::Record;
use crate::sweep::run::Run;

/// Follows a sweep; `worker` numbers the runs that are under way at the same time.
pub trait Progress: Sync {
    /// A run starts.
    fn started(&self, worker: usize, run: &Run, steps: u64);
    /// A run has done this many updates; called after each.
    fn step(&self, worker: usize, step: u64);
    /// Something that the user should know of a run, in one sentence.
    fn noted(&self, _run: &str, _text: &str) {}
    /// A run is done.
    fn finished(&self, worker: usize, record: &Record);
}
