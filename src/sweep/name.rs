//! What runs, and so their folders, are called.

use std::collections::HashSet;

use crate::config::{Entrant, Experiment, Grid};
use crate::sweep::Run;

/// File systems take 255 bytes; locks and temporary folders add to a name.
const LONGEST: usize = 150;

/// Beginnings of names, in small letters, that the labels of several arms come to: labels may be made
/// safe to the same name, and some file systems ignore capitals.
pub(super) fn shared_stems(experiment: &Experiment) -> HashSet<String> {
    let Experiment { tasks, optimizers, schedules, .. } = experiment;
    let (mut seen, mut shared) = (HashSet::new(), HashSet::new());
    for task in tasks {
        for Entrant { grid: optimizer, schedules: own, .. } in optimizers.iter().filter(|own| own.enters(&task.label)) {
            for schedule in schedules.iter().filter(|schedule| own.contains(&schedule.label)) {
                let stem = stem(&task.label, &optimizer.label, &schedule.label).to_ascii_lowercase();
                if !seen.insert(stem.clone()) {
                    shared.insert(stem);
                }
            }
        }
    }
    shared
}

/// `digits-adamw-cosine-lr0.003-s0`: labels, what is swept, and the seed; with the run's fingerprint
/// where the labels alone are not enough.
pub(super) fn of(run: &Run, experiment: &Experiment, shared_stems: &HashSet<String>) -> String {
    let optimizer =
        experiment.optimizers.iter().map(|entrant| &entrant.grid).find(|grid| grid.label == run.optimizer_label);
    let schedule = experiment.schedules.iter().find(|grid| grid.label == run.schedule_label);
    let stem = stem(&experiment.tasks[run.task].label, &run.optimizer_label, &run.schedule_label);
    let mut name = stem.clone();
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
    let print = &run.fingerprint[..8];
    if name.len() > LONGEST {
        name = format!("{}-{print}", &name[..LONGEST - 30]);
    } else if shared_stems.contains(&stem.to_ascii_lowercase()) {
        name += &format!("-{print}");
    }
    name += &format!("-s{}", run.seed);
    if name.starts_with(['.', '-']) { format!("_{name}") } else { name }
}

fn stem(task: &str, optimizer: &str, schedule: &str) -> String {
    safe(&format!("{task}-{optimizer}-{schedule}"))
}

/// The text with `_` for whatever is odd in the name of a file.
fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
}
