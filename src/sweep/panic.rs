//! A panic in a run is the failure of that run alone: its message is kept, and the sweep goes on.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::error::{Error, Result};

thread_local! {
    /// What a panic on this thread said; `None` while nobody waits for one.
    static HEARD: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does some work and makes an error of a panic in it.
///
/// # Errors
/// Those of the work, and [`Error::Panicked`] with the message and where it came from.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(listen);
    HEARD.set(Some(String::new()));
    // Whatever the work was changing is dropped with it, or only asked for how far it had come.
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    let heard = HEARD.take().filter(|heard| !heard.is_empty());
    outcome.unwrap_or_else(|payload| Err(Error::Panicked(heard.unwrap_or_else(|| message(&*payload)))))
}

/// Keeps the panics that somebody waits for from the terminal; all others are printed as before.
fn listen() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let waits = HEARD.with_borrow_mut(|heard| {
            let Some(heard) = heard else { return false };
            *heard = message(info.payload());
            if let Some(place) = info.location() {
                *heard += &format!(" (at {place})");
            }
            true
        });
        if !waits {
            before(info);
        }
    }));
}

/// What a panic was given to say.
fn message(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message_and_its_place() {
        let said = |work: fn() -> Result<()>| caught(work).unwrap_err().to_string();
        let formatted = said(|| panic!("{} is too many", 7));
        assert!(formatted.contains("7 is too many (at src"), "{formatted}");
        assert!(said(|| std::panic::panic_any(7)).contains("a panic without a message"));
        // A pool's thread is not the one that waits: its panic arrives as a payload alone.
        let elsewhere = said(|| {
            let payload = std::thread::spawn(|| panic!("far away")).join().unwrap_err();
            std::panic::resume_unwind(payload)
        });
        assert!(elsewhere.contains("far away"), "{elsewhere}");
        assert!(caught(|| Ok(3)).is_ok_and(|three| three == 3));
    }
}
