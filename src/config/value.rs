//! From TOML to checked values: single ones, and the axes of a sweep.

use crate::config::diagnostics::Diagnostics;
use crate::config::nested;
use crate::config::source::{Item, Node, Table};
use crate::duration::Duration;
use crate::registry::{Accepts, Key, Range, choices, nearest};
use crate::rng::Stream;
use crate::settings::Value;

/// How long an axis, generated or not, and any other list may be.
const MOST_POINTS: i64 = 10_000;

/// Reads a key that is an axis where it is given as a list; nothing where it is mistaken.
pub(super) fn axis(node: &Node, key: &Key, diagnostics: &mut Diagnostics) -> Vec<Value> {
    match &node.item {
        Item::Table(table) if matches!(key.accepts, Accepts::Float(_) | Accepts::Integer(_)) => {
            generated(table, node, key, diagnostics)
        }
        Item::Array(values) if too_long(values, node, key.name, diagnostics) => Vec::new(),
        Item::Array(values) if spans_an_axis(key.accepts, values) => {
            if values.is_empty() {
                let added = diagnostics.add(&node.place, format!("`{}` is an empty list", key.name));
                added.expected(format!("at least one of: {}", key.accepts));
            }
            values.iter().filter_map(|node| value(node, key.name, key.accepts, diagnostics)).collect()
        }
        _ => value(node, key.name, key.accepts, diagnostics).into_iter().collect(),
    }
}

/// Whether a list is longer than any; says so.
fn too_long(values: &[Node], node: &Node, name: &str, diagnostics: &mut Diagnostics) -> bool {
    let too_long = values.len() > MOST_POINTS as usize;
    if too_long {
        let added = diagnostics.add(&node.place, format!("`{name}` is a list of {} values", values.len()));
        added.expected(format!("at most {MOST_POINTS}"));
    }
    too_long
}

/// A list is an axis, but for keys that take a list: those need a list of lists.
fn spans_an_axis(accepts: Accepts, values: &[Node]) -> bool {
    match accepts {
        Accepts::Integers(_) | Accepts::Floats(_) | Accepts::Durations | Accepts::Choices(_) | Accepts::Schedules => {
            matches!(values.first(), Some(Node { item: Item::Array(_), .. }))
        }
        _ => true,
    }
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
        (Accepts::Duration, _) => return duration(node, name, diagnostics).map(Value::Duration),
        (Accepts::Integers(range), _) => list(Accepts::Integer(range)),
        (Accepts::Floats(range), _) => list(Accepts::Float(range)),
        (Accepts::Durations, _) => list(Accepts::Duration),
        (Accepts::Optimizer, _) => return nested::optimizer(node, diagnostics).map(Value::Nested),
        (Accepts::Schedules, _) => return nested::schedules(node, name, diagnostics),
        (Accepts::Choices(words), _) => list(Accepts::Choice(words)),
        _ => None,
    };
    if read.is_none() {
        let found = match &node.item {
            Item::Integer(n) => n.to_string(),
            Item::Float(x) => x.to_string(),
            Item::Text(text) => format!("\"{text}\""),
            item => item.describe().to_owned(),
        };
        diagnostics.add(&node.place, format!("`{name}` is {found}")).expected(accepts.to_string());
    }
    read
}

/// Reads a length of time.
pub(super) fn duration(node: &Node, name: &str, diagnostics: &mut Diagnostics) -> Option<Duration> {
    let read = match &node.item {
        Item::Integer(n) => u64::try_from(*n).map(Duration::Steps).map_err(|_| format!("`{n}` is negative")),
        Item::Text(text) => text.parse(),
        item => Err(format!("{} is no duration", item.describe())),
    };
    match read {
        Ok(duration) => Some(duration),
        Err(problem) => {
            let added = diagnostics.add(&node.place, format!("`{name}`: {problem}"));
            added.expected(Accepts::Duration.to_string());
            None
        }
    }
}

