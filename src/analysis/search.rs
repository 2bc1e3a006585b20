//! What it took to find the settings: tries and steps, arm by arm.

use std::collections::BTreeSet;

use crate::analysis::Rank;
use crate::config::Experiment;
use crate::results::{Record, Status};

/// The search of an arm: what was trained under the first seed, and what under the others.
pub struct Search {
    /// Settings that were tried.
    pub tries: usize,
    /// Those that were given up before the end by plan.
    pub given_up: usize,
    /// Those that trained to the end, and did not diverge.
    pub to_the_end: usize,
    /// Updates of all tries.
    pub steps: u64,
    /// The same as so many whole runs; `None` where no run was to go to the end.
    pub whole_runs: Option<f64>,
    /// Updates under the other seeds.
    pub steps_of_other_seeds: u64,
}

impl Search {
    /// The search of an arm among all runs; `None` in an anytime comparison, whose runs end early for its own sake.
    pub fn of(rank: &Rank, task: &str, records: &[Record], experiment: Option<&Experiment>) -> Option<Self> {
        if experiment.is_some_and(|experiment| experiment.anytime.is_some()) {
            return None;
        }
        let of = |record: &&Record| {
            (record.task.as_str(), record.optimizer.as_str(), record.schedule.as_str())
                == (task, rank.optimizer, rank.schedule)
        };
        let own: Vec<&Record> = records.iter().filter(of).collect();
        let first = rank.selection.runs.first()?.seed;
        let (tries, others): (Vec<&Record>, Vec<&Record>) = own.iter().partition(|record| record.seed == first);
        let settings = |kept: &dyn Fn(&Record) -> bool| -> BTreeSet<_> {
            let kept = tries.iter().filter(|record| kept(record));
            kept.map(|record| &record.hyper_parameters).collect()
        };
        let (all, whole) = (settings(&|_| true), settings(&|record| record.horizon.is_none()));
        let finished = settings(&|record| record.horizon.is_none() && record.status == Status::Finished);
        let steps = |runs: &[&Record]| runs.iter().map(|record| record.steps).sum::<u64>();
        let longest = own.iter().filter(|record| record.horizon.is_none()).map(|record| record.steps).max();
        Some(Self {
            tries: all.len(),
            given_up: all.len() - whole.len(),
            to_the_end: finished.len(),
            steps: steps(&tries),
            whole_runs: longest.map(|longest| steps(&tries) as f64 / longest.max(1) as f64),
            steps_of_other_seeds: steps(&others),
        })
    }

    /// Whether some tries were given up, so that what ran to the end says nothing of the others.
    pub fn gave_up(&self) -> bool {
        self.given_up > 0
    }
}
