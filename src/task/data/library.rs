//! The datasets of a process.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::task::data::{Dataset, Locator, Source, find};

/// A dataset beside its name, with the path that a user gave.
type Loaded = (String, Arc<Dataset>);

/// The datasets of a process: each is read once, however many runs share it.
#[derive(Debug, Default)]
pub struct Library {
    locator: Locator,
    loaded: Mutex<HashMap<String, Loaded>>,
}

impl Library {
    /// A library that looks for files in `data_dir` first.
    pub fn new(data_dir: Option<PathBuf>) -> Self {
        Self { locator: Locator::new(data_dir), loaded: Mutex::default() }
    }

    /// The same library, fetching files that are found nowhere.
    #[must_use]
    pub fn with_source(mut self, source: Arc<dyn Source>) -> Self {
        self.locator = self.locator.with_source(source);
        self
    }

    /// Where it looks for files.
    pub fn locator(&self) -> &Locator {
        &self.locator
    }

    /// The dataset with these settings.
    ///
    /// # Errors
    /// When a file is missing or is not what it should be.
    pub fn load(&self, settings: &Settings) -> Result<Arc<Dataset>> {
        let key = format!("{settings:?}");
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, data)) = loaded.get(&key) {
            return Ok(data.clone());
        }
        let definition =
            find(&settings.kind).ok_or_else(|| Error::Usage(format!("there is no dataset `{}`", settings.kind)))?;
        let data = Arc::new((definition.load)(settings, &self.locator)?);
        let name = match settings.get("path") {
            Some(path) => format!("{} {path}", settings.kind),
            None => settings.kind.clone(),
        };
        loaded.insert(key, (name, data.clone()));
        Ok(data)
    }

    /// The datasets read so far, by name, and the SHA-256 of their contents.
    pub fn digests(&self) -> BTreeMap<String, String> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.values().map(|(name, data)| (name.clone(), data.digest())).collect()
    }
}
