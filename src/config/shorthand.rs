//! What a config says of things inside a key in a shorter way, written out: the rate of a base, parts by their names.

use crate::config::diagnostics::Diagnostics;
use crate::config::source::{Entry, Item, Node, Table};
use crate::registry::Described;

const LR: &str = "lr";

/// How deep compositions may be nested.
const DEEPEST: usize = 8;
/// How many parts all compositions of a file may come to, written out: names in names multiply.
const MOST_PARTS: usize = 1_000;

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
