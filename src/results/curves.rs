//! Reads back the curves of a run.

use std::fs::File;
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::metric::Scores;
use crate::results::Store;

/// A row of `evals.csv`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EvaluationRow {
    /// Updates done.
    pub step: u64,
    /// Passes over the training set; `None` for functions.
    pub epoch: Option<f64>,
    /// `val` or `test`.
    pub split: String,
    loss: f64,
    accuracy: Option<f64>,
    perplexity: Option<f64>,
}

/// A row of `steps.csv`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StepRow {
    /// Updates done, this one included.
    pub step: u64,
    /// The learning rate of this update.
    pub lr: f64,
    /// The training loss where the gradient was taken.
    pub loss: f64,
}

impl EvaluationRow {
    /// What was measured.
    pub fn scores(&self) -> Scores {
        Scores { loss: self.loss, accuracy: self.accuracy, perplexity: self.perplexity }
    }
}

impl Store {
    /// The evaluations of a run in order; nothing where only its packed record is there.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn evaluations(&self, run: &str) -> Result<Vec<EvaluationRow>> {
        self.curve(run, "evals.csv")
    }

    /// The updates of a run in order; nothing where only its packed record is there.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn steps(&self, run: &str) -> Result<Vec<StepRow>> {
        self.curve(run, "steps.csv")
    }

    fn curve<T: for<'a> Deserialize<'a>>(&self, run: &str, file: &str) -> Result<Vec<T>> {
        let folder = self.run(run);
        if folder.exists() { rows(&folder.join(file)) } else { Ok(Vec::new()) }
    }
}

/// Reads every row of a CSV file.
pub(super) fn rows<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Vec<T>> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let rows = csv::Reader::from_reader(file).into_deserialize();
    rows.map(|row| row.map_err(|error| Error::damaged(path, &error))).collect()
}

/// Reads every row of a CSV file that not every run has.
pub(super) fn rows_if_any<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Vec<T>> {
    match rows(path) {
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        rows => rows,
    }
}
