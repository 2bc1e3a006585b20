//! A table of a config that names a kind and gives its keys, some of them as axes.

use std::collections::HashSet;

use crate::config::axis::{Axis, axis};
use crate::config::diagnostics::Diagnostics;
use crate::config::foreign;
use crate::config::names;
use crate::config::sampling;
use crate::config::source::{Entry, Item, Node, Place, Table};
use crate::config::text;
use crate::registry::{Beside, Described, Fallback, Key, Kinds, choices};
use crate::settings::{Kind, Settings, Sort, Value};

/// A kind with one or several values for each of its keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// The label of the table.
    pub label: String,
    /// The kind.
    pub kind: &'static dyn Kind,
    /// The keys in order, each with the values that it takes in the sweep.
    pub axes: Vec<(String, Vec<Value>)>,
    /// The keys whose values are taken together, the first with the first: coordinates of points.
    pub joint: Vec<String>,
}

impl Grid {
    /// A kind at its defaults under its own name.
    pub fn defaults<D: Described>(definition: &'static D) -> Self {
        let settings = definition.defaults();
        let axes = settings.iter().map(|(name, value)| (name.to_owned(), vec![value.clone()])).collect();
        Self { label: settings.name().to_owned(), kind: definition, axes, joint: Vec::new() }
    }

    /// A key of the kind, which is one of `D`'s.
    pub fn key<D: Described>(&self, name: &str) -> Option<&'static Key> {
        self.kind.definition::<D>()?.key(name)
    }

    /// Every combination of the values, the last key varying fastest; joint keys vary as one. A
    /// combination that comes twice counts once.
    pub fn variants(&self) -> Vec<Settings> {
        let mut variants: Vec<(Settings, Option<usize>)> = vec![(Settings::new(self.kind), None)];
        for (key, values) in &self.axes {
            let joint = self.joint.contains(key);
            let longer = |(variant, point): (Settings, Option<usize>)| {
                let places = match point.filter(|_| joint) {
                    Some(point) => point..point + 1,
                    None => 0..values.len(),
                };
                let longer = places.map(move |place| {
                    let point = if joint { Some(place) } else { point };
                    (variant.clone().with(key, values[place].clone()), point)
                });
                longer.collect::<Vec<_>>()
            };
            variants = variants.into_iter().flat_map(longer).collect();
        }
        let mut seen = HashSet::new();
        variants.into_iter().map(|(variant, _)| variant).filter(|variant| seen.insert(format!("{variant:?}"))).collect()
    }

    /// How many combinations there are.
    pub fn len(&self) -> usize {
        self.variants().len()
    }

    /// The same before any is listed, as a number that does not overflow, however long the axes are.
    pub(super) fn combinations(&self) -> f64 {
        // Joint keys, all of one length, vary as one: the first of them counts.
        let counts = |key: &String| !self.joint.contains(key) || self.joint.first() == Some(key);
        self.axes.iter().filter(|(key, _)| counts(key)).map(|(_, values)| values.len() as f64).product()
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

/// The keys of a kind as a table gives them.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// See [`Grid::axes`].
    pub(super) axes: Vec<(String, Vec<Value>)>,
    /// See [`Grid::joint`].
    pub(super) joint: Vec<String>,
}

/// A key with what it takes in the sweep, and where it stands.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) name: String,
    pub(super) axis: Axis,
    pub(super) place: Place,
}

/// Reads the keys of a kind from a table. A key that is missing or mistaken keeps its default.
///
/// `more` are keys that stand deeper in the table; `tries` is how many points are drawn where it does not say it.
pub(super) fn read_keys<D: Described>(
    table: &Table,
    place: &Place,
    owner: &str,
    definition: &'static D,
    more: Vec<Read>,
    tries: Option<usize>,
    diagnostics: &mut Diagnostics,
) -> Keys {
    let before = diagnostics.len();
    let keys: Vec<&'static Key> = definition.keys().collect();
    let mut axes = Vec::new();
    for &key in keys.iter().filter(|key| key.name != Key::REST) {
        if let Some(beside) = key.beside.filter(|beside| !chosen(table, *beside)) {
            if let Some(entry) = table.get(key.name) {
                let choice = |choice: &&str| format!("{} = \"{choice}\"", beside.key);
                let needed: Vec<String> = beside.choices.iter().map(choice).collect();
                let title = format!("`{}` is only used with {}", key.name, choices(&needed));
                diagnostics.add(&entry.key_place, title);
            }
            continue;
        }
        let axis = match table.get(key.name) {
            Some(entry) => axis(&entry.value, key, diagnostics),
            None => {
                // Under another name it is there, which is said already.
                let renamed = |entry: &Entry| {
                    let is_known = keys.iter().any(|known| known.name == entry.key);
                    !is_known && foreign::hint(&entry.key, &[key.name]).is_some_and(|hint| hint.name.is_some())
                };
                if key.default == Fallback::Required && !table.0.iter().any(renamed) {
                    let added = diagnostics.add(place, format!("{owner} lacks the key `{}`", key.name));
                    added.expected(format!("`{}`: {}", key.name, key.accepts)).help(key.help);
                }
                Axis::Values(key.default.value().into_iter().collect())
            }
        };
        let place = table.get(key.name).map_or(place, |entry| &entry.value.place).clone();
        axes.push(Read { name: key.name.to_owned(), axis, place });
    }
    for (entry, key) in text::further(table, &keys, D::RESERVED) {
        let axis = axis(&entry.value, key, diagnostics);
        axes.push(Read { name: entry.key.clone(), axis, place: entry.value.place.clone() });
    }
    axes.extend(more);
    let keys_read = draw(owner, &axes, tries, diagnostics);
    if diagnostics.len() == before {
        let first = keys_read.axes.iter().filter_map(|(key, values)| Some((key, values.first()?.clone())));
        let settings = first.fold(Settings::new(definition), |settings, (key, value)| settings.with(key, value));
        text::check(table, &keys, &settings, diagnostics);
    }
    keys_read
}

