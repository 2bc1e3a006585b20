//! The way of a point over a function of two numbers.

use serde::Deserialize;

use crate::error::Result;
use crate::results::{Store, curves};

/// The file of a run.
pub(super) const FILE: &str = "path.csv";
pub(super) const HEADER: &str = "step,x,y";

/// A row of `path.csv`: the weights that an evaluation after so many updates would be of.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct PathRow {
    /// Updates done; 0 is the start.
    pub step: u64,
    /// The first coordinate.
    pub x: f64,
    /// The second coordinate.
    pub y: f64,
}

impl Store {
    /// The way of a run; nothing where its task is no function of two numbers.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn path(&self, run: &str) -> Result<Vec<PathRow>> {
        curves::rows_if_any(&self.run(run).join(FILE))
    }
}
