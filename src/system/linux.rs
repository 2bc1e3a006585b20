//! Linux: `/proc`, control groups, Slurm's limits, huge pages.

use std::fs;
use std::io;
use std::path::Path;

use rustix::io::Errno;

use crate::system::{Memory, cgroup, slurm};

/// The tightest of the machine's memory, the limits of control groups (containers, systemd) and Slurm's.
pub(crate) fn memory() -> Option<Memory> {
    let machine = total(Path::new("/")).map(|bytes| Memory { bytes, limit: "this machine has" });
    let contained =
        cgroup::limit(Path::new("/")).map(|bytes| Memory { bytes, limit: "the control group (container) allows" });
    let allocated =
        slurm::limit(&|name| std::env::var(name).ok()).map(|bytes| Memory { bytes, limit: "the Slurm job may use" });
    [machine, contained, allocated].into_iter().flatten().min_by(|a, b| a.bytes.total_cmp(&b.bytes))
}

fn total(root: &Path) -> Option<f64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
}

/// The processor's name, where there is one: Arm's machines give none.
pub(crate) fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let (_, name) = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'))?;
    Some(name.trim().to_owned())
}

/// Readies the process, before anything else.
///
/// The allocator asks for huge pages, and the kernel clears each of them whole at its first byte: on a virtual machine
/// that can cost a fifth of a second before a run of one second, while training gains nothing by them.
pub(crate) fn prepare() {
    // A kernel that refuses is slower, nothing else.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Whether an error says that a file system has no locks: NFS without its daemon, Lustre without `flock`, 9p, FUSE.
pub(crate) fn lacks_locks(error: &io::Error) -> bool {
    [Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOTSUP, Errno::NOSYS]
        .map(Errno::raw_os_error)
        .map(Some)
        .contains(&error.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known() {
        let memory = memory().unwrap();
        assert!((1e6..1e16).contains(&memory.bytes), "{memory:?}");
        assert!(total(Path::new("/nowhere")).is_none());
    }

    #[test]
    fn what_says_that_there_are_no_locks_is_told_from_what_refuses() {
        for (number, lacks) in [(37, true), (95, true), (38, true), (13, false), (28, false)] {
            assert_eq!(lacks_locks(&io::Error::from_raw_os_error(number)), lacks, "{number}");
        }
    }
}
