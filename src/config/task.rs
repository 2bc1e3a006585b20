//! The `[tasks]` of a config.

use candle_core::DType;

use crate::config::diagnostics::Diagnostics;
use crate::config::grid::{kind_of, read_keys};
use crate::config::label;
use crate::config::names::{advice, likeliest, refuse_unknown};
use crate::config::source::{Entry, Item, Table};
use crate::config::value::value;
use crate::metric::Metric;
use crate::registry::{Accepts, Bounds, Described, Kinds, choices};
use crate::settings::{Settings, Value};
use crate::task::data::csv::{self, Goal};
use crate::task::data::{self, Contents};
use crate::task::model::{self, Kind};
use crate::task::{Spec, Target};

/// The model of a task that gives a `command`, and need not say so.
const PROGRAM: &str = "program";
const COMMAND: &str = "command";

/// Reads one task; nothing where it is no table.
pub(super) fn read(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Spec> {
    label::check(entry, diagnostics);
    let owner = format!("task `{}`", entry.key);
    let (table, model) = model_of(entry, &owner, diagnostics)?;
    let common = model.task_keys();
    let mut known: Vec<&str> = model::Definition::RESERVED.to_vec();
    known.extend(common.iter().map(|key| key.name).chain(model.keys().map(|key| key.name)));
    let mut dataset = None;
    if let Kind::Network { default_dataset, learns, .. } = model.kind {
        dataset = dataset_of(table, model.about.name, (default_dataset, learns), diagnostics);
    }
    known.extend(dataset.into_iter().flat_map(Described::keys).map(|key| key.name));
    refuse_unknown(table, &known, &owner, diagnostics);

    let before = diagnostics.len();
    let model_settings = single(model, table, entry, &owner, diagnostics);
    let dataset = dataset.map(|dataset| single(dataset, table, entry, &owner, diagnostics));
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
    let metrics = model.metrics(&model_settings).unwrap_or_else(|problem| {
        let place = table.get("metrics").map_or(&entry.key_place, |entry| &entry.value.place);
        diagnostics.add(place, format!("{owner}: {problem}"));
        Vec::new()
    });
    let metrics = match &dataset {
        Some(dataset) if dataset.optional_choice(csv::TASK) == Some(Goal::Regression) => {
            refuse_smoothing(table, &model_settings, &owner, diagnostics);
            model::PREDICTS.to_vec()
        }
        _ => metrics,
    };
    let target = if metrics.is_empty() { None } else { target(table, &metrics, diagnostics) };
    // Of a built-in model what people look at: perplexity of text, else accuracy where there is one.
    let is_declared = matches!(model.kind, Kind::Program | Kind::Imported);
    let usual = if is_declared { metrics.first() } else { metrics.last() };
    let metric = Some(&metrics)
        .filter(|metrics| !metrics.is_empty())
        .and_then(|metrics| metric(table, &owner, metrics, diagnostics))
        .or(target.map(|target| target.metric))
        .unwrap_or_else(|| usual.copied().unwrap_or(Metric::LOSS));
    for metric in &metrics {
        metric.introduce();
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
        metrics,
        metric,
    })
}

/// Only the scores of classes can be smoothed.
fn refuse_smoothing(table: &Table, model: &Settings, owner: &str, diagnostics: &mut Diagnostics) {
    if let Some(entry) = table.get("label_smoothing")
        && model.optional_float("label_smoothing") > Some(0.0)
    {
        let found = format!("{owner}: `label_smoothing` is of classes, but the label is a number");
        diagnostics.add(&entry.value.place, found).expected("no such key, or `task = \"classification\"`");
    }
}

/// One name is one column in all results: it has one direction.
pub(super) fn refuse_contradictions(table: &Table, tasks: &[Spec], diagnostics: &mut Diagnostics) {
    let all = tasks.iter().flat_map(|task| task.metrics.iter().map(move |metric| (&task.label, *metric)));
    let all: Vec<_> = all.collect();
    for (place, (label, metric)) in all.iter().enumerate() {
        let other = all[..place].iter().find(|(_, other)| other == metric);
        let Some((first, other)) = other.filter(|(_, other)| other.higher_is_better() != metric.higher_is_better())
        else {
            continue;
        };
        let Some(Item::Table(entries)) = table.get("tasks").map(|entry| &entry.value.item) else { continue };
        let Some(entry) = entries.get(label) else { continue };
        let word = |metric: &Metric| if metric.higher_is_better() { "higher" } else { "lower" };
        let title = format!(
            "`{}` is better {} on task `{label}` and better {} on task `{first}`",
            metric.name(),
            word(metric),
            word(other)
        );
        diagnostics.add(&entry.key_place, title).expected("one direction for a name, or two names");
    }
}

