//! From TOML to checked values.

use crate::config::diagnostics::Diagnostics;
use crate::config::names;
use crate::config::source::{Entry, Item, Node, Table};
use crate::config::text;
use crate::length::Length;
use crate::registry::{Accepts, Bounds, Described, Fallback, Key, Kinds, choices, nearest};
use crate::settings::{EXTERNAL, Settings, Value};
use crate::{optim, schedule};

/// How long a list may be, an axis or not.
pub(super) const MOST_VALUES: usize = 10_000;

/// Whether a list is longer than any; says so.
pub(super) fn too_long(values: &[Node], node: &Node, name: &str, diagnostics: &mut Diagnostics) -> bool {
    let too_long = values.len() > MOST_VALUES;
    if too_long {
        let added = diagnostics.add(&node.place, format!("`{name}` is a list of {} values", values.len()));
        added.expected(format!("at most {MOST_VALUES}"));
    }
    too_long
}

/// Reads a single value; nothing where it is mistaken.
pub(super) fn value(node: &Node, name: &str, accepts: Accepts, diagnostics: &mut Diagnostics) -> Option<Value> {
    if let Item::Array(values) = &node.item
        && too_long(values, node, name, diagnostics)
    {
        return None;
    }
    let mut list = |accepts: Accepts| match &node.item {
        Item::Array(values) => {
            let values: Vec<Value> = values.iter().filter_map(|node| value(node, name, accepts, diagnostics)).collect();
            Some(Value::List(values))
        }
        _ => None,
    };
    let read = match (accepts, &node.item) {
        (Accepts::Bool | Accepts::Anything, Item::Bool(flag)) => Some(Value::Bool(*flag)),
        (Accepts::Integer(range), Item::Integer(n)) if range.contains(*n as f64) => Some(Value::Integer(*n)),
        // 1e3 is a float to TOML and a whole number to people.
        (Accepts::Integer(range), Item::Float(x)) if whole(*x).is_some() && range.contains(*x) => {
            whole(*x).map(Value::Integer)
        }
        (Accepts::Float(range), Item::Integer(n)) if range.contains(*n as f64) => Some(Value::Float(*n as f64)),
        (Accepts::Float(range), Item::Float(x)) if range.contains(*x) => Some(Value::Float(*x)),
        (Accepts::Text | Accepts::Anything, Item::Text(text)) => Some(Value::Text(text.clone())),
        (Accepts::Choice(words), Item::Text(text)) => match words.iter().find(|word| *word == text) {
            Some(word) => Some(Value::Text((*word).to_owned())),
            None => {
                let added = diagnostics.add(&node.place, format!("`{name}` is \"{text}\"")).expected(choices(words));
                if let Some(near) = nearest(text, words.iter().copied()) {
                    added.help(format!("did you mean \"{near}\"?"));
                }
                return None;
            }
        },
        (Accepts::Length, _) => return length_of(node, name, diagnostics).map(Value::Length),
        (Accepts::Interval, _) => return interval(node, name, diagnostics).map(Value::Length),
        (Accepts::Integers(range), _) => list(Accepts::Integer(range)),
        (Accepts::Floats(range), _) => list(Accepts::Float(range)),
        (Accepts::Lengths, _) => list(Accepts::Length),
        (Accepts::Optimizer, _) => return optimizer(node, diagnostics).map(Value::Nested),
        (Accepts::Schedules, _) => return schedules(node, name, diagnostics),
        (Accepts::Choices(words), _) => list(Accepts::Choice(words)),
        (Accepts::Points, _) => list(Accepts::Point),
        (Accepts::Point, Item::Array(pair)) if pair.len() == 2 => {
            let time = length_of(&pair[0], name, diagnostics)?;
            let factor = value(&pair[1], name, Accepts::Float(Bounds::NON_NEGATIVE), diagnostics)?;
            return Some(Value::List(vec![Value::Length(time), factor]));
        }
        (Accepts::Texts, Item::Array(texts)) if !texts.is_empty() => list(Accepts::Text),
        (Accepts::Table(words), Item::Table(table)) => {
            let accepts = |node: &Node| match node.item {
                Item::Text(_) if !words.is_empty() => Accepts::Choice(words),
                _ => Accepts::Float(Bounds::ANY),
            };
            return Some(entries(table, name, accepts, diagnostics));
        }
        (Accepts::WordTable(words), Item::Table(table)) if !table.0.is_empty() => {
            return Some(entries(table, name, |_| Accepts::Choice(words), diagnostics));
        }
        (Accepts::TextTable, Item::Table(table)) => {
            return Some(entries(table, name, |_| Accepts::Text, diagnostics));
        }
        (Accepts::Anything, Item::Integer(n)) => Some(Value::Integer(*n)),
        (Accepts::Anything, Item::Float(x)) if x.is_finite() => Some(Value::Float(*x)),
        (Accepts::Anything, Item::Array(_)) => list(Accepts::Anything),
        _ => None,
    };
    if read.is_none() {
        let found = match &node.item {
            Item::Integer(n) => n.to_string(),
            Item::Float(x) => format!("{x:?}"),
            Item::Text(text) => format!("\"{text}\""),
            item => item.describe().to_owned(),
        };
        let expected = match (accepts, &node.item) {
            (Accepts::Float(range), Item::Float(x)) if !x.is_finite() && range != Bounds::ANY => {
                format!("a finite number, {range}")
            }
            _ => accepts.to_string(),
        };
        diagnostics.add(&node.place, format!("`{name}` is {found}")).expected(expected);
    }
    read
}

