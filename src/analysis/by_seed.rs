//! Scores with their seeds, and which of two sides are compared with which.

use std::collections::BTreeSet;

use crate::config::Experiment;
use crate::results::Record;

/// The seed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed {
    /// The number.
    pub number: u64,
    /// Whether all arms share what it makes: initial weights and batches.
    pub is_common: bool,
}

impl Seed {
    /// The seed that a run was trained under.
    pub fn of(record: &Record) -> Self {
        Self { number: record.seed, is_common: !record.is_independent }
    }

    /// Whether a run of this seed and one of another share what is random in them.
    pub fn pairs_with(self, other: Self) -> bool {
        self.is_common && self == other
    }
}

/// A seed that all arms share.
impl From<u64> for Seed {
    fn from(number: u64) -> Self {
        Self { number, is_common: true }
    }
}

/// Notes which records are of tasks whose seeds are not common to the arms, as the config says it now.
pub fn mark_independent(records: &mut [Record], experiment: &Experiment) {
    let apart = experiment.tasks.iter().filter(|task| !task.has_common_random_numbers());
    let apart: BTreeSet<&str> = apart.map(|task| task.label.as_str()).collect();
    for record in records {
        record.is_independent = apart.contains(record.task.as_str());
    }
}

/// Scores with the seeds that they belong to.
pub type BySeed = Vec<(Seed, f64)>;

/// The scores of two sides that a difference between them is taken over, and whether it is paired.
///
/// Sides with the same seeds are paired. Of partly shared seeds, the shared ones are paired where they are at
/// least three and half of the smaller side: the others are then left out. Of fewer, the pairs would throw most
/// scores away, so all scores are compared as independent (which the shared seeds make cautious). Runs that are
/// the same on every seed of the smaller side are a repetition, however few they are, and paired. Of runs whose seed is
/// not common to the arms none is shared.
pub(super) fn compared(a: &BySeed, b: &BySeed) -> (BySeed, BySeed, bool) {
    const FEWEST: usize = 3;
    let smaller = a.len().min(b.len());
    let other = |seed: Seed| b.iter().find(|(other, _)| other.pairs_with(seed)).copied();
    let (ours, theirs): (BySeed, BySeed) = a.iter().filter_map(|&(seed, x)| Some(((seed, x), other(seed)?))).unzip();
    let shared = ours.len();
    let all = shared == a.len() && shared == b.len();
    let repeated = shared == smaller && ours == theirs;
    let paired = shared > 0 && (all || repeated || (shared >= FEWEST && 2 * shared >= smaller));
    if paired { (ours, theirs, true) } else { (a.clone(), b.clone(), false) }
}
