//! What it took to find the settings: tries and steps, arm by arm.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::analysis::Rank;
use crate::config::Experiment;
use crate::report::Section;
use crate::report::format::Table;
use crate::report::words::{self, short};
use crate::results::{Record, Status};

/// The search of an arm: what was trained under the first seed, and what under the others.
pub(super) struct Search {
    /// Settings that were tried.
    pub(super) tries: usize,
    /// Those that were given up before the end by plan.
    pub(super) given_up: usize,
    /// Those that trained to the end, and did not diverge.
    pub(super) to_the_end: usize,
    /// Updates of all tries.
    pub(super) steps: u64,
    /// The same as so many whole runs; `None` where no run was to go to the end.
    pub(super) whole_runs: Option<f64>,
    /// Updates under the other seeds.
    pub(super) steps_of_other_seeds: u64,
}

impl Search {
    /// The search of an arm among all runs; `None` in an anytime comparison, whose runs end early for its own sake.
    pub(super) fn of(rank: &Rank, task: &str, records: &[Record], experiment: Option<&Experiment>) -> Option<Self> {
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
    pub(super) fn gave_up(&self) -> bool {
        self.given_up > 0
    }

    /// The search for scripts.
    pub(super) fn json(&self) -> Value {
        json!({
            "tries": self.tries,
            "given_up": self.given_up,
            "to_the_end": self.to_the_end,
            "steps": self.steps,
            "whole_runs": self.whole_runs,
            "steps_of_other_seeds": self.steps_of_other_seeds,
        })
    }
}

impl Section<'_> {
    /// The search of one arm; `None` in an anytime comparison.
    pub(super) fn search_of(&self, rank: &Rank) -> Option<Search> {
        Search::of(rank, &self.ranking.task, self.records, self.experiment)
    }

    /// See [`Search::gave_up`].
    pub(super) fn gave_up(&self, rank: &Rank) -> bool {
        self.search_of(rank).is_some_and(|search| search.gave_up())
    }

    /// Tries and steps of every arm, those of runs that ended early among them; without rows where
    /// nothing was searched.
    pub(super) fn search(&self) -> Table {
        let note = "Tries: settings that were trained under the first seed, and how many of them to the end without \
                    diverging; their steps, and these as whole runs; the steps of the other seeds. Settings are chosen \
                    on validation. Where the tries differ between arms, so may the luck of their best.";
        let mut table = Table::new("What the search cost", note, 3);
        table.head(["#", "optimizer", "schedule", "tries", "to the end", "steps of the tries", "as whole runs"]);
        table.head(["steps of other seeds"]);
        let mut searched = false;
        for (place, rank) in self.ranking.ranks.iter().enumerate() {
            let Some(search) = self.search_of(rank) else { continue };
            searched |= search.tries > 1;
            table.rows.push(vec![
                words::place(place, rank),
                rank.optimizer.to_owned(),
                rank.schedule.to_owned(),
                search.tries.to_string(),
                search.to_the_end.to_string(),
                search.steps.to_string(),
                search.whole_runs.map_or_else(|| "-".into(), short),
                search.steps_of_other_seeds.to_string(),
            ]);
        }
        if !searched {
            table.rows.clear();
        }
        table
    }
}
