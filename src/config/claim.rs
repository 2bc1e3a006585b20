//! The `[claims]` of a config: statements that the results can support or refute.

use std::collections::BTreeSet;

use crate::choice::Choice;
use crate::config::Entrant;
use crate::config::arm::Arm;
use crate::config::around::{self, Around};
use crate::config::bar::{self, Bar};
use crate::config::diagnostics::Diagnostics;
use crate::config::label;
use crate::config::names::refuse_unknown;
use crate::config::reaches::{self, Reaches};
use crate::config::source::{Entry, Item, Table};
use crate::margin::Margin;
use crate::metric::Metric;
use crate::registry::{choices, nearest};
use crate::task::Spec;

/// The statement that one arm is at most `margin` worse than another, or more than `by` better; or that an arm reaches
/// a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The label of the claim's table.
    pub label: String,
    /// The arm that is claimed to be better, as labels; or to reach a score.
    pub better: Arm,
    /// The arm that it is compared with; the same arm where it is to reach a score.
    pub than: Arm,
    /// How `better` must stand to `than`.
    pub bar: Bar,
    /// The task that the claim is about; every one that it can be about where it is `None`: see [`Claim::is_about`].
    pub task: Option<String>,
    /// What is compared; the task's own metric where it is `None`.
    pub metric: Option<Metric>,
    /// The score that it reaches, where nothing is compared.
    pub reaches: Option<Reaches>,
    /// At which hyper-parameters.
    pub at: At,
    /// How far around the best rate; with [`At::AroundBest`] alone.
    pub around: Option<Around>,
}

impl Claim {
    /// Whether a task counts: the claim does not name another, both sides are run on it, and it has the metric.
    pub fn is_about(&self, task: &Spec, entrants: &[Entrant]) -> bool {
        let named = self.task.as_ref().is_none_or(|label| *label == task.label);
        let measured = self.metric.is_none_or(|metric| task.metrics.contains(&metric));
        named && measured && self.both_run_on(task, entrants)
    }

    fn both_run_on(&self, task: &Spec, entrants: &[Entrant]) -> bool {
        let runs = |arm: &Arm| entrants.iter().any(|entrant| entrant.takes(arm) && entrant.enters(&task.label));
        runs(&self.better) && runs(&self.than)
    }
}

crate::choice! {
    /// The hyper-parameters at which a claim compares.
    pub enum At {
        /// Each side at its best, chosen on validation.
        Tuned = "tuned",
        /// Each side at its defaults.
        Default = "default",
        /// At every learning rate that both have.
        EveryLr = "every_lr",
        /// As of every horizon of the anytime comparison, and at the end.
        EveryHorizon = "every_horizon",
        /// At rates off each side's best one: what they cost is compared instead of the scores.
        AroundBest = "around_best",
    }
}

/// What a claim can be about.
pub(super) struct Known<'a> {
    /// The optimizers that the config trains.
    pub(super) entrants: &'a [Entrant],
    /// The tasks.
    pub(super) tasks: &'a [Spec],
    /// Whether the config has horizons.
    pub(super) anytime: bool,
}

/// Reads one claim.
pub(super) fn read(entry: &Entry, known: &Known, diagnostics: &mut Diagnostics) -> Option<Claim> {
    const KEYS: [&str; 13] = [
        "better",
        "than",
        "margin",
        "not_worse_than",
        "by",
        "task",
        "metric",
        "at",
        "width",
        "lr",
        "arm",
        "reaches",
        "within",
    ];
    label::check(entry, diagnostics);
    let owner = format!("claim `{}`", entry.key);
    let Item::Table(table) = &entry.value.item else {
        diagnostics.add(&entry.value.place, format!("{owner} is {}", entry.value.item.describe())).expected("a table");
        return None;
    };
    refuse_unknown(table, &KEYS, &owner, diagnostics);
    let under = |entrant: &Entrant| -> Vec<(String, String)> {
        entrant.schedules.iter().map(|schedule| (entrant.grid.label.clone(), schedule.clone())).collect()
    };
    let arms: Vec<(String, String)> = known.entrants.iter().flat_map(under).collect();
    if arms.is_empty() {
        // Everything that a claim could be about is mistaken itself, and said so.
        return None;
    }
    if ["arm", "reaches", "within"].iter().any(|key| table.get(key).is_some()) {
        return absolute(table, entry, &arms, known, diagnostics);
    }
    let better = required_arm(table, "better", entry, &arms, diagnostics);
    let than = required_arm(table, "than", entry, &arms, diagnostics);
    let bar = bar::read(table, &owner, diagnostics);
    let metrics = measured(known.tasks);
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name()).collect();
    let tasks: Vec<&str> = known.tasks.iter().map(|task| task.label.as_str()).collect();
    let task = one_of(table, "task", &tasks, diagnostics);
    let metric = one_of(table, "metric", &names, diagnostics).and_then(|name| Metric::find(name, &metrics));
    let at = one_of(table, "at", At::WORDS, diagnostics);
    // Without it, `lr` and `width` are mistaken whatever they say.
    let around = at.filter(|at| *at == At::AroundBest.word()).and_then(|_| around::read(table, &owner, diagnostics));
    let claim = Claim {
        label: entry.key.clone(),
        better: better?,
        than: than?,
        bar,
        task: task.map(str::to_owned),
        metric,
        reaches: None,
        at: at.and_then(At::named).unwrap_or(At::Tuned),
        around,
    };
    make_sense(&claim, table, known, diagnostics);
    Some(claim)
}

