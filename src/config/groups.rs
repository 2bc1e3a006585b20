//! The `groups` of an optimizer: `[[optimizers.adamw.groups]]` with `match = ["bias", "norm"]` and what is different there.

use toml::{Table as TomlTable, Value as Toml};

use crate::config::axis::{Axis, axis};
use crate::config::diagnostics::Diagnostics;
use crate::config::grid::Read;
use crate::config::names::refuse_unknown;
use crate::config::source::{Entry, Item, Node, Table};
use crate::optim::Definition;
use crate::optim::groups::{DECAY, GROUPS, KIND, LR_FACTOR, MATCH, name};
use crate::registry::{Described, Key};
use crate::settings::Value;

/// Reads the groups of an optimizer: their keys under the names that they have in its settings.
pub(super) fn read(
    optimizer: &Table,
    definition: &'static Definition,
    owner: &str,
    diagnostics: &mut Diagnostics,
) -> Vec<Read> {
    let Some(entry) = optimizer.get(GROUPS) else { return Vec::new() };
    let Item::Array(groups) = &entry.value.item else {
        let found = entry.value.item.describe();
        let added = diagnostics.add(&entry.value.place, format!("`{GROUPS}` is {found}"));
        added.expected("a list of tables, such as [{ match = [\"bias\", \"norm\"], weight_decay = 0 }]");
        return Vec::new();
    };
    let read = groups.iter().enumerate().flat_map(|(place, node)| {
        let owner = format!("group {} of {owner}", place + 1);
        let keys = group(node, definition, &owner, diagnostics);
        keys.into_iter().map(move |read| Read { name: name(place + 1, &read.name), ..read })
    });
    read.collect()
}

fn group(node: &Node, definition: &'static Definition, owner: &str, diagnostics: &mut Diagnostics) -> Vec<Read> {
    let Item::Table(table) = &node.item else {
        diagnostics.add(&node.place, format!("{owner} is {}", node.item.describe())).expected("a table");
        return Vec::new();
    };
    if let Some(Entry { key_place, .. }) = table.get("lr") {
        let added = diagnostics.add(key_place, format!("{owner} has an `lr`")).expected("`lr_factor`");
        added.help("`lr_factor = 0.1` is a tenth of the optimizer's learning rate, which follows its schedule");
        return Vec::new();
    }
    let mut keys = Vec::new();
    keys.extend(patterns(node, table, owner, diagnostics));
    // What a kind's keys are is said by the kind; without one, a group has no others.
    let kind = table.get(KIND.name).map(|entry| (kind(entry, table), entry));
    let is_word = matches!(table.get(KIND.name), Some(Entry { value: Node { item: Item::Text(_), .. }, .. }));
    if !is_word {
        refuse_unknown(table, &[MATCH.name, DECAY.name, LR_FACTOR.name, KIND.name], owner, diagnostics);
    }
    let mut kinds: Vec<&'static Definition> = vec![definition];
    if let Some((node, entry)) = kind {
        let mut axis = axis(&node, &KIND, diagnostics);
        if let Axis::Values(values) = &mut axis {
            let nested =
                values.iter_mut().filter_map(|value| if let Value::Nested(of) = value { Some(of) } else { None });
            kinds = nested
                .map(|settings| {
                    if table.get(DECAY.name).is_some() {
                        // It is a key of the group, and stands there.
                        settings.remove(DECAY.name);
                    }
                    settings.definition()
                })
                .collect();
        }
        keys.push(Read { name: KIND.name.to_owned(), axis, place: entry.value.place.clone() });
    }
    for key in [&DECAY, &LR_FACTOR] {
        let Some(entry) = table.get(key.name) else { continue };
        let lacking = kinds.iter().find(|kind| key.name == DECAY.name && kind.key(key.name).is_none());
        if let Some(kind) = lacking {
            let title = format!("{owner} has a `{}`, which `{}` lacks", key.name, kind.about.name);
            diagnostics.add(&entry.key_place, title);
            continue;
        }
        keys.push(Read {
            name: key.name.to_owned(),
            axis: axis(&entry.value, key, diagnostics),
            place: entry.value.place.clone(),
        });
    }
    // A key that is unknown is said, and may have been one of these.
    if table.0.iter().all(|entry| entry.key == MATCH.name) {
        let added = diagnostics.add(&node.place, format!("{owner} changes nothing"));
        added.expected(format!("`{}`, `{}` or `{}`", DECAY.name, LR_FACTOR.name, KIND.name));
    }
    keys
}

/// The texts of `match`, all of them together.
fn patterns(node: &Node, table: &Table, owner: &str, diagnostics: &mut Diagnostics) -> Option<Read> {
    const EXPECTED: &str = "a list of roles (hidden, embedding, head, norm, bias) or names of parameters (\"fc1.*\")";
    let Some(entry) = table.get(MATCH.name) else {
        let added = diagnostics.add(&node.place, format!("{owner} lacks the key `{}`", MATCH.name));
        added.expected(EXPECTED);
        return None;
    };
    let texts = match &entry.value.item {
        Item::Array(texts) => texts.as_slice(),
        _ => std::slice::from_ref(&entry.value),
    };
    let mut values = Vec::new();
    for text in texts {
        match &text.item {
            Item::Text(text) => values.push(Value::Text(text.clone())),
            item => {
                diagnostics.add(&text.place, format!("`{}` has {}", MATCH.name, item.describe())).expected(EXPECTED);
            }
        }
    }
    if texts.is_empty() {
        diagnostics.add(&entry.value.place, format!("`{}` is an empty list", MATCH.name)).expected(EXPECTED);
    }
    let axis = Axis::Values(vec![Value::List(values)]);
    Some(Read { name: MATCH.name.to_owned(), axis, place: entry.value.place.clone() })
}

/// The optimizer of a group as a table of its own: a word takes its keys from beside it.
fn kind(entry: &Entry, group: &Table) -> Node {
    if !matches!(entry.value.item, Item::Text(_)) {
        return entry.value.clone();
    }
    let is_group = |key: &str| [MATCH.name, DECAY.name, LR_FACTOR.name].contains(&key);
    let own = group.0.iter().filter(|entry| !is_group(&entry.key)).cloned().collect();
    Node { item: Item::Table(Table(own)), place: entry.value.place.clone() }
}

/// A table of settings by their names, with the keys of groups as tables again.
pub(super) fn nested(flat: TomlTable) -> TomlTable {
    let mut groups: Vec<TomlTable> = Vec::new();
    let mut table = TomlTable::new();
    for (key, value) in flat {
        let number = groups.len();
        let own = |number| [&MATCH, &KIND, &DECAY, &LR_FACTOR].into_iter().find(|own| name(number, own.name) == key);
        let of_group = |number: usize| own(number).map(|own: &Key| (number, own.name));
        match (of_group(number + 1), of_group(number)) {
            (Some((_, own)), _) => groups.push(TomlTable::from_iter([(own.to_owned(), value)])),
            (_, Some((_, own))) => _ = groups[number - 1].insert(own.to_owned(), value),
            _ => _ = table.insert(key, value),
        }
    }
    if !groups.is_empty() {
        table.insert(GROUPS.to_owned(), groups.into_iter().map(Toml::Table).collect::<Vec<_>>().into());
    }
    table
}
