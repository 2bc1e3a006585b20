//! Texts within a config that have a grammar of their own, and keys that users name.

use crate::config::diagnostics::Diagnostics;
use crate::config::source::{Entry, Item, Node, Place, Table};
use crate::registry::{self, Key, Mistake};
use crate::settings::Settings;

/// The entries of a table that are none of the keys, where the kind takes any further one; with what these take.
pub(super) fn further<'t>(
    table: &'t Table,
    keys: &[&'static Key],
    reserved: &[&str],
) -> impl Iterator<Item = (&'t Entry, &'static Key)> {
    let rest = keys.iter().copied().find(|key| key.name == Key::REST);
    let is_known = |name: &str| keys.iter().any(|key| key.name == name) || reserved.contains(&name);
    let further: Vec<&Entry> = table.0.iter().filter(|entry| !is_known(&entry.key)).collect();
    rest.into_iter().flat_map(move |rest| further.clone().into_iter().map(move |entry| (entry, rest)))
}

/// Says what is mistaken in the texts of a table, each at its place inside the text.
pub(super) fn check(table: &Table, keys: &[&'static Key], settings: &Settings, diagnostics: &mut Diagnostics) {
    for key in keys {
        let (Some(check), Some(entry)) = (key.check, table.get(key.name)) else { continue };
        let nodes: Vec<&Node> = match &entry.value.item {
            // A list of texts is an axis.
            Item::Array(nodes) => nodes.iter().collect(),
            Item::Table(table) => table.0.iter().map(|entry| &entry.value).collect(),
            _ => vec![&entry.value],
        };
        for node in nodes {
            if let Item::Text(text) = &node.item {
                let is_single = !matches!(entry.value.item, Item::Table(_));
                let own = settings.clone();
                let own = if is_single { own.with(key.name, text.as_str()) } else { own };
                for mistake in check(text, &own) {
                    add(&mistake, text, node, table, diagnostics);
                }
            }
        }
    }
}

fn add(mistake: &Mistake, text: &str, node: &Node, table: &Table, diagnostics: &mut Diagnostics) {
    let place = match &mistake.place {
        registry::Place::Text(span) => {
            let at = offsets(diagnostics.written(&node.place), text);
            let within = |i: usize| node.place.span.0 + at.get(i).copied().unwrap_or_default();
            Place { source: node.place.source, span: (within(span.start), within(span.end)) }
        }
        registry::Place::Name(name) => declared(table, name).map_or(&node.place, |entry| &entry.key_place).clone(),
    };
    let mut added = diagnostics.add(&place, mistake.title.as_str());
    if let Some(expected) = &mistake.expected {
        added = added.expected(expected.as_str());
    }
    if let Some(help) = &mistake.help {
        added.help(help.as_str());
    }
}

/// The entry of a name: a key of the table, or one of a table within.
fn declared<'t>(table: &'t Table, name: &str) -> Option<&'t Entry> {
    let within = |entry: &'t Entry| match &entry.value.item {
        Item::Table(inner) => inner.get(name),
        _ => None,
    };
    table.get(name).or_else(|| table.0.iter().find_map(within))
}

/// Where each byte of a text, and its end, stands in the TOML that it was written as.
fn offsets(written: &str, text: &str) -> Vec<usize> {
    let quotes =
        ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| written.starts_with(quotes)).unwrap_or_default();
    let escapes = quotes.starts_with('"');
    let mut at = quotes.len();
    if quotes.len() == 3 {
        // A line end right after the quotes is no part of the text.
        at += ["\r\n", "\n"].into_iter().find(|end| written[at..].starts_with(end)).map_or(0, str::len);
    }
    let mut offsets = Vec::with_capacity(text.len() + 1);
    for c in text.chars() {
        let length = loop {
            let rest = written.get(at..).unwrap_or_default();
            match rest.strip_prefix('\\').filter(|_| escapes) {
                // A backslash at the end of a line takes the spaces of the next ones, too.
                Some(after) if after.trim_start_matches([' ', '\t', '\r']).starts_with('\n') => {
                    at += 1 + after.len() - after.trim_start().len();
                }
                Some(after) => {
                    let digits = match after.chars().next() {
                        Some('x') => 2,
                        Some('u') => 4,
                        Some('U') => 8,
                        _ => 0,
                    };
                    break 2 + digits;
                }
                None if rest.starts_with('\r') && c != '\r' => at += 1,
                None => break c.len_utf8(),
            }
        };
        offsets.extend(std::iter::repeat_n(at, c.len_utf8()));
        at = (at + length).min(written.len());
    }
    offsets.push(at);
    offsets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::parse;

    /// The character of the source at each character of the value.
    fn seen(source: &str) -> String {
        let (table, errors) = parse(0, source);
        assert!(errors.is_empty(), "{source}");
        let Node { item: Item::Text(text), place } = &table.0[0].value else { panic!("{source}") };
        let written = &source[place.span.0..place.span.1];
        let offsets = offsets(written, text);
        assert_eq!(offsets.len(), text.len() + 1);
        text.char_indices().map(|(i, _)| written[offsets[i]..].chars().next().unwrap_or('?')).collect()
    }

    #[test]
    fn places_inside_a_text_are_found_in_the_toml_that_it_was_written_as() {
        for (source, expected) in [
            ("x = 'p - lr'", "p - lr"),
            ("x = \"p \u{e9} g\"", "p \u{e9} g"),
            ("x = '''\np = 1\n q'''", "p = 1\n q"),
            ("x = \"\"\"\r\np = 1\r\nq\"\"\"", "p = 1\r\nq"),
            ("x = \"a\\tb\\u00e9c\\\"d\"", "a\\b\\c\\d"),
            ("x = \"\"\"a \\\n   b\"\"\"", "a b"),
            ("x = ''", ""),
        ] {
            assert_eq!(seen(source), expected, "{source}");
        }
    }
}
