//! The `[tasks]` of a config.

use candle_core::DType;

use crate::config::diagnostics::Diagnostics;
use crate::config::grid::{advice, kind_of, likeliest, read_keys, refuse_unknown};
use crate::config::label;
use crate::config::source::{Entry, Item, Table};
use crate::config::value::value;
use crate::metric::Metric;
use crate::registry::{Accepts, Bounds, Key, choices};
use crate::settings::{Settings, Value};
use crate::task::data::{self, Contents, DATASETS};
use crate::task::model::{self, Kind, MODELS};
use crate::task::{Spec, Target};

const METRIC_NAMES: [&str; 3] = ["loss", "accuracy", "perplexity"];

/// Reads one task; nothing where it is no table.
pub(super) fn read(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Spec> {
    label::check(entry, diagnostics);
    let owner = format!("task `{}`", entry.key);
    let (table, model) = model_of(entry, &owner, diagnostics)?;
    let common = model.task_keys();
    let mut known = vec!["model", "kind", "target", "metric"];
    known.extend(common.iter().map(|key| key.name));
    let mut keys: Vec<Key> = model.about.keys.to_vec();
    let mut dataset = None;
    let mut metrics = vec![Metric::Loss];
    if let Kind::Network { default_dataset, metrics: measured, .. } = model.kind {
        metrics = measured.to_vec();
        dataset = dataset_of(table, model.about.name, default_dataset, diagnostics);
    }
    if let Some(dataset) = dataset {
        keys.extend(dataset.about.keys);
    }
    known.extend(keys.iter().map(|key| key.name));
    refuse_unknown(table, &known, &owner, diagnostics);

    let before = diagnostics.len();
    let mut settings = |kind: &str, keys: &'static [Key]| single(kind, table, entry, &owner, keys, diagnostics);
    let model_settings = settings(model.about.name, model.about.keys);
    let dataset = dataset.map(|dataset| settings(dataset.about.name, dataset.about.keys));
    // What is mistaken by itself would only be said again.
    if let Kind::Function(build) = model.kind
        && diagnostics.len() == before
        && let Err(problem) = build(&model_settings)
    {
        // The start comes last, and is what has to fit the rest.
        let given = model.about.keys.iter().rev().find_map(|key| table.get(key.name));
        let place = given.map_or(&entry.key_place, |entry| &entry.value.place);
        diagnostics.add(place, format!("{owner}: {problem}"));
    }
    let mut common = |name: &str| {
        let key = common.iter().find(|key| key.name == name)?;
        match table.get(name) {
            Some(entry) => value(&entry.value, name, key.accepts, diagnostics),
            None => key.default.value(),
        }
    };
    let (batch_size, dtype) = (common("batch_size"), common("dtype"));
    let target = target(table, &metrics, diagnostics);
    // Chosen by what people look at: perplexity of text, else accuracy where there is one.
    let metric = match word(table, "metric", &METRIC_NAMES, "", diagnostics) {
        "" => target.map_or(*metrics.last().expect("every task has a loss"), |target| target.metric),
        name => Metric::parse(name).expect("one of the names"),
    };
    if !metrics.contains(&metric)
        && let Some(entry) = table.get("metric")
    {
        let names: Vec<&str> = metrics.iter().map(|metric| metric.name()).collect();
        let added = diagnostics.add(&entry.value.place, format!("{owner} has no {}", metric.name()));
        added.expected(choices(&names));
    }
    Some(Spec {
        label: entry.key.clone(),
        model: model_settings,
        dataset,
        batch_size: match batch_size {
            Some(Value::Integer(n)) => n as usize,
            _ => 1,
        },
        dtype: if dtype == Some("f64".into()) { DType::F64 } else { DType::F32 },
        target,
        metric,
    })
}

fn model_of<'a>(
    entry: &'a Entry,
    owner: &str,
    diagnostics: &mut Diagnostics,
) -> Option<(&'a Table, &'static model::Definition)> {
    let names = MODELS.iter().map(|definition| definition.about.name);
    let Item::Table(table) = &entry.value.item else {
        diagnostics.add(&entry.value.place, format!("{owner} is {}", entry.value.item.describe())).expected("a table");
        return None;
    };
    // `model` is to a task what `kind` is to an optimizer: the label serves where it is one.
    let renamed = Entry {
        value: crate::config::source::Node {
            item: Item::Table(Table(
                table.get("model").map(|model| Entry { key: "kind".into(), ..model.clone() }).into_iter().collect(),
            )),
            place: entry.value.place.clone(),
        },
        ..entry.clone()
    };
    let model = kind_of(&renamed, "model", names, model::find, diagnostics).map(|(_, model)| model);
    Some((table, model.or_else(|| model_by_keys(table))?))
}

