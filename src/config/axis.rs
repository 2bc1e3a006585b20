//! The axes of a sweep: lists, ranges, and points sampled jointly.

use crate::config::diagnostics::Diagnostics;
use crate::config::sampling::{Sampled, six_digits};
use crate::config::source::{Item, Node, Table};
use crate::config::spread::{spans_an_axis, spread};
use crate::config::value::{MOST_VALUES, too_long, value};
use crate::registry::{Accepts, Bounds, Key};
use crate::settings::{Value, number};

/// The values that a key takes in a sweep.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Axis {
    /// Each of them with each of the other keys'.
    Values(Vec<Value>),
    /// The first with the first of the other keys of this kind, the second with the second, ...
    Joint(Vec<Value>),
    /// Coordinates of points that are still to be drawn.
    Sampled(Sampled),
}

const NONE: Axis = Axis::Values(Vec::new());

/// Reads a key that is an axis where it is given as a list; no values where it is mistaken.
pub(super) fn axis(node: &Node, key: &Key, diagnostics: &mut Diagnostics) -> Axis {
    match &node.item {
        Item::Table(table) if matches!(key.accepts, Accepts::Float(_) | Accepts::Integer(_) | Accepts::Anything) => {
            spanned(table, node, key, diagnostics)
        }
        Item::Array(values) if too_long(values, node, key.name, diagnostics) => NONE,
        Item::Array(values) if spans_an_axis(key.accepts, values) => several(values, node, key, diagnostics),
        _ => several(std::slice::from_ref(node), node, key, diagnostics),
    }
}

/// Reads values each of which may be several itself: a table with lists in it.
fn several(values: &[Node], node: &Node, key: &Key, diagnostics: &mut Diagnostics) -> Axis {
    let Some(values) = spread(values, key.accepts, diagnostics.catalog) else {
        let added = diagnostics.add(&node.place, format!("the lists inside `{}` span too many combinations", key.name));
        added.expected(format!("at most {MOST_VALUES}"));
        return NONE;
    };
    let read = list(&values, node, key, diagnostics);
    refuse_twice(&read, &values, key, diagnostics);
    Axis::Values(read)
}

fn list(values: &[Node], node: &Node, key: &Key, diagnostics: &mut Diagnostics) -> Vec<Value> {
    if values.is_empty() {
        let added = diagnostics.add(&node.place, format!("`{}` is an empty list", key.name));
        added.expected(format!("at least one of: {}", key.accepts));
    }
    values.iter().filter_map(|node| value(node, key.name, key.accepts, diagnostics)).collect()
}

/// A value that comes twice would be one run: more likely another was meant.
fn refuse_twice(read: &[Value], values: &[Node], key: &Key, diagnostics: &mut Diagnostics) {
    if read.len() < values.len() {
        // Some are mistaken, and said so.
        return;
    }
    let twice = (1..read.len()).find(|&place| read[..place].contains(&read[place]));
    if let Some(place) = twice {
        let added = diagnostics.add(&values[place].place, format!("`{}` lists {} twice", key.name, read[place]));
        added.expected("different values");
    }
}

