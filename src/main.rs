//! The `optbench` command.

use std::process::ExitCode;

/// Large buffers come and go at every step; the system's allocator would fault in their pages each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for huge pages, and the kernel clears each of them whole at its first byte: on a virtual
    // machine that can cost a fifth of a second before a run of one second, while training gains nothing by them.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    optbench::cli::main()
}
