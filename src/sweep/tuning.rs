//! The search for settings: which tries there are, and which of them are worth more training.
//!
//! What comes next follows from the records alone, so that an interrupted search goes on where it
//! was, and several processes that share a folder agree.

use std::collections::HashMap;

use crate::analysis::{order, summaries};
use crate::config::Rung;
use crate::results::Record;
use crate::rng::Stream;
use crate::sweep::{Plan, Run, Shard};

/// What a search will come to when nothing has been trained yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// All runs.
    pub runs: usize,
    /// Their updates.
    pub steps: u64,
}

impl Plan {
    /// The runs that are needed as far as can be told from what has run, in an order that is the same
    /// in every process. The sweep is complete when all of them are done.
    ///
    /// A plain sweep needs all its runs from the start, and is cut into parts run by run. A search
    /// is cut by optimizer and schedule: the tries of one decide together which of them goes on.
    pub fn due(&self, records: &[Record], shard: Shard) -> Vec<Run> {
        if self.experiment.tuning.is_none() {
            let own = self.runs.iter().enumerate().filter(|(place, _)| shard.contains(*place));
            return own.map(|(_, run)| run.clone()).collect();
        }
        let known: HashMap<&str, &Record> = records.iter().map(|record| (record.run.as_str(), record)).collect();
        let arms = self.arms().enumerate().filter(|(place, _)| shard.contains(*place));
        arms.flat_map(|(_, tries)| self.due_of(tries, &known)).collect()
    }

    /// What the whole search comes to; the runs of a plain sweep.
    pub fn outlook(&self, shard: Shard) -> Outlook {
        let due = self.due(&[], shard);
        let Some(tuning) = self.experiment.tuning else {
            return Outlook { runs: due.len(), steps: due.iter().map(|run| self.budget(run).steps).sum() };
        };
        let others = self.experiment.seeds.len() - 1;
        let mut outlook = Outlook { runs: 0, steps: 0 };
        for arm in due.chunk_by(same_arm) {
            let whole = self.budgets[arm[0].task].steps;
            for rung in tuning.rungs() {
                outlook.runs += rung.tries;
                outlook.steps += rung.tries as u64 * self.horizon(arm[0].task, rung).unwrap_or(whole);
            }
            outlook.runs += others;
            outlook.steps += others as u64 * whole;
        }
        outlook
    }

    fn arms(&self) -> impl Iterator<Item = &[Run]> {
        self.runs.chunk_by(same_arm)
    }

    fn due_of(&self, tries: &[Run], known: &HashMap<&str, &Record>) -> Vec<Run> {
        let mut due = tries.to_vec();
        let mut alive = tries.to_vec();
        let rungs = self.experiment.tuning.map(|tuning| tuning.rungs()).unwrap_or_default();
        for rung in rungs.iter().skip(1) {
            let Some(best) = self.best(&alive, rung.tries, known) else { return due };
            let horizon = self.horizon(tries[0].task, *rung);
            alive = best.into_iter().map(|run| self.named(Run { horizon, ..run })).collect();
            due.extend(alive.iter().cloned());
        }
        if let Some(winner) = self.best(&alive, 1, known).and_then(|mut best| best.pop()) {
            let others = self.experiment.seeds[1..].iter();
            due.extend(others.map(|&seed| self.named(Run { seed, ..winner.clone() })));
        }
        due
    }

    /// The best `n` of some runs on validation, in their order; `None` while one of them is not done.
    fn best(&self, runs: &[Run], n: usize, known: &HashMap<&str, &Record>) -> Option<Vec<Run>> {
        let metric = self.experiment.tasks[runs.first()?.task].metric;
        let record = |run: &Run| {
            known.get(run.name.as_str()).filter(|record| record.is_done() && record.fingerprint == run.fingerprint)
        };
        let records: Vec<Record> =
            runs.iter().map(|run| record(run).map(|record| (*record).clone())).collect::<Option<_>>()?;
        let arms = summaries(&records);
        let mut places: Vec<usize> = (0..runs.len()).collect();
        places.sort_by(|a, b| order(&arms[*a], &arms[*b], metric));
        places.truncate(n);
        places.sort_unstable();
        Some(places.into_iter().map(|place| runs[place].clone()).collect())
    }

    /// The step that the runs of a rung end at; `None` for whole ones.
    pub(super) fn horizon(&self, task: usize, rung: Rung) -> Option<u64> {
        let whole = self.budgets[task].steps;
        Some((rung.share * whole as f64).round().max(1.0) as u64).filter(|steps| *steps < whole)
    }
}

