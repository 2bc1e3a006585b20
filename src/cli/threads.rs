//! How the cores are shared between runs and within them.

use std::thread::available_parallelism;

use crate::nn::matmul;

/// Runs at a time and threads inside each: one thread a run is the fastest for small models.
///
/// Also tells the kernels and candle's own pools. Must be called before the first tensor is made.
#[expect(unsafe_code, reason = "candle takes the sizes of its thread pools from the environment alone")]
pub(super) fn share(jobs: Option<u16>, threads: Option<u16>) -> (usize, usize) {
    let cores = available_parallelism().map_or(1, usize::from);
    let jobs = jobs.map_or(cores, usize::from);
    let threads = threads.map_or((cores / jobs).max(1), usize::from);
    matmul::set_threads(threads);
    // candle's own pool waits by spinning, on the cores that the matrix products want to share.
    for (variable, threads) in [("RAYON_NUM_THREADS", threads), ("CANDLE_NUM_THREADS", 1)] {
        // SAFETY: the process still has a single thread, and nobody holds on to its environment.
        unsafe { std::env::set_var(variable, threads.to_string()) };
    }
    (jobs, threads)
}
