//! The keys and sections of a config's top level.

use crate::config::diagnostics::Diagnostics;
use crate::config::names::likeliest;
use crate::config::source::{Entry, Item, Node, Table};

pub(super) const KEYS: [&str; 14] = [
    "name",
    "seeds",
    "judge_seeds",
    "epochs",
    "steps",
    "eval_every",
    "checkpoint_every",
    "probe",
    "tasks",
    "optimizers",
    "schedules",
    "anytime",
    "tuning",
    "claims",
];

/// Whether a section is not there under another spelling either, of which its reader is told already.
pub(super) fn is_missing(table: &Table, section: &str) -> bool {
    let misspelt = |entry: &Entry| !KEYS.contains(&entry.key.as_str()) && likeliest(&entry.key, &KEYS) == Some(section);
    table.get(section).is_none() && !table.0.iter().any(misspelt)
}

/// The tables of a section; none where it is no table, which is said.
pub(super) fn entries<'a>(table: &'a Table, key: &str, diagnostics: &mut Diagnostics) -> &'a [Entry] {
    match table.get(key).map(|entry| &entry.value) {
        None => &[],
        Some(Node { item: Item::Table(table), .. }) => &table.0,
        Some(node) => {
            let added = diagnostics.add(&node.place, format!("`{key}` is {}", node.item.describe()));
            added.expected(format!("tables: [{key}.LABEL]"));
            &[]
        }
    }
}
