//! `JUnit` XML: a test case for each claim and arm; what cannot be decided is skipped.

use crate::report::document::{Check, Level};
use crate::report::render::format::Format;

/// The findings of a check.
pub const CHECK: Format<Check> = Format { name: "junit", render: |found| Ok(check(found)), is_illustrated: false };

fn check(check: &Check) -> String {
    let count = |level: Level| check.findings.iter().filter(|finding| finding.level == level).count();
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" skipped=\"{}\"",
        check.findings.len(),
        count(Level::Fail),
        count(Level::Warn)
    );
    let name = xml(&check.experiment);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"{name}\" {counts}>\n"
    );
    for finding in &check.findings {
        let inner = match finding.level {
            Level::Pass => format!("<system-out>{}</system-out>", xml(&finding.message)),
            Level::Warn => {
                format!("<skipped message=\"{}\"/>", xml(&format!("{}: {}", finding.word, finding.message)))
            }
            Level::Fail => format!("<failure type=\"{}\" message=\"{}\"/>", finding.word, xml(&finding.message)),
        };
        text += &format!(
            "    <testcase classname=\"{name}.{}\" name=\"{}\">{inner}</testcase>\n",
            finding.class,
            xml(&finding.name)
        );
    }
    text + "  </testsuite>\n</testsuites>\n"
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
    fn what_xml_keeps_for_itself_is_escaped() {
        assert_eq!(xml("<a & \"b\">\u{1}\u{fffe}"), "&lt;a &amp; &quot;b&quot;&gt;  ");
    }
}
