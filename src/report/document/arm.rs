//! An arm of a ranking, as scripts read it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::report::document::statistics::{Ends, Estimate, Statistics};

/// An optimizer under a schedule, at the settings that validation chose.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Arm {
    /// The optimizer's label.
    pub optimizer: String,
    /// The schedule's label.
    pub schedule: String,
    /// Its place, counted from 1; `null` where no seed finished.
    pub rank: Option<usize>,
    /// The chosen settings: numbers, `true` or `false`, or words; `null` where no seed finished.
    pub chosen: Option<BTreeMap<String, Value>>,
    /// Whether it may be the best.
    pub may_be_best: bool,
    /// What weakens its comparison with the leader; of the leader, what weakens its own standing.
    pub note: Option<String>,
    /// The validation score, under the seeds that choose.
    pub validation: Statistics,
    /// The test score, or the validation score where the task has no test split.
    pub reported: Statistics,
    /// The validation loss.
    pub validation_loss: Statistics,
    /// The loss on the split that is reported.
    pub reported_loss: Statistics,
    /// How many nats the reported loss lies above the task's floor.
    pub above_floor: Statistics,
    /// The leader beside it; `null` for the leader.
    pub difference: Option<Comparison>,
    /// The learning rates tried.
    pub rates_tried: Vec<f64>,
    /// The lowest and the highest of the good rates around the chosen one.
    pub good_lr: Option<[f64; 2]>,
    /// log10(highest / lowest) of the good rates.
    pub good_lr_decades: Option<f64>,
    /// What other values of a key cost.
    pub other_values: Vec<OtherValue>,
    /// The expected best validation score after 1, 2, ... tries.
    pub expected_best: Vec<Option<f64>>,
    /// Updates to the target, of the seeds that reached it.
    pub steps_to_target: Statistics,
    /// Seconds of training to the target, of the seeds that reached it.
    pub seconds_to_target: Statistics,
    /// Milliseconds of a step.
    pub ms_per_step: Statistics,
    /// Milliseconds of a step: batch, forward and backward pass.
    pub gradient_ms_per_step: Statistics,
    /// Milliseconds of a step: the update.
    pub update_ms_per_step: Statistics,
    /// Seconds of all evaluations of a run.
    pub evaluation_seconds: Statistics,
    /// Seconds of a run.
    pub run_seconds: Statistics,
    /// What it took to find the settings.
    pub search: Option<Search>,
    /// Bytes that the optimizer keeps between steps.
    pub state_bytes: u64,
    /// Sizes of gradients and updates, `gradient` and `update`, where they were probed.
    pub magnitudes: Option<BTreeMap<String, Magnitudes>>,
    /// Runs over all settings.
    pub runs: usize,
    /// How many of them diverged.
    pub diverged: usize,
}

/// The leader beside an arm: more is better for the leader.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    /// The mean lead of the leader.
    pub lead: Option<f64>,
    /// Its interval.
    pub interval: Option<Ends>,
    /// Its interval by bootstrap, from 10 seeds on.
    pub bootstrap_interval: Option<Ends>,
    /// The seeds compared.
    pub n: Option<usize>,
    /// The lead in standard deviations over seeds, pooled over both arms (Cohen's d).
    pub standard_deviations: Option<f64>,
    /// The lead as a share of the other arm's error, loss or perplexity.
    pub share: Option<f64>,
    /// The one-sided p-value that decides whether the arm may be the best.
    pub p_worse: Option<f64>,
    /// Whether the arm may be the best.
    pub may_be_best: bool,
    /// How many updates earlier the leader reached the target; only where every seed of both did.
    pub steps_saved: Option<Estimate>,
    /// The two-sided p-value by Holm's method over the task's comparisons; it decides the verdict.
    pub p_holm: Option<f64>,
    /// The p-value of Wilcoxon's signed-rank test, not adjusted.
    pub p_wilcoxon: Option<f64>,
    /// The smallest lead by which the arm would be ruled out with 80% power.
    pub detectable: Option<f64>,
    /// `worse`, `better`, `equal`, `not significant`, `too few seeds`, `unstable` or `diverged`.
    pub verdict: String,
}

/// What another value of a key costs, all other keys at their best for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OtherValue {
    /// The key.
    pub key: String,
    /// The value.
    pub value: f64,
    /// Whether it is that of the chosen settings.
    pub chosen: bool,
    /// The mean validation score; `null` where every setting with that value lost a seed.
    pub validation: Option<f64>,
    /// How much worse than the chosen settings it is on validation.
    pub behind: Option<f64>,
    /// How much better the chosen settings are on the reported score.
    pub cost: Option<f64>,
    /// The interval of the cost.
    pub interval: Option<Ends>,
    /// The seeds compared.
    pub n: Option<usize>,
}

/// What it took to find the settings of an arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Search {
    /// Settings that were tried.
    pub tries: usize,
    /// Those that were given up before the end by plan.
    pub given_up: usize,
    /// Those that trained to the end and did not diverge.
    pub to_the_end: usize,
    /// Updates of all tries.
    pub steps: u64,
    /// The same as so many whole runs.
    pub whole_runs: Option<f64>,
    /// Updates under the other seeds.
    pub steps_of_other_seeds: u64,
}

/// The sizes of gradients or updates at two steps, over all weights that are not zero.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Magnitudes {
    /// The two steps.
    pub steps: [u64; 2],
    /// The median of log10 |x| at each.
    pub log10_median: Vec<Statistics>,
    /// The standard deviation of log10 |x| at each.
    pub log10_spread: Vec<Statistics>,
    /// How far the median moved, in decades.
    pub shift: Statistics,
    /// How far the whole distribution moved, in decades (Wasserstein's distance).
    pub moved: Statistics,
    /// The share of zeros at the later step.
    pub zeros: Statistics,
}
