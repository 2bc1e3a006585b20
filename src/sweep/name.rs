//! What runs, and so their folders, are called.

use std::collections::HashMap;

use crate::config::{Entrant, Experiment, Grid};
use crate::results::file_name::{Distinct, safe};
use crate::sweep::Run;

/// File systems take 255 bytes; locks and temporary folders add to a name.
const LONGEST: usize = 150;

/// What the names of an arm's runs begin with, by the labels of its task, optimizer and schedule.
pub(super) type Stems = HashMap<[String; 3], String>;

/// All of them different.
pub(super) fn stems(experiment: &Experiment) -> Stems {
    let Experiment { tasks, optimizers, schedules, .. } = experiment;
    let (mut names, mut stems) = (Distinct::default(), Stems::new());
    for task in tasks {
        for Entrant { grid: optimizer, schedules: own, .. } in optimizers.iter().filter(|own| own.enters(&task.label)) {
            for schedule in schedules.iter().filter(|schedule| own.contains(&schedule.label)) {
                let labels = [&task.label, &optimizer.label, &schedule.label].map(Clone::clone);
                let stem = names.name(&labels.join("-"));
                stems.insert(labels, stem);
            }
        }
    }
    stems
}

/// `digits-adamw-cosine-lr0.003-s0`: the arm's stem, what is swept, and the seed.
pub(super) fn of(run: &Run, experiment: &Experiment, stems: &Stems) -> String {
    let grids = experiment.optimizers.iter().map(|entrant| &entrant.grid);
    let optimizer = grids.into_iter().find(|grid| grid.label == run.optimizer_label);
    let schedule = experiment.schedules.iter().find(|grid| grid.label == run.schedule_label);
    let task = &experiment.tasks[run.task].label;
    let labels = [task, &run.optimizer_label, &run.schedule_label].map(Clone::clone);
    let mut name = stems[&labels].clone();
    let swept: Vec<&str> = optimizer.into_iter().flat_map(Grid::swept).collect();
    let rate = (!swept.contains(&"lr")).then_some("lr");
    let of_optimizer = rate.into_iter().chain(swept).filter_map(|key| Some((key, run.optimizer.get(key)?)));
    let of_schedule = schedule.into_iter().flat_map(Grid::swept).filter_map(|key| Some((key, run.schedule.get(key)?)));
    for (key, value) in of_optimizer.chain(of_schedule) {
        name += &safe(&format!("-{key}{value}"));
    }
    if let Some(horizon) = run.horizon {
        name += &format!("-until{horizon}");
    }
    if name.len() > LONGEST {
        name = format!("{}-{}", &name[..LONGEST - 30], &run.fingerprint[..8]);
    }
    name += &format!("-s{}", run.seed);
    if name.starts_with(['.', '-']) { format!("_{name}") } else { name }
}
