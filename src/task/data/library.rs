//! The datasets of a process.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::Result;
use crate::settings::Settings;
use crate::task::data::{Dataset, Definition, Locator, Source, title};

/// A dataset with what it was asked for by.
#[derive(Debug)]
struct Loaded {
    settings: Settings,
    data: Arc<Dataset>,
    /// Made when it is first asked for: a large dataset takes a moment.
    digest: OnceLock<String>,
}

impl Loaded {
    fn digest(&self) -> String {
        self.digest.get_or_init(|| self.data.digest()).clone()
    }
}

/// The datasets of a process: each is read once, however many runs share it.
#[derive(Debug, Default)]
pub struct Library {
    locator: Locator,
    loaded: Mutex<HashMap<String, Arc<Loaded>>>,
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
        Ok(self.loaded(settings)?.data.clone())
    }

    /// The SHA-256 of the contents of the dataset with these settings, in hexadecimal.
    ///
    /// # Errors
    /// See [`Library::load`].
    pub fn digest(&self, settings: &Settings) -> Result<String> {
        Ok(self.loaded(settings)?.digest())
    }

    fn loaded(&self, settings: &Settings) -> Result<Arc<Loaded>> {
        let key = format!("{settings:?}");
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = loaded.get(&key) {
            return Ok(known.clone());
        }
        let data = Arc::new((settings.definition::<Definition>().load)(settings, &self.locator)?);
        let new = Arc::new(Loaded { settings: settings.clone(), data, digest: OnceLock::new() });
        loaded.insert(key, new.clone());
        Ok(new)
    }

    /// The datasets read so far, by their titles, and the SHA-256 of their contents.
    pub fn digests(&self) -> BTreeMap<String, String> {
        let loaded: Vec<_> = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        loaded.iter().map(|one| (title(&one.settings), one.digest())).collect()
    }
}
