//! What is to be known beside the changes since a baseline: what to do, and what weakens the comparison.

use crate::analysis::regression::Change;
use crate::report::content::check::change_words::{changed, short_name};
use crate::report::content::check::checked::Checked;
use crate::report::document::{Level, Note};
use crate::words::listed;

impl Checked<'_> {
    /// What to do where arms seem to be gone because their settings changed.
    pub(super) fn help(&self) -> Option<&'static str> {
        let moved = |change: &Change| change.nearest.is_some();
        let is_moved = self.against.iter().flat_map(|against| &against.changes).any(moved);
        is_moved.then_some("`--match label` compares arms by their labels, whatever settings changed")
    }

    /// What is to be known of arms that are well: settings that differ, and what weakens the comparison; with the arms.
    pub(super) fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<(String, Vec<String>)> = Vec::new();
        let mut add = |note: String, name: String| match notes.iter_mut().find(|(known, _)| *known == note) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => notes.push((note, vec![name])),
        };
        for change in self.against.iter().flat_map(|against| &against.changes) {
            if self.of_outcome(change.outcome) > Level::Pass {
                continue;
            }
            if !change.changed.is_empty() {
                add(format!("settings that differ: {}", changed(&change.changed)), short_name(change));
            }
            for note in &change.notes {
                add(note.clone(), short_name(change));
            }
        }
        notes.into_iter().map(|(said, names)| Note { of: listed(&names, ", "), said }).collect()
    }
}
