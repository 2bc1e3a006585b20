//! A process with all that it starts: a process group, where the system has them.

use std::collections::BTreeSet;
use std::io::{self, PipeReader, pipe};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

/// The groups that are alive: whoever ends this process has to end them first.
static ALIVE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A program that was started.
pub(super) struct Group {
    child: Child,
}

impl Group {
    /// Starts a program in a group of its own: a Ctrl-C on the terminal reaches optbench alone, which ends it in order.
    /// Returns its standard output and, unless they are one, its standard error.
    pub(super) fn start(command: &mut Command, as_one: bool) -> io::Result<(Self, PipeReader, Option<PipeReader>)> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        // Held until the group is known, so that nobody ends this process in between and leaves it behind.
        let mut alive = ALIVE.lock().unwrap_or_else(PoisonError::into_inner);
        let (output, into_output) = pipe()?;
        let (error, into_error) = if as_one {
            (None, into_output.try_clone()?)
        } else {
            let (error, into_error) = pipe()?;
            (Some(error), into_error)
        };
        let child = command.stdin(Stdio::null()).stdout(into_output).stderr(into_error).spawn();
        // The command would hold the writing ends open.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = child?;
        alive.insert(child.id());
        Ok((Self { child }, output, error))
    }

    /// How the program itself ended, if it did.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Asks all of them to end.
    pub(super) fn terminate(&mut self) {
        signal(self.child.id(), Wish::Terminate);
    }

    /// Ends all of them.
    pub(super) fn kill(&mut self) {
        signal(self.child.id(), Wish::Kill);
        // Where there are no groups, and as nobody else waits for it.
        let _ = self.child.kill();
    }

    /// Whether any of them is left once the program itself has ended.
    pub(super) fn is_left(&self) -> bool {
        exists(self.child.id())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
        ALIVE.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.child.id());
    }
}

/// Whether any program is under way.
pub fn are_alive() -> bool {
    !ALIVE.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
}

/// Ends every program that is under way, at once.
pub fn kill_all() {
    for group in ALIVE.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        signal(*group, Wish::Kill);
    }
}

#[derive(Clone, Copy)]
enum Wish {
    Terminate,
    Kill,
}

#[cfg(unix)]
fn group(id: u32) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(id).ok()?)
}

#[cfg(unix)]
fn signal(id: u32, wish: Wish) {
    use rustix::process::Signal;
    let signal = match wish {
        Wish::Terminate => Signal::TERM,
        Wish::Kill => Signal::KILL,
    };
    if let Some(group) = group(id) {
        // One that has ended is what was wanted.
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

#[cfg(unix)]
fn exists(id: u32) -> bool {
    group(id).is_some_and(|group| rustix::process::test_kill_process_group(group).is_ok())
}

#[cfg(not(unix))]
fn signal(_: u32, wish: Wish) {
    // Only the program itself can be ended here, which `Group::kill` does.
    let (Wish::Terminate | Wish::Kill) = wish;
}

#[cfg(not(unix))]
fn exists(_: u32) -> bool {
    false
}
