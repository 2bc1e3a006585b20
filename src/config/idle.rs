//! What a config says without effect: no mistake, but hardly meant.

use crate::config::source::{Item, Node, Table};
use crate::config::{Entrant, Grid};
use crate::task::Spec;

/// A sentence for each schedule and each task that no optimizer is run under.
pub(super) fn idle(table: &Table, tasks: &[Spec], optimizers: &[Entrant], schedules: &[Grid]) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(Item::Table(schedules)) = table.get("schedules").map(|entry| &entry.value.item) {
        let lists = schedules.0.iter().filter_map(|entry| match &entry.value.item {
            Item::Table(keys) => keys.get("parts"),
            _ => None,
        });
        lists.for_each(|list| mentions(&list.value, &mut parts));
    }
    let schedules = schedules.iter().map(|grid| grid.label.as_str()).filter(|label| !parts.contains(label));
    let unused = |chosen: fn(&Entrant) -> &[String], label: &str| {
        !optimizers.iter().any(|entrant| chosen(entrant).iter().any(|other| other == label))
    };
    let said = |what: &str, label: &str| {
        format!("{what} `{label}` is not used: every optimizer has a list `{what}s` without it")
    };
    let schedules = schedules.filter(|label| unused(|entrant| &entrant.schedules, label));
    let tasks = tasks.iter().map(|task| task.label.as_str()).filter(|label| unused(|entrant| &entrant.tasks, label));
    schedules.map(|label| said("schedule", label)).chain(tasks.map(|label| said("task", label))).collect()
}

/// Every text in a list of parts: the label of a schedule may be among them.
fn mentions<'a>(node: &'a Node, found: &mut Vec<&'a str>) {
    match &node.item {
        Item::Text(text) => found.push(text),
        Item::Array(nodes) => nodes.iter().for_each(|node| mentions(node, found)),
        Item::Table(table) => table.0.iter().for_each(|entry| mentions(&entry.value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::config::Experiment;

    #[test]
    fn what_no_optimizer_is_run_under_is_said() {
        let idle = |text: &str| {
            let text = format!("steps = 9\n[tasks.quadratic]\n[tasks.rosenbrock]\n{text}");
            Experiment::parse(&Catalog::built_in(), "c.toml", &text, "c", &[]).unwrap().idle
        };
        let schedules = "[schedules.constant]\n[schedules.cosine]\n[schedules.late]\nkind = \"step\"\nevery = 3\n\
                         [schedules.both]\nkind = \"sequential\"\nparts = [{ schedule = \"late\", length = 4 }, \"cosine\"]\n";
        assert_eq!(idle(&format!("{schedules}[optimizers.sgd]\n")), Vec::<String>::new());
        let some = "[optimizers.sgd]\nschedules = [\"both\"]\ntasks = [\"quadratic\"]\n";
        assert_eq!(
            idle(&format!("{schedules}{some}")),
            [
                "schedule `constant` is not used: every optimizer has a list `schedules` without it",
                "task `rosenbrock` is not used: every optimizer has a list `tasks` without it"
            ]
        );
    }
}
