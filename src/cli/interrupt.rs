//! Ctrl-C and SIGTERM: the sweep ends after what is under way, or without it where that takes long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use crate::cli::{Exit, say};
use crate::error::{Error, Result};
use crate::program;

/// How long an update or an evaluation under way may take to come to its end.
///
/// Schedulers follow SIGTERM with SIGKILL; what is on disk is as good after the one as after the other.
const GRACE: Duration = Duration::from_millis(1500);
/// How often somebody looks whether training programs have ended.
const LOOK: Duration = Duration::from_millis(50);

/// A flag that the first signal raises. A second one ends the process at once, and so does [`GRACE`], once all training
/// programs have ended: they are asked to, and are given the time to do it. Both end them, too.
///
/// SIGHUP keeps the meaning that it was given: under `nohup` a sweep outlives its terminal, and without it
/// ends with it, which costs no more than the work since the last checkpoints.
///
/// # Errors
/// When the system refuses to pass a signal on.
pub(super) fn listen() -> Result<Arc<AtomicBool>> {
    let refused = |error| Error::Usage(format!("cannot listen for interruptions: {error}"));
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(refused)?;
    let interrupt = Arc::new(AtomicBool::new(false));
    let raised = interrupt.clone();
    thread::spawn(move || {
        for _ in signals.forever() {
            if raised.swap(true, Ordering::Relaxed) {
                end();
            }
            thread::spawn(|| {
                thread::sleep(GRACE);
                while program::are_alive() {
                    thread::sleep(LOOK);
                }
                // A pipe that nobody reads must not hold up the end.
                thread::spawn(|| {
                    say(
                        "interrupted during a long step; run the same command again to continue from the last checkpoint",
                    );
                });
                thread::sleep(LOOK);
                end();
            });
        }
    });
    Ok(interrupt)
}

/// Ends the process, and no program outlives it.
fn end() -> ! {
    program::kill_all();
    low_level::exit(Exit::Interrupted.code().into())
}
