//! Ctrl-C and SIGTERM: the sweep ends after what is under way, or without it where that takes long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::cli::{Exit, say};
use crate::error::{Error, Result};

/// How long an update or an evaluation under way may take to come to its end.
///
/// Schedulers follow SIGTERM with SIGKILL; what is on disk is as good after the one as after the other.
const GRACE: Duration = Duration::from_millis(1500);
/// How often somebody looks whether a signal came.
const LOOK: Duration = Duration::from_millis(50);

/// A flag that the first signal raises. A second one ends the process at once, and so does [`GRACE`].
///
/// SIGHUP keeps the meaning that it was given: under `nohup` a sweep outlives its terminal, and without it
/// ends with it, which costs no more than the work since the last checkpoints.
///
/// # Errors
/// When the system refuses to pass a signal on.
pub(super) fn listen() -> Result<Arc<AtomicBool>> {
    let interrupt = Arc::new(AtomicBool::new(false));
    let refused = |error| Error::Usage(format!("cannot listen for interruptions: {error}"));
    for signal in [SIGINT, SIGTERM] {
        // In this order: what ends the process must not see the flag that the same signal raises.
        flag::register_conditional_shutdown(signal, Exit::Interrupted.code().into(), interrupt.clone())
            .map_err(refused)?;
        flag::register(signal, interrupt.clone()).map_err(refused)?;
    }
    let raised = interrupt.clone();
    thread::spawn(move || {
        while !raised.load(Ordering::Relaxed) {
            thread::sleep(LOOK);
        }
        thread::sleep(GRACE);
        // A pipe that nobody reads must not hold up the end.
        thread::spawn(|| {
            say("interrupted during a long step; run the same command again to continue from the last checkpoint");
        });
        thread::sleep(LOOK);
        low_level::exit(Exit::Interrupted.code().into());
    });
    Ok(interrupt)
}
