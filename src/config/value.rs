//! From TOML to checked values.

use crate::config::diagnostics::Diagnostics;
use crate::config::nested;
use crate::config::source::{Item, Node};
use crate::length::Length;
use crate::registry::{Accepts, Bounds, choices, nearest};
use crate::settings::Value;

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
        (Accepts::Bool, Item::Bool(flag)) => Some(Value::Bool(*flag)),
        (Accepts::Integer(range), Item::Integer(n)) if range.contains(*n as f64) => Some(Value::Integer(*n)),
        // 1e3 is a float to TOML and a whole number to people.
        (Accepts::Integer(range), Item::Float(x)) if whole(*x).is_some() && range.contains(*x) => {
            whole(*x).map(Value::Integer)
        }
        (Accepts::Float(range), Item::Integer(n)) if range.contains(*n as f64) => Some(Value::Float(*n as f64)),
        (Accepts::Float(range), Item::Float(x)) if range.contains(*x) => Some(Value::Float(*x)),
        (Accepts::Text, Item::Text(text)) => Some(Value::Text(text.clone())),
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
        (Accepts::Optimizer, _) => return nested::optimizer(node, diagnostics).map(Value::Nested),
        (Accepts::Schedules, _) => return nested::schedules(node, name, diagnostics),
        (Accepts::Choices(words), _) => list(Accepts::Choice(words)),
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