/// Reads `{ log = [a, b], points = n }` and its relatives.
fn spanned(table: &Table, node: &Node, key: &Key, diagnostics: &mut Diagnostics) -> Axis {
    const GRIDS: [&str; 2] = ["log", "linear"];
    const SAMPLES: [&str; 2] = ["log_uniform", "uniform"];
    let given = |forms: [&'static str; 2]| forms.into_iter().find(|form| table.get(form).is_some());
    let known = |names: &[&str]| table.0.iter().all(|entry| names.contains(&entry.key.as_str()));
    if let Some(joint) = table.get("joint").filter(|_| known(&["joint"])) {
        let Item::Array(values) = &joint.value.item else {
            let added = diagnostics.add(&joint.value.place, format!("`joint` is {}", joint.value.item.describe()));
            added.expected("a list, as long as those of the other joint keys");
            return NONE;
        };
        return Axis::Joint(list(values, &joint.value, key, diagnostics));
    }
    if let Some(form) = given(GRIDS).filter(|form| known(&[form, "points"]) && table.get("points").is_some()) {
        let bounds = bounds(table, node, form, key, diagnostics);
        let points = count(table, "points", diagnostics);
        return bounds
            .zip(points)
            .map_or(NONE, |((low, high), points)| Axis::Values(grid(form, low, high, points, key)));
    }
    if let Some(form) = given(SAMPLES).filter(|form| known(&[form, "samples"])) {
        let bounds = bounds(table, node, form, key, diagnostics);
        let samples = table.get("samples").is_some().then(|| count(table, "samples", diagnostics));
        return match (bounds, samples) {
            (Some((low, high)), None | Some(Some(_))) => Axis::Sampled(Sampled {
                low,
                high,
                logarithmic: form == "log_uniform",
                whole: matches!(key.accepts, Accepts::Integer(_)),
                samples: samples.flatten().map(|n| n as usize),
            }),
            _ => NONE,
        };
    }
    diagnostics.add(&node.place, format!("`{}` is a table that does not define an axis", key.name)).expected(
        "{ log = [a, b], points = n }, { linear = [a, b], points = n }, { log_uniform = [a, b], samples = n } or \
         { uniform = [a, b], samples = n }",
    );
    NONE
}

fn bounds(table: &Table, node: &Node, form: &str, key: &Key, diagnostics: &mut Diagnostics) -> Option<(f64, f64)> {
    let range = if form.starts_with("log") { Bounds::POSITIVE } else { Bounds::ANY };
    let entry = table.get(form)?;
    let given = if let Item::Array(bounds) = &entry.value.item { bounds.len() } else { 0 };
    let Some(Value::List(bounds)) = value(&entry.value, form, Accepts::Floats(range), diagnostics) else {
        return None;
    };
    let bounds: Vec<f64> = bounds.iter().filter_map(Value::as_float).collect();
    let (low, high) = match bounds[..] {
        [low, high] if low < high => (low, high),
        // A bound that is mistaken itself was said to be so.
        _ if bounds.len() < given => return None,
        [low, high] => {
            let title = format!("`{form}` goes from {} to {}", number(low), number(high));
            diagnostics.add(&entry.value.place, title).expected("[a, b] with a below b");
            return None;
        }
        _ => {
            let added = diagnostics.add(&entry.value.place, format!("`{form}` has {given} bounds"));
            added.expected("two: [a, b] with a below b");
            return None;
        }
    };
    let range = match key.accepts {
        Accepts::Float(range) | Accepts::Integer(range) => range,
        _ => Bounds::ANY,
    };
    if !range.contains(low) || !range.contains(high) {
        diagnostics
            .add(&node.place, format!("`{}` goes outside its range", key.name))
            .expected(key.accepts.to_string());
        return None;
    }
    Some((low, high))
}

fn count(table: &Table, name: &str, diagnostics: &mut Diagnostics) -> Option<i64> {
    let accepts = Accepts::Integer(Bounds::within(1.0, MOST_VALUES as f64));
    match value(&table.get(name)?.value, name, accepts, diagnostics) {
        Some(Value::Integer(count)) => Some(count),
        _ => None,
    }
}

fn grid(form: &str, low: f64, high: f64, points: i64, key: &Key) -> Vec<Value> {
    let last = (points - 1).max(1) as f64;
    let at = |i: i64| match form {
        "linear" => low + (high - low) * i as f64 / last,
        _ => low * (high / low).powf(i as f64 / last),
    };
    let values = (0..points).map(|i| if i == points - 1 && points > 1 { high } else { six_digits(at(i)) });
    let whole = matches!(key.accepts, Accepts::Integer(_));
    let mut values: Vec<_> =
        values.map(|x| if whole { Value::Integer(x.round() as i64) } else { Value::Float(x) }).collect();
    // They rise, and whole numbers may come out alike.
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::config::source::parse;

    fn axis_of(text: &str, key: &Key) -> Result<Vec<Value>, String> {
        let catalog = Catalog::built_in();
        let mut diagnostics = Diagnostics::new(&catalog);
        diagnostics.source("test.toml", text);
        let (table, _) = parse(0, text);
        let axis = axis(&table.0[0].value, key, &mut diagnostics);
        let values = match axis {
            Axis::Values(values) | Axis::Joint(values) => values,
            Axis::Sampled(sampled) => sampled.values(&[0.0, 0.5, 0.999]),
        };
        diagnostics.into_result().map(|()| values).map_err(|error| error.to_string())
    }

    const LR: Key = Key::float("lr", 0.1, Bounds::POSITIVE, "");

    #[test]
    fn lists_and_generators_span_axes() {
        let floats = |text| -> Vec<f64> { axis_of(text, &LR).unwrap().iter().filter_map(Value::as_float).collect() };
        assert_eq!(floats("lr = 1"), [1.0]);
        assert_eq!(floats("lr = [1e-3, 3e-3]"), [1e-3, 3e-3]);
        assert_eq!(floats("lr = { log = [1e-3, 1e-1], points = 5 }"), [1e-3, 0.003_162_28, 1e-2, 0.031_622_8, 1e-1]);
        assert_eq!(floats("lr = { linear = [1, 2], points = 3 }"), [1.0, 1.5, 2.0]);
        assert_eq!(floats("lr = { joint = [1e-3, 1e-2] }"), [1e-3, 1e-2]);
        assert_eq!(floats("lr = { log_uniform = [1e-3, 1e-1], samples = 3 }"), [1e-3, 1e-2, 0.099_540_5]);
        assert_eq!(floats("lr = { uniform = [1, 2] }"), [1.0, 1.5, 1.999]);
    }

    #[test]
    fn a_list_valued_key_needs_a_list_of_lists_for_an_axis() {
        let hidden = Key::integers("hidden", &[], Bounds::POSITIVE, "");
        assert_eq!(axis_of("hidden = [64, 32]", &hidden).unwrap().len(), 1);
        assert_eq!(axis_of("hidden = [[64], [32, 16]]", &hidden).unwrap().len(), 2);
    }

    #[test]
    fn whole_numbers_of_a_grid_that_come_out_alike_count_once() {
        let steps = Key::integer("steps", 1, Bounds::POSITIVE, "");
        assert_eq!(axis_of("steps = { linear = [1, 3], points = 9 }", &steps).unwrap().len(), 3);
    }

    #[test]
    fn a_mistaken_bound_is_one_mistake() {
        let message = axis_of("lr = { log = [0, 0.1], points = 3 }", &LR).unwrap_err();
        assert!(message.contains("`log` is 0") && message.matches("error:").count() == 1, "{message}");
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        for (text, words) in [
            ("lr = -1", "`lr` is -1"),
            ("lr = \"big\"", "`lr` is \"big\""),
            ("lr = nan", "above 0"),
            ("lr = []", "empty list"),
            ("lr = [0.1, 0.01, 1e-1]", "`lr` lists 0.1 twice"),
            ("lr = { log = [1e-1, 1e-3], points = 5 }", "a below b"),
            ("lr = { log = [1e-1, 1e-3], points = 5 }", "`log` goes from 0.1 to 0.001"),
            ("lr = { log = [1, 2, 3], points = 5 }", "`log` has 3 bounds"),
            ("lr = { log = [1e-3, 1e-1] }", "does not define an axis"),
            ("lr = { log = [1e-3, 1e-1], points = 0 }", "at least 1"),
            ("lr = { log_uniform = [0, 1], samples = 3 }", "above 0"),
            ("lr = { uniform = [-1, 1], samples = 3 }", "goes outside its range"),
            ("lr = { joint = 3 }", "a list"),
            ("lr = 1979-05-27", "a date or time"),
        ] {
            let message = axis_of(text, &LR).unwrap_err();
            assert!(message.contains(words), "{text}: {message}");
        }
    }
}
