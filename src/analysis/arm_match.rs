//! Which arm of now stands beside which arm of a baseline, and which settings differ between the two.

use crate::analysis::edges::edges;
use crate::analysis::tries::luck;
use crate::analysis::warning::Warning;
use crate::analysis::{Rank, Roles, Summary, progress, ranking_of, summaries};
use crate::config::{Experiment, Grid};
use crate::metric::Metric;
use crate::registry::Key;
use crate::results::{Record, Setting};
use crate::{optim, schedule};

/// What makes two arms the same arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// Task, labels, and the same value of every hyper-parameter that both know.
    Settings,
    /// Task and labels, whatever settings changed: each side at the settings that its validation chose.
    Label,
}

/// The results of one side, and the config that they come from, where it is known.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The runs.
    pub records: &'a [Record],
    /// The config.
    pub experiment: Option<&'a Experiment>,
}

/// A setting that has another value than in the baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its key; `kind` is the optimizer's kind, `schedule.kind` the schedule's.
    pub key: String,
    /// The value then; `None` where it was not set.
    pub was: Option<Setting>,
    /// The value now; `None` where it is not set.
    pub is: Option<Setting>,
}

/// An arm of the baseline with the arm of now that it is compared with.
pub(super) struct Matched<'a> {
    pub(super) old: Summary<'a>,
    pub(super) new: Option<Summary<'a>>,
    /// The settings that tell this arm from others of the baseline.
    pub(super) settings: Vec<(String, Setting)>,
    pub(super) changed: Vec<Changed>,
    /// Where the arm is gone: the one most like it of those that the baseline does not have, and how it differs.
    pub(super) nearest: Option<(Summary<'a>, Vec<Changed>)>,
    /// What else a reader has to know before believing the comparison.
    pub(super) notes: Vec<String>,
}

/// Every arm of the baseline with its counterpart.
pub(super) fn matched<'a>(
    now: Side<'a>,
    before: Side<'a>,
    matching: Matching,
    metric: &impl Fn(&str) -> Metric,
) -> Vec<Matched<'a>> {
    match matching {
        Matching::Settings => by_settings(now, before),
        Matching::Label => by_label(now, before, metric),
    }
}

fn by_settings<'a>(now: Side<'a>, before: Side<'a>) -> Vec<Matched<'a>> {
    let (news, olds) = (summaries(now.records), summaries(before.records));
    let changes = |old: &Summary, new: &Summary| changed((before, old.runs[0]), (now, new.runs[0]));
    // Of several that have the same value of every key that both know, the one that adds the least.
    let same = |old: &Summary| {
        let alike = news.iter().filter(|new| is_same_arm(old, new)).map(|new| (new, changes(old, new)));
        alike.min_by_key(|(_, changed)| changed.len())
    };
    let strangers: Vec<&Summary> = news.iter().filter(|new| !olds.iter().any(|old| is_same_arm(old, new))).collect();
    let nearest = |old: &Summary| {
        let kin = strangers.iter().filter(|new| is_kin(old, new)).map(|new| ((*new).clone(), changes(old, new)));
        kin.min_by_key(|(_, changed)| changed.len())
    };
    let arms = olds.iter().map(|old| {
        let found = same(old);
        let (new, changed) = found.map_or((None, Vec::new()), |(new, changed)| (Some(new.clone()), changed));
        let nearest = if new.is_none() { nearest(old) } else { None };
        Matched { old: old.clone(), new, settings: settings(&olds, old), changed, nearest, notes: Vec::new() }
    });
    arms.collect()
}

fn by_label<'a>(now: Side<'a>, before: Side<'a>, metric: &impl Fn(&str) -> Metric) -> Vec<Matched<'a>> {
    let mut tasks: Vec<&str> = before.records.iter().map(|record| record.task.as_str()).collect();
    let mut known = std::collections::HashSet::new();
    tasks.retain(|task| known.insert(*task));
    let arms = tasks.into_iter().flat_map(|task| {
        let [old, new] = [before, now].map(|side| {
            let roles = side.experiment.map(Roles::of).unwrap_or_default();
            ranking_of(side.records, task, metric(task), &roles)
        });
        let pair = |rank: Rank<'a>| {
            let other = new.ranks.iter().find(|new| (new.optimizer, new.schedule) == (rank.optimizer, rank.schedule));
            let chosen = |other: &Rank| changed((before, rank.best.runs[0]), (now, other.best.runs[0]));
            Matched {
                settings: rank.chosen().into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect(),
                changed: other.map(chosen).unwrap_or_default(),
                nearest: None,
                notes: other.map(|other| choices((before, &rank), (now, other), old.metric)).unwrap_or_default(),
                new: other.map(|other| other.best.clone()),
                old: rank.best,
            }
        };
        old.ranks.into_iter().map(pair).collect::<Vec<_>>()
    });
    arms.collect()
}