fn model_of<'a>(
    entry: &'a Entry,
    owner: &str,
    diagnostics: &mut Diagnostics,
) -> Option<(&'a Table, &'static model::Definition)> {
    let Item::Table(table) = &entry.value.item else {
        diagnostics.add(&entry.value.place, format!("{owner} is {}", entry.value.item.describe())).expected("a table");
        return None;
    };
    let program = diagnostics.catalog.models.find(PROGRAM).filter(|_| table.get(COMMAND).is_some());
    if let Some(program) = program.filter(|_| table.get("model").is_none()) {
        return Some((table, program));
    }
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
    let model = kind_of(&renamed, &diagnostics.catalog.models, diagnostics).map(|(_, model)| model);
    Some((table, model.or_else(|| model_by_keys(table, &diagnostics.catalog.models))?))
}

/// The model whose keys a table has: where its name cannot be made out, the other mistakes are judged by that.
fn model_by_keys(table: &Table, models: &Kinds<model::Definition>) -> Option<&'static model::Definition> {
    let own = |definition: &&model::Definition| {
        let keys = definition.about.keys.iter().copied().chain(definition.task_keys());
        let known: Vec<&str> = keys.map(|key| key.name).collect();
        table.0.iter().filter(|entry| known.contains(&entry.key.as_str())).count()
    };
    // Of equal ones the first.
    models.iter().rev().max_by_key(own)
}

fn dataset_of(
    table: &Table,
    model: &str,
    (default, learns): (&str, &[Contents]),
    diagnostics: &mut Diagnostics,
) -> Option<&'static data::Definition> {
    let datasets = &diagnostics.catalog.datasets;
    // A path alone is of what the default dataset holds.
    let contents = datasets.find(default).map_or(Contents::Images, |dataset| dataset.contents);
    let Some(entry) = table.get("dataset") else {
        return table.get("path").map(|_| contents.of_path()).or_else(|| datasets.find(default));
    };
    let fitting = datasets.iter().filter(|definition| learns.contains(&definition.contents));
    let names: Vec<&str> = fitting.map(|definition| definition.about.name).collect();
    let Item::Text(name) = &entry.value.item else {
        diagnostics
            .add(&entry.value.place, format!("`dataset` is {}", entry.value.item.describe()))
            .expected(choices(&names));
        return None;
    };
    let Some(found) = datasets.find(name) else {
        let added = diagnostics.add(&entry.value.place, format!("there is no dataset `{name}`"));
        let added = added.expected(choices(&names));
        if let Some(advice) = advice(name, &names) {
            added.help(advice);
        }
        return datasets.find(likeliest(name, &names).unwrap_or(default));
    };
    if !learns.contains(&found.contents) {
        let learns: Vec<&str> = learns.iter().map(|contents| contents.name()).collect();
        let (learns, is) = (learns.join(" and "), found.contents.name());
        diagnostics
            .add(&entry.value.place, format!("model `{model}` learns from {learns}, but `{name}` is {is}"))
            .expected(choices(&names));
    }
    Some(found)
}

/// The settings of a model or dataset, each key with one value: a task is no axis.
fn single<D: Described>(
    definition: &'static D,
    table: &Table,
    entry: &Entry,
    owner: &str,
    diagnostics: &mut Diagnostics,
) -> Settings {
    let mut settings = Settings::new(definition);
    for (key, mut values) in read_keys(table, &entry.key_place, owner, definition, Vec::new(), None, diagnostics).axes {
        if values.len() > 1 {
            let place = &table.get(&key).map_or(&entry.key_place, |entry| &entry.value.place).clone();
            let added = diagnostics.add(place, format!("`{key}` of a task has one value, not {}", values.len()));
            added.help("to compare models or datasets, write one task for each");
        }
        settings.set(&key, values.swap_remove(0));
    }
    settings
}

/// Reads what arms are ranked by: one of the metrics that the task has.
fn metric(table: &Table, owner: &str, metrics: &[Metric], diagnostics: &mut Diagnostics) -> Option<Metric> {
    let entry = table.get("metric")?;
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name()).collect();
    let Item::Text(name) = &entry.value.item else {
        let found = format!("`metric` is {}", entry.value.item.describe());
        diagnostics.add(&entry.value.place, found).expected(choices(&names));
        return None;
    };
    let found = Metric::find(name, metrics);
    if found.is_none() {
        let added = diagnostics.add(&entry.value.place, format!("{owner} has no metric `{name}`"));
        let added = added.expected(choices(&names));
        if let Some(advice) = advice(name, &names) {
            added.help(advice);
        }
    }
    found
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
    let metric = Metric::find(&only.key, metrics)?;
    let range = if metric.is_share() { Bounds::UNIT } else { Bounds::ANY };
    let value = value(&only.value, metric.name(), Accepts::Float(range), diagnostics)?.as_float()?;
    Some(Target { metric, value })
}
