//! The findings of a check.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::document::claim::Claim;
use crate::report::document::statistics::{Ends, Measured};
use crate::report::document::table::Table;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing to do.
    Pass,
    /// To be looked at.
    Warn,
    /// The check fails.
    Fail,
}

/// What `optbench check --format json` prints: claims and what was found, and every arm of a baseline, then and now. What
/// does not apply or is not known is `null`; scores of accuracies are fractions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Check {
    /// Raised when a field changes its meaning or is removed; fields may be added at any time.
    pub schema_version: u32,
    /// The experiment's name.
    pub experiment: String,
    /// Whether nothing failed.
    pub passed: bool,
    /// The findings in a sentence.
    pub answer: String,
    /// How much of the experiment is there.
    pub runs: Runs,
    /// The claims.
    pub claims: Vec<Claim>,
    /// How the arms were compared; `null` without a baseline.
    pub baseline: Option<Baseline>,
    /// Every arm of the baseline; `null` without one.
    pub arms: Option<Vec<Change>>,
    /// How many seeds the verdicts come from, where that is not a number planned in advance.
    pub seeds_note: Vec<String>,

    /// The worst of all findings.
    #[serde(skip)]
    pub level: Level,
    /// Claims, their parts and the baseline, in tables.
    #[serde(skip)]
    pub tables: Vec<Table>,
    /// Every finding, one by one.
    #[serde(skip)]
    pub findings: Vec<Finding>,
    /// What is to be known of arms that are well.
    #[serde(skip)]
    pub notes: Vec<Note>,
    /// What to do next, where there is something.
    #[serde(skip)]
    pub help: Option<&'static str>,
}

/// Runs of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Runs {
    /// Those that are there.
    pub there: usize,
    /// Those that the config plans.
    pub planned: usize,
}

/// One line of the findings.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is about: `claim`, `regression`, `divergence` or `time`.
    pub class: &'static str,
    /// The claim or the arm.
    pub name: String,
    /// How much it matters.
    pub level: Level,
    /// What was found, in a word.
    pub word: &'static str,
    /// The same in sentences.
    pub message: String,
    /// What weakens a finding that is well by itself.
    pub note: Option<String>,
}

/// What is to be known of arms.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The arms.
    pub of: String,
    /// What is to be known.
    pub said: String,
}

/// How arms were compared with a baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Baseline {
    /// Which arms: those with the same `settings`, or those with the same `label`.
    pub r#match: String,
    /// How much worse an arm may be.
    pub tolerance: String,
    /// Why a verdict may be reached: `fixed`, `looks` or `anytime`.
    pub basis: String,
    /// The level of the tests.
    pub level: f64,
}

/// An arm of the baseline, then and now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// The task's label.
    pub task: String,
    /// The arm's name.
    pub arm: String,
    /// Its settings in the baseline.
    pub settings: BTreeMap<String, String>,
    /// The settings that differ now.
    pub changed: Vec<Changed>,
    /// What is compared.
    pub metric: String,
    /// `IDENTICAL`, `UNCHANGED`, `IMPROVED`, `UNDECIDED`, `REGRESSED`, `DIVERGED` or `MISSING`.
    pub outcome: String,
    /// Whether a larger share of seeds diverged, but perhaps by chance.
    pub unstable: bool,
    /// The mean score in the baseline.
    pub before: Option<f64>,
    /// The mean score now.
    pub now: Option<f64>,
    /// How much worse it is.
    pub worse_by: Option<f64>,
    /// Its 95% interval.
    pub interval: Option<Ends>,
    /// The interval that decides.
    pub decides: Option<Decides>,
    /// How much worse it may be.
    pub allowed: f64,
    /// What is left of the worsening beyond that.
    pub excess: Option<Measured>,
    /// Whether the worsening is more than what is allowed, by test; `null` where that is not decided.
    pub beyond_tolerance: Option<bool>,
    /// The p-value of that test, by Holm's method over the arms.
    pub p_beyond_holm: Option<f64>,
    /// The seeds compared.
    pub n: Option<usize>,
    /// Whether they are compared seed by seed.
    pub paired: Option<bool>,
    /// The seeds of the baseline.
    pub seeds_before: usize,
    /// The seeds now.
    pub seeds: Option<usize>,
    /// How many diverged in the baseline.
    pub diverged_before: usize,
    /// How many diverge now.
    pub diverged: Option<usize>,
    /// How many failed in the baseline.
    pub failed_before: usize,
    /// How many failed now.
    pub failed: Option<usize>,
    /// The p-value of the shares that diverged.
    pub p_diverged: Option<f64>,
    /// The settings that differ in the nearest new arm, where this one is gone.
    pub nearest: Vec<Changed>,
    /// The score of the nearest new arm.
    pub nearest_now: Option<f64>,
    /// The one-sided p-value of the worsening, by Holm's method over the arms.
    pub p_holm: Option<f64>,
    /// The smallest worsening that such a check finds with 80% power.
    pub detectable: Option<f64>,
    /// How many times as long a step takes, where that is more than noise.
    pub slower: Option<f64>,
    /// What weakens the comparison.
    pub note: Option<String>,
}

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Changed {
    /// The key.
    pub key: String,
    /// Its value in the baseline; `null` where it was not set.
    pub was: Option<String>,
    /// Its value now; `null` where it is not set.
    pub is: Option<String>,
}

/// The interval that decides whether an arm became worse.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Decides {
    /// The interval.
    pub interval: Ends,
    /// Its confidence.
    pub confidence: f64,
    /// The level of the one-sided test.
    pub level: f64,
}
