//! Datasets: where they are found, how they are split, and how batches are cut from them.
//!
//! A dataset is one file with a [`Definition`], and one line in [`DATASETS`].

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::registry::About;
use crate::settings::Settings;
use crate::task::Split;

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
    pub load: fn(&Settings, &Locator) -> Result<Dataset>,
}

/// The dataset of that name.
pub fn find(name: &str) -> Option<&'static Definition> {
    DATASETS.iter().find(|definition| definition.about.name == name)
}

/// A dataset in memory, shared by all runs of a process.
#[derive(Debug)]
pub enum Dataset {
    /// Labelled images.
    Images(Arc<Images>),
}

impl Dataset {
    /// The dataset as examples for a model with these keys.
    ///
    /// # Errors
    /// When the model does not learn from data of this kind.
    pub fn examples(&self, _model: &Settings) -> Result<Arc<dyn Examples>> {
        match self {
            Self::Images(images) => Ok(images.clone()),
        }
    }

    /// SHA-256 of the contents, in hexadecimal.
    pub fn digest(&self) -> String {
        match self {
            Self::Images(images) => images.digest(),
        }
    }
}

/// What a network sees of one example, and how many classes it tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// An image.
    Image {
        /// Channels, height and width.
        shape: [usize; 3],
        /// How many classes there are to tell apart.
        classes: usize,
    },
    /// A stretch of text.
    Tokens {
        /// How many tokens there are to tell apart.
        vocabulary: usize,
        /// Tokens in one example.
        length: usize,
    },
}

impl Input {
    /// Numbers in one example.
    pub fn len(&self) -> usize {
        match self {
            Self::Image { shape, .. } => shape.iter().product(),
            Self::Tokens { length, .. } => *length,
        }
    }

    /// Whether an example holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many classes or tokens there are to tell apart.
    pub fn classes(&self) -> usize {
        match self {
            Self::Image { classes, .. } => *classes,
            Self::Tokens { vocabulary, .. } => *vocabulary,
        }
    }
}

/// Examples that batches are cut from.
pub trait Examples: Send + Sync {
    /// What a network sees of one example.
    fn input(&self) -> Input;

    /// The positions of a split's examples.
    fn split(&self, split: Split) -> Range<usize>;

    /// Inputs `[n, ..]` and labels (u32) of the examples at these positions.
    ///
    /// # Errors
    /// When the device refuses.
    fn batch(&self, positions: &[usize], dtype: DType, device: &Device) -> Result<(Tensor, Tensor)>;
}

/// A dataset's name beside it.
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
        loaded.insert(key, (settings.kind.clone(), data.clone()));
        Ok(data)
    }

    /// The datasets read so far, by name, and the SHA-256 of their contents.
    pub fn digests(&self) -> BTreeMap<String, String> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.values().map(|(name, data)| (name.clone(), data.digest())).collect()
    }
}
