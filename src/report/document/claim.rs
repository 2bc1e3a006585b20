//! Claims and what was found.

use serde::Serialize;

use crate::report::document::statistics::{Ends, Measured};
use crate::report::document::table::Table;

/// The claims of a config in a sentence and tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// What was found, in a sentence.
    pub headline: String,
    /// What is claimed, in words, with what was found.
    pub said: Table,
    /// The same task by task.
    pub parts: Table,
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Claim {
    /// Its name in the config.
    pub claim: String,
    /// What it says, in words.
    pub statement: String,
    /// `SUPPORTED`, `UNDECIDED` or `REFUTED`.
    pub finding: String,
    /// Why a verdict may be reached: `fixed`, `looks` or `anytime`.
    pub basis: String,
    /// At which planned look it was judged, counted from 1.
    pub look: Option<usize>,
    /// How many looks are planned.
    pub looks: Option<usize>,
    /// The level of its tests.
    pub level: f64,
    /// What was found task by task.
    pub parts: Vec<Part>,
}

/// A claim on one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Part {
    /// The task's label.
    pub task: String,
    /// What is compared.
    pub metric: String,
    /// The learning rate, where each is compared.
    pub lr: Option<f64>,
    /// The step, where it is not the last one.
    pub step: Option<u64>,
    /// `SUPPORTED`, `UNDECIDED` or `REFUTED`.
    pub finding: String,
    /// How much better the first arm is.
    pub lead: Option<f64>,
    /// The interval of the lead.
    pub interval: Option<Ends>,
    /// The lead that it takes.
    pub needed: f64,
    /// What is left of the lead beyond what it takes: it decides.
    pub excess: Option<Measured>,
    /// How many updates earlier the first arm reached the target.
    pub steps_saved: Option<Measured>,
    /// See the claim.
    pub basis: String,
    /// See the claim.
    pub look: Option<usize>,
    /// The level of the interval that is shown.
    pub level: f64,
    /// The seeds compared.
    pub n: Option<usize>,
    /// The smallest difference that can be detected with 80% power.
    pub detectable: Option<f64>,
    /// How many seeds of either side diverged.
    pub diverged: Option<Vec<usize>>,
    /// Why the interval does not decide.
    pub reason: Option<String>,
    /// What weakens the finding.
    pub note: Option<String>,
    /// What the rates around the best cost each side.
    pub costs: Option<[Option<f64>; 2]>,
    /// The rates around the best of each side, the lowest and the highest.
    pub windows: Option<[Ends; 2]>,
    /// How much of the interval the distance between the rates accounts for.
    pub allowance: Option<f64>,
}