fn same_arm(a: &Run, b: &Run) -> bool {
    (a.task, &a.optimizer_label, &a.schedule_label) == (b.task, &b.optimizer_label, &b.schedule_label)
}

/// Which of `settings` settings are tried: all of them, or as many as asked for, drawn at random and
/// the same for every optimizer and schedule that has as many.
pub(super) fn drawn(settings: usize, tries: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..settings).collect();
    if tries < settings {
        Stream::new(0, "tries").shuffle(&mut places);
        places.truncate(tries);
        places.sort_unstable();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Experiment;
    use crate::metric::Scores;
    use crate::results::Status;
    use crate::task::data::Library;

    const CONFIG: &str = "seeds = 3\nsteps = 90\n[tasks.bowl]\nmodel = \"quadratic\"\n[tuning]\nbudget = 3\n\
                          halving = { factor = 3, from = \"10%\" }\n[optimizers.sgd]\n\
                          lr = { log_uniform = [1e-3, 1e-1] }\nmomentum = { uniform = [0, 0.9] }\n[optimizers.adam]\n\
                          lr = { log_uniform = [1e-3, 1e-1] }\n";

    fn plan() -> Plan {
        Plan::new(Experiment::parse("c.toml", CONFIG, "c", &[]).unwrap(), &Library::default()).unwrap()
    }

    /// A record in which a higher rate is better.
    fn record(run: &Run) -> Record {
        let loss = 1.0 - run.optimizer.float("lr");
        let mut record = crate::analysis::simulated::records(&[crate::analysis::simulated::Arm::new("x", &[loss])]);
        let record = record.remove(0);
        Record {
            run: run.name.clone(),
            fingerprint: run.fingerprint.clone(),
            optimizer: run.optimizer_label.clone(),
            hyper_parameters: run.hyper_parameters(),
            horizon: run.horizon,
            validation: Some(Scores { loss, accuracy: None, perplexity: None }),
            status: Status::Finished,
            ..record
        }
    }

    #[test]
    fn a_search_ends_with_the_best_under_every_seed_and_costs_what_it_said() {
        let plan = plan();
        let mut records: Vec<Record> = Vec::new();
        let mut rounds = Vec::new();
        loop {
            let due = plan.due(&records, Shard::WHOLE);
            let fresh: Vec<&Run> = due.iter().filter(|run| records.iter().all(|r| r.run != run.name)).collect();
            if fresh.is_empty() {
                let steps = due.iter().map(|run| plan.budget(run).steps).sum();
                assert_eq!(plan.outlook(Shard::WHOLE), Outlook { runs: due.len(), steps });
                break;
            }
            rounds.push(fresh.len());
            records.extend(fresh.iter().map(|run| record(run)));
        }
        // Nine tries of ten steps, three of thirty, one whole; then two more seeds; of two optimizers.
        assert_eq!(rounds, [18, 6, 2, 4]);
        for label in ["sgd", "adam"] {
            let own = || plan.runs.iter().filter(|run| run.optimizer_label == label);
            let highest = own().map(|run| run.optimizer.float("lr")).fold(0.0, f64::max);
            let whole: Vec<&Record> = records.iter().filter(|r| r.optimizer == label && r.horizon.is_none()).collect();
            assert_eq!(whole.len(), 3);
            assert!(whole.iter().all(|r| r.hyper_parameter("lr").unwrap().parse() == Ok(highest)), "{label}");
        }
    }

    #[test]
    fn the_parts_of_a_search_are_whole_arms_and_make_the_whole() {
        let plan = plan();
        let parts: Vec<Vec<Run>> = (1..=2).map(|i| plan.due(&[], Shard::new(i, 2))).collect();
        assert!(parts.iter().all(|part| part.iter().all(|run| same_arm(run, &part[0]))));
        assert_eq!(parts.concat().len(), plan.due(&[], Shard::WHOLE).len());
    }

    #[test]
    fn sampled_keys_are_points_and_what_is_drawn_from_a_grid_is_the_same_for_all() {
        let plan = plan();
        let momenta: std::collections::BTreeSet<String> =
            plan.runs.iter().filter_map(|run| Some(run.optimizer.get("momentum")?.to_string())).collect();
        assert_eq!(momenta.len(), 9, "nine points, not nine times nine: {momenta:?}");
        assert_eq!(drawn(3, 5), [0, 1, 2]);
        assert_eq!((drawn(100, 7).len(), drawn(100, 7)), (7, drawn(100, 7)));
    }
}
