//! What is to be trained next: the tries of a search, its finalists, what was chosen under the judge seeds, and the
//! seeds of the next look.
//!
//! It follows from the records alone, so that an interrupted sweep goes on where it was, and several processes that
//! share a folder agree.

use std::cell::LazyCell;
use std::collections::HashMap;

use crate::analysis::sequential::decided_at;
use crate::analysis::{order, ranking, summaries};
use crate::results::Record;
use crate::sweep::order as listing;
use crate::sweep::plan::Plan;
use crate::sweep::run::Run;
use crate::sweep::shard::Shard;

/// What is to be trained next.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// The place of the look that is under way, counted from 0; 0 where none is planned.
    pub look: usize,
    /// The runs that are needed as far as can be told, done ones too.
    pub runs: Vec<Run>,
}

/// What a sweep may come to at most.
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
    /// With planned looks these are the runs of the first look that is not whole yet or leaves something undecided.
    /// A plain sweep needs all runs of a look from the start, and is cut into parts run by run. Where settings are
    /// chosen before the last runs, a sweep is cut by optimizer and schedule: the tries of one decide together which of
    /// them goes on.
    pub fn due(&self, records: &[Record], shard: Shard) -> Due {
        let look = self.look(records);
        Due { look, runs: self.due_at(look, records, shard) }
    }

    /// What is needed where every planned look is.
    fn due_at_most(&self, records: &[Record], shard: Shard) -> Vec<Run> {
        self.due_at(self.experiment.stages().len() - 1, records, shard)
    }

    /// Every run that has a place in the sweep, given what has run: also of looks that may not be needed, and of
    /// settings under judge seeds that a look before chose.
    pub fn may_be_due(&self, records: &[Record]) -> Vec<Run> {
        let mut all = self.due_at_most(records, Shard::WHOLE);
        let first = self.experiment.seeds.first();
        let settings: Vec<Run> =
            all.iter().filter(|run| run.horizon.is_none() && Some(&run.seed) == first).cloned().collect();
        for run in settings {
            let judged = self.experiment.judge_seeds.iter().map(|&seed| self.named(Run { seed, ..run.clone() }));
            all.extend(judged);
        }
        all
    }

    /// The place of the look that is under way.
    fn look(&self, records: &[Record]) -> usize {
        let last = self.experiment.stages().len() - 1;
        let decided = LazyCell::new(|| {
            // As a report lists them: what is equally good is decided by its place.
            let mut sorted = records.to_vec();
            listing::sort(&mut sorted, &self.experiment);
            decided_at(&self.experiment, &sorted, self.extended)
        });
        let over = |look: &usize| self.is_whole(*look, records) && decided.is_none_or(|at| at > *look);
        (0..last).find(|look| !over(look)).unwrap_or(last)
    }

    /// Whether every run of a look is done.
    fn is_whole(&self, look: usize, records: &[Record]) -> bool {
        let known = by_name(records);
        self.due_at(look, records, Shard::WHOLE).iter().all(|run| done(run, &known).is_some())
    }

    /// Whether what is to be trained follows from what has been trained: the sweep goes by rounds.
    pub fn has_rounds(&self) -> bool {
        self.chooses() || !self.experiment.looks().is_empty()
    }

    /// Whether settings are chosen before the last runs.
    fn chooses(&self) -> bool {
        self.experiment.tuning.is_some() || !self.experiment.judge_seeds.is_empty()
    }

    fn due_at(&self, look: usize, records: &[Record], shard: Shard) -> Vec<Run> {
        let stage = self.experiment.stages()[look];
        let seeds = &self.experiment.seeds[..stage.seeds];
        if !self.chooses() {
            // Look by look, so that every part has its share of each.
            let mut runs: Vec<&Run> = self.runs.iter().collect();
            if seeds.len() < self.experiment.seeds.len() {
                runs.retain(|run| seeds.contains(&run.seed));
            }
            runs.sort_by_cached_key(|run| self.first_look(run.seed));
            let own = runs.into_iter().enumerate().filter(|(place, _)| shard.contains(*place));
            return own.map(|(_, run)| run.clone()).collect();
        }
        let judges = &self.experiment.judge_seeds[..stage.judge_seeds];
        let known = by_name(records);
        let arms = self.arms().enumerate().filter(|(place, _)| shard.contains(*place));
        arms.flat_map(|(_, runs)| self.due_of(runs, seeds, judges, &known)).collect()
    }

    /// The place of the first look that has a seed.
    fn first_look(&self, seed: u64) -> usize {
        let looks = &self.experiment.seed_looks;
        let place = if looks.is_empty() { None } else { self.experiment.seeds.iter().position(|own| *own == seed) };
        looks.iter().filter(|seeds| place >= Some(**seeds)).count()
    }

    /// What the whole sweep comes to, where every planned look is needed.
    pub fn outlook(&self, shard: Shard) -> Outlook {
        let due = self.due_at_most(&[], shard);
        let mut outlook = Outlook { runs: due.len(), steps: due.iter().map(|run| self.budget(run).steps).sum() };
        if !self.chooses() {
            return outlook;
        }
        for arm in due.chunk_by(same_arm) {
            let whole = self.tasks[arm[0].task].budget.steps;
            let mut add = |runs: usize, steps: u64| {
                outlook.runs += runs;
                outlook.steps += runs as u64 * steps;
            };
            if let Some(tuning) = self.experiment.tuning {
                for rung in tuning.rungs().into_iter().skip(1) {
                    add(rung.tries, self.horizon(arm[0].task, rung).unwrap_or(whole));
                }
                add(tuning.finalists * (self.experiment.seeds.len() - 1), whole);
            }
            add(self.experiment.judge_seeds.len(), whole);
        }
        outlook
    }

    fn arms(&self) -> impl Iterator<Item = &[Run]> {
        self.runs.chunk_by(same_arm)
    }

    /// The runs of one arm: those that choose its settings and, once these are done, the chosen ones under the judges.
    fn due_of(&self, listed: &[Run], seeds: &[u64], judges: &[u64], known: &HashMap<&str, &Record>) -> Vec<Run> {
        let listed: Vec<Run> = listed.iter().filter(|run| seeds.contains(&run.seed)).cloned().collect();
        let mut due = listed.clone();
        let mut choosing = listed;
        if let Some(tuning) = self.experiment.tuning {
            let task = choosing[0].task;
            for rung in tuning.rungs().iter().skip(1) {
                let Some(best) = self.best(&choosing, rung.tries, known) else { return due };
                let horizon = self.horizon(task, *rung);
                choosing = best.into_iter().map(|run| self.named(Run { horizon, ..run })).collect();
                due.extend(choosing.iter().cloned());
            }
            let Some(finalists) = self.best(&choosing, tuning.finalists, known) else { return due };
            for finalist in finalists {
                let others = seeds[1..].iter().map(|&seed| self.named(Run { seed, ..finalist.clone() }));
                let others: Vec<Run> = others.collect();
                due.extend(others.iter().cloned());
                choosing.extend(others);
            }
        }
        if let Some(chosen) = self.chosen(&choosing, known).filter(|_| !judges.is_empty()) {
            due.extend(judges.iter().map(|&seed| self.named(Run { seed, ..chosen.clone() })));
        }
        due
    }

    /// The best `n` of some runs on validation, in their order; `None` while one of them is not done.
    fn best(&self, runs: &[Run], n: usize, known: &HashMap<&str, &Record>) -> Option<Vec<Run>> {
        let metric = self.experiment.tasks[runs.first()?.task].metric;
        let records = all_done(runs, known)?;
        let arms = summaries(records);
        let mut places: Vec<usize> = (0..runs.len()).collect();
        places.sort_by(|a, b| order(&arms[*a], &arms[*b], metric));
        places.truncate(n);
        places.sort_unstable();
        Some(places.into_iter().map(|place| runs[place].clone()).collect())
    }

    /// A run at the settings that a report would choose; `None` while one of the runs that choose is not done.
    fn chosen(&self, choosing: &[Run], known: &HashMap<&str, &Record>) -> Option<Run> {
        let spec = &self.experiment.tasks[choosing.first()?.task];
        let records = all_done(choosing, known)?;
        let ranking = ranking(records, &spec.label, spec.metric);
        let chosen = ranking.ranks.first()?.selection.runs[0];
        choosing.iter().find(|run| run.name == chosen.run).cloned()
    }
}