/// Draws the points of the sampled keys, all together, and checks that joint keys fit each other.
fn draw(owner: &str, axes: &[Read], tries: Option<usize>, diagnostics: &mut Diagnostics) -> Keys {
    let is_sampled = |read: &&Read| matches!(read.axis, Axis::Sampled(_));
    let sampled: Vec<&str> = axes.iter().filter(is_sampled).map(|read| read.name.as_str()).collect();
    let mut keys = Keys::default();
    let mut first: Option<(&str, usize)> = None;
    for Read { name, axis, place } in axes {
        let values = match axis {
            Axis::Values(values) | Axis::Joint(values) => values.clone(),
            Axis::Sampled(interval) => {
                let Some(n) = interval.samples.or(tries) else {
                    let added = diagnostics.add(place, format!("`{name}` does not say how many samples"));
                    added.expected("`samples = n` beside the bounds, or `budget` in a table [tuning]");
                    continue;
                };
                let coordinate = sampled.iter().position(|other| other == name).unwrap_or(0);
                interval.values(&sampling::points(&sampled, n)[coordinate])
            }
        };
        if !matches!(axis, Axis::Values(_)) && !values.is_empty() {
            match first {
                Some((other, n)) if n != values.len() => {
                    let title =
                        format!("`{other}` and `{name}` have different numbers of values: {n} and {}", values.len());
                    let added = diagnostics.add(place, title).expected("the same number: they are drawn together");
                    added.help(format!(
                        "sampled keys of {owner} are drawn jointly; a list or a grid multiplies instead"
                    ));
                    continue;
                }
                _ => first = Some((name, values.len())),
            }
            keys.joint.push(name.clone());
        }
        if !values.is_empty() {
            keys.axes.push((name.clone(), values));
        }
    }
    if keys.joint.len() == 1 {
        // Alone it is an axis like any other, on which whole numbers that were drawn twice count once.
        let alone = keys.joint.remove(0);
        if let Some((_, values)) = keys.axes.iter_mut().find(|(key, _)| *key == alone) {
            let mut seen = HashSet::new();
            values.retain(|value| seen.insert(format!("{value:?}")));
        }
    }
    keys
}

/// Whether a table makes one of the choices that a key depends on.
fn chosen(table: &Table, beside: Beside) -> bool {
    let makes = |node: &Node| matches!(&node.item, Item::Text(text) if beside.choices.contains(&text.as_str()));
    table.get(beside.key).is_some_and(|entry| match &entry.value.item {
        Item::Array(values) => values.iter().any(makes),
        _ => makes(&entry.value),
    })
}

/// The kind that a labelled table names: its `kind`, or else its label. Where there is none of that name, which is
/// said, the one that was most likely meant.
pub(super) fn kind_of<'a, D: Described>(
    entry: &'a Entry,
    kinds: &Kinds<D>,
    diagnostics: &mut Diagnostics,
) -> Option<(&'a Table, &'static D)> {
    let sort = D::SORT.name();
    let Item::Table(table) = &entry.value.item else {
        let found = entry.value.item.describe();
        diagnostics
            .add(&entry.value.place, format!("{sort} `{}` is {found}", entry.key))
            .expected(format!("a table: [{sort}s.{}]", entry.key));
        return None;
    };
    let (kind, place) = match table.get("kind") {
        Some(Entry { value, .. }) => match &value.item {
            Item::Text(kind) => (kind, &value.place),
            item => {
                diagnostics
                    .add(&value.place, format!("`kind` is {}", item.describe()))
                    .expected(format!("the name of a kind of {sort}"));
                return None;
            }
        },
        None => (&entry.key, &entry.key_place),
    };
    let of_ones_own = |first: &str| {
        let key = if D::SORT == Sort::Model { sort } else { "kind" };
        Some(format!("a label of your own needs a {key}: `{key} = \"{first}\"`; `optbench list {sort}s` explains them"))
    };
    names::find(kinds, kind, place, of_ones_own, diagnostics).map(|found| (table, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joint_keys_are_counted_once() {
        let numbers = |n: i64| (0..n).map(Value::Integer).collect::<Vec<_>>();
        let axes =
            [("lr", 50), ("beta1", 2), ("eps", 50), ("weight_decay", 50)].map(|(key, n)| (key.into(), numbers(n)));
        let joint = ["lr", "eps", "weight_decay"].map(String::from).to_vec();
        let grid = Grid { label: "adam".into(), kind: &crate::optim::OPTIMIZERS[1], axes: axes.to_vec(), joint };
        assert_eq!((grid.len(), grid.combinations()), (100, 100.0));
        let apart = Grid { joint: Vec::new(), axes: grid.axes[..2].to_vec(), ..grid };
        assert_eq!((apart.len(), apart.combinations()), (100, 100.0));
    }
}