/// Reads a table of names; without what is mistaken.
fn entries(table: &Table, name: &str, accepts: impl Fn(&Node) -> Accepts, diagnostics: &mut Diagnostics) -> Value {
    let entries = table.0.iter().filter_map(|Entry { key, value: node, .. }| {
        Some((key.clone(), value(node, &format!("{name}.{key}"), accepts(node), diagnostics)?))
    });
    Value::Table(entries.collect())
}

/// The whole number that a float is, where it is one that it can tell from its neighbours.
pub(super) fn whole(x: f64) -> Option<i64> {
    (x.fract() == 0.0 && x.abs() < 9e15).then_some(x as i64)
}

/// Reads a length of time.
pub(super) fn length_of(node: &Node, name: &str, diagnostics: &mut Diagnostics) -> Option<Length> {
    let read = match &node.item {
        Item::Integer(n) => u64::try_from(*n).map(Length::Steps).map_err(|_| format!("`{n}` is negative")),
        Item::Float(x) if whole(*x).is_some_and(|n| n >= 0) => Ok(Length::Steps(*x as u64)),
        Item::Text(text) => text.parse(),
        item => Err(format!("{} is not a valid duration", item.describe())),
    };
    match read {
        Ok(duration) => Some(duration),
        Err(problem) => {
            let added = diagnostics.add(&node.place, format!("`{name}`: {problem}"));
            added.expected(Accepts::Length.to_string());
            None
        }
    }
}

/// Reads a length of time above 0.
pub(super) fn interval(node: &Node, name: &str, diagnostics: &mut Diagnostics) -> Option<Length> {
    let read = length_of(node, name, diagnostics)?;
    if read.is_zero() {
        diagnostics.add(&node.place, format!("`{name}` is 0")).expected(Accepts::Interval.to_string());
        return None;
    }
    Some(read)
}

/// The length of a part; only parts of a `sequential` schedule use it.
pub(super) static LENGTH: Key = Key::optional("length", Accepts::Interval, "how long this part lasts");

/// Reads `{ kind = "sgd", momentum = 0.9 }`: the base of a wrapper, with its own keys alone. Its
/// learning rate and what is common to all optimizers belong to the wrapper.
pub(super) fn optimizer(node: &Node, diagnostics: &mut Diagnostics) -> Option<Settings> {
    let own = |base: &optim::Definition| base.about.keys.iter().filter(|key| key.name != "lr").collect();
    read(node, &diagnostics.catalog.optimizers, own, diagnostics)
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
    let definition = names::find(kinds, kind, place, |_| None, diagnostics)?;
    if kind == EXTERNAL {
        let added = diagnostics.add(place, format!("`{EXTERNAL}` cannot be a part of another {sort}"));
        added.expected("a kind that optbench computes itself");
        return None;
    }
    let keys = keys(definition);
    let owner = format!("{sort} `{kind}`");
    let mut known: Vec<&str> = keys.iter().map(|key| key.name).collect();
    known.push("kind");
    names::refuse_unknown(table, &known, &owner, diagnostics);
    let before = diagnostics.len();
    let mut settings = Settings::new(definition);
    for key in keys.iter().filter(|key| key.beside.is_none() && key.name != Key::REST) {
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
    for (entry, key) in text::further(table, &keys, &["kind"]) {
        if let Some(value) = value(&entry.value, &entry.key, key.accepts, diagnostics) {
            settings.set(&entry.key, value);
        }
    }
    if diagnostics.len() == before {
        text::check(table, &keys, &settings, diagnostics);
    }
    Some(settings)
}
