//! The resolved config: everything that the runs used, as a config that can be read again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use candle_core::DType;
use toml::{Table, Value as Toml};

use crate::choice::Choice;
use crate::config::{Around, Bar, Claim, Entrant, Experiment, Grid, groups, seeds};
use crate::length::Length;
use crate::margin::Margin;
use crate::settings::{Settings, Value};
use crate::task::Spec;

impl Experiment {
    /// The config with every default written out.
    pub fn to_toml(&self) -> String {
        let mut table = self.training();
        // What decides no result is no part of what is compared.
        for task in &self.tasks {
            let own = table.get_mut("tasks").and_then(|tasks| tasks.get_mut(&task.label)).and_then(Toml::as_table_mut);
            let watched = task.model.iter().filter(|(key, _)| is_watching(task, key));
            if let Some(own) = own {
                own.extend(watched.map(|(key, value)| (key.to_owned(), of_value(value))));
            }
        }
        if let Some(every) = self.checkpoint_every {
            table.insert("checkpoint_every".into(), of_value(&Value::Length(every)));
        }
        let claims: Table = self.claims.iter().map(|claim| (claim.label.clone(), of_claim(claim))).collect();
        if !claims.is_empty() {
            table.insert("claims".into(), claims.into());
        }
        render(&table)
    }

    /// What another config trains otherwise than this one, key by key.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let (mut old, mut new) = (flat(&self.training()), flat(&other.training()));
        let keys: BTreeSet<Vec<String>> = old.keys().chain(new.keys()).cloned().collect();
        let of = |key: Vec<String>| Difference { was: old.remove(&key), is: new.remove(&key), key };
        keys.into_iter().map(of).filter(|difference| difference.was != difference.is).collect()
    }

    fn training(&self) -> Table {
        let mut table = Table::new();
        table.insert("name".into(), self.name.clone().into());
        table.insert("seeds".into(), seeds::to_toml(&self.seeds, &self.seed_looks));
        if !self.judge_seeds.is_empty() {
            table.insert("judge_seeds".into(), seeds::to_toml(&self.judge_seeds, &self.judge_looks));
        }
        match self.length {
            Length::Epochs(epochs) => table.insert("epochs".into(), epochs.into()),
            length => table.insert("steps".into(), of_value(&Value::Length(length))),
        };
        table.insert("eval_every".into(), of_value(&Value::Length(self.eval_every)));
        if self.probes_gradients {
            table.insert("probe".into(), Toml::Array(vec!["gradients".into()]));
        }
        let tasks: Table = self.tasks.iter().map(|task| (task.label.clone(), of_task(task).into())).collect();
        let optimizers: Table = self
            .optimizers
            .iter()
            .map(|Entrant { grid, schedules, tasks }| {
                let mut table = of_grid(grid);
                table.insert("schedules".into(), schedules.clone().into());
                if tasks.len() < self.tasks.len() {
                    table.insert("tasks".into(), tasks.clone().into());
                }
                (grid.label.clone(), table.into())
            })
            .collect();
        let schedules: Table = self.schedules.iter().map(|grid| (grid.label.clone(), of_grid(grid).into())).collect();
        table.insert("tasks".into(), tasks.into());
        table.insert("optimizers".into(), optimizers.into());
        table.insert("schedules".into(), schedules.into());
        if let Some(tuning) = self.tuning {
            let mut own = Table::from_iter([("budget".to_owned(), Toml::Integer(tuning.budget as i64))]);
            own.insert("finalists".into(), Toml::Integer(tuning.finalists as i64));
            if let Some(halving) = tuning.halving {
                let from = of_value(&Value::Length(Length::Percent(halving.from)));
                let keys = [("factor".to_owned(), Toml::Integer(halving.factor as i64)), ("from".to_owned(), from)];
                own.insert("halving".into(), Table::from_iter(keys).into());
            }
            table.insert("tuning".into(), own.into());
        }
        if let Some(anytime) = &self.anytime {
            let horizons = anytime.horizons.iter().map(|horizon| of_value(&Value::Length(*horizon)));
            let horizons = ("horizons".to_owned(), Toml::Array(horizons.collect()));
            table.insert("anytime".into(), Table::from_iter([horizons]).into());
        }
        table
    }
}

/// Every value under its dotted key.
/// A key that two configs do not train alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key with the tables that it stands in, such as `tasks`, `digits`, `batch_size`.
    pub key: Vec<String>,
    /// The value of the one; `None` where it has none.
    pub was: Option<String>,
    /// The value of the other.
    pub is: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [was, is] = [&self.was, &self.is].map(|value| value.as_deref().unwrap_or("absent"));
        write!(f, "{}: was {was}, is {is}", self.key.join("."))
    }
}

