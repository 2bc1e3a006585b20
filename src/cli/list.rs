//! `optbench list`: everything that a config can name, explained from the registries.

use clap::{Args, ValueEnum};

use crate::cli::{Exit, print};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::optim::{self, OPTIMIZERS};
use crate::registry::{About, Fallback, Key, choices, nearest};
use crate::schedule::{self, SCHEDULES};
use crate::task::data::DATASETS;
use crate::task::model::MODELS;

/// List what a config can use: optimizers, schedules, models, datasets, metrics
#[derive(Args)]
pub(super) struct Arguments {
    /// List only this kind [default: all kinds]
    kind: Option<Kind>,
    /// Explain this entry: equations, keys, defaults, source
    name: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Optimizers,
    Schedules,
    Models,
    Datasets,
    Metrics,
}

/// A thing to be listed.
struct Listed {
    about: About,
    /// Its own keys and the common ones.
    keys: Vec<Key>,
    /// What else there is to say, with a heading each.
    more: Vec<(&'static str, &'static str)>,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Optimizers, Self::Schedules, Self::Models, Self::Datasets, Self::Metrics];

    fn name(self) -> &'static str {
        match self {
            Self::Optimizers => "optimizers",
            Self::Schedules => "schedules",
            Self::Models => "models",
            Self::Datasets => "datasets",
            Self::Metrics => "metrics",
        }
    }

    fn listed(self) -> Vec<Listed> {
        let plain = |about: About, more| Listed { keys: about.keys.to_vec(), about, more };
        match self {
            Self::Optimizers => OPTIMIZERS
                .iter()
                .map(|optimizer: &optim::Definition| Listed {
                    keys: optimizer.keys().copied().collect(),
                    more: vec![("memory", optimizer.memory)],
                    about: optimizer.about,
                })
                .collect(),
            Self::Schedules => SCHEDULES
                .iter()
                .map(|schedule: &schedule::Definition| Listed {
                    keys: schedule.keys().copied().collect(),
                    about: schedule.about,
                    more: vec![],
                })
                .collect(),
            Self::Models => MODELS
                .iter()
                .map(|model| Listed {
                    keys: model.about.keys.iter().copied().chain(model.task_keys()).collect(),
                    about: model.about,
                    more: vec![],
                })
                .collect(),
            Self::Datasets => {
                DATASETS.iter().map(|dataset| plain(dataset.about, vec![("licence", dataset.licence)])).collect()
            }
            Self::Metrics => Metric::ALL
                .iter()
                .map(|metric| {
                    let (name, summary) = (metric.name(), metric.summary());
                    plain(About { name, revision: 1, summary, equations: "", keys: &[], source: "" }, vec![])
                })
                .collect(),
        }
    }
}

pub(super) fn execute(arguments: &Arguments) -> Result<Exit> {
    let Some(kind) = arguments.kind else {
        let sections = Kind::ALL.map(|kind| format!("{}\n{}", kind.name(), overview(&kind.listed())));
        print(&sections.join("\n"))?;
        return Ok(Exit::Success);
    };
    let listed = kind.listed();
    let Some(name) = &arguments.name else {
        print(&overview(&listed))?;
        return Ok(Exit::Success);
    };
    let names: Vec<&str> = listed.iter().map(|item| item.about.name).collect();
    match listed.iter().find(|item| item.about.name == name) {
        Some(item) => print(&explain(item))?,
        None => {
            let help = nearest(name, names.iter().copied()).map(|near| format!("\n  help: did you mean `{near}`?"));
            let problem = format!("`{name}` is not one of the {}; expected {}", kind.name(), choices(&names));
            return Err(Error::Usage(problem + &help.unwrap_or_default()));
        }
    }
    Ok(Exit::Success)
}

fn overview(listed: &[Listed]) -> String {
    let width = listed.iter().map(|item| item.about.name.len()).max().unwrap_or(0);
    listed.iter().map(|item| format!("  {:width$}  {}\n", item.about.name, item.about.summary)).collect()
}

fn explain(item: &Listed) -> String {
    let about = &item.about;
    let mut text = format!("{}: {}\n", about.name, about.summary);
    if !about.equations.is_empty() {
        text += &format!("\n{}", about.equations.lines().map(|line| format!("  {line}\n")).collect::<String>());
    }
    if !item.keys.is_empty() {
        let defaults: Vec<String> = item.keys.iter().map(default).collect();
        let names = item.keys.iter().map(|key| key.name.len()).max().unwrap_or(0);
        let values = defaults.iter().map(String::len).max().unwrap_or(0);
        text += "\nkeys, with their defaults\n";
        for (key, default) in item.keys.iter().zip(&defaults) {
            text += &format!("  {:names$}  {default:values$}  {}; {}\n", key.name, key.help, key.accepts);
        }
    }
    for (heading, words) in &item.more {
        text += &format!("\n{heading}\n  {words}\n");
    }
    if about.revision > 1 {
        text += &format!("\nrevision\n  {}: its numbers changed since the first\n", about.revision);
    }
    if !about.source.is_empty() {
        text += &format!("\nsource\n  {}\n", about.source);
    }
    text
}

fn default(key: &Key) -> String {
    match key.default {
        Fallback::Required => "(required)".into(),
        Fallback::Absent => "-".into(),
        Fallback::Text(text) => format!("\"{text}\""),
        default => default.value().map(|value| value.to_string()).unwrap_or_default(),
    }
}
