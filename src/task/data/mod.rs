//! Datasets: where they are found, how they are split, and how batches are cut from them.
//!
//! A dataset is one file with a [`Definition`], and one line in [`DATASETS`].

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::registry::About;
use crate::settings::Settings;

mod digits;
mod fashion_mnist;
mod idx;
pub mod images;
mod locate;

pub use images::Images;
pub use locate::Locator;

/// Every dataset that a config can name.
pub const DATASETS: &[Definition] = &[digits::DEFINITION, fashion_mnist::DEFINITION];

/// A dataset as it is registered.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Name, contents, keys and source.
    pub about: About,
    /// The licence and whom to credit.
    pub licence: &'static str,
    /// Reads it from the embedded bytes or from the files that the locator finds.
    pub load: fn(&Settings, &Locator) -> Result<Images>,
}

/// The dataset of that name.
pub fn find(name: &str) -> Option<&'static Definition> {
    DATASETS.iter().find(|definition| definition.about.name == name)
}

/// The shape of a dataset's examples, which a model is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Examples {
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
    /// How many classes there are to tell apart.
    pub classes: usize,
}

impl Examples {
    /// Numbers in one example.
    pub fn inputs(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The datasets of a process: each is read once, however many runs share it.
#[derive(Debug, Default)]
pub struct Library {
    locator: Locator,
    loaded: Mutex<HashMap<String, Arc<Images>>>,
}

impl Library {
    /// A library that looks for files in `data_dir` first.
    pub fn new(data_dir: Option<PathBuf>) -> Self {
        Self { locator: Locator::new(data_dir), loaded: Mutex::default() }
    }

    /// The dataset with these settings.
    ///
    /// # Errors
    /// When a file is missing or is not what it should be.
    pub fn load(&self, settings: &Settings) -> Result<Arc<Images>> {
        let key = format!("{settings:?}");
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(data) = loaded.get(&key) {
            return Ok(data.clone());
        }
        let definition =
            find(&settings.kind).ok_or_else(|| Error::Usage(format!("there is no dataset `{}`", settings.kind)))?;
        let data = Arc::new((definition.load)(settings, &self.locator)?);
        loaded.insert(key, data.clone());
        Ok(data)
    }

    /// The datasets read so far, by name, and the SHA-256 of their contents.
    pub fn digests(&self) -> BTreeMap<String, String> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.values().map(|data| (data.name().to_owned(), data.digest())).collect()
    }
}
