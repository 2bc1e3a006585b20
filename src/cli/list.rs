//! `optbench list`: everything that a config can name, explained from the catalog.

use clap::{Args, ValueEnum};

use crate::catalog::Catalog;
use crate::cli::{Exit, print};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::optim::groups;
use crate::registry::{About, Described, Fallback, Key, Kinds, choices, nearest};

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
    /// Those of a group of parameters, where it has such.
    group: Vec<Key>,
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

    fn listed(self, catalog: &Catalog) -> Vec<Listed> {
        match self {
            Self::Optimizers => all(&catalog.optimizers, |own| Listed {
                group: groups::KEYS.map(|key| *key).into(),
                more: std::iter::once(("memory", own.memory))
                    .chain(own.asks.iter().map(|ask| ("needs beside the gradient", ask.words())))
                    .collect(),
                ..Listed::of(own)
            }),
            Self::Schedules => all(&catalog.schedules, Listed::of),
            Self::Models => all(&catalog.models, |own| Listed {
                keys: own.keys().copied().chain(own.task_keys()).collect(),
                ..Listed::of(own)
            }),
            Self::Datasets => {
                all(&catalog.datasets, |own| Listed { more: vec![("licence", own.licence)], ..Listed::of(own) })
            }
            Self::Metrics => {
                let of = |metric: &Metric| {
                    let about = About {
                        name: metric.name(),
                        revision: 1,
                        summary: metric.summary(),
                        equations: "",
                        keys: &[],
                        source: "",
                    };
                    Listed { about, keys: Vec::new(), group: Vec::new(), more: Vec::new() }
                };
                Metric::KNOWN.iter().map(of).collect()
            }
        }
    }
}

fn all<D: Described>(kinds: &Kinds<D>, listed: impl Fn(&D) -> Listed) -> Vec<Listed> {
    kinds.iter().map(listed).collect()
}

impl Listed {
    fn of<D: Described>(definition: &D) -> Self {
        Self {
            about: *definition.about(),
            keys: definition.keys().copied().collect(),
            group: Vec::new(),
            more: Vec::new(),
        }
    }
}

pub(super) fn execute(catalog: &Catalog, arguments: &Arguments) -> Result<Exit> {
    let Some(kind) = arguments.kind else {
        let sections = Kind::ALL.map(|kind| format!("{}\n{}", kind.name(), overview(&kind.listed(catalog))));
        print(&sections.join("\n"))?;
        return Ok(Exit::Success);
    };
    let listed = kind.listed(catalog);
    let Some(name) = &arguments.name else {
        print(&overview(&listed))?;
        return Ok(Exit::Success);
    };
    let Some(item) = listed.iter().find(|item| item.about.name == name) else {
        let names: Vec<&str> = listed.iter().map(|item| item.about.name).collect();
        let help = nearest(name, names.iter().copied()).map(|near| format!("\n  help: did you mean `{near}`?"));
        let problem = format!("`{name}` is not one of the {}; expected {}", kind.name(), choices(&names));
        return Err(Error::Usage(problem + &help.unwrap_or_default()));
    };
    print(&explain(item))?;
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
    text += &rows("keys, with their defaults", &item.keys);
    text +=
        &rows("keys of [[optimizers.NAME.groups]], of which the first that matches a parameter counts", &item.group);
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

/// The keys under a heading; nothing where there are none.
fn rows(heading: &str, keys: &[Key]) -> String {
    let defaults: Vec<String> = keys.iter().map(default).collect();
    let names = keys.iter().map(|key| key.name.len()).max().unwrap_or(0);
    let values = defaults.iter().map(String::len).max().unwrap_or(0);
    let row = |(key, default): (&Key, &String)| {
        format!("  {:names$}  {default:values$}  {}; {}\n", key.name, key.help, key.accepts)
    };
    let rows: String = keys.iter().zip(&defaults).map(row).collect();
    if rows.is_empty() { rows } else { format!("\n{heading}\n{rows}") }
}

fn default(key: &Key) -> String {
    match key.default {
        Fallback::Required => "(required)".into(),
        Fallback::Absent => "-".into(),
        Fallback::Text(text) => format!("\"{text}\""),
        default => default.value().map(|value| value.to_string()).unwrap_or_default(),
    }
}