/// What weakens a comparison of the settings that each side chose.
fn choices((before, old): (Side, &Rank), (now, new): (Side, &Rank), metric: Metric) -> Vec<String> {
    let at_end = |side: Side, rank: &Rank, when: &str| -> Vec<String> {
        edges(&[rank], side.experiment).iter().map(|edge| format!("{when}, {edge}")).collect()
    };
    let missing = |side: Side, rank: &Rank, when: &str| {
        let own = |optimizer: &str, schedule: &str| (optimizer, schedule) == (rank.optimizer, rank.schedule);
        let experiment = side.experiment?;
        let missing = progress(experiment, side.records, &rank.best.runs[0].task, own).missing()?;
        Some(format!("{when}, {missing}; the best settings may be among them"))
    };
    let mut notes: Vec<String> =
        [missing(before, old, "in the baseline"), missing(now, new, "now")].into_iter().flatten().collect();
    notes.extend(at_end(before, old, "in the baseline"));
    notes.extend(at_end(now, new, "now"));
    let sides = [(old, "in the baseline"), (new, "now")];
    let [(few, at_few), (many, at_many)] = if old.tried.len() < new.tried.len() { sides } else { [sides[1], sides[0]] };
    if few.tried.len() < many.tried.len() {
        let named = |rank: &Rank, when: &str| (format!("{} {when}", rank.name()), rank.tried.len());
        let by = luck(many, few.tried.len()).map(|by| (by, metric));
        let unequal = Warning::UnequalTries { fewest: named(few, at_few), most: named(many, at_many), by };
        notes.push(unequal.to_string());
    }
    notes
}

/// Whether two arms are of one optimizer and schedule, on one task, over the same length.
fn is_kin(old: &Summary, new: &Summary) -> bool {
    let (old, new) = (old.runs[0], new.runs[0]);
    (&new.task, &new.optimizer, &new.schedule, new.horizon) == (&old.task, &old.optimizer, &old.schedule, old.horizon)
}

/// Whether two arms have the same labels and the same value for every key that both know: a key that a newer
/// version added, or that one side leaves out, does not hide an arm. What differs is named, see [`changed`].
fn is_same_arm(old: &Summary, new: &Summary) -> bool {
    let differs = |(key, was): &(String, Setting)| new.runs[0].hyper_parameter(key).is_some_and(|is| is != was);
    is_kin(old, new) && !old.runs[0].hyper_parameters.iter().any(differs)
}

/// Every setting that differs between two runs. A key that one side alone has counts unless it stands at its
/// default: then a newer version added it.
fn changed((before, old): (Side, &Record), (now, new): (Side, &Record)) -> Vec<Changed> {
    let (old_grids, new_grids) = (before.grids(old), now.grids(new));
    let mut changed = Vec::new();
    for (key, (was, is)) in ["kind", "schedule.kind"].into_iter().zip(old_grids.into_iter().zip(new_grids)) {
        if let (Some(was), Some(is)) = (was, is)
            && was.kind != is.kind
        {
            let [was, is] = [was, is].map(|grid| Some(Setting::Text(grid.kind.name().to_owned())));
            changed.push(Changed { key: key.into(), was, is });
        }
    }
    let added = new.hyper_parameters.iter().filter(|(key, _)| old.hyper_parameter(key).is_none());
    for (key, _) in old.hyper_parameters.iter().chain(added) {
        let [was, is] = [old, new].map(|record| record.hyper_parameter(key));
        let says_nothing = match (was, is) {
            (Some(was), None) => is_default(old_grids, key, was),
            (None, Some(is)) => is_default(new_grids, key, is),
            (was, is) => was == is,
        };
        if !says_nothing {
            let [was, is] = [was, is].map(Option::<&Setting>::cloned);
            changed.push(Changed { key: key.clone(), was, is });
        }
    }
    changed
}

