//! Things with keys of their own inside a key: the base of a wrapper, the parts of a composition.

use crate::config::diagnostics::Diagnostics;
use crate::config::grid::{self, refuse_unknown};
use crate::config::source::{Entry, Item, Node, Table};
use crate::config::value::value;
use crate::registry::{Accepts, Described, Fallback, Key, Kinds};
use crate::settings::{Settings, Value};
use crate::{optim, schedule};

const LR: &str = "lr";

/// How deep compositions may be nested.
const DEEPEST: usize = 8;
/// How many parts all compositions of a file may come to, written out: names in names multiply.
const MOST_PARTS: usize = 1_000;

/// The length of a part; only parts of a `sequential` schedule use it.
pub(super) static LENGTH: Key = Key::optional("length", Accepts::Interval, "how long this part lasts");

/// Reads `{ kind = "sgd", momentum = 0.9 }`: the base of a wrapper, with its own keys alone. Its
/// learning rate and what is common to all optimizers belong to the wrapper.
pub(super) fn optimizer(node: &Node, diagnostics: &mut Diagnostics) -> Option<Settings> {
    let own = |base: &optim::Definition| base.about.keys.iter().filter(|key| key.name != LR).collect();
    read(node, &diagnostics.catalog.optimizers, own, diagnostics)
}

/// Moves the learning rate of a base to its wrapper, so that it stands in one place. A wrapper
/// without any takes the default of its base.
pub(super) fn lift_rate(wrapper: &Table, diagnostics: &mut Diagnostics) -> Table {
    let mut wrapper = wrapper.clone();
    let own = wrapper.get(LR).is_some();
    let Some(Entry { key_place, value: Node { item: Item::Table(base), .. }, .. }) =
        wrapper.0.iter_mut().find(|entry| entry.key == "base")
    else {
        return wrapper;
    };
    let place = key_place.clone();
    let given = base.0.iter().position(|entry| entry.key == LR).map(|place| base.0.remove(place));
    let kind = match base.get("kind").map(|entry| &entry.value.item) {
        Some(Item::Text(kind)) => diagnostics.catalog.optimizers.find(kind),
        _ => None,
    };
    match given {
        Some(entry) if own => {
            let added = diagnostics.add(&entry.key_place, "the learning rate is given twice, here and beside `base`");
            added.help("remove one of them: a wrapper and its base have one learning rate");
        }
        Some(entry) => wrapper.0.push(entry),
        None if own => {}
        None => {
            let default = kind.and_then(|kind| kind.key(LR)?.default.value());
            if let Some(lr) = default.and_then(|value| value.as_float()) {
                let value = Node { item: Item::Float(lr), place: place.clone() };
                wrapper.0.push(Entry { key: LR.into(), key_place: place, value });
            }
        }
    }
    wrapper
}

/// Reads a list of `{ kind = "cosine", period = "50%", length = "50%" }`.
pub(super) fn schedules(node: &Node, name: &str, diagnostics: &mut Diagnostics) -> Option<Value> {
    let Item::Array(parts) = &node.item else {
        let found = node.item.describe();
        diagnostics.add(&node.place, format!("`{name}` is {found}")).expected(Accepts::Schedules.to_string());
        return None;
    };
    if parts.is_empty() {
        diagnostics.add(&node.place, format!("`{name}` is empty")).expected("at least one schedule");
    }
    let keys = |part: &schedule::Definition| part.keys().chain([&LENGTH]).collect();
    let kinds = &diagnostics.catalog.schedules;
    let parts = parts.iter().map(|part| read(part, kinds, keys, diagnostics).map(Value::Nested));
    parts.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>().map(Value::List)
}

