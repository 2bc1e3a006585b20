//! Datasets: where they are found, how they are split, and how batches are cut from them.
//!
//! A dataset is one file with a [`Definition`], and one line in [`DATASETS`].

use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::registry::{About, Described};
use crate::settings::{Settings, Sort};
use crate::task::Split;

mod arrangement;
mod augment;
mod byte_pairs;
mod cifar10;
pub(crate) mod csv;
mod digits;
#[cfg(feature = "cli")]
pub mod download;
mod fashion_mnist;
#[cfg(feature = "cli")]
mod fetch;
mod files;
mod idx;
mod idx_folder;
pub mod images;
mod kjv;
mod library;
mod locate;
mod markov;
mod mnist;
#[doc(hidden)]
pub mod parsers;
mod plain_text;
mod raw;
pub mod text;
mod tiny_shakespeare;
mod vocabulary;

pub use csv::Table;
#[cfg(feature = "cli")]
pub use download::Downloader;
pub use files::{DataFile, Files, Origin};
pub use images::Images;
pub use library::Library;
pub use locate::{Locator, Source};
pub use raw::Raw;
pub use text::Text;

/// Every dataset that a config can name.
pub const DATASETS: &[Definition] = &[
    digits::DEFINITION,
    mnist::DEFINITION,
    fashion_mnist::DEFINITION,
    cifar10::DEFINITION,
    idx_folder::DEFINITION,
    markov::DEFINITION,
    tiny_shakespeare::DEFINITION,
    kjv::DEFINITION,
    plain_text::DEFINITION,
    csv::DEFINITION,
];

/// A dataset as it is registered.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Name, contents, keys and source.
    pub about: About,
    /// The licence and whom to credit.
    pub licence: &'static str,
    /// What its examples are, and so which models learn from it.
    pub contents: Contents,
    /// Where its contents come from.
    pub origin: Origin,
    /// Reads it from the embedded bytes or from the files that the locator finds.
    pub load: fn(&Settings, &Locator) -> Result<Dataset>,
}

impl Described for Definition {
    const SORT: Sort = Sort::Dataset;

    fn about(&self) -> &About {
        &self.about
    }
}

/// What the examples of a dataset are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// Labelled images.
    Images,
    /// Running text.
    Text,
    /// Rows of a table, each with a label.
    Table,
}

impl Contents {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Text => "text",
            Self::Table => "tables",
        }
    }

    /// The dataset that a `path` alone stands for.
    pub fn of_path(self) -> &'static Definition {
        match self {
            Self::Images => &idx_folder::DEFINITION,
            Self::Text => &plain_text::DEFINITION,
            Self::Table => &csv::DEFINITION,
        }
    }
}

/// What a dataset is called for people: its kind, and the path that a user gave.
pub fn title(settings: &Settings) -> String {
    match settings.get("path") {
        Some(path) => format!("{} {path}", settings.name()),
        None => settings.name().to_owned(),
    }
}

/// A dataset in memory, shared by all runs of a process.
#[derive(Debug)]
pub enum Dataset {
    /// Labelled images.
    Images(Arc<Images>),
    /// Running text, which models cut into windows.
    Text(Text),
    /// A table, whose rows are examples.
    Table(Arc<Table>),
}

impl Dataset {
    /// The dataset as examples for a model with these keys.
    ///
    /// A model that learns from text has the key `seq_len`, and may have `level`, `vocab_size` and
    /// `stateful`: see [`text::View`].
    ///
    /// # Errors
    /// When the model does not learn from data of this kind, or the text is too short for it.
    pub fn examples(&self, model: &Settings) -> Result<Arc<dyn Examples>> {
        let view = text::View::of(model);
        match (self, view) {
            (Self::Images(images), None) => Ok(images.clone()),
            (Self::Text(text), Some(view)) => Ok(Arc::new(text.windows(&view)?)),
            (Self::Table(table), None) => Ok(table.clone()),
            (Self::Table(_), Some(_)) => Err(mismatch(model, Contents::Text, Contents::Table)),
            (Self::Images(_), Some(_)) => Err(mismatch(model, Contents::Text, Contents::Images)),
            (Self::Text(_), None) => Err(mismatch(model, Contents::Images, Contents::Text)),
        }
    }

