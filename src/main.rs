//! The `optbench` command.

use std::process::ExitCode;

/// Large buffers come and go at every step; the system's allocator would fault in their pages each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    optbench::Bench::new().main()
}