/// The model whose keys a table has: where its name cannot be made out, the other mistakes are judged by that.
fn model_by_keys(table: &Table) -> Option<&'static model::Definition> {
    let own = |definition: &&model::Definition| {
        let keys = definition.about.keys.iter().copied().chain(definition.task_keys());
        let known: Vec<&str> = keys.map(|key| key.name).collect();
        table.0.iter().filter(|entry| known.contains(&entry.key.as_str())).count()
    };
    // Of equal ones the first.
    MODELS.iter().rev().max_by_key(own)
}

/// What a model learns from: what its default dataset holds.
fn learns_from(default_dataset: &str) -> Contents {
    data::find(default_dataset).map_or(Contents::Images, |dataset| dataset.contents)
}

fn dataset_of(
    table: &Table,
    model: &str,
    default: &str,
    diagnostics: &mut Diagnostics,
) -> Option<&'static data::Definition> {
    let contents = learns_from(default);
    let Some(entry) = table.get("dataset") else {
        let alone = table.get("path").map(|_| contents.of_path());
        return data::find(alone.unwrap_or(default));
    };
    let fitting = DATASETS.iter().filter(|definition| definition.contents == contents);
    let names: Vec<&str> = fitting.map(|definition| definition.about.name).collect();
    let Item::Text(name) = &entry.value.item else {
        diagnostics
            .add(&entry.value.place, format!("`dataset` is {}", entry.value.item.describe()))
            .expected(choices(&names));
        return None;
    };
    let Some(found) = data::find(name) else {
        let added = diagnostics.add(&entry.value.place, format!("there is no dataset `{name}`"));
        let added = added.expected(choices(&names));
        if let Some(advice) = advice(name, &names) {
            added.help(advice);
        }
        return data::find(likeliest(name, &names).unwrap_or(default));
    };
    if found.contents != contents {
        let (learns, is) = (contents.name(), found.contents.name());
        diagnostics
            .add(&entry.value.place, format!("model `{model}` learns from {learns}, but `{name}` is {is}"))
            .expected(choices(&names));
    }
    Some(found)
}

/// The keys of a model or dataset, each with one value: a task is no axis.
fn single(
    kind: &str,
    table: &Table,
    entry: &Entry,
    owner: &str,
    keys: &'static [Key],
    diagnostics: &mut Diagnostics,
) -> Settings {
    let mut settings = Settings::new(kind);
    for (key, mut values) in read_keys(table, &entry.key_place, owner, keys.iter(), None, diagnostics).axes {
        if values.len() > 1 {
            let place = &table.get(&key).map_or(&entry.key_place, |entry| &entry.value.place).clone();
            let added = diagnostics.add(place, format!("`{key}` of a task has one value, not {}", values.len()));
            added.help("to compare models or datasets, write one task for each");
        }
        settings.set(&key, values.swap_remove(0));
    }
    settings
}

fn word<'a>(
    table: &Table,
    name: &str,
    words: &'static [&'static str],
    default: &'a str,
    diagnostics: &mut Diagnostics,
) -> &'a str
where
    'static: 'a,
{
    let Some(entry) = table.get(name) else { return default };
    match value(&entry.value, name, Accepts::Choice(words), diagnostics) {
        Some(Value::Text(text)) => words.iter().find(|word| **word == text).copied().unwrap_or(default),
        _ => default,
    }
}

/// Reads `target = { accuracy = 0.95 }`.
fn target(table: &Table, metrics: &[Metric], diagnostics: &mut Diagnostics) -> Option<Target> {
    let entry = table.get("target")?;
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name()).collect();
    let Item::Table(target) = &entry.value.item else {
        let added = diagnostics.add(&entry.value.place, format!("`target` is {}", entry.value.item.describe()));
        added.expected(format!("a metric and its value, such as {{ {} = 0.9 }}", names[names.len() - 1]));
        return None;
    };
    refuse_unknown(target, &names, "`target`", diagnostics);
    let [only] = &target.0[..] else {
        diagnostics.add(&entry.value.place, "`target` names not exactly one metric").expected(choices(&names));
        return None;
    };
    let metric = Metric::parse(&only.key).filter(|metric| metrics.contains(metric))?;
    let range = if metric == Metric::Accuracy { Bounds::UNIT } else { Bounds::ANY };
    let value = value(&only.value, metric.name(), Accepts::Float(range), diagnostics)?.as_float()?;
    Some(Target { metric, value })
}