    /// SHA-256 of the contents, in hexadecimal.
    pub fn digest(&self) -> String {
        match self {
            Self::Images(images) => images.digest(),
            Self::Text(text) => text.digest(),
            Self::Table(table) => table.digest(),
        }
    }
}

fn mismatch(model: &Settings, learns: Contents, found: Contents) -> Error {
    let kind = model.name();
    Error::Usage(format!("model `{kind}` learns from {}, but the dataset is {}", learns.name(), found.name()))
}

/// What a network sees of one example, and how many classes it tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// An image, which has one label.
    Image {
        /// Channels, height and width.
        shape: [usize; 3],
        /// How many classes there are to tell apart.
        classes: usize,
    },
    /// A window of text, where every token is followed by another.
    Tokens {
        /// How many different tokens there are.
        vocabulary: usize,
        /// Tokens in a window.
        length: usize,
    },
    /// A row of a table.
    Row {
        /// Numbers in a row.
        columns: usize,
        /// How many classes there are to tell apart; `None` where a number is predicted.
        classes: Option<usize>,
    },
}

impl Input {
    /// Numbers or tokens in one example.
    pub fn len(&self) -> usize {
        match *self {
            Self::Image { shape, .. } => shape.iter().product(),
            Self::Tokens { length, .. } => length,
            Self::Row { columns, .. } => columns,
        }
    }

    /// Whether an example holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many answers a network chooses from; 1 where it predicts a number.
    pub fn classes(&self) -> usize {
        match *self {
            Self::Image { classes, .. } => classes,
            Self::Tokens { vocabulary, .. } => vocabulary,
            Self::Row { classes, .. } => classes.unwrap_or(1),
        }
    }

    /// What kind of example it is.
    pub fn contents(&self) -> Contents {
        match self {
            Self::Image { .. } => Contents::Images,
            Self::Tokens { .. } => Contents::Text,
            Self::Row { .. } => Contents::Table,
        }
    }

    /// Whether a number is predicted, and not a class.
    pub fn is_regression(&self) -> bool {
        matches!(self, Self::Row { classes: None, .. })
    }
}

/// What the random variations of a batch depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// What the batch is for: each purpose has a stream of its own.
    pub purpose: &'static str,
    /// The seed of the run.
    pub seed: u64,
    /// Updates done before the batch.
    pub step: u64,
}

/// Examples that batches are cut from.
pub trait Examples: Send + Sync {
    /// What a network sees of one example.
    fn input(&self) -> Input;

    /// The positions of a split's examples.
    fn split(&self, split: Split) -> Range<usize>;

    /// Inputs and labels (u32) of the examples at these positions: images `[n, channels, height,
    /// width]` and `[n]`, tokens (u32) `[n, length]` and the token after each, `[n * length]`, or rows `[n, columns]`
    /// and `[n]`, where a label that is a number has the number type of the rows.
    ///
    /// # Errors
    /// When the device refuses.
    fn batch(&self, positions: &[usize], dtype: DType, device: &Device) -> Result<(Tensor, Tensor)>;

    /// A batch to train on: like [`Examples::batch`], but varied at random where the dataset is
    /// asked to, by the seed and the step alone.
    ///
    /// # Errors
    /// When the device refuses.
    fn training_batch(
        &self,
        positions: &[usize],
        _draw: Draw,
        dtype: DType,
        device: &Device,
    ) -> Result<(Tensor, Tensor)> {
        self.batch(positions, dtype, device)
    }

    /// The bytes of text that a split's labels stand for; `None` where they do not stand for all of it.
    fn label_bytes(&self, _split: Split) -> Option<u64> {
        None
    }

    /// What 1 of a predicted number is in the units of the label.
    fn unit(&self) -> f64 {
        1.0
    }

    /// The mean loss in nats below which no model comes but by luck, where it is known.
    fn floor(&self) -> Option<f64> {
        None
    }
}
