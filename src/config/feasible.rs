//! What can only be judged of a whole config: whether it can be run.

use crate::config::diagnostics::Diagnostics;
use crate::config::experiment::START;
use crate::config::source::{Item, Table};
use crate::config::{Entrant, Experiment};
use crate::duration::Timeline;
use crate::schedule;

/// An equal number of tries needs as many settings of every optimizer under every schedule.
pub(super) fn check_tries(table: &Table, experiment: &Experiment, tries: usize, diagnostics: &mut Diagnostics) {
    let Some(Item::Table(optimizers)) = table.get("optimizers").map(|entry| &entry.value.item) else { return };
    for Entrant { grid: optimizer, schedules, .. } in &experiment.optimizers {
        let Some(entry) = optimizers.get(&optimizer.label) else { continue };
        let own = experiment.schedules.iter().filter(|grid| schedules.contains(&grid.label));
        let fewest = own.map(|schedule| (optimizer.len() * schedule.len(), &schedule.label)).min();
        if let Some((settings, schedule)) = fewest.filter(|(settings, _)| (1..tries).contains(settings)) {
            let added = diagnostics.add(
                &entry.key_place,
                format!("`{}` under `{schedule}` has {settings} settings to try", optimizer.label),
            );
            added
                .expected(format!("at least the {tries} that [tuning] tries of every optimizer and schedule"))
                .help("give ranges, from which as many as needed are drawn: lr = { log_uniform = [1e-4, 1e-1] }");
        }
    }
}

/// Tries every duration on every task, so that nothing trains before all of them make sense.
pub(super) fn check_durations(table: &Table, experiment: &Experiment, diagnostics: &mut Diagnostics) {
    let place = |section: &str, label: &str| match table.get(section).map(|entry| &entry.value.item) {
        Some(Item::Table(entries)) => entries.get(label).map_or(START, |entry| entry.key_place.clone()),
        _ => START,
    };
    for task in &experiment.tasks {
        // Any length of an epoch will do: only whether there are epochs matters here.
        let steps_per_epoch = task.dataset.as_ref().map(|_| 100);
        let budget = match experiment.budget(steps_per_epoch) {
            Ok(budget) => budget,
            Err(problem) => {
                let culprit = ["epochs", "eval_every"].into_iter().find_map(|key| table.get(key));
                let place = culprit.map_or(START, |entry| entry.value.place.clone());
                diagnostics.add(&place, format!("task `{}`: {problem}", task.label));
                continue;
            }
        };
        if let (Some(entry), None, Err(problem)) =
            (table.get("anytime"), steps_per_epoch, experiment.horizons(steps_per_epoch))
        {
            diagnostics.add(&entry.key_place, format!("task `{}`: {problem}", task.label));
            continue;
        }
        for Entrant { grid: optimizer, schedules, .. } in
            experiment.optimizers.iter().filter(|entrant| entrant.enters(&task.label))
        {
            for settings in optimizer.variants().iter().take(1) {
                let beta2 = settings.optional_float("beta2");
                let timeline = Timeline { steps: budget.steps, steps_per_epoch, beta2 };
                if let Err(problem) = settings.in_steps(&timeline) {
                    diagnostics
                        .add(&place("optimizers", &optimizer.label), format!("task `{}`: {problem}", task.label));
                }
                for schedule in experiment.schedules.iter().filter(|grid| schedules.contains(&grid.label)) {
                    let failed =
                        schedule.variants().iter().find_map(|settings| schedule::build(settings, &timeline).err());
                    if let Some(problem) = failed {
                        let (task, optimizer) = (&task.label, &optimizer.label);
                        let title = format!("task `{task}`, optimizer `{optimizer}`: {problem}");
                        diagnostics.add(&place("schedules", &schedule.label), title);
                    }
                }
            }
        }
    }
}
