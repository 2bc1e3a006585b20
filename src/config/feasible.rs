//! What can only be judged of a whole config: whether it can be run.

use crate::config::diagnostics::Diagnostics;
use crate::config::source::{Item, Place, START, Table};
use crate::config::{Entrant, Experiment, Grid};
use crate::length::Timeline;
use crate::registry::{Described, Key, choices};
use crate::settings::{EXTERNAL, Settings, Value};
use crate::task::{Spec, model};
use crate::{optim, schedule};

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

/// Refuses values that the other keys leave without a meaning, in any variant: such a run would be another one's copy.
pub(super) fn check_needs(table: &Table, experiment: &Experiment, diagnostics: &mut Diagnostics) {
    for Entrant { grid, .. } in &experiment.optimizers {
        let Some((owner, unmet)) = grid.variants().iter().find_map(unmet) else { continue };
        let Some(needs) = unmet.needs else { continue };
        let place = place(table, "optimizers", &grid.label, &[&owner]);
        diagnostics.add(&place, format!("`{}` needs {}", unmet.name, needs.words));
    }
    for task in &experiment.tasks {
        for (key, needs) in
            task.model.definition::<model::Definition>().keys().filter_map(|key| Some((key, key.needs?)))
        {
            if !(needs.met)(&task.model) {
                let place = place(table, "tasks", &task.label, &[key.name]);
                diagnostics.add(&place, format!("`{}` has no meaning here", key.name)).expected(needs.words);
            }
        }
    }
}

/// The first key of an optimizer, or of one within it, whose needs are not met; and which of its own keys that is.
pub(super) fn unmet(settings: &Settings) -> Option<(String, Key)> {
    let own = settings
        .definition::<optim::Definition>()
        .keys()
        .find(|key| key.needs.is_some_and(|needs| !(needs.met)(settings)));
    let nested = || {
        settings.iter().find_map(|(name, value)| match value {
            Value::Nested(inner) => unmet(inner).map(|(_, key)| (name.to_owned(), key)),
            _ => None,
        })
    };
    own.map(|key| (key.name.to_owned(), *key)).or_else(nested)
}

/// Refuses what only a program of the user's computes on the tasks that are trained here.
pub(super) fn check_external(table: &Table, experiment: &Experiment, diagnostics: &mut Diagnostics) {
    let here =
        |entrant: &Entrant| experiment.tasks.iter().find(|task| task.is_trained_here() && entrant.enters(&task.label));
    for entrant in &experiment.optimizers {
        let Some(task) = here(entrant) else { continue };
        let schedules = experiment.schedules.iter().filter(|grid| entrant.schedules.contains(&grid.label));
        let grids = std::iter::once(("optimizers", &entrant.grid)).chain(schedules.map(|grid| ("schedules", grid)));
        for (section, grid) in grids.filter(|(_, grid)| grid.kind.name() == EXTERNAL) {
            let thing = section.trim_end_matches('s');
            let title =
                format!("{thing} `{}` is `{EXTERNAL}`, and task `{}` is trained by optbench", grid.label, task.label);
            let added = diagnostics.add(&place(table, section, &grid.label, &["kind"]), title);
            added.expected("a kind from `optbench list`, or a task with `command`").help(format!(
                "`tasks = [..]` and `schedules = [..]` in [optimizers.{}] say where it competes",
                entrant.grid.label
            ));
        }
    }
}

/// A stand-in for the steps of an epoch, which are not known before the data are: so many that no duration that a
/// run could have comes to 0 steps. The plan tries the true length before anything trains.
const STEPS_PER_EPOCH: u64 = 1_000_000_000_000;

/// Tries every duration on every task, so that nothing trains before all of them make sense.
pub(super) fn check_durations(table: &Table, experiment: &Experiment, diagnostics: &mut Diagnostics) {
    for task in &experiment.tasks {
        let steps_per_epoch = task.dataset.as_ref().map(|_| STEPS_PER_EPOCH).or(task.declared_epoch());
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
                let beta2 = optim::second_moment_decay(settings);
                let timeline = Timeline { steps: budget.steps, steps_per_epoch, beta2 };
                if let Err(problem) = settings.in_steps(&timeline) {
                    let place = place(table, "optimizers", &optimizer.label, &[]);
                    diagnostics.add(&place, format!("task `{}`: {problem}", task.label));
                }
                for schedule in experiment.schedules.iter().filter(|grid| schedules.contains(&grid.label)) {
                    check_schedule(table, task, &optimizer.label, schedule, &timeline, diagnostics);
                }
            }
        }
    }
}

/// Tries every variant of a schedule under one optimizer on one task, up to the first that fails.
fn check_schedule(
    table: &Table,
    task: &Spec,
    optimizer: &str,
    schedule: &Grid,
    timeline: &Timeline,
    diagnostics: &mut Diagnostics,
) {
    let named = |keys: &[&str]| place(table, "schedules", &schedule.label, keys);
    if schedule.kind.name() == EXTERNAL {
        // Its rates are its program's own.
        return;
    }
    for settings in schedule.variants() {
        let built = match schedule::build(&settings, timeline) {
            Ok(built) => built,
            Err(problem) => {
                let title = format!("task `{}`, optimizer `{optimizer}`: {problem}", task.label);
                diagnostics.add(&named(&[]), title);
                return;
            }
        };
        if let Some(lacking) = built.watches().into_iter().find(|metric| !task.metrics.contains(metric)) {
            let title =
                format!("schedule `{}` watches {}, which task `{}` lacks", schedule.label, lacking.name(), task.label);
            let names: Vec<&str> = task.metrics.iter().map(|metric| metric.name()).collect();
            diagnostics.add(&named(&["metric", "parts"]), title).expected(choices(&names));
            return;
        }
    }
}

/// Where the first of these keys stands that a labelled table has; its label where it has none of them.
fn place(table: &Table, section: &str, label: &str, keys: &[&str]) -> Place {
    let Some(Item::Table(entries)) = table.get(section).map(|entry| &entry.value.item) else { return START };
    let Some(entry) = entries.get(label) else { return START };
    let Item::Table(own) = &entry.value.item else { return entry.key_place.clone() };
    let found = keys.iter().find_map(|key| own.get(key));
    found.map_or(&entry.key_place, |entry| &entry.value.place).clone()
}