impl Side<'_> {
    /// The tables of a run's optimizer and schedule, where the config has them.
    fn grids(&self, record: &Record) -> [Option<&Grid>; 2] {
        let Some(experiment) = self.experiment else { return [None; 2] };
        let optimizer = experiment.optimizers.iter().find(|entrant| entrant.grid.label == record.optimizer);
        let schedule = experiment.schedules.iter().find(|grid| grid.label == record.schedule);
        [optimizer.map(|entrant| &entrant.grid), schedule]
    }
}

/// Whether a key that runs print stands at the default of its kind.
fn is_default([optimizer, schedule]: [Option<&Grid>; 2], key: &str, value: &Setting) -> bool {
    let default = |key: &'static Key| key.default.value().is_some_and(|default| Setting::of(&default) == *value);
    let key = match key.strip_prefix("schedule.") {
        Some(name) => schedule.and_then(|grid| grid.key::<schedule::Definition>(name)),
        None => optimizer.and_then(|grid| grid.key::<optim::Definition>(key)),
    };
    key.is_some_and(default)
}

/// The hyper-parameters that differ between the settings of this optimizer and schedule.
fn settings(arms: &[Summary], of: &Summary) -> Vec<(String, Setting)> {
    let own = of.runs[0];
    let kin = |arm: &&Summary| {
        let other = arm.runs[0];
        (&other.task, &other.optimizer, &other.schedule) == (&own.task, &own.optimizer, &own.schedule)
    };
    let varies =
        |key: &str, value: &Setting| arms.iter().filter(kin).any(|arm| arm.runs[0].hyper_parameter(key) != Some(value));
    let swept = own.hyper_parameters.iter().filter(|(key, value)| key == "lr" || varies(key, value)).cloned();
    swept.chain(own.horizon.map(|steps| ("until step".to_owned(), Setting::Number(steps as f64)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};
    use crate::catalog::Catalog;

    fn named(was: &[(&str, &str)], is: &[(&str, &str)]) -> Vec<String> {
        let text = |kind: &str| {
            format!(
                "steps = 10\n[tasks.task]\nmodel = \"quadratic\"\n[optimizers.a]\nkind = \"{kind}\"\n[schedules.constant]\n"
            )
        };
        let [sgd, adam] = ["sgd", "adam"]
            .map(|kind| Experiment::parse(&Catalog::built_in(), "c.toml", &text(kind), "c", &[]).unwrap());
        let run = |settings: &[(&str, &str)]| {
            let mut run = records(&[Arm::new("a", &[1.0])]).remove(0);
            run.hyper_parameters = settings.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
            run
        };
        let (old, new) = (run(was), run(is));
        let kind = if is.iter().any(|(key, _)| *key == "beta1") { &adam } else { &sgd };
        let side = |experiment| Side { records: &[], experiment: Some(experiment) };
        let changed = changed((side(&sgd), &old), (side(kind), &new));
        changed
            .iter()
            .map(|c| {
                let [was, is] = [&c.was, &c.is].map(|value| value.as_ref().map(ToString::to_string));
                format!("{}: {was:?} {is:?}", c.key)
            })
            .collect()
    }

    #[test]
    fn every_setting_that_differs_is_named_and_defaults_that_one_side_alone_prints_are_not() {
        let sgd = [("lr", "0.1"), ("momentum", "0.9")];
        assert!(named(&sgd, &sgd).is_empty());
        assert_eq!(named(&sgd, &[("lr", "0.2"), ("momentum", "0.9")]), ["lr: Some(\"0.1\") Some(\"0.2\")"]);
        // Newer versions print more keys; only what was set tells something.
        assert!(named(&sgd, &[&sgd[..], &[("nesterov", "false"), ("dampening", "0")]].concat()).is_empty());
        let set = named(&sgd, &[&sgd[..], &[("nesterov", "true"), ("clip_norm", "1"), ("unheard_of", "2")]].concat());
        assert_eq!(
            set,
            ["nesterov: None Some(\"true\")", "clip_norm: None Some(\"1\")", "unheard_of: None Some(\"2\")"]
        );
        assert_eq!(named(&set_of(&sgd), &sgd), ["clip_norm: Some(\"1\") None"]);
        // Of another kind, its own keys at their defaults are no changes beside that of the kind.
        let adam = named(&sgd, &[("lr", "0.1"), ("beta1", "0.9"), ("beta2", "0.95")]);
        assert_eq!(
            adam,
            ["kind: Some(\"sgd\") Some(\"adam\")", "momentum: Some(\"0.9\") None", "beta2: None Some(\"0.95\")"]
        );
    }

    fn set_of<'a>(settings: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        [settings, &[("clip_norm", "1")]].concat()
    }
}
