//! Labels as names of files.

use std::collections::HashSet;

/// The text with `_` for whatever is odd in the name of a file.
pub fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
}

/// Whether a text may be the name of a run: a safe name of a file that does not lead elsewhere and is not hidden.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('.') && safe(text) == text
}

/// Names that differ from each other, even where capitals do not count: labels may be made safe to the
/// same name, and some file systems ignore capitals.
#[derive(Debug, Default)]
pub struct Distinct(HashSet<String>);

impl Distinct {
    /// The text made safe; with a number behind it where that name is taken.
    pub fn name(&mut self, text: &str) -> String {
        let wanted = safe(text);
        let (mut name, mut number) = (wanted.clone(), 2);
        while !self.0.insert(name.to_ascii_lowercase()) {
            name = format!("{wanted}-{number}");
            number += 1;
        }
        name
    }
}
