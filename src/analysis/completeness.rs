//! How much of what an experiment plans is there: half a sweep is not judged as if it were whole.

use std::collections::HashMap;

use crate::analysis::{Roles, ranking_of};
use crate::config::{Entrant, Experiment, Grid};
use crate::metric::Metric;
use crate::results::{Record, Setting};
use crate::settings::Settings;
use crate::task::model::Kind;

/// Runs of full length that are there, of those that are planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many are there, failed ones too.
    pub there: usize,
    /// How many the experiment plans.
    pub planned: usize,
}

impl Progress {
    /// Whether none is missing.
    pub fn is_complete(self) -> bool {
        self.there == self.planned
    }

    /// What is missing, and how to get it; `None` where nothing is.
    pub fn missing(self) -> Option<String> {
        let (verb, them) = match self.planned - self.there {
            0 => return None,
            1 => ("is", "it"),
            _ => ("are", "them"),
        };
        let missing = self.planned - self.there;
        Some(format!("{missing} of {} runs {verb} missing: `optbench run` trains {them}", self.planned))
    }
}

/// The progress on a task of every optimizer and schedule that `meant` picks by their labels.
pub fn progress(
    experiment: &Experiment,
    records: &[Record],
    task: &str,
    meant: impl Fn(&str, &str) -> bool,
) -> Progress {
    let whole = |record: &&Record| record.task == task && record.horizon.is_none();
    let whole: Vec<&Record> = records.iter().filter(whole).collect();
    let mut progress = Progress { there: 0, planned: 0 };
    // Of what others trained, all that there is.
    let is_imported = experiment.tasks.iter().any(|spec| spec.label == task && matches!(spec.kind(), Kind::Imported));
    for Entrant { grid, schedules, .. } in experiment.optimizers.iter().filter(|entrant| entrant.enters(task)) {
        for schedule in experiment.schedules.iter().filter(|schedule| schedules.contains(&schedule.label)) {
            if meant(&grid.label, &schedule.label) {
                let own = |record: &&&Record| record.optimizer == grid.label && record.schedule == schedule.label;
                let planned = planned(experiment, grid, schedule);
                // Runs of settings that the config no longer lists do not stand for others.
                let listed = Listed::new(grid, schedule);
                let planned_run = |run: &&&Record| experiment.seeds.contains(&run.seed) && listed.holds(run);
                let there = whole.iter().filter(own).filter(planned_run).count();
                let planned = if is_imported { there } else { planned };
                let judged = judged(experiment, &whole, task, (&grid.label, &schedule.label));
                progress.there += there.min(planned) + judged;
                progress.planned += planned + experiment.judge_seeds.len();
            }
        }
    }
    progress
}

/// The settings of an optimizer under a schedule that the config lists.
struct Listed {
    settings: Vec<HashMap<String, Setting>>,
}

impl Listed {
    fn new(optimizer: &Grid, schedule: &Grid) -> Self {
        let schedules = schedule.variants();
        let both = |own: &Settings| -> Vec<_> {
            schedules.iter().map(|under| Setting::all(own, under).into_iter().collect()).collect()
        };
        Self { settings: optimizer.variants().iter().flat_map(both).collect() }
    }

    /// Whether a run is one of them, as far as it tells: an older version may not have known a key.
    fn holds(&self, run: &Record) -> bool {
        let fits = |settings: &HashMap<String, Setting>| {
            run.hyper_parameters.iter().all(|(key, value)| settings.get(key).is_none_or(|listed| listed == value))
        };
        self.settings.iter().any(fits)
    }
}

/// The progress of the whole experiment.
pub fn progress_of_all(experiment: &Experiment, records: &[Record]) -> Progress {
    let tasks = experiment.tasks.iter().map(|task| progress(experiment, records, &task.label, |_, _| true));
    tasks.fold(Progress { there: 0, planned: 0 }, |all, one| Progress {
        there: all.there + one.there,
        planned: all.planned + one.planned,
    })
}

/// The number of runs of full length of an optimizer under a schedule on one task.
fn planned(experiment: &Experiment, optimizer: &Grid, schedule: &Grid) -> usize {
    let settings = optimizer.len() * schedule.len();
    let Some(tuning) = experiment.tuning else { return settings * experiment.seeds.len() };
    // Tries run under the first seed, and the best of them under the others, too.
    let tries = tuning.rungs().last().map_or(0, |rung| rung.tries);
    tries.min(settings) + tuning.finalists.min(settings) * (experiment.seeds.len() - 1)
}

/// The runs that are there under the judge seeds of the settings that an optimizer and a schedule were chosen at.
fn judged(experiment: &Experiment, whole: &[&Record], task: &str, arm: (&str, &str)) -> usize {
    if experiment.judge_seeds.is_empty() {
        return 0;
    }
    let own = whole.iter().copied().filter(|record| (record.optimizer.as_str(), record.schedule.as_str()) == arm);
    let metric = experiment.tasks.iter().find(|spec| spec.label == task).map_or(Metric::LOSS, |spec| spec.metric);
    let roles = Roles::of(experiment);
    let ranking = ranking_of(own, task, metric, &roles);
    let best = ranking.ranks.first().map(|rank| &rank.best);
    best.map_or(0, |best| best.runs.iter().filter(|run| roles.report(run.seed)).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};
    use crate::catalog::Catalog;

    fn of(config: &str, records: &[Record]) -> Progress {
        let text = String::from("steps = 10\n[tasks.task]\nmodel = \"quadratic\"\n") + config;
        let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", &text, "c", &[]).unwrap();
        progress(&experiment, records, "task", |optimizer, _| optimizer == "a")
    }

    #[test]
    fn runs_of_full_length_are_counted_against_the_grid() {
        let config = "[optimizers.a]\nkind = \"sgd\"\nlr = [0.1, 1]\n[optimizers.b]\nkind = \"sgd\"\n";
        let mut runs = records(&[Arm::at("a", 0.1, &[1.0; 3]), Arm::at("a", 1.0, &[1.0, f64::NAN])]);
        assert_eq!(of(config, &runs), Progress { there: 5, planned: 6 });
        let words = of(config, &runs).missing().unwrap();
        assert_eq!(words, "1 of 6 runs is missing: `optbench run` trains it");
        runs[0].horizon = Some(5);
        (runs[1].seed, runs[2].seed) = (7, 8);
        assert_eq!(of(config, &runs), Progress { there: 2, planned: 6 }, "neither short runs nor other seeds");
        let more = records(&[Arm::at("a", 0.1, &[1.0; 3]), Arm::at("a", 1.0, &[1.0; 3]), Arm::at("a", 9.0, &[1.0; 3])]);
        assert!(of(config, &more).is_complete() && of(config, &more).missing().is_none());
        let others = records(&[Arm::at("a", 0.1, &[1.0; 3]), Arm::at("a", 9.0, &[1.0; 3])]);
        assert_eq!(of(config, &others), Progress { there: 3, planned: 6 }, "settings that are not listed do not count");
    }

    #[test]
    fn a_search_runs_its_tries_once_and_its_finalists_under_every_seed() {
        let text = "seeds = 3\nsteps = 10\n[tasks.task]\nmodel = \"quadratic\"\n[tuning]\nbudget = 4\n\
                    [optimizers.a]\nkind = \"sgd\"\nlr = { log = [0.01, 1], points = 5 }\n";
        let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap();
        assert_eq!(progress(&experiment, &[], "task", |_, _| true), Progress { there: 0, planned: 10 });
    }
}
