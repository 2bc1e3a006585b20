//! The file that tells a program what to train, at `$OPTBENCH_RUN`.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Number, Value as Json};

use crate::length::Length;
use crate::settings::{Settings, Value};

/// What a program is told.
#[derive(Debug, Clone, Serialize)]
pub struct RunFile {
    /// The name of the run.
    pub run: String,
    /// The task's label.
    pub task: String,
    /// The seed.
    pub seed: u64,
    /// Updates to do.
    pub steps: u64,
    /// Updates between two evaluations.
    pub eval_every: u64,
    /// The steps at which it is to be evaluated, rising, the last one at the end.
    pub evaluations: Vec<u64>,
    /// Updates in one pass over the data, where the config says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps_per_epoch: Option<u64>,
    /// The optimizer.
    pub optimizer: Chosen,
    /// The schedule.
    pub schedule: Chosen,
    /// The rate of every update, the first one first; `None` where the schedule listens or only the program knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rates: Option<Vec<f64>>,
    /// The momentum of every update, where the schedule moves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<Vec<f64>>,
    /// The folder for what the program keeps.
    pub out: PathBuf,
    /// Whether the program is to go on from what it kept there.
    pub resume: bool,
}

/// An optimizer or a schedule.
#[derive(Debug, Clone, Serialize)]
pub struct Chosen {
    /// The label.
    pub label: String,
    /// The kind.
    pub kind: String,
    /// The keys with their values; durations in steps.
    pub settings: Map<String, Json>,
}

impl Chosen {
    /// What settings say, under a label.
    pub fn new(label: &str, settings: &Settings) -> Self {
        Self { label: label.to_owned(), kind: settings.name().to_owned(), settings: entries(settings) }
    }
}

impl RunFile {
    /// The name of the file in the folder of a run.
    pub const NAME: &'static str = "run.json";
    /// The name of the folder in that one for what the program keeps.
    pub const OUT: &'static str = "out";

    /// The same for a run whose folder has moved.
    #[must_use]
    pub fn moved_to(self, folder: &Path) -> Self {
        Self { out: folder.join(Self::OUT), ..self }
    }

    /// The values of placeholders in the command of a run in a folder.
    pub fn placeholders(&self, folder: &Path) -> Vec<(String, String)> {
        let shown = |path: &Path| path.display().to_string();
        let mut values = vec![
            ("run".to_owned(), self.run.clone()),
            ("task".to_owned(), self.task.clone()),
            ("seed".to_owned(), self.seed.to_string()),
            ("steps".to_owned(), self.steps.to_string()),
            ("eval_every".to_owned(), self.eval_every.to_string()),
            ("run_file".to_owned(), shown(&folder.join(Self::NAME))),
            ("out".to_owned(), shown(&folder.join(Self::OUT))),
        ];
        for (part, chosen) in [("optimizer", &self.optimizer), ("schedule", &self.schedule)] {
            values.push((part.to_owned(), chosen.kind.clone()));
            values.push((format!("{part}.kind"), chosen.kind.clone()));
            values.push((format!("{part}.label"), chosen.label.clone()));
            values.extend(chosen.settings.iter().map(|(key, value)| (format!("{part}.{key}"), as_word(value))));
        }
        values
    }
}

fn as_word(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn entries(settings: &Settings) -> Map<String, Json> {
    settings.iter().map(|(key, value)| (key.to_owned(), json(value))).collect()
}

fn json(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Integer(n) => (*n).into(),
        Value::Float(x) => Number::from_f64(*x).map_or(Json::Null, Json::Number),
        Value::Text(text) => text.clone().into(),
        Value::Length(Length::Steps(steps)) => (*steps).into(),
        Value::Length(other) => other.to_string().into(),
        Value::List(values) => values.iter().map(json).collect(),
        Value::Table(entries) => {
            Json::Object(entries.iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
        Value::Nested(settings) => {
            let kind = ("kind".to_owned(), settings.name().into());
            Json::Object(std::iter::once(kind).chain(entries(settings)).collect())
        }
    }
}
