//! A table of a config that names a kind and gives its keys, some of them as axes.

use crate::config::diagnostics::Diagnostics;
use crate::config::source::{Entry, Item, Node, Place, Table};
use crate::config::value::axis;
use crate::registry::{Beside, Default, Key, choices, nearest};
use crate::settings::{Settings, Value};

/// A kind with one or several values for each of its keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// The label of the table.
    pub label: String,
    /// The name of the kind.
    pub kind: String,
    /// The keys in order, each with the values that it takes in the sweep.
    pub axes: Vec<(String, Vec<Value>)>,
}

impl Grid {
    /// A kind at its defaults under its own name.
    pub fn defaults(kind: &str, keys: impl Iterator<Item = &'static Key>) -> Self {
        let axes = keys.filter_map(|key| Some((key.name.to_owned(), vec![key.default.value()?]))).collect();
        Self { label: kind.to_owned(), kind: kind.to_owned(), axes }
    }

    /// Every combination of the values, the last key varying fastest.
    pub fn variants(&self) -> Vec<Settings> {
        let mut variants = vec![Settings::new(&self.kind)];
        for (key, values) in &self.axes {
            variants = variants
                .into_iter()
                .flat_map(|variant| values.iter().map(move |value| variant.clone().with(key, value.clone())))
                .collect();
        }
        variants
    }

    /// How many combinations there are.
    pub fn len(&self) -> usize {
        self.axes.iter().map(|(_, values)| values.len()).product()
    }

    /// The same as a number that does not overflow, however long the axes are.
    pub(super) fn combinations(&self) -> f64 {
        self.axes.iter().map(|(_, values)| values.len() as f64).product()
    }

    /// Whether there is no combination.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the keys that take more than one value.
    pub fn swept(&self) -> impl Iterator<Item = &str> {
        self.axes.iter().filter(|(_, values)| values.len() > 1).map(|(key, _)| key.as_str())
    }
}

/// Reads the keys of a kind from a table. A key that is missing or mistaken keeps its default.
pub(super) fn read_keys(
    table: &Table,
    place: &Place,
    owner: &str,
    keys: impl Iterator<Item = &'static Key>,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, Vec<Value>)> {
    let mut axes = Vec::new();
    for key in keys {
        if let Some(beside) = key.beside.filter(|beside| !chosen(table, *beside)) {
            if let Some(entry) = table.get(key.name) {
                let added = diagnostics.add(&entry.key_place, format!("`{}` has no meaning here", key.name));
                added.expected(format!("it beside `{}` = {}", beside.key, choices(beside.choices)));
            }
            continue;
        }
        let values = match table.get(key.name) {
            Some(entry) => axis(&entry.value, key, diagnostics),
            None => {
                if key.default == Default::Required {
                    let added = diagnostics.add(place, format!("{owner} lacks the key `{}`", key.name));
                    added.expected(format!("`{}`: {}", key.name, key.accepts)).help(key.help);
                }
                key.default.value().into_iter().collect()
            }
        };
        if !values.is_empty() {
            axes.push((key.name.to_owned(), values));
        }
    }
    axes
}

/// Whether a table makes one of the choices that a key depends on.
fn chosen(table: &Table, beside: Beside) -> bool {
    let makes = |node: &Node| matches!(&node.item, Item::Text(text) if beside.choices.contains(&text.as_str()));
    table.get(beside.key).is_some_and(|entry| match &entry.value.item {
        Item::Array(values) => values.iter().any(makes),
        _ => makes(&entry.value),
    })
}

/// Adds a mistake for every key that nobody asks for, with the nearest that somebody does.
pub(super) fn refuse_unknown(table: &Table, known: &[&str], owner: &str, diagnostics: &mut Diagnostics) {
    for Entry { key, key_place, .. } in &table.0 {
        if !known.contains(&key.as_str()) {
            let added = diagnostics.add(key_place, format!("unknown key `{key}` in {owner}")).expected(choices(known));
            if let Some(near) = nearest(key, known.iter().copied()) {
                added.help(format!("did you mean `{near}`?"));
            }
        }
    }
}

/// Which names a registry has; more than fit a line are for `optbench list` to show.
pub(super) fn expected_name(what: &str, names: &[&str]) -> String {
    if names.len() > 10 { format!("a name from `optbench list {what}s`") } else { choices(names) }
}

/// The kind that a labelled table names: its `kind`, or else its label.
///
/// `what` is the registry's name in the singular, `command` what lists it.
pub(super) fn kind_of<'a, T>(
    entry: &'a Entry,
    what: &str,
    names: impl Iterator<Item = &'static str> + Clone,
    find: impl Fn(&str) -> Option<T>,
    diagnostics: &mut Diagnostics,
) -> Option<(&'a Table, T)> {
    let Item::Table(table) = &entry.value.item else {
        let found = entry.value.item.describe();
        diagnostics
            .add(&entry.value.place, format!("{what} `{}` is {found}", entry.key))
            .expected(format!("a table: [{what}s.{}]", entry.key));
        return None;
    };
    let (kind, place) = match table.get("kind") {
        Some(Entry { value, .. }) => match &value.item {
            Item::Text(kind) => (kind, &value.place),
            item => {
                diagnostics
                    .add(&value.place, format!("`kind` is {}", item.describe()))
                    .expected(format!("the name of a kind of {what}"));
                return None;
            }
        },
        None => (&entry.key, &entry.key_place),
    };
    let found = find(kind);
    if found.is_none() {
        let all: Vec<&str> = names.clone().collect();
        let added = diagnostics.add(place, format!("there is no {what} `{kind}`")).expected(expected_name(what, &all));
        match nearest(kind, names) {
            Some(near) => added.help(format!("did you mean `{near}`?")),
            None => added.help(format!(
                "a label of your own needs a kind: kind = \"{}\"; `optbench list {what}s` explains them",
                all.first().copied().unwrap_or_default()
            )),
        };
    }
    found.map(|found| (table, found))
}
