//! Lists inside nested tables: `base = { kind = "adam", beta1 = [0.8, 0.9] }` stands for two bases.

use std::slice;

use crate::catalog::Catalog;
use crate::config::source::{Entry, Item, Node, Place, Table};
use crate::config::value::{LENGTH, MOST_VALUES};
use crate::registry::{Accepts, Described};

/// The nodes, each replaced by those that it stands for where lists in it are axes; `None` where that makes more
/// values than a key takes.
pub(super) fn spread(nodes: &[Node], accepts: Accepts, catalog: &Catalog) -> Option<Vec<Node>> {
    let mut all = Vec::new();
    for node in nodes {
        match (accepts, &node.item) {
            (Accepts::Optimizer, Item::Table(table)) => all.extend(tables(table, &node.place, accepts, catalog)?),
            (Accepts::Schedules, Item::Array(parts)) => all.extend(compositions(parts, &node.place, catalog)?),
            _ => all.push(node.clone()),
        }
        if all.len() > MOST_VALUES {
            return None;
        }
    }
    Some(all)
}

fn compositions(parts: &[Node], place: &Place, catalog: &Catalog) -> Option<Vec<Node>> {
    let each = parts.iter().map(|part| match &part.item {
        Item::Table(table) => tables(table, &part.place, Accepts::Schedules, catalog),
        _ => Some(vec![part.clone()]),
    });
    let chosen = product(&each.collect::<Option<Vec<_>>>()?)?;
    Some(chosen.into_iter().map(|parts| Node { item: Item::Array(parts), place: place.clone() }).collect())
}

fn tables(table: &Table, place: &Place, within: Accepts, catalog: &Catalog) -> Option<Vec<Node>> {
    let each =
        table.0.iter().map(|Entry { key, value, .. }| match (accepted(table, key, within, catalog), &value.item) {
            (Some(accepts), Item::Array(values)) if !values.is_empty() && spans_an_axis(accepts, values) => {
                spread(values, accepts, catalog)
            }
            (Some(accepts), _) => spread(slice::from_ref(value), accepts, catalog),
            (None, _) => Some(vec![value.clone()]),
        });
    let chosen = product(&each.collect::<Option<Vec<_>>>()?)?;
    let tables = chosen.into_iter().map(|values| {
        let entries = table.0.iter().zip(values).map(|(entry, value)| Entry { value, ..entry.clone() });
        Node { item: Item::Table(Table(entries.collect())), place: place.clone() }
    });
    Some(tables.collect())
}

/// What a key takes in a table that names its kind; `None` where either is unknown, which its reader says.
fn accepted(table: &Table, name: &str, within: Accepts, catalog: &Catalog) -> Option<Accepts> {
    let Item::Text(kind) = &table.get("kind")?.value.item else { return None };
    let key = match within {
        Accepts::Optimizer => catalog.optimizers.find(kind)?.about.keys.iter().find(|key| key.name == name),
        _ => catalog.schedules.find(kind)?.keys().chain([&LENGTH]).find(|key| key.name == name),
    };
    Some(key?.accepts)
}

/// Every choice of one value from each list, the last list varying fastest.
fn product(lists: &[Vec<Node>]) -> Option<Vec<Vec<Node>>> {
    let mut chosen = vec![Vec::new()];
    for values in lists {
        if chosen.len() * values.len() > MOST_VALUES {
            return None;
        }
        let longer = |row: &Vec<Node>| -> Vec<Vec<Node>> {
            values.iter().map(|value| [row.as_slice(), slice::from_ref(value)].concat()).collect()
        };
        chosen = chosen.iter().flat_map(longer).collect();
    }
    Some(chosen)
}

/// A list is an axis, but for keys that take a list: those need a list of lists.
pub(super) fn spans_an_axis(accepts: Accepts, values: &[Node]) -> bool {
    let first = |values: &[Node]| match values.first() {
        Some(Node { item: Item::Array(inner), .. }) => Some(inner.clone()),
        _ => None,
    };
    match accepts {
        // Its elements are lists themselves.
        Accepts::Points => first(values).and_then(|values| first(&values)).is_some(),
        accepts => !accepts.is_list() || first(values).is_some(),
    }
}
