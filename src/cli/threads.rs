//! How the cores are shared between runs and within them.

use std::thread::available_parallelism;

use crate::cli::say;
use crate::nn::matmul;

/// Runs at a time and threads inside each: one thread a run is the fastest for small models.
///
/// Also tells the kernels and candle's own pools. Must be called before the first tensor is made, and before a thread is
/// started.
pub(super) fn share(jobs: Option<u16>, threads: Option<u16>) -> (usize, usize) {
    let cores = available_parallelism().map_or(1, usize::from);
    let jobs = jobs.map_or(cores, usize::from);
    let threads = threads.map_or((cores / jobs).max(1), usize::from);
    matmul::set_threads(threads);
    // candle's own pool waits by spinning, on the cores that the matrix products want to share.
    let sizes = [("RAYON_NUM_THREADS", threads), ("CANDLE_NUM_THREADS", 1)];
    if !set_variables(&sizes) {
        let wanted: Vec<String> = sizes.iter().map(|(variable, threads)| format!("{variable}={threads}")).collect();
        say(&format!(
            "warning: the sizes of candle's thread pools cannot be set from here; set {} for speed",
            wanted.join(" ")
        ));
    }
    (jobs, threads)
}

/// Sets variables of the environment, from which alone candle takes the sizes of its pools; `false` where another thread
/// might be reading it. Numbers that are there already are left alone.
#[expect(unsafe_code, reason = "candle takes the sizes of its thread pools from the environment alone")]
fn set_variables(sizes: &[(&str, usize)]) -> bool {
    for &(variable, threads) in sizes {
        let threads = threads.to_string();
        if std::env::var(variable).is_ok_and(|set| set == threads) {
            continue;
        }
        if !environment_is_ours() {
            return false;
        }
        // SAFETY: no other thread is there that could read the environment meanwhile, or the system guards it by a lock.
        unsafe { std::env::set_var(variable, threads) };
    }
    true
}

/// Whether nobody else can be reading the environment: this thread is the only one of its process, and so none can start
/// another while it is busy here.
#[cfg(target_os = "linux")]
fn environment_is_ours() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}

/// Whether nobody else can be reading the environment: the process has never had a second thread.
#[cfg(target_vendor = "apple")]
#[expect(unsafe_code, reason = "declares a function of the system's C library")]
fn environment_is_ours() -> bool {
    // SAFETY: this is its declaration in pthread.h, and it may be called at any time.
    unsafe extern "C" {
        safe fn pthread_is_threaded_np() -> std::ffi::c_int;
    }
    pthread_is_threaded_np() == 0
}

/// Windows guards the environment by a lock of its own.
#[cfg(windows)]
fn environment_is_ours() -> bool {
    true
}

/// Other systems do not tell.
#[cfg(not(any(target_os = "linux", target_vendor = "apple", windows)))]
fn environment_is_ours() -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_left_alone_beside_other_threads() {
        // The test's own thread is not the process's first.
        assert!(!set_variables(&[("OPTBENCH_TEST_THREADS", 3)]));
        assert!(std::env::var_os("OPTBENCH_TEST_THREADS").is_none());
    }
}