fn by_name(records: &[Record]) -> HashMap<&str, &Record> {
    records.iter().map(|record| (record.run.as_str(), record)).collect()
}

/// The record of a run that needs no more training.
fn done<'a>(run: &Run, known: &HashMap<&str, &'a Record>) -> Option<&'a Record> {
    known.get(run.name.as_str()).copied().filter(|record| record.is_done() && record.fingerprint == run.fingerprint)
}

/// The records of all runs; `None` while one of them is not done.
fn all_done<'a>(runs: &[Run], known: &HashMap<&str, &'a Record>) -> Option<Vec<&'a Record>> {
    runs.iter().map(|run| done(run, known)).collect()
}

fn same_arm(a: &Run, b: &Run) -> bool {
    (a.task, &a.optimizer_label, &a.schedule_label) == (b.task, &b.optimizer_label, &b.schedule_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::config::Experiment;
    use crate::metric::Scores;
    use crate::results::Status;
    use crate::sweep::plan::drawn;
    use crate::task::data::Library;

    const CONFIG: &str = "seeds = 3\nsteps = 90\n[tasks.bowl]\nmodel = \"quadratic\"\n[tuning]\nbudget = 3\n\
                          halving = { factor = 3, from = \"10%\" }\n[optimizers.sgd]\n\
                          lr = { log_uniform = [1e-3, 1e-1] }\nmomentum = { uniform = [0, 0.9] }\n[optimizers.adam]\n\
                          lr = { log_uniform = [1e-3, 1e-1] }\n";

    fn plan() -> Plan {
        Plan::new(Experiment::parse(&Catalog::built_in(), "c.toml", CONFIG, "c", &[]).unwrap(), &Library::default())
            .unwrap()
    }

    /// A record in which a higher rate is better.
    fn record(run: &Run) -> Record {
        let loss = 1.0 - run.optimizer.float("lr");
        let mut record = crate::analysis::simulated::records(&[crate::analysis::simulated::Arm::new("x", &[loss])]);
        let record = record.remove(0);
        Record {
            run: run.name.clone(),
            task: "bowl".into(),
            seed: run.seed,
            fingerprint: run.fingerprint.clone(),
            optimizer: run.optimizer_label.clone(),
            hyper_parameters: run.hyper_parameters(),
            horizon: run.horizon,
            validation: Some(Scores::of_loss(loss)),
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
            let due = plan.due(&records, Shard::WHOLE).runs;
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
            assert!(whole.iter().all(|r| r.hyper_parameter("lr") == Some(&highest.into())), "{label}");
        }
    }

    #[test]
    fn the_parts_of_a_search_are_whole_arms_and_make_the_whole() {
        let plan = plan();
        let parts: Vec<Vec<Run>> = (1..=2).map(|i| plan.due(&[], Shard::new(i, 2)).runs).collect();
        assert!(parts.iter().all(|part| part.iter().all(|run| same_arm(run, &part[0]))));
        assert_eq!(parts.concat().len(), plan.due(&[], Shard::WHOLE).runs.len());
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
