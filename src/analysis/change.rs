//! An arm of a baseline, then and now, with what became of it.

use crate::analysis::arm_match::{Changed, Matching};
use crate::analysis::shares::Share;
use crate::analysis::{Difference, Summary, gate_power};
use crate::metric::Metric;
use crate::results::Setting;

/// A step may take this much longer before it counts as slower.
pub const SLOWER: f64 = 0.25;

/// What became of an arm of the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The same runs again: every seed has the same loss and score as before.
    Identical,
    /// No worse than the tolerance allows.
    Unchanged,
    /// Better, by more than noise.
    Improved,
    /// Worse than the tolerance allows, but inside the noise of these seeds; or no seed is left to compare.
    Undecided,
    /// Worse than the tolerance allows, by more than noise.
    Regressed,
    /// More seeds diverge than did, by more than chance.
    Diverged,
    /// The arm is gone.
    Missing,
}

impl Outcome {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Unchanged => "unchanged",
            Self::Improved => "improved",
            Self::Undecided => "UNDECIDED",
            Self::Regressed => "REGRESSED",
            Self::Diverged => "DIVERGED",
            Self::Missing => "MISSING",
        }
    }
}

/// The seeds of an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// How many trained to the end or diverged.
    pub ran: usize,
    /// How many of them diverged, or ended with a score that is not a finite number.
    pub diverged: usize,
    /// How many failed instead, and tell nothing.
    pub failed: usize,
}

impl Seeds {
    pub(super) fn of(arm: &Summary, metric: Metric) -> Self {
        Self { ran: arm.finished + arm.diverged, diverged: arm.diverged_in(metric), failed: arm.failed }
    }

    pub(super) fn share(self) -> Share {
        Share { count: self.diverged, of: self.ran }
    }
}

/// Of an arm that is gone, the arm most like it of those that the baseline does not have.
#[derive(Debug, Clone)]
pub struct Nearest {
    /// How it differs.
    pub changed: Vec<Changed>,
    /// Its mean now.
    pub now: Option<f64>,
}

/// An arm of the baseline, then and now.
#[derive(Debug, Clone)]
pub struct Change {
    /// The task.
    pub task: String,
    /// What is compared.
    pub metric: Metric,
    /// What makes two arms the same arm.
    pub matching: Matching,
    /// The optimizer and the schedule.
    pub arm: String,
    /// The hyper-parameters that the sweep varies; where arms are matched by label, those that validation chose.
    pub settings: Vec<(String, Setting)>,
    /// Every setting that differs from the arm that it is compared with.
    pub changed: Vec<Changed>,
    /// The mean then, over the seeds that are compared.
    pub before: Option<f64>,
    /// The mean now, over the seeds that are compared.
    pub now: Option<f64>,
    /// The seeds then.
    pub seeds_before: Seeds,
    /// The seeds now; `None` where the arm is gone.
    pub seeds: Option<Seeds>,
    /// Where the arm is gone, the nearest of those that are new.
    pub nearest: Option<Nearest>,
    /// How much worse it is now, whatever the metric.
    pub worse: Option<Difference>,
    /// How much worse it may be.
    pub allowed: f64,
    /// How much worse it is than it may be.
    pub excess: Option<Difference>,
    /// The p-value of the one-sided test that it became worse, by Holm's method over all arms.
    pub p: Option<f64>,
    /// The interval of `worse` that agrees with the decision: it lies above zero where `p` is below the level.
    pub interval: Option<(f64, f64)>,
    /// The confidence of that interval, two-sided.
    pub confidence: f64,
    /// The chance of a wrong decision that the scores of all arms together may spend, one-sided.
    pub level: f64,
    /// Whether it is worse by more than the tolerance, by test; `None` where these seeds cannot say.
    pub is_beyond: Option<bool>,
    /// The p-value of the one-sided test that it became worse by more than the tolerance, by Holm's method over all arms.
    pub p_beyond: Option<f64>,
    /// The p-value that no larger share of seeds diverges than did, by Hochberg's method over the arms where it is tested.
    pub p_diverged: Option<f64>,
    /// Whether a larger share of seeds diverged than did, which may be chance.
    pub is_unstable: bool,
    /// The least level at which Holm's method tests an arm; `None` where the number of seeds was not fixed in advance.
    pub(super) smallest_level: Option<f64>,
    /// What became of it.
    pub outcome: Outcome,
    /// The time of a step over the baseline's, where it is slower by more than [`SLOWER`] and noise.
    pub slower: Option<f64>,
    /// What else a reader has to know before believing the comparison.
    pub notes: Vec<String>,
}

impl Change {
    /// The smallest true worsening that such a check finds with 80% power; `None` where the noise is unknown, and of
    /// runs that merely repeat the baseline's, which show none.
    pub fn detectable(&self) -> Option<f64> {
        let worse = self.worse.as_ref().filter(|_| self.outcome != Outcome::Identical)?;
        gate_power::detectable(worse, self.allowed, self.smallest_level?)
    }
}
