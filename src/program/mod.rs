//! Anyone's training program: starting it, reading what it measures, and ending it with all that it started.
//!
//! A program reads a JSON file that tells it what to train ([`RunFile`]) and prints what it measures. It is watched
//! while it runs: [`Session::run`] passes its measurements on to an [`Observer`](crate::train::Observer), in order and
//! checked, and ends it where it does what no training may.

mod group;
mod json;
mod line;
mod log_file;
mod order;
mod output;
mod patterns;
mod placeholders;
mod reader;
mod run_file;
mod session;

pub use group::{are_alive, kill_all};
pub use placeholders::{fill, shell_words};
pub use run_file::{Chosen, RunFile};
pub use session::{DIVERGED, OUTPUT, Session};
