//! What has to be asked of the operating system in words of its own, behind one file for each.

#[cfg(target_os = "linux")]
mod cgroup;
#[cfg(any(not(target_os = "linux"), test))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod slurm;

#[cfg(not(target_os = "linux"))]
use elsewhere as here;
#[cfg(target_os = "linux")]
use linux as here;

pub(crate) use here::{lacks_locks, memory, prepare, processor};

/// The memory that this process may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Memory {
    /// In bytes.
    pub(crate) bytes: f64,
    /// What sets the limit, up to the number: `this machine has`.
    pub(crate) limit: &'static str,
}