/// The values of all tables within each other, by their keys.
fn flat(table: &Table) -> BTreeMap<Vec<String>, String> {
    let mut all = BTreeMap::new();
    for (key, value) in table {
        match value {
            Toml::Table(inner) => {
                let under = |inner: Vec<String>| std::iter::once(key.clone()).chain(inner).collect();
                all.extend(flat(inner).into_iter().map(|(inner, value)| (under(inner), value)));
            }
            value => drop(all.insert(vec![key.clone()], value.to_string())),
        }
    }
    all
}

fn render(table: &Table) -> String {
    toml::to_string(table).expect("a table of plain values is valid TOML")
}

fn of_value(value: &Value) -> Toml {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Integer(n) => (*n).into(),
        Value::Float(x) => (*x).into(),
        Value::Text(text) => text.clone().into(),
        Value::Length(Length::Steps(steps)) => Toml::Integer(*steps as i64),
        Value::Length(length) => length.to_string().into(),
        Value::List(values) => Toml::Array(values.iter().map(of_value).collect()),
        Value::Table(entries) => {
            Toml::Table(entries.iter().map(|(name, value)| (name.clone(), of_value(value))).collect())
        }
        Value::Nested(settings) => of_settings("kind", settings).into(),
    }
}

fn of_settings(kind_key: &str, settings: &Settings) -> Table {
    let kind = (kind_key.to_owned(), settings.name().into());
    std::iter::once(kind).chain(settings.iter().map(|(key, value)| (key.to_owned(), of_value(value)))).collect()
}

fn of_grid(grid: &Grid) -> Table {
    let axes = grid.axes.iter().map(|(key, values)| {
        let value = match &values[..] {
            // Else it would be read as an axis.
            [value @ Value::List(_)] if grid.kind.takes_anything(key) => Toml::Array(vec![of_value(value)]),
            [value] => of_value(value),
            values => {
                let list = Toml::Array(values.iter().map(of_value).collect());
                if grid.joint.contains(key) { Table::from_iter([("joint".to_owned(), list)]).into() } else { list }
            }
        };
        (key.clone(), value)
    });
    groups::nested(std::iter::once(("kind".to_owned(), grid.kind.name().into())).chain(axes).collect())
}

/// Whether a key of a task's model only says how its runs are watched or judged.
fn is_watching(task: &Spec, key: &str) -> bool {
    !task.model.kind().decides(key)
}

fn of_task(task: &Spec) -> Table {
    let mut table = of_settings("model", &task.model);
    if let Some(dataset) = &task.dataset {
        table.extend(of_settings("dataset", dataset));
        table.insert("batch_size".into(), Toml::Integer(task.batch_size as i64));
    }
    if task.is_trained_here() {
        table.insert("dtype".into(), if task.dtype == DType::F64 { "f64" } else { "f32" }.into());
    }
    table.retain(|key, _| !is_watching(task, key));
    table.insert("metric".into(), task.metric.name().into());
    if let Some(target) = task.target {
        let target: Table = [(target.metric.name().to_owned(), target.value.into())].into_iter().collect();
        table.insert("target".into(), target.into());
    }
    table
}

fn of_claim(claim: &Claim) -> Toml {
    let mut table = Table::new();
    if let Some(reaches) = claim.reaches {
        table.insert("arm".into(), claim.better.to_string().into());
        let score: Table = [(reaches.score.metric.name().to_owned(), reaches.score.value.into())].into_iter().collect();
        table.insert("reaches".into(), score.into());
        table.insert("within".into(), reaches.within.to_string().into());
        if let Some(task) = &claim.task {
            table.insert("task".into(), task.clone().into());
        }
        return table.into();
    }
    table.insert("better".into(), claim.better.to_string().into());
    table.insert("than".into(), claim.than.to_string().into());
    let key = match claim.bar {
        Bar::Margin(_) => "margin",
        Bar::By(_) => "by",
    };
    let size: Toml = match claim.bar.size() {
        // A number, so that it reads back exactly, and as older versions wrote it.
        Margin::Share(share) => share.into(),
        Margin::Absolute(size) => Table::from_iter([("absolute".to_owned(), size.into())]).into(),
        size => size.to_string().into(),
    };
    table.insert(key.into(), size);
    if let Some(task) = &claim.task {
        table.insert("task".into(), task.clone().into());
    }
    if let Some(metric) = claim.metric {
        table.insert("metric".into(), metric.name().into());
    }
    table.insert("at".into(), claim.at.word().into());
    match claim.around {
        Some(Around::Width(width)) => _ = table.insert("width".into(), width.into()),
        Some(Around::Lopsided(low, high)) => _ = table.insert("lr".into(), vec![low, high].into()),
        None => {}
    }
    table.into()
}
