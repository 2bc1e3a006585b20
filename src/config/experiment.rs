//! The top level of a config.

use crate::config::diagnostics::Diagnostics;
use crate::config::grid::{Grid, Keys, kind_of, read_keys};
use crate::config::idle::idle;
use crate::config::names::refuse_unknown;
use crate::config::section::{KEYS, entries, is_missing};
use crate::config::source::{Entry, Item, Node, START, Table};
use crate::config::value::{interval, value};
use crate::config::{
    Claim, Entrant, Experiment, Tuning, anytime, claim, entrant, feasible, label, seeds, shorthand, task, tuning,
};
use crate::length::Length;
use crate::registry::{Accepts, Bounds, Described};
use crate::schedule;
use crate::settings::Value;
use crate::words::count;

const PROBES: [&str; 1] = ["gradients"];
const MOST_STEPS: f64 = 1e12;
/// What a sweep may span: at 10 seconds a run, eleven days of one core.
const MOST_RUNS: f64 = 100_000.0;

/// Reads everything that can be read. What is mistaken is noted and left at a harmless value.
pub(super) fn read(table: &Table, default_name: &str, diagnostics: &mut Diagnostics) -> Experiment {
    refuse_unknown(table, &KEYS, "the config", diagnostics);
    let tasks: Vec<_> =
        entries(table, "tasks", diagnostics).iter().filter_map(|e| task::read(e, diagnostics)).collect();
    task::refuse_contradictions(table, &tasks, diagnostics);
    if is_missing(table, "tasks") {
        let added = diagnostics.add(&START, "the config has no task").expected("a table such as [tasks.digits]");
        added.help("`optbench init` writes a config to start from");
    }
    let tuning = table.get("tuning").and_then(|entry| tuning::read(entry, table.get("anytime").is_some(), diagnostics));
    // Where `tuning` is mistaken, nothing is said of samples that it leaves open.
    let tries = table.get("tuning").map(|_| tuning.as_ref().map_or(1, Tuning::tries));
    let schedules = schedules(table, tries, diagnostics);
    let optimizers = entrant::read_all(table, &tasks, &schedules, tries, diagnostics);
    let length = length(table, diagnostics);
    let anytime = table.get("anytime").and_then(|entry| anytime::read(&entry.value, length, diagnostics));
    let seeds = seeds::seeds(table, diagnostics);
    let judges = seeds::judge_seeds(table, &seeds, diagnostics);
    let experiment = Experiment {
        name: name(table, default_name, diagnostics),
        seeds: seeds.all,
        seed_looks: seeds.looks,
        judge_seeds: judges.all,
        judge_looks: judges.looks,
        length,
        eval_every: match table.get("eval_every") {
            Some(entry) => interval(&entry.value, "eval_every", diagnostics).unwrap_or(Length::Percent(10.0)),
            None => Length::Percent(10.0),
        },
        checkpoint_every: table
            .get("checkpoint_every")
            .and_then(|entry| interval(&entry.value, "checkpoint_every", diagnostics)),
        anytime,
        probes_gradients: table
            .get("probe")
            .and_then(|entry| value(&entry.value, "probe", Accepts::Choices(&PROBES), diagnostics))
            .is_some_and(|probes| probes != Value::List(Vec::new())),
        tuning,
        claims: claims(table, &tasks, &optimizers, diagnostics),
        idle: idle(table, &tasks, &optimizers, &schedules),
        tasks,
        optimizers,
        schedules,
    };
    refuse_too_many_runs(table, &experiment, diagnostics);
    seeds::check_looks(table, &experiment, diagnostics);
    if let Some(tuning) = experiment.tuning {
        feasible::check_tries(table, &experiment, tuning.tries(), diagnostics);
    }
    if diagnostics.is_empty() {
        feasible::check_needs(table, &experiment, diagnostics);
        feasible::check_external(table, &experiment, diagnostics);
        feasible::check_durations(table, &experiment, diagnostics);
    }
    experiment
}

/// Counts the runs before any of them is listed.
fn refuse_too_many_runs(table: &Table, experiment: &Experiment, diagnostics: &mut Diagnostics) {
    let Experiment { seeds, optimizers, schedules, .. } = experiment;
    let under = |labels: &[String]| -> f64 {
        schedules.iter().filter(|grid| labels.contains(&grid.label)).map(Grid::combinations).sum()
    };
    let arms = |entrant: &Entrant| entrant.tasks.len() as f64 * entrant.grid.combinations() * under(&entrant.schedules);
    let runs = seeds.len() as f64 * optimizers.iter().map(arms).sum::<f64>();
    if runs > MOST_RUNS {
        let place = table.get("optimizers").map_or(START, |entry| entry.key_place.clone());
        let title = format!(
            "the sweep spans {runs} runs: tasks x hyper-parameters x schedules x {}",
            count(seeds.len(), "seed")
        );
        let added = diagnostics.add(&place, title).expected(format!("at most {MOST_RUNS}"));
        added.help("every list and every `points` multiplies the runs; shorten some, or split the experiment");
    }
}

