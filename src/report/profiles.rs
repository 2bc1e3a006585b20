//! Performance profiles over tasks, as a table.

use serde_json::{Value, json};

use crate::analysis::profile::{profile, score};
use crate::analysis::{Rank, Ranking, Sample, Summary};
use crate::report::format::Table;

/// How many times the fastest arm's time still counts in a score.
pub(super) const MOST: f64 = 4.0;

/// The times to the targets of an experiment: `times[task][arm]`, `None` where a seed never got there.
pub(super) struct Profiles<'a, 'b> {
    /// The tasks whose target some arm reached under every seed.
    pub(super) tasks: Vec<&'b str>,
    /// The arms of all these tasks, each as on the first task that it ran on.
    pub(super) arms: Vec<&'b Rank<'a>>,
    /// Seconds of training, evaluations not counted.
    pub(super) seconds: Vec<Vec<Option<f64>>>,
    /// Updates.
    pub(super) steps: Vec<Vec<Option<f64>>>,
}

impl<'a, 'b> Profiles<'a, 'b> {
    /// `None` below two tasks on which some arm reached its target under every seed.
    pub(super) fn new(rankings: &'b [Ranking<'a>]) -> Option<Self> {
        let reached = |ranking: &&Ranking<'a>| {
            ranking.ranks.iter().any(|rank| all_seeds(rank, Summary::steps_to_target).is_some())
        };
        let targeted: Vec<&Ranking> = rankings.iter().filter(reached).collect();
        if targeted.len() < 2 {
            return None;
        }
        let mut arms: Vec<&Rank> = Vec::new();
        for rank in targeted.iter().flat_map(|ranking| &ranking.ranks) {
            if !arms.iter().any(|arm| same(arm, rank)) {
                arms.push(rank);
            }
        }
        let times = |of: fn(&Summary<'a>) -> Sample| -> Vec<Vec<Option<f64>>> {
            let time =
                |ranking: &Ranking<'a>, arm: &Rank| all_seeds(ranking.ranks.iter().find(|rank| same(rank, arm))?, of);
            targeted.iter().map(|ranking| arms.iter().map(|arm| time(ranking, arm)).collect()).collect()
        };
        let (seconds, steps) = (times(Summary::seconds_to_target), times(Summary::steps_to_target));
        let tasks = targeted.iter().map(|ranking| ranking.task.as_str()).collect();
        Some(Self { tasks, arms, seconds, steps })
    }

    /// The scores, the best first.
    pub(super) fn table(&self) -> Table {
        let note = format!(
            "Over {} tasks whose target some arm reached under every seed: {}. The profile at tau is the share of tasks whose target an arm reaches (mean over \
             seeds, under every seed) within tau times the time of the fastest arm; the score is the area under it for tau \
             from 1 to {MOST}, over {} (AlgoPerf; Dahl et al. 2023): 1 is the fastest on every task, 0 never within {MOST} \
             times. Every arm runs at its best settings; on a task that it did not run on, it counts as not there.",
            self.tasks.len(),
            self.tasks.join(", "),
            MOST - 1.0
        );
        let mut table = Table::new("Performance profiles", note, 2);
        table.head(["optimizer", "schedule", "score by seconds", "by steps", "targets reached"]);
        table.head([1.0, 1.5, 2.0, MOST].map(|tau| format!("within {tau}x")));
        for arm in self.order(&self.seconds) {
            let reached = self.seconds.iter().filter(|task| task[arm].is_some()).count();
            let mut row = vec![self.arms[arm].optimizer.to_owned(), self.arms[arm].schedule.to_owned()];
            row.extend([&self.seconds, &self.steps].map(|times| format!("{:.3}", score(times, arm, MOST))));
            row.push(format!("{reached}/{}", self.seconds.len()));
            row.extend([1.0, 1.5, 2.0, MOST].map(|tau| format!("{:.0}%", 100.0 * profile(&self.seconds, arm, tau))));
            table.rows.push(row);
        }
        table
    }

    /// The arms by their scores, the best first.
    pub(super) fn order(&self, times: &[Vec<Option<f64>>]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.arms.len()).collect();
        order.sort_by(|a, b| score(times, *b, MOST).total_cmp(&score(times, *a, MOST)));
        order
    }

    /// The scores for scripts.
    pub(super) fn json(&self) -> Vec<Value> {
        let of = |(arm, rank): (usize, &&Rank)| {
            json!({
                "arm": rank.name(),
                "score_by_seconds": score(&self.seconds, arm, MOST),
                "score_by_steps": score(&self.steps, arm, MOST),
            })
        };
        self.arms.iter().enumerate().map(of).collect()
    }
}

fn same(a: &Rank, b: &Rank) -> bool {
    (a.optimizer, a.schedule) == (b.optimizer, b.schedule)
}

fn all_seeds<'a>(rank: &Rank<'a>, time: fn(&Summary<'a>) -> Sample) -> Option<f64> {
    let times = time(&rank.best);
    (times.len() == rank.best.runs.len()).then(|| times.mean()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Metric;

    #[test]
    fn arms_are_scored_over_the_tasks_with_a_target() {
        let of = |task: &str, [a, b]: [Option<u64>; 2]| {
            let arm = |name, steps| Arm { steps_to_target: steps, ..Arm::new(name, &[1.0, 1.1]) };
            let mut records = records(&[arm("a", a), arm("b", b)]);
            for record in &mut records {
                record.task = task.into();
            }
            records
        };
        let all =
            [of("one", [Some(10), Some(20)]), of("two", [Some(60), Some(20)]), of("three", [None, None])].concat();
        let rankings: Vec<Ranking> = ["one", "two", "three"].map(|task| ranking(&all, task, Metric::LOSS)).into();
        let profiles = Profiles::new(&rankings).unwrap();
        let rows = profiles.table().rows;
        // b: 2 and 1 times the fastest, (2 + 3) / 3 / 2; a: 1 and 3 times, (3 + 1) / 3 / 2.
        assert_eq!(rows[0], ["b", "constant", "0.833", "0.833", "2/2", "50%", "50%", "100%", "100%"]);
        assert_eq!(rows[1][..4], ["a", "constant", "0.667", "0.667"]);
        assert!(profiles.table().note.contains("target some arm reached under every seed: one, two."));
        assert!(Profiles::new(&rankings[..1]).is_none(), "one task is no profile");
        assert!(Profiles::new(&rankings[1..]).is_none(), "nor is one with a target");
        let elsewhere = of("two", [Some(60), Some(20)]).into_iter().filter(|record| record.optimizer == "b");
        let some: Vec<_> = all.iter().filter(|r| r.optimizer == "a").cloned().chain(elsewhere).collect();
        let rankings: Vec<Ranking> = ["one", "two"].map(|task| ranking(&some, task, Metric::LOSS)).into();
        let names: Vec<String> = Profiles::new(&rankings).unwrap().arms.iter().map(|arm| arm.name()).collect();
        assert_eq!(names, ["a+constant", "b+constant"], "an arm that is not on the first task");
    }
}
