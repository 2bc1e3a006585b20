//! `optbench check` from the outside: verdicts, formats and exit codes.

mod baseline;
mod claims;
mod experiment;
mod formats;
