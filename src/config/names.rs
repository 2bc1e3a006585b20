//! Names in a config: each is known, or refused with what it may stand for.

use crate::config::diagnostics::Diagnostics;
use crate::config::foreign;
use crate::config::source::{Entry, Place, Table};
use crate::registry::{Described, Key, Kinds, choices, nearest};

/// Adds a mistake for every key that nobody asks for, with the nearest that somebody does; none where any is taken.
pub(super) fn refuse_unknown(table: &Table, known: &[&str], owner: &str, diagnostics: &mut Diagnostics) {
    if known.contains(&Key::REST) {
        return;
    }
    for Entry { key, key_place, .. } in &table.0 {
        if !known.contains(&key.as_str()) {
            let added = diagnostics.add(key_place, format!("unknown key `{key}` in {owner}")).expected(choices(known));
            if let Some(advice) = advice(key, known) {
                added.help(advice);
            }
        }
    }
}

/// Which of the known names a wrong one may stand for, or what to write instead.
pub(super) fn advice(wrong: &str, known: &[&str]) -> Option<String> {
    match foreign::hint(wrong, known) {
        Some(hint) if !hint.note.is_empty() => Some(hint.note.to_owned()),
        _ => likeliest(wrong, known).map(|near| format!("did you mean `{near}`?")),
    }
}

/// The name that a wrong one most likely stands for: what else is mistaken beside it is judged by that.
pub(super) fn likeliest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    match foreign::hint(wrong, known) {
        Some(hint) => hint.name,
        None => nearest(wrong, known.iter().copied()),
    }
}

/// Which names a registry has; more than fit a line are for `optbench list` to show.
fn expected_name(what: &str, names: &[&str]) -> String {
    if names.len() > 10 { format!("a name from `optbench list {what}s`") } else { choices(names) }
}

/// The kind of that name. Where there is none, which is said at the place, the one that was most likely meant: what
/// else is mistaken is judged by that. `otherwise` is the help where no name is near.
pub(super) fn find<D: Described>(
    kinds: &Kinds<D>,
    name: &str,
    place: &Place,
    otherwise: impl FnOnce(&str) -> Option<String>,
    diagnostics: &mut Diagnostics,
) -> Option<&'static D> {
    if let Some(found) = kinds.find(name) {
        return Some(found);
    }
    let (sort, names) = (D::SORT.name(), kinds.names());
    let added = diagnostics.add(place, format!("there is no {sort} `{name}`")).expected(expected_name(sort, &names));
    if let Some(help) = advice(name, &names).or_else(|| otherwise(names.first().copied().unwrap_or_default())) {
        added.help(help);
    }
    kinds.find(likeliest(name, &names)?)
}
