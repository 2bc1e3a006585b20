//! The findings of a check in the forms that terminals, GitHub and CI servers read.

use crate::report::baseline_words::legend;
use crate::report::check::{Checked, Level};

impl Checked<'_> {
    /// The findings for a terminal.
    pub fn terminal(&self) -> String {
        let mut text = format!("{}\n", self.headline());
        text += &self.seeds.iter().map(|said| format!("{said}\n")).collect::<String>();
        for table in [self.claims_table(), self.parts_table(false), self.changes_table()] {
            if !table.rows.is_empty() {
                text += &format!("\n{}", table.terminal());
            }
        }
        if let Some(against) = &self.against {
            text += &format!("\n  {}\n", legend(&against.rules, &against.changes));
        }
        let said = self.items().into_iter().filter_map(|item| match (item.level, &item.note) {
            (Level::Pass, None) => None,
            (Level::Pass, Some(note)) => Some(format!("note: {} {}: {note}\n", item.word, item.name)),
            (level, _) => Some(format!("{}: {} {}: {}\n", level_word(level), item.word, item.name, item.message)),
        });
        let said: String = said.collect();
        if !said.is_empty() {
            text += &format!("\n{said}");
        }
        for (arms, note) in self.notes() {
            text += &format!("note: {arms}: {note}\n");
        }
        if let Some(help) = self.help() {
            text += &format!("help: {help}\n");
        }
        text
    }

    /// The findings in GitHub's Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("## optbench check\n\n**{}**\n", self.headline());
        text += &self.seeds.iter().map(|said| format!("\n{said}\n")).collect::<String>();
        for table in [self.claims_table(), self.parts_table(true), self.changes_table()] {
            if !table.rows.is_empty() {
                let note = if table.note.is_empty() { String::new() } else { format!("\n{}\n", table.note) };
                text += &format!("\n### {}\n\n{}{note}", table.title, table.markdown());
            }
        }
        // The table of claims says why by itself.
        let others = self.items().into_iter().filter(|item| item.level > Level::Pass && item.class != "claim");
        let others: String =
            others.map(|item| format!("- **{}** {}: {}\n", item.word, item.name, item.message)).collect();
        let mut notes: String = self.notes().into_iter().map(|(arms, note)| format!("- {arms}: {note}\n")).collect();
        notes.extend(self.help().map(|help| format!("- {help}\n")));
        if others.is_empty() && notes.is_empty() { text } else { format!("{text}\n{others}{notes}") }
    }

    /// Workflow commands of GitHub Actions: an annotation for each finding that is not well.
    pub fn github(&self) -> String {
        let mut text = String::new();
        for item in &self.items() {
            let (command, message) = match (item.level, &item.note) {
                (Level::Fail, _) => ("error", &item.message),
                (Level::Warn, _) => ("warning", &item.message),
                (Level::Pass, Some(note)) => ("notice", note),
                (Level::Pass, None) => continue,
            };
            let title = property(&format!("{} {}", item.word, item.name));
            text += &format!("::{command} title={title}::{}\n", data(message));
        }
        for (arms, note) in self.notes() {
            text += &format!("::notice title={}::{}\n", property(&arms), data(&note));
        }
        if let Some(help) = self.help() {
            text += &format!("::notice::{}\n", data(help));
        }
        text + &self.headline() + "\n"
    }

    /// The findings as `JUnit` XML: a test case for each claim and arm; what cannot be decided is skipped.
    pub fn junit(&self) -> String {
        let items = self.items();
        let count = |level: Level| items.iter().filter(|item| item.level == level).count();
        let counts =
            format!("tests=\"{}\" failures=\"{}\" skipped=\"{}\"", items.len(), count(Level::Fail), count(Level::Warn));
        let name = xml(self.name);
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"{name}\" {counts}>\n"
        );
        for item in &items {
            let inner = match item.level {
                Level::Pass => format!("<system-out>{}</system-out>", xml(&item.message)),
                Level::Warn => format!("<skipped message=\"{}\"/>", xml(&format!("{}: {}", item.word, item.message))),
                Level::Fail => format!("<failure type=\"{}\" message=\"{}\"/>", item.word, xml(&item.message)),
            };
            text += &format!(
                "    <testcase classname=\"{name}.{}\" name=\"{}\">{inner}</testcase>\n",
                item.class,
                xml(&item.name)
            );
        }
        text + "  </testsuite>\n</testsuites>\n"
    }
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Pass => "ok",
        Level::Warn => "warning",
        Level::Fail => "error",
    }
}

/// Text after `::` of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command, where commas and colons separate.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text of an element or attribute, without the characters that no XML file may contain.
fn xml(text: &str) -> String {
    let allowed = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().map(|c| if allowed(c) { c } else { ' ' }).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_separates_is_escaped() {
        assert_eq!(data("50%\nworse, say: a"), "50%25%0Aworse, say: a");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
        assert_eq!(xml("<a & \"b\">\u{1}\u{fffe}"), "&lt;a &amp; &quot;b&quot;&gt;  ");
    }
}
