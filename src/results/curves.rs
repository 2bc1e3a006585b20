//! Reads back the curves of a run.

use std::fs::File;
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::metric::{Metric, Scores};
use crate::results::Store;

/// The columns of `evals.csv` before the scores.
pub(super) const EVALUATED: [&str; 3] = ["step", "epoch", "split"];

/// What stands in these.
#[derive(Deserialize)]
struct Evaluated {
    step: u64,
    epoch: Option<f64>,
    split: String,
}

/// A row of `evals.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationRow {
    /// Updates done.
    pub step: u64,
    /// Passes over the training set; `None` for functions.
    pub epoch: Option<f64>,
    /// `val` or `test`.
    pub split: String,
    /// What was measured.
    pub scores: Scores,
}

/// A row of `steps.csv`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StepRow {
    /// Updates done, this one included.
    pub step: u64,
    /// The learning rate of this update, where it is known.
    pub lr: Option<f64>,
    /// The training loss where the gradient was taken.
    pub loss: f64,
}

impl Store {
    /// The evaluations of a run in order; nothing where only its packed record is there.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn evaluations(&self, run: &str) -> Result<Vec<EvaluationRow>> {
        self.curve(run, "evals.csv", evaluations)
    }

    /// The updates of a run in order; nothing where only its packed record is there.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn steps(&self, run: &str) -> Result<Vec<StepRow>> {
        self.curve(run, "steps.csv", rows)
    }

    fn curve<T>(&self, run: &str, file: &str, read: impl Fn(&Path) -> Result<Vec<T>>) -> Result<Vec<T>> {
        let folder = self.run(run);
        if folder.exists() { read(&folder.join(file)) } else { Ok(Vec::new()) }
    }
}

/// Reads `evals.csv`: every column behind those of [`EVALUATED`] is a metric, and an empty cell is no score.
pub(super) fn evaluations(path: &Path) -> Result<Vec<EvaluationRow>> {
    let damaged = |error: csv::Error| Error::damaged(path, &error);
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut reader = csv::Reader::from_reader(file);
    let headers = reader.headers().map_err(damaged)?.clone();
    let is_metric = |(_, name): &(usize, &str)| !EVALUATED.contains(name);
    let metrics: Vec<(usize, Metric)> =
        headers.iter().enumerate().filter(is_metric).map(|(column, name)| (column, Metric::named(name))).collect();
    let mut rows = Vec::new();
    for row in reader.into_records() {
        let row = row.map_err(damaged)?;
        let Evaluated { step, epoch, split } = row.deserialize(Some(&headers)).map_err(damaged)?;
        let mut scores = Scores::default();
        for (column, metric) in &metrics {
            match row.get(*column).unwrap_or_default() {
                "" => {}
                cell => match cell.parse() {
                    Ok(score) => scores.set(*metric, score),
                    Err(_) => return Err(Error::damaged(path, &format!("`{cell}` at step {step} is not a score"))),
                },
            }
        }
        rows.push(EvaluationRow { step, epoch, split, scores });
    }
    Ok(rows)
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