fn read<D: Described>(
    node: &Node,
    kinds: &Kinds<D>,
    keys: impl Fn(&D) -> Vec<&'static Key>,
    diagnostics: &mut Diagnostics,
) -> Option<Settings> {
    let sort = D::SORT.name();
    let kind = match &node.item {
        Item::Table(table) => table.get("kind"),
        _ => None,
    };
    let (Item::Table(table), Some(Entry { value: Node { item: Item::Text(kind), place }, .. })) = (&node.item, kind)
    else {
        let added = diagnostics.add(&node.place, format!("this {sort} has no kind"));
        added.expected(format!("a table such as {{ kind = \"{}\" }}", kinds.names()[0]));
        return None;
    };
    let definition = grid::find(kinds, kind, place, |_| None, diagnostics)?;
    let keys = keys(definition);
    let owner = format!("{sort} `{kind}`");
    let mut known: Vec<&str> = keys.iter().map(|key| key.name).collect();
    known.push("kind");
    refuse_unknown(table, &known, &owner, diagnostics);
    let mut settings = Settings::new(definition);
    for key in keys.iter().filter(|key| key.beside.is_none()) {
        match table.get(key.name) {
            Some(entry) => {
                if let Some(value) = value(&entry.value, key.name, key.accepts, diagnostics) {
                    settings.set(key.name, value);
                }
            }
            None => {
                if key.default == Fallback::Required {
                    let added = diagnostics.add(&node.place, format!("{owner} lacks the key `{}`", key.name));
                    added.expected(format!("`{}`: {}", key.name, key.accepts));
                }
                if let Some(value) = key.default.value() {
                    settings.set(key.name, value);
                }
            }
        }
    }
    Some(settings)
}

/// Writes out what `parts` mention by name: `"late_drop"` and `{ schedule = "late_drop", .. }` become
/// the table of that label, or a schedule of that kind at its defaults.
pub(super) fn write_out_parts(schedules: &Table, diagnostics: &mut Diagnostics) -> Table {
    let mut written = schedules.clone();
    let mut left = MOST_PARTS;
    for entry in &mut written.0 {
        write_out(&mut entry.value, schedules, DEEPEST, &mut left, diagnostics);
    }
    written
}

fn write_out(node: &mut Node, schedules: &Table, depth: usize, left: &mut usize, diagnostics: &mut Diagnostics) {
    let Item::Table(table) = &mut node.item else { return };
    let Some(parts) = table.0.iter_mut().find(|entry| entry.key == "parts") else { return };
    let Item::Array(parts) = &mut parts.value.item else { return };
    for part in parts {
        if depth == 0 {
            let added = diagnostics.add(&part.place, "schedules are nested too deeply");
            added.help("a composition must not contain itself");
            return;
        }
        if *left == 0 {
            let added = diagnostics.add(&part.place, "the schedules have too many parts");
            added.expected(format!("at most {MOST_PARTS} in a file, those of parts that are named included"));
            return;
        }
        *left -= 1;
        if let Some(named) = named(part, schedules) {
            *part = named;
        }
        write_out(part, schedules, depth - 1, left, diagnostics);
    }
}

/// The table that a part stands for, if it mentions one by name.
fn named(part: &Node, schedules: &Table) -> Option<Node> {
    let (name, own): (&Node, &[Entry]) = match &part.item {
        Item::Text(_) => (part, &[]),
        Item::Table(table) => match &table.get("schedule")?.value {
            node @ Node { item: Item::Text(_), .. } => (node, &table.0),
            // { schedule = { kind = .. }, length = .. }
            node => {
                let Item::Table(inner) = &node.item else { return None };
                let own = table.0.iter().filter(|entry| entry.key != "schedule");
                let entries = inner.0.iter().chain(own).cloned().collect();
                return Some(Node { item: Item::Table(Table(entries)), place: part.place.clone() });
            }
        },
        _ => return None,
    };
    let Item::Text(text) = &name.item else { return None };
    // What the part says itself comes first and counts.
    let mut entries: Vec<Entry> = own.iter().filter(|entry| entry.key != "schedule").cloned().collect();
    if let Some(Item::Table(labelled)) = schedules.get(text).map(|entry| &entry.value.item) {
        let said = |key: &str| entries.iter().any(|entry| entry.key == key);
        let inherited: Vec<Entry> = labelled.0.iter().filter(|entry| !said(&entry.key)).cloned().collect();
        entries.extend(inherited);
    }
    if !entries.iter().any(|entry| entry.key == "kind") {
        entries.push(Entry { key: "kind".into(), key_place: name.place.clone(), value: name.clone() });
    }
    Some(Node { item: Item::Table(Table(entries)), place: part.place.clone() })
}
