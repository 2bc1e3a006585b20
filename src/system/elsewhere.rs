//! macOS, Windows and others: what small commands and the environment tell.

use std::io::{self, ErrorKind};
use std::process::Command;

use crate::system::Memory;

/// The machine's memory, where `sysctl` knows it (macOS); nothing on Windows, where oversized runs are not refused.
pub(crate) fn memory() -> Option<Memory> {
    let bytes = asked("hw.memsize")?.parse().ok()?;
    Some(Memory { bytes, limit: "this machine has" })
}

/// The processor's name.
pub(crate) fn processor() -> Option<String> {
    asked("machdep.cpu.brand_string").or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok())
}

/// What `sysctl` says of a name, if it is there and knows it.
fn asked(name: &str) -> Option<String> {
    let output = Command::new("sysctl").args(["-n", name]).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Readies the process; there is nothing to do.
pub(crate) fn prepare() {}

/// Whether an error says that a file system has no locks.
pub(crate) fn lacks_locks(error: &io::Error) -> bool {
    // ENOTSUP and ENOLCK of macOS; ERROR_INVALID_FUNCTION and ERROR_NOT_SUPPORTED of Windows.
    let numbers: &[i32] = if cfg!(windows) { &[1, 50] } else { &[45, 77] };
    error.kind() == ErrorKind::Unsupported || error.raw_os_error().is_some_and(|number| numbers.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_system_does_not_tell_is_unknown_and_no_error() {
        prepare();
        assert!(memory().is_none_or(|memory| memory.bytes > 1e6));
        assert!(processor().is_none_or(|name| !name.is_empty()));
        assert_eq!(asked("no.such.name"), None);
        assert!(lacks_locks(&ErrorKind::Unsupported.into()) && !lacks_locks(&ErrorKind::PermissionDenied.into()));
    }
}
