//! What was checked, and how much each finding matters.

use crate::analysis::claim::{Finding, Judgement};
use crate::analysis::regression::{Change, Outcome, Rules};
use crate::analysis::sequential::judgements;
use crate::analysis::{Progress, progress_of_all};
use crate::report::Results;
use crate::report::document::Level;

/// What was checked, and how strictly.
pub struct Checked<'a> {
    /// The experiment's name.
    pub name: &'a str,
    /// How many seeds the verdicts come from, where that is not a number planned in advance.
    pub seeds: Vec<String>,
    /// How much of the experiment is there.
    pub progress: Progress,
    /// The claims.
    pub claims: Vec<Judgement<'a>>,
    /// The arms of the baseline; `None` without one.
    pub against: Option<Against>,
    /// Whether what the seeds cannot decide fails.
    pub strict: bool,
    /// Whether slower steps fail.
    pub fail_on_time: bool,
}

/// A comparison with a baseline.
pub struct Against {
    /// How it was made.
    pub rules: Rules,
    /// Every arm of the baseline.
    pub changes: Vec<Change>,
}

impl<'a> Checked<'a> {
    /// The claims of an experiment against its runs, without a baseline.
    pub fn new(results: &'a Results) -> Self {
        let Results { experiment, records, extended, standing, .. } = results;
        Self {
            name: &experiment.name,
            seeds: results.seeds_said(),
            progress: progress_of_all(standing.experiment(experiment), results.judged()),
            claims: judgements(experiment, records, *extended),
            against: None,
            strict: false,
            fail_on_time: false,
        }
    }

    pub(super) fn undecided(&self) -> Level {
        if self.strict { Level::Fail } else { Level::Warn }
    }

    pub(super) fn of_finding(&self, finding: Finding) -> Level {
        match finding {
            Finding::Supported => Level::Pass,
            Finding::Undecided => self.undecided(),
            Finding::Refuted => Level::Fail,
        }
    }

    pub(super) fn of_outcome(&self, outcome: Outcome) -> Level {
        match outcome {
            Outcome::Identical | Outcome::Unchanged | Outcome::Improved => Level::Pass,
            Outcome::Undecided => self.undecided(),
            Outcome::Regressed | Outcome::Diverged | Outcome::Missing => Level::Fail,
        }
    }
}