/// The metrics that a claim can name: those that any of the tasks has, and all that are built in.
fn measured(tasks: &[Spec]) -> Vec<Metric> {
    let own = tasks.iter().flat_map(|task| &task.metrics);
    let all: BTreeSet<Metric> = own.chain(Metric::BUILT_IN).copied().collect();
    all.into_iter().collect()
}

/// Reads a claim that an arm reaches a score.
fn absolute(
    table: &Table,
    entry: &Entry,
    arms: &[(String, String)],
    known: &Known,
    diagnostics: &mut Diagnostics,
) -> Option<Claim> {
    let arm = required_arm(table, "arm", entry, arms, diagnostics);
    let tasks: Vec<&str> = known.tasks.iter().map(|task| task.label.as_str()).collect();
    let task = one_of(table, "task", &tasks, diagnostics);
    let reaches = reaches::read(table, entry, &measured(known.tasks), diagnostics)?;
    let arm = arm?;
    let claim = Claim {
        label: entry.key.clone(),
        better: arm.clone(),
        than: arm,
        bar: Bar::Margin(Margin::NONE),
        task: task.map(str::to_owned),
        metric: Some(reaches.score.metric),
        reaches: Some(reaches),
        at: At::Tuned,
        around: None,
    };
    have_a_task(&claim, table, known, diagnostics);
    Some(claim)
}

/// Finds what is right key by key and makes no sense together.
fn make_sense(claim: &Claim, table: &Table, known: &Known, diagnostics: &mut Diagnostics) {
    let place = |key: &str| table.get(key).map(|entry| entry.value.place.clone());
    if let (At::EveryHorizon, false, Some(place)) = (claim.at, known.anytime, place("at")) {
        let added = diagnostics.add(&place, "`at` is every_horizon, and the config has no horizons");
        added.expected("a table [anytime] with horizons = [\"25%\", \"50%\"]");
    }
    let given = ["width", "lr"].into_iter().find_map(|key| table.get(key));
    match (claim.at, given) {
        (At::AroundBest, None) => {
            if let Some(place) = place("at") {
                let added = diagnostics.add(&place, "`at` is around_best, and the claim lacks the key `width`");
                added.expected(around::WIDTH);
            }
        }
        (at, Some(entry)) if at != At::AroundBest => {
            let added =
                diagnostics.add(&entry.key_place, format!("`{}` is only used with `at = \"around_best\"`", entry.key));
            added.expected("no such key, or that `at`");
        }
        _ => {}
    }
    compare_two_sides(claim, table, known, diagnostics);
    fit_the_metric(claim, table, known, diagnostics);
    have_a_task(claim, table, known, diagnostics);
    let patterns = [&claim.better, &claim.than].map(Arm::is_pattern);
    if let (true, At::Default | At::EveryLr | At::AroundBest, Some(place)) =
        (patterns != [false; 2], claim.at, place("at"))
    {
        let added = diagnostics.add(&place, format!("`at` is {}, and a side of the claim has a `*`", claim.at.word()));
        added.expected("`tuned` or `every_horizon`, where validation says which arm is the best");
    }
}

/// A claim compares one arm, or the best of several, with others.
fn compare_two_sides(claim: &Claim, table: &Table, known: &Known, diagnostics: &mut Diagnostics) {
    let arms = known.entrants.iter().flat_map(|Entrant { grid, schedules, .. }| {
        schedules.iter().map(|schedule| Arm { optimizer: grid.label.clone(), schedule: schedule.clone() })
    });
    let on = |side: &Arm, arm: &Arm| side.means(&arm.optimizer, &arm.schedule);
    let shared = arms.clone().find(|arm| on(&claim.better, arm) && on(&claim.than, arm));
    let Some((entry, shared)) = table.get("than").zip(shared) else { return };
    // A `*` beside a single arm means all the others.
    let title = match [&claim.better, &claim.than].map(Arm::is_pattern) {
        [false, false] => format!("both sides of the claim are {shared}"),
        [true, true] => format!("{shared} is on both sides of the claim"),
        _ => return,
    };
    diagnostics.add(&entry.value.place, title).expected("two sides with no arm in common");
}

