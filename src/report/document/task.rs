//! What is said of one task.

use serde::Serialize;

use crate::report::document::arm::Arm;
use crate::report::document::statistics::Ends;
use crate::report::document::table::Table;

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Task {
    /// Its label.
    pub task: String,
    /// The metric that ranks.
    pub metric: String,
    /// Which arms may be the best, in sentences.
    pub answer: String,
    /// The names of the arms that may be the best, the leader first.
    pub may_be_best: Vec<String>,
    /// The caveats as sentences.
    pub note: Option<String>,
    /// Why a verdict may be reached: `fixed`, `looks` or `anytime`.
    pub basis: String,
    /// At which planned look, counted from 1.
    pub look: Option<usize>,
    /// How many looks are planned.
    pub looks: Option<usize>,
    /// The level of the tests: intervals have confidence 1 - `level`.
    pub level: f64,
    /// The smallest lead that can be detected with 80% power, median over the arms.
    pub detectable: Option<f64>,
    /// Why the order on the reported scores is another.
    pub order_note: Option<String>,
    /// The loss that no model is expected to beat.
    pub loss_floor: Option<f64>,
    /// Every warning.
    pub warnings: Vec<String>,
    /// The anytime comparison, row by row.
    pub anytime: Vec<AtHorizon>,
    /// The arms, in order.
    pub ranks: Vec<Arm>,

    /// The first sentence of the answer.
    #[serde(skip)]
    pub first: String,
    /// The others.
    #[serde(skip)]
    pub rest: String,
    /// What the ranking is about, in one line.
    #[serde(skip)]
    pub subtitle: String,
    /// The warnings that weaken the answer, and so stand beside it.
    #[serde(skip)]
    pub caveats: Vec<String>,
    /// The other warnings.
    #[serde(skip)]
    pub others: Vec<String>,
    /// The anytime comparison in sentences.
    #[serde(skip)]
    pub anytime_said: Vec<String>,
    /// The ranking; without rows where nothing has run.
    #[serde(skip)]
    pub ranking: Table,
    /// Every other table that has rows.
    #[serde(skip)]
    pub tables: Vec<Table>,
    /// The charts, where they were drawn.
    #[serde(skip)]
    pub figures: Vec<Figure>,
}

/// One run of an arm without a stopping time beside the envelope of those tuned for each, at one horizon.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AtHorizon {
    /// The arm that has one run.
    pub one_run: String,
    /// The best of the arms that were trained to end there.
    pub envelope: String,
    /// The horizon, in updates.
    pub step: u64,
    /// The reported score of the one run, mean over seeds.
    pub one_run_mean: Option<f64>,
    /// That of the envelope.
    pub envelope_mean: Option<f64>,
    /// That of the one arm at the settings that are best as of then.
    pub retuned_mean: Option<f64>,
    /// How much better the one run is.
    pub lead: Option<f64>,
    /// The interval of the lead.
    pub interval: Option<Ends>,
    /// The seeds compared.
    pub n: Option<usize>,
    /// The p-value by Holm's method over the horizons of an arm.
    pub p_holm: Option<f64>,
    /// What the one run is beside the envelope: the words of `difference.verdict`.
    pub verdict: String,
}

/// A chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its name, which is that of its file.
    pub name: String,
    /// The drawing.
    pub svg: String,
}
