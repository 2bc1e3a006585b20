//! The one order in which runs are listed, whichever command lists them and wherever they were trained.

use std::collections::HashMap;

use crate::config::Experiment;
use crate::results::{Record, Setting};

/// What settings are found by: the labels of their optimizer and schedule, and their hyper-parameters.
type Key<'a> = (&'a str, &'a str, Vec<(String, Setting)>);

/// Sorts records as their runs are planned: by task, optimizer, schedule, hyper-parameters, horizon
/// and seed, each in the order of the config; the rungs of a search follow one another. Runs that the
/// config does not know keep their order and come last.
pub fn sort(records: &mut [Record], experiment: &Experiment) {
    if records.len() < 2 {
        return;
    }
    let settings = settings(experiment);
    let seeds = || experiment.seeds.iter().chain(&experiment.judge_seeds);
    records.sort_by_cached_key(|record| {
        let task = place(experiment.tasks.iter().map(|task| &task.label), &record.task);
        let optimizer = place(experiment.optimizers.iter().map(|own| &own.grid.label), &record.optimizer);
        let schedule = place(experiment.schedules.iter().map(|grid| &grid.label), &record.schedule);
        let rung = experiment.tuning.map(|_| record.horizon.unwrap_or(u64::MAX));
        let setting = (record.optimizer.as_str(), record.schedule.as_str(), record.hyper_parameters.clone());
        let setting = settings.get(&setting).copied().unwrap_or(usize::MAX);
        (task, optimizer, schedule, rung, setting, record.horizon, place(seeds(), &record.seed))
    });
}

fn place<'a, T: PartialEq + 'a>(mut all: impl Iterator<Item = &'a T>, one: &T) -> usize {
    all.position(|other| other == one).unwrap_or(usize::MAX)
}

/// The place of every setting among those of its optimizer and schedule.
fn settings(experiment: &Experiment) -> HashMap<Key<'_>, usize> {
    let mut places = HashMap::new();
    for optimizer in experiment.optimizers.iter().map(|entrant| &entrant.grid) {
        let variants = optimizer.variants();
        for schedule in &experiment.schedules {
            let schedule_variants = schedule.variants();
            let pairs = variants.iter().flat_map(|one| schedule_variants.iter().map(move |other| (one, other)));
            for (i, (one, other)) in pairs.enumerate() {
                let setting = (optimizer.label.as_str(), schedule.label.as_str(), Setting::all(one, other));
                places.entry(setting).or_insert(i);
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::sweep::Plan;
    use crate::task::data::Library;

    #[test]
    fn records_are_listed_as_they_are_planned() {
        let config = "seeds = [7, 3]\nsteps = 100\n[anytime]\nhorizons = [\"20%\", \"50%\"]\n[tasks.valley]\n\
                      model = \"rosenbrock\"\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\n\
                      lr = [0.1, 0.003, 0.01]\nmomentum = [0.9, 0]\n[optimizers.adam]\nschedules = [\"cosine\"]\n\
                      [schedules.late]\nkind = \"cosine\"\nwarmup = [\"20%\", \"5%\"]\n[schedules.cosine]\n";
        let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", config, "c", &[]).unwrap();
        let plan = Plan::new(experiment, &Library::default()).unwrap();
        let arm = crate::analysis::simulated::Arm::new("x", &[0.5]);
        let any = crate::analysis::simulated::records(&[arm]).remove(0);
        let mut records: Vec<Record> = Vec::new();
        for run in &plan.runs {
            records.push(Record {
                run: run.name.clone(),
                task: plan.experiment.tasks[run.task].label.clone(),
                optimizer: run.optimizer_label.clone(),
                schedule: run.schedule_label.clone(),
                seed: run.seed,
                hyper_parameters: run.hyper_parameters(),
                horizon: run.horizon,
                ..any.clone()
            });
        }
        let planned = records.clone();
        records.sort_by(|a, b| a.run.cmp(&b.run));
        assert_ne!(records, planned);
        sort(&mut records, &plan.experiment);
        assert_eq!(records, planned);
    }
}