/// Reads `{ log = [a, b], points = n }` and its relatives.
fn generated(table: &Table, node: &Node, key: &Key, diagnostics: &mut Diagnostics) -> Vec<Value> {
    const FORMS: [(&str, &str); 3] = [("log", "points"), ("linear", "points"), ("log_uniform", "samples")];
    let form = FORMS.into_iter().find(|(form, _)| table.get(form).is_some());
    let Some((form, count_key)) = form.filter(|_| table.0.len() == 2) else {
        diagnostics.add(&node.place, format!("`{}` is a table that spans no axis", key.name)).expected(
            "{ log = [a, b], points = n }, { linear = [a, b], points = n } or { log_uniform = [a, b], samples = n }",
        );
        return Vec::new();
    };
    let mut read = |name: &str, accepts| match table.get(name) {
        Some(entry) => value(&entry.value, name, accepts, diagnostics),
        None => {
            diagnostics
                .add(&node.place, format!("`{}` lacks `{name}`", key.name))
                .expected(format!("`{name}` beside `{form}`"));
            None
        }
    };
    let bounds = read(form, Accepts::Floats(if form == "linear" { Range::ANY } else { Range::POSITIVE }));
    let count = read(count_key, Accepts::Integer(Range::within(1.0, MOST_POINTS as f64)));
    let (Some(Value::List(bounds)), Some(Value::Integer(count))) = (bounds, count) else { return Vec::new() };
    let bounds: Vec<f64> = bounds.iter().filter_map(Value::as_float).collect();
    let (low, high) = match bounds[..] {
        [low, high] if low < high => (low, high),
        _ => {
            diagnostics.add(&node.place, format!("`{form}` needs two bounds")).expected("[a, b] with a below b");
            return Vec::new();
        }
    };
    let range = match key.accepts {
        Accepts::Float(range) | Accepts::Integer(range) => range,
        _ => Range::ANY,
    };
    if !range.contains(low) || !range.contains(high) {
        diagnostics.add(&node.place, format!("`{}` would leave its range", key.name)).expected(key.accepts.to_string());
        return Vec::new();
    }
    let shift = Stream::new(0, &format!("axis {}", key.name)).uniform();
    let last = (count - 1).max(1) as f64;
    let at = |i: i64| match form {
        "linear" => low + (high - low) * i as f64 / last,
        "log" => low * (high / low).powf(i as f64 / last),
        _ => low * (high / low).powf((radical_inverse(i as u64) + shift).fract()),
    };
    (0..count)
        .map(|i| {
            let x = if form != "log_uniform" && i == count - 1 && count > 1 { high } else { six_digits(at(i)) };
            if matches!(key.accepts, Accepts::Integer(_)) { Value::Integer(x.round() as i64) } else { Value::Float(x) }
        })
        .collect()
}

/// Van der Corput's sequence: any first part of it fills the unit interval evenly.
fn radical_inverse(i: u64) -> f64 {
    i.reverse_bits() as f64 / 2f64.powi(64)
}

/// Six significant digits, so that generated values have names that people can read.
fn six_digits(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::parse;

    fn axis_of(text: &str, key: &Key) -> Result<Vec<Value>, String> {
        let mut diagnostics = Diagnostics::new();
        diagnostics.source("test.toml", text);
        let (table, _) = parse(0, text);
        let values = axis(&table.0[0].value, key, &mut diagnostics);
        diagnostics.into_result().map(|()| values).map_err(|error| error.to_string())
    }

    const LR: Key = Key::float("lr", 0.1, Range::POSITIVE, "");

    #[test]
    fn lists_and_generators_span_axes() {
        let floats = |text| -> Vec<f64> { axis_of(text, &LR).unwrap().iter().filter_map(Value::as_float).collect() };
        assert_eq!(floats("lr = 1"), [1.0]);
        assert_eq!(floats("lr = [1e-3, 3e-3]"), [1e-3, 3e-3]);
        assert_eq!(floats("lr = { log = [1e-3, 1e-1], points = 5 }"), [1e-3, 0.003_162_28, 1e-2, 0.031_622_8, 1e-1]);
        assert_eq!(floats("lr = { linear = [1, 2], points = 3 }"), [1.0, 1.5, 2.0]);
        let samples = floats("lr = { log_uniform = [1e-3, 1e-1], samples = 64 }");
        assert!(samples.iter().all(|x| (1e-3..=1e-1).contains(x)));
        let low = samples.iter().filter(|x| **x < 1e-2).count();
        assert!((31..=33).contains(&low), "half of the samples lie in each half: {low}");
    }

    #[test]
    fn a_list_valued_key_needs_a_list_of_lists_for_an_axis() {
        let hidden = Key::integers("hidden", &[], Range::POSITIVE, "");
        assert_eq!(axis_of("hidden = [64, 32]", &hidden).unwrap().len(), 1);
        assert_eq!(axis_of("hidden = [[64], [32, 16]]", &hidden).unwrap().len(), 2);
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        for (text, words) in [
            ("lr = -1", "`lr` is -1"),
            ("lr = \"big\"", "`lr` is \"big\""),
            ("lr = nan", "above 0"),
            ("lr = []", "empty list"),
            ("lr = { log = [1e-1, 1e-3], points = 5 }", "a below b"),
            ("lr = { log = [1e-3, 1e-1] }", "spans no axis"),
            ("lr = { log = [1e-3, 1e-1], points = 0 }", "at least 1"),
            ("lr = 1979-05-27", "a date or time"),
        ] {
            let message = axis_of(text, &LR).unwrap_err();
            assert!(message.contains(words), "{text}: {message}");
        }
    }
}
