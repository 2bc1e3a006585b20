//! What decides a run's numbers beside its settings. It is kept with every record, so that results can be told apart
//! later, when the data or the build that made them may be gone.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::results::Store;
use crate::results::checkpoint::CHECKPOINT;
use crate::results::store::text;
use crate::settings::{Settings, Value};

/// The file of a run that is under way: what it was started as.
pub(super) const STARTED: &str = "identity.toml";

/// The conditions of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The kind of device: `cpu` or `cuda`.
    pub device: String,
    /// The data; `None` for functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The revision of every kind that took part, as `optimizer adamw`.
    #[serde(default)]
    pub revisions: BTreeMap<String, u32>,
}

/// The data that a run was trained on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Data {
    /// The kind of dataset.
    pub dataset: String,
    /// The file or folder of the user's own, as the config names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// SHA-256 of the contents, in hexadecimal.
    pub sha256: String,
}

impl Data {
    /// The contents of a dataset with these settings.
    pub fn of(settings: &Settings, sha256: String) -> Self {
        let path = match settings.get("path") {
            Some(Value::Text(path)) => Some(path.clone()),
            _ => None,
        };
        Self { dataset: settings.name().to_owned(), path, sha256 }
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "`{path}` (dataset `{}`)", self.dataset),
            None => write!(f, "dataset `{}`", self.dataset),
        }
    }
}

/// What a run was started as, beside the files of the run while it is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The hash of everything that decides the run's numbers.
    pub fingerprint: String,
    /// The task's label.
    pub task: String,
    /// The conditions.
    pub identity: Identity,
}

impl Store {
    /// What the runs were started as that are under way or that an interruption left; with `checkpoint`, those alone
    /// that have something to go on from.
    ///
    /// One that cannot be read is passed over: a checkpoint is taken only where its fingerprint is the run's.
    pub fn started(&self, checkpoint: bool) -> Vec<Started> {
        let folders = self.under_way().into_iter().filter(|folder| !checkpoint || folder.join(CHECKPOINT).is_file());
        folders.filter_map(|folder| toml::from_str(&text(&folder.join(STARTED)).ok()??).ok()).collect()
    }
}