fn name(table: &Table, default: &str, diagnostics: &mut Diagnostics) -> String {
    let Some(entry) = table.get("name") else { return folder_name(default) };
    match &entry.value.item {
        Item::Text(name) if folder_name(name) == *name => name.clone(),
        item => {
            let found = if let Item::Text(text) = item { text } else { item.describe() };
            let added = diagnostics.add(&entry.value.place, format!("`name` is {found}"));
            added.expected(
                "1 to 100 letters, digits, `.`, `_` and `-`, and not a reserved name (such as `con`): the results folder is \
                 named after it",
            );
            folder_name(default)
        }
    }
}

/// What a folder can be called on every system, and lies below no other: the name itself where it is one.
fn folder_name(name: &str) -> String {
    // Windows keeps these for devices, whatever their ending.
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];
    let mut safe: String =
        name.chars().take(100).map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let stem = safe.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let device = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    if safe.is_empty() || safe.starts_with(['.', '-']) || DEVICES.contains(&device) {
        safe = format!("_{}", safe.chars().take(99).collect::<String>());
    }
    // Windows drops full stops at the end.
    if safe.ends_with('.') {
        safe.pop();
        safe.push('_');
    }
    safe
}

fn length(table: &Table, diagnostics: &mut Diagnostics) -> Length {
    let harmless = Length::Steps(1);
    let (entry, accepts) = match (table.get("epochs"), table.get("steps")) {
        (Some(_), Some(steps)) => {
            let added = diagnostics.add(&steps.key_place, "both `epochs` and `steps` are given");
            added.help("remove one of them: the length of a run is given once");
            return harmless;
        }
        (None, None) if !is_missing(table, "epochs") || !is_missing(table, "steps") => return harmless,
        (None, None) => {
            let added = diagnostics.add(&START, "the config does not say how long a run trains");
            added.expected("`epochs = 10` or `steps = 2000`");
            return harmless;
        }
        (Some(epochs), None) => (epochs, Accepts::Float(Bounds::within(1e-9, 1e9))),
        (None, Some(steps)) => (steps, Accepts::Integer(Bounds::within(1.0, MOST_STEPS))),
    };
    match value(&entry.value, &entry.key, accepts, diagnostics) {
        Some(Value::Integer(steps)) => Length::Steps(steps as u64),
        Some(Value::Float(epochs)) => Length::Epochs(epochs),
        _ => harmless,
    }
}

fn schedules(table: &Table, tries: Option<usize>, diagnostics: &mut Diagnostics) -> Vec<Grid> {
    let Some(Entry { value: Node { item: Item::Table(tables), .. }, .. }) = table.get("schedules") else {
        entries(table, "schedules", diagnostics);
        return vec![Grid::defaults(schedule::DEFAULT)];
    };
    let written = shorthand::write_out_parts(tables, diagnostics);
    if written.0.is_empty() {
        return vec![Grid::defaults(schedule::DEFAULT)];
    }
    let grids = written.0.iter().filter_map(|entry| {
        label::check_joined(entry, diagnostics);
        let (keys, definition) = kind_of(entry, &diagnostics.catalog.schedules, diagnostics)?;
        let owner = format!("schedule `{}`", entry.key);
        let known: Vec<&str> = definition.names().collect();
        refuse_unknown(keys, &known, &owner, diagnostics);
        let Keys { axes, joint } =
            read_keys(keys, &entry.key_place, &owner, definition, Vec::new(), tries, diagnostics);
        Some(Grid { label: entry.key.clone(), kind: definition, axes, joint })
    });
    grids.collect()
}

fn claims(
    table: &Table,
    tasks: &[crate::task::Spec],
    optimizers: &[Entrant],
    diagnostics: &mut Diagnostics,
) -> Vec<Claim> {
    let known = claim::Known { entrants: optimizers, tasks, anytime: table.get("anytime").is_some() };
    let claims = entries(table, "claims", diagnostics);
    claims.iter().filter_map(|entry| claim::read(entry, &known, diagnostics)).collect()
}