/// Points and errors are told of accuracies.
fn fit_the_metric(claim: &Claim, table: &Table, known: &Known, diagnostics: &mut Diagnostics) {
    let about = known.tasks.iter().filter(|task| claim.is_about(task, known.entrants));
    let other = about.map(|task| (task, claim.metric.unwrap_or(task.metric)));
    let misfit = other.clone().find(|(_, metric)| !claim.bar.size().fits(*metric));
    if let Some(((task, metric), entry)) = misfit.zip(bar::KEYS.iter().find_map(|key| table.get(key))) {
        let size = claim.bar.size();
        let title =
            format!("`{}` is {size}, but the claim compares {} on task `{}`", entry.key, metric.name(), task.label);
        let added = diagnostics.add(&entry.value.place, title);
        added.expected("\"1%\", or { absolute = 0.01 }: points and errors are those of an accuracy");
    }
}

/// A claim is about at least one task, on which both sides are run and which has the metric.
fn have_a_task(claim: &Claim, table: &Table, known: &Known, diagnostics: &mut Diagnostics) {
    let Known { tasks, entrants, .. } = known;
    if tasks.is_empty() || tasks.iter().any(|task| claim.is_about(task, entrants)) {
        return;
    }
    let place = |key: &str| {
        let key = match (claim.reaches, key) {
            (Some(_), "metric") => "reaches",
            (Some(_), "than") => "arm",
            _ => key,
        };
        table.get(key).map(|entry| entry.value.place.clone())
    };
    let shared: Vec<&Spec> = tasks.iter().filter(|task| claim.both_run_on(task, entrants)).collect();
    let meant: Vec<&Spec> = match &claim.task {
        Some(label) => shared.iter().copied().filter(|task| task.label == *label).collect(),
        None => shared.clone(),
    };
    if let (Some(place), Some(metric), [first, others @ ..]) = (place("metric"), claim.metric, &meant[..]) {
        let names = |task: &Spec| task.metrics.iter().map(|metric| metric.name()).collect::<Vec<_>>();
        let title = if others.is_empty() {
            format!("task `{}` has no {}", first.label, metric.name())
        } else {
            format!("no task of the claim has {}", metric.name())
        };
        let mut known: Vec<&str> = meant.iter().flat_map(|task| names(task)).collect();
        known.sort_unstable();
        known.dedup();
        diagnostics.add(&place, title).expected(choices(&known));
        return;
    }
    let Some(place) = place(if claim.task.is_some() { "task" } else { "than" }) else { return };
    let (better, than) = (&claim.better, &claim.than);
    let title = match &claim.task {
        Some(task) => format!("{better} and {than} do not both run on `{task}`"),
        None => format!("{better} and {than} run on no task together"),
    };
    let shared: Vec<&str> = shared.iter().map(|task| task.label.as_str()).collect();
    let expected = if shared.is_empty() { "two arms with a task in common".into() } else { choices(&shared) };
    diagnostics.add(&place, title).expected(expected).help("the `tasks` of an optimizer say where it runs");
}

fn required_arm(
    table: &Table,
    key: &str,
    claim: &Entry,
    arms: &[(String, String)],
    diagnostics: &mut Diagnostics,
) -> Option<Arm> {
    let names: Vec<String> = arms.iter().map(|(optimizer, schedule)| format!("{optimizer}+{schedule}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some(entry) = table.get(key) else {
        let added = diagnostics.add(&claim.key_place, format!("claim `{}` lacks the key `{key}`", claim.key));
        added.expected(format!("{key} = \"OPTIMIZER+SCHEDULE\", such as {}", choices(&names[..names.len().min(2)])));
        return None;
    };
    if let Item::Text(text) = &entry.value.item
        && let Some((optimizer, schedule)) = text.split_once('+')
    {
        let arm = Arm { optimizer: optimizer.to_owned(), schedule: schedule.to_owned() };
        if arm.is_pattern() && arms.iter().any(|(optimizer, schedule)| arm.means(optimizer, schedule)) {
            return Some(arm);
        }
    }
    let (optimizer, schedule) = one_of(table, key, &names, diagnostics)?.split_once('+')?;
    Some(Arm { optimizer: optimizer.to_owned(), schedule: schedule.to_owned() })
}

fn one_of<'a>(table: &Table, key: &str, words: &[&'a str], diagnostics: &mut Diagnostics) -> Option<&'a str> {
    let node = &table.get(key)?.value;
    let text = match &node.item {
        Item::Text(text) => text.as_str(),
        item => item.describe(),
    };
    let found = words.iter().find(|word| **word == text).copied();
    if found.is_none() {
        let added = diagnostics.add(&node.place, format!("`{key}` is {text}")).expected(choices(words));
        if let Some(near) = nearest(text, words.iter().copied()) {
            added.help(format!("did you mean \"{near}\"?"));
        }
    }
    found
}
