//! Which seeds choose the settings, and which are reported.

use crate::config::Experiment;

/// What the runs of a seed are for.
///
/// Scores that choose are flattered by their choice. So a search leaves the seed that it searched with out of what it
/// reports, and where there are judge seeds, these alone are reported.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roles {
    /// The seed under which all tries of a search were trained, where there are others to report.
    searched: Option<u64>,
    /// The judge seeds; where there are none, the seeds that choose are reported, too.
    judges: Vec<u64>,
    /// Whether the judge seeds are left out altogether.
    without_judges: bool,
}

impl Roles {
    /// Of an experiment.
    pub fn of(experiment: &Experiment) -> Self {
        let searched = experiment.tuning.and(experiment.seeds.first().copied()).filter(|_| experiment.seeds.len() > 1);
        Self { searched, judges: experiment.judge_seeds.clone(), without_judges: false }
    }

    /// The same, for questions to settings that were not chosen: judge seeds do not train them, and no choice flatters them.
    #[must_use]
    pub fn without_judges(self) -> Self {
        Self { searched: None, without_judges: true, ..self }
    }

    /// Whether the validation scores of a seed choose the settings.
    pub fn choose(&self, seed: u64) -> bool {
        !self.judges.contains(&seed)
    }

    /// Whether the scores of a seed are reported.
    pub fn report(&self, seed: u64) -> bool {
        let judges = self.judges.contains(&seed);
        if self.judges.is_empty() || self.without_judges { !judges && self.searched != Some(seed) } else { judges }
    }
}
