//! One optimizer with one value for each key, for programs that have no experiment.

use crate::catalog::Catalog;
use crate::config::diagnostics::Diagnostics;
use crate::config::feasible;
use crate::config::grid::read_keys;
use crate::config::groups;
use crate::config::names::{find, refuse_unknown};
use crate::config::shorthand::lift_rate;
use crate::config::source::{self, Entry, Item, Table};
use crate::config::value::whole;
use crate::error::{Error, Result};
use crate::length::{Length, Timeline};
use crate::optim;
use crate::optim::groups::GROUPS;
use crate::registry::Described;
use crate::settings::{EXTERNAL, Settings, Value};

/// Beside the keys of an optimizer: how many updates the training has.
const STEPS: &str = "steps";

/// An optimizer as it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Single {
    /// Its settings, every duration measured in steps.
    pub settings: Settings,
    /// How many updates the training has, where that was said.
    pub steps: Option<u64>,
}

impl Single {
    /// Reads the keys of an optimizer as they stand in a config, in one line with commas or one a line:
    /// `lr = 1e-2, beta = 0.95`. Where durations are shares of the training, its length is given as `steps = 10000`.
    ///
    /// # Errors
    /// With every mistake found in them.
    pub fn read(catalog: &Catalog, kind: &str, keys: &str) -> Result<Self> {
        let name = toml::Value::String(kind.into()).to_string();
        let name = if kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') { kind } else { &name };
        let one_line = format!("{name} = {{ {keys} }}");
        let lines = format!("[{name}]\n{keys}\n");
        let sound = |text: &str| source::parse(0, text).1.is_empty();
        let text = if keys.contains('\n') && !sound(&one_line) { lines } else { one_line };
        let mut diagnostics = Diagnostics::new(catalog);
        let number = diagnostics.source("<optimizer>", text.as_str());
        let (table, errors) = source::parse(number, &text);
        let sound = errors.is_empty();
        for error in errors {
            diagnostics.add(&error.place, error.message);
        }
        let read = table.0.first().filter(|_| sound).and_then(|entry| read_entry(entry, &mut diagnostics));
        diagnostics.into_result()?;
        let Single { settings, steps } = read.ok_or_else(|| Error::Usage(format!("`{kind}` has no keys to read")))?;
        let timeline =
            Timeline { steps: steps.unwrap_or(0), steps_per_epoch: None, beta2: optim::second_moment_decay(&settings) };
        Ok(Single { settings: settings.in_steps(&timeline).map_err(Error::Usage)?, steps })
    }
}

fn read_entry(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Single> {
    let Item::Table(table) = &entry.value.item else { return None };
    let definition = find(&diagnostics.catalog.optimizers, &entry.key, &entry.key_place, |_| None, diagnostics)?;
    if definition.about.name == EXTERNAL {
        let added = diagnostics.add(&entry.key_place, format!("`{EXTERNAL}` is computed by a program of your own"));
        added.expected("a kind that is computed here, from `optbench list optimizers`");
        return None;
    }
    let table = &lift_rate(table, diagnostics);
    let owner = format!("optimizer `{}`", entry.key);
    let known: Vec<&str> = definition.keys().map(|key| key.name).chain([STEPS, GROUPS]).collect();
    refuse_unknown(table, &known, &owner, diagnostics);
    let steps = steps(table, diagnostics);
    let mut settings = Settings::new(definition);
    let groups = groups::read(table, definition, &owner, diagnostics);
    // The length is the training's, not a hyper-parameter.
    let own = Table(table.0.iter().filter(|entry| entry.key != STEPS).cloned().collect());
    for (key, values) in read_keys(&own, &entry.key_place, &owner, definition, groups, None, diagnostics).axes {
        let place = table.get(&key).map_or(&entry.key_place, |entry| &entry.value.place);
        let [value] = &values[..] else {
            diagnostics
                .add(place, format!("`{key}` has {} values", values.len()))
                .expected("one: nothing is swept here");
            continue;
        };
        match unmeasured(value) {
            Some(Length::Epochs(_)) => {
                let title = format!("`{key}` is {value}, and the steps of an epoch are not known here");
                diagnostics.add(place, title).expected("a number of steps");
            }
            Some(Length::Percent(_)) if steps.is_none() => {
                let title = format!("`{key}` is {value}, and how long the training is, is not known here");
                let added = diagnostics.add(place, title).expected("a number of steps");
                added.help(format!("or say how long it is: `{STEPS} = 10000`"));
            }
            _ => {}
        }
        settings.set(&key, value.clone());
    }
    if diagnostics.is_empty()
        && let Some((key, unmet)) = feasible::unmet(&settings)
        && let Some(needs) = unmet.needs
    {
        let place = table.get(&key).map_or(&entry.key_place, |entry| &entry.value.place);
        diagnostics.add(place, format!("`{}` needs {}", unmet.name, needs.words));
    }
    Some(Single { settings, steps })
}

/// The length of the training.
fn steps(table: &Table, diagnostics: &mut Diagnostics) -> Option<u64> {
    let value = &table.get(STEPS)?.value;
    let steps = match value.item {
        Item::Integer(n) => Some(n),
        Item::Float(x) => whole(x),
        _ => None,
    };
    let steps = steps.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
    if steps.is_none() {
        diagnostics
            .add(&value.place, format!("`{STEPS}` is {}", value.item.describe()))
            .expected("a whole number, at least 1");
    }
    steps
}

/// A length of time that the length of a training or of an epoch decides, anywhere within a value.
fn unmeasured(value: &Value) -> Option<Length> {
    match value {
        Value::Length(length @ (Length::Epochs(_) | Length::Percent(_))) => Some(*length),
        Value::List(values) => values.iter().find_map(unmeasured),
        Value::Nested(settings) => settings.iter().find_map(|(_, value)| unmeasured(value)),
        _ => None,
    }
}
