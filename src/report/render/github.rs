//! Workflow commands of GitHub Actions: an annotation for each finding that is not well.

use crate::report::document::{Check, Level};
use crate::report::render::format::Format;

/// The findings of a check.
pub const CHECK: Format<Check> = Format { name: "github", render: |found| Ok(check(found)), is_illustrated: false };

fn check(check: &Check) -> String {
    let mut text = String::new();
    for finding in &check.findings {
        let (command, message) = match (finding.level, &finding.note) {
            (Level::Fail, _) => ("error", &finding.message),
            (Level::Warn, _) => ("warning", &finding.message),
            (Level::Pass, Some(note)) => ("notice", note),
            (Level::Pass, None) => continue,
        };
        let title = property(&format!("{} {}", finding.word, finding.name));
        text += &format!("::{command} title={title}::{}\n", data(message));
    }
    text.extend(
        check.notes.iter().map(|note| format!("::notice title={}::{}\n", property(&note.of), data(&note.said))),
    );
    text.extend(check.help.map(|help| format!("::notice::{}\n", data(help))));
    text + &check.answer + "\n"
}

/// Text after `::` of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command, where commas and colons separate.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_separates_is_escaped() {
        assert_eq!(data("50%\nworse, say: a"), "50%25%0Aworse, say: a");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
    }
}
