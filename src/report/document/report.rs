//! A report.

use serde::Serialize;

use crate::report::document::claim::{Claim, Claims};
use crate::report::document::statistics::Ends;
use crate::report::document::table::Table;
use crate::report::document::task::{Figure, Task};

/// What `optbench report --format json` prints: the answers of an experiment and the numbers behind them. What does not
/// apply or is not known is `null`; scores of accuracies are fractions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// Raised when a field changes its meaning or is removed; fields may be added at any time.
    pub schema_version: u32,
    /// The experiment's name.
    pub experiment: String,
    /// The answers of all tasks, and that over tasks.
    pub answer: String,
    /// Mean ratios over tasks; `null` without two tasks and two arms that have them.
    pub over_tasks: Option<OverTasks>,
    /// Performance profiles, where two tasks or more have targets that were reached.
    pub performance: Option<Vec<Performance>>,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// The claims of the config and what was found, as `optbench check --format json` has them.
    pub claims: Vec<Claim>,
    /// How many seeds the verdicts come from, where that is not a number planned in advance.
    pub seeds_note: Vec<String>,

    /// The answer over tasks.
    #[serde(skip)]
    pub closing: Option<String>,
    /// The tables over tasks.
    #[serde(skip)]
    pub tables: Vec<Table>,
    /// The claims in tables; `None` where there are none.
    #[serde(skip)]
    pub claimed: Option<Claims>,
    /// One row an optimizer and schedule of every task, with numbers that read back exactly.
    #[serde(skip)]
    pub arms: Table,
    /// The charts over tasks, where they were drawn.
    #[serde(skip)]
    pub figures: Vec<Figure>,
    /// How it was made.
    #[serde(skip)]
    pub provenance: Provenance,
}

/// Arms over several tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverTasks {
    /// The tasks.
    pub tasks: Vec<String>,
    /// The tasks that are left out: there is no ratio of some scores there.
    pub left_out: Vec<String>,
    /// Whether the means are tested.
    pub tested: bool,
    /// The arms, the best on validation first.
    pub arms: Vec<OverArm>,
}

/// One arm over several tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverArm {
    /// Its name.
    pub arm: String,
    /// Its error, loss or perplexity over that of the first arm, the mean of its logarithm; `null` for the first arm.
    pub ratio: Option<f64>,
    /// The interval of the ratio.
    pub interval: Option<Ends>,
    /// The two-sided p-value by Holm's method over the arms.
    pub p_holm: Option<f64>,
}

/// The area under the performance profile of an arm (`AlgoPerf`).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Performance {
    /// Its name.
    pub arm: String,
    /// By seconds of training to the target.
    pub score_by_seconds: f64,
    /// By updates to the target.
    pub score_by_steps: f64,
}

/// How a report was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// The number of runs behind it.
    pub runs: usize,
    /// Whether there is more of the runs than their records.
    pub curves: bool,
    /// `provenance.json`, where it is there.
    pub text: Option<String>,
    /// The config, with every default written out.
    pub config: String,
}
