//! The `[optimizers]` of a config: what competes, and where.

use crate::config::arm::Arm;
use crate::config::diagnostics::Diagnostics;
use crate::config::grid::{Grid, Keys, kind_of, read_keys};
use crate::config::names::refuse_unknown;
use crate::config::section::{entries, is_missing};
use crate::config::source::{Item, START, Table};
use crate::config::{groups, label, shorthand};
use crate::registry::{Described, choices, nearest};
use crate::task::Spec;

/// An optimizer of the config, with the schedules and the tasks that it is run under.
#[derive(Debug, Clone, PartialEq)]
pub struct Entrant {
    /// Its label, kind and settings.
    pub grid: Grid,
    /// The labels of its schedules; every schedule of the file unless the config says otherwise.
    pub schedules: Vec<String>,
    /// The labels of its tasks; every task of the file unless the config says otherwise.
    pub tasks: Vec<String>,
}

impl Entrant {
    /// Whether it is run under an arm of a claim, or one of those that the arm stands for.
    pub fn takes(&self, arm: &Arm) -> bool {
        self.schedules.iter().any(|schedule| arm.means(&self.grid.label, schedule))
    }

    /// Whether it is run on a task.
    pub fn enters(&self, task: &str) -> bool {
        self.tasks.iter().any(|label| label == task)
    }
}

/// Reads every optimizer of the config.
pub(super) fn read_all(
    table: &Table,
    tasks: &[Spec],
    schedules: &[Grid],
    tries: Option<usize>,
    diagnostics: &mut Diagnostics,
) -> Vec<Entrant> {
    let tables = entries(table, "optimizers", diagnostics);
    if tables.is_empty() && (table.get("optimizers").is_some() || is_missing(table, "optimizers")) {
        let place = table.get("optimizers").map_or(START, |entry| entry.key_place.clone());
        let added =
            diagnostics.add(&place, "the config has no optimizer").expected("a table such as [optimizers.adamw]");
        added.help("`optbench list optimizers` shows them all");
    }
    let all_tasks: Vec<&str> = tasks.iter().map(|task| task.label.as_str()).collect();
    let all_schedules: Vec<&str> = schedules.iter().map(|grid| grid.label.as_str()).collect();
    let entrants = tables.iter().filter_map(|entry| {
        label::check_joined(entry, diagnostics);
        let (keys, definition) = kind_of(entry, &diagnostics.catalog.optimizers, diagnostics)?;
        let keys = &shorthand::lift_rate(keys, diagnostics);
        let owner = format!("optimizer `{}`", entry.key);
        let known: Vec<&str> = definition.names().collect();
        refuse_unknown(keys, &known, &owner, diagnostics);
        let groups = groups::read(keys, definition, &owner, diagnostics);
        let Keys { axes, joint } = read_keys(keys, &entry.key_place, &owner, definition, groups, tries, diagnostics);
        Some(Entrant {
            grid: Grid { label: entry.key.clone(), kind: definition, axes, joint },
            schedules: own(keys, "schedules", &all_schedules, diagnostics),
            tasks: own(keys, "tasks", &all_tasks, diagnostics),
        })
    });
    entrants.collect()
}

/// Reads the labels that an optimizer chooses among those of the file; all where it says nothing.
fn own(keys: &Table, section: &str, all: &[&str], diagnostics: &mut Diagnostics) -> Vec<String> {
    let Some(entry) = keys.get(section) else { return all.iter().map(|&label| label.to_owned()).collect() };
    let list = match &entry.value.item {
        Item::Array(list) if !list.is_empty() => list.as_slice(),
        Item::Text(_) => std::slice::from_ref(&entry.value),
        item => {
            let found = if let Item::Array(_) = item { "an empty list" } else { item.describe() };
            let added = diagnostics.add(&entry.value.place, format!("`{section}` is {found}"));
            added.expected(format!("a list of labels, of {}", choices(all)));
            return Vec::new();
        }
    };
    let thing = section.trim_end_matches('s');
    let mut chosen: Vec<String> = Vec::new();
    for node in list {
        match &node.item {
            Item::Text(text) if chosen.contains(text) => {
                diagnostics.add(&node.place, format!("`{text}` is listed twice")).expected("different labels");
            }
            Item::Text(text) if all.contains(&text.as_str()) => chosen.push(text.clone()),
            item => {
                let found = if let Item::Text(text) = item { text } else { item.describe() };
                let is_schedule = section == "schedules" && diagnostics.catalog.schedules.find(found).is_some();
                let added = diagnostics.add(&node.place, format!("there is no {thing} labelled `{found}`"));
                let added = added.expected(choices(all));
                if let Some(near) = nearest(found, all.iter().copied()) {
                    added.help(format!("did you mean \"{near}\"?"));
                } else if is_schedule {
                    added.help(format!("add the table [schedules.{found}]"));
                }
            }
        }
    }
    chosen
}
