//! Whether the groups of every optimizer find parameters in the models that it trains.

use crate::config::{Entrant, Experiment};
use crate::optim::groups;
use crate::settings::Settings;
use crate::sweep::prepared::Prepared;

/// Patterns that match nothing, and groups that are left without parameters, in words for the user.
pub(super) fn problems(experiment: &Experiment, tasks: &[Prepared]) -> Vec<String> {
    let mut problems = Vec::new();
    for entrant in &experiment.optimizers {
        let patterns = groups::patterns(&first(entrant));
        if patterns.is_empty() {
            continue;
        }
        let entered = experiment.tasks.iter().zip(tasks).filter(|(spec, _)| entrant.enters(&spec.label));
        let Some(models) = entered.map(|(_, task)| task.trainer.parameters()).collect::<Option<Vec<_>>>() else {
            continue;
        };
        let label = &entrant.grid.label;
        let found = groups::problems(&patterns, &models.concat()).into_iter();
        problems.extend(found.map(|problem| format!("optimizer `{label}`: {problem}")));
    }
    problems
}

/// The settings of the first run: which parameters belong to a group is the same in all.
fn first(entrant: &Entrant) -> Settings {
    let axes = entrant.grid.axes.iter().filter_map(|(key, values)| Some((key, values.first()?)));
    axes.fold(Settings::new(entrant.grid.kind), |settings, (key, value)| settings.with(key, value.clone()))
}
