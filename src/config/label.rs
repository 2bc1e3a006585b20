//! What a table of a config may be called.

use crate::config::diagnostics::Diagnostics;
use crate::config::source::Entry;

/// Labels begin the names of folders, which must stay short, and are printed everywhere.
const LONGEST: usize = 60;

/// Checks the label of a task or claim: anything that reads well.
pub(super) fn check(entry: &Entry, diagnostics: &mut Diagnostics) {
    if !reads_well(&entry.key) {
        refuse(entry, "no control characters", diagnostics);
    }
}

/// Checks the label of an optimizer or schedule, which stands on one side of a `+`.
pub(super) fn check_joined(entry: &Entry, diagnostics: &mut Diagnostics) {
    if !reads_well(&entry.key) || entry.key.contains('+') {
        refuse(entry, "no control characters and no `+`, which joins optimizer and schedule", diagnostics);
    }
}

fn reads_well(label: &str) -> bool {
    (1..=LONGEST).contains(&label.chars().count()) && !label.chars().any(char::is_control)
}

fn refuse(entry: &Entry, without: &str, diagnostics: &mut Diagnostics) {
    let title = match entry.key.chars().count() {
        length if length > LONGEST => format!("a label of {length} characters"),
        _ => format!("`{}` is not a valid label", entry.key),
    };
    diagnostics.add(&entry.key_place, title).expected(format!("1 to {LONGEST} characters, {without}"));
}
