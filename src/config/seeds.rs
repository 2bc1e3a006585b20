//! The seeds of a config: those that every arm is run under, and those that judge what was chosen.

use std::collections::HashSet;

use toml::{Table as Toml, Value};

use crate::config::Experiment;
use crate::config::diagnostics::Diagnostics;
use crate::config::names::refuse_unknown;
use crate::config::source::{Entry, Item, Table};
use crate::config::value::whole;
use crate::registry::choices;

const MOST_SEEDS: i64 = 10_000;
const EXPECTED: &str =
    "how many (1 to 10000), a list of different integers, each 0 or more, or `{ looks = [3, 5, 8] }`";

/// Seeds in order, and how many of them there are at each planned look.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Seeds {
    /// All that may be needed.
    pub(super) all: Vec<u64>,
    /// Numbers of seeds at which a verdict may be reached, rising up to all; empty where their number is fixed.
    pub(super) looks: Vec<usize>,
}

/// How far an experiment has come: how many of its seeds there are, and how many judge what was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Of [`Experiment::seeds`].
    pub seeds: usize,
    /// Of [`Experiment::judge_seeds`].
    pub judge_seeds: usize,
}

impl Experiment {
    /// The planned looks, at [`Experiment::seeds`] or at [`Experiment::judge_seeds`]; empty where the numbers of seeds
    /// are fixed.
    pub fn looks(&self) -> &[usize] {
        if self.seed_looks.is_empty() { &self.judge_looks } else { &self.seed_looks }
    }

    /// What the numbers of [`Experiment::looks`] count, in words.
    pub fn looks_count(&self) -> &'static str {
        if self.judge_looks.is_empty() { "seeds" } else { "judge seeds" }
    }

    /// When all is decided, in words.
    pub fn looks_decide(&self) -> &'static str {
        if self.claims.is_empty() {
            "one arm of each task is left that may be the best"
        } else {
            "every claim is decided"
        }
    }

    /// The seeds that there are at each look; a single stage where their number is fixed.
    pub fn stages(&self) -> Vec<Stage> {
        let all = Stage { seeds: self.seeds.len(), judge_seeds: self.judge_seeds.len() };
        match (&self.seed_looks[..], &self.judge_looks[..]) {
            ([], []) => vec![all],
            ([], looks) => looks.iter().map(|&judge_seeds| Stage { judge_seeds, ..all }).collect(),
            (looks, _) => looks.iter().map(|&seeds| Stage { seeds, ..all }).collect(),
        }
    }

    /// The experiment as if it had been planned with the seeds of a stage alone.
    #[must_use]
    pub fn at_stage(&self, stage: Stage) -> Self {
        Self {
            seeds: self.seeds[..stage.seeds].to_vec(),
            judge_seeds: self.judge_seeds[..stage.judge_seeds].to_vec(),
            seed_looks: Vec::new(),
            judge_looks: Vec::new(),
            ..self.clone()
        }
    }
}

/// Reads `seeds`: 3 means 0, 1, 2; or a list, or looks.
pub(super) fn seeds(table: &Table, diagnostics: &mut Diagnostics) -> Seeds {
    let Some(entry) = table.get("seeds") else { return Seeds { all: vec![0, 1, 2], looks: Vec::new() } };
    read(entry, 0, diagnostics).unwrap_or_else(|| Seeds { all: vec![0], looks: Vec::new() })
}

/// Reads `judge_seeds`: none unless given. Where their number is given, they follow the last of `seeds`.
pub(super) fn judge_seeds(table: &Table, seeds: &Seeds, diagnostics: &mut Diagnostics) -> Seeds {
    let Some(entry) = table.get("judge_seeds") else { return Seeds::default() };
    let first = seeds.all.iter().max().map_or(0, |last| last.saturating_add(1));
    let Some(judges) = read(entry, first, diagnostics) else { return Seeds::default() };
    let place = &entry.value.place;
    let shared: Vec<String> =
        judges.all.iter().filter(|seed| seeds.all.contains(seed)).map(ToString::to_string).collect();
    if !shared.is_empty() {
        let title = format!("`judge_seeds` and `seeds` share {}", choices(&shared).replace(" or ", " and "));
        let added = diagnostics.add(place, title).expected("seeds that choose no settings");
        let last = first.saturating_add(judges.all.len() as u64 - 1);
        let all: Vec<String> = (first..=last).map(|seed| seed.to_string()).collect();
        added.help(format!("such as judge_seeds = [{}]", all.join(", ")));
    }
    if !judges.looks.is_empty() && !seeds.looks.is_empty() {
        let added = diagnostics.add(place, "`seeds` and `judge_seeds` both have looks");
        added.expected("looks in one of them").help("a number as `seeds`, which choose, and looks in `judge_seeds`");
    }
    if table.get("anytime").is_some() {
        let added = diagnostics.add(&entry.key_place, "`judge_seeds` and `anytime` are both given");
        added.expected("one of them: [anytime] chooses other settings at every horizon");
    }
    judges
}

/// A verdict may be reached early only with scores that did not choose the settings.
pub(super) fn check_looks(table: &Table, experiment: &Experiment, diagnostics: &mut Diagnostics) {
    let Some(entry) = table.get("seeds").filter(|_| !experiment.seed_looks.is_empty()) else { return };
    if !experiment.judge_seeds.is_empty() {
        return;
    }
    for task in experiment.tasks.iter().filter(|task| task.dataset.is_none()) {
        let title =
            format!("task `{}` has no test split, so the scores that choose the best arm also judge it", task.label);
        let added = diagnostics.add(&entry.value.place, title).expected("a fixed number of seeds, or `judge_seeds`");
        added.help("seeds = 3 and judge_seeds = { looks = [3, 5, 8, 12, 20] }");
    }
}

/// `first` is the first seed where their number is given.
fn read(entry: &Entry, first: u64, diagnostics: &mut Diagnostics) -> Option<Seeds> {
    let name = &entry.key;
    let number = |n: i64| (1..=MOST_SEEDS).contains(&n).then(|| (first..first.saturating_add(n as u64)).collect());
    let all = match &entry.value.item {
        Item::Table(table) => {
            refuse_unknown(table, &["looks"], &format!("`{name}`"), diagnostics);
            return looks(entry, table, &number, diagnostics);
        }
        Item::Array(list) if !list.is_empty() => list
            .iter()
            .map(|node| u64::try_from(integer(&node.item)?).ok())
            .collect::<Option<Vec<u64>>>()
            .filter(|seeds| seeds.len() <= MOST_SEEDS as usize && all_differ(seeds)),
        item => integer(item).and_then(number),
    };
    if all.is_none() {
        diagnostics.add(&entry.value.place, format!("`{name}` is not valid")).expected(EXPECTED);
    }
    Some(Seeds { all: all?, looks: Vec::new() })
}

/// Reads `{ looks = [3, 5, 8] }`.
fn looks(
    entry: &Entry,
    table: &Table,
    number: &impl Fn(i64) -> Option<Vec<u64>>,
    diagnostics: &mut Diagnostics,
) -> Option<Seeds> {
    const LOOKS: &str = "rising numbers of seeds from 2 to 10000, such as [3, 5, 8, 12, 20]";
    let name = &entry.key;
    let Some(looks) = table.get("looks") else {
        diagnostics.add(&entry.value.place, format!("`{name}` lacks the key `looks`")).expected(LOOKS);
        return None;
    };
    let read = match &looks.value.item {
        Item::Array(list) => list.iter().map(|node| integer(&node.item)).collect::<Option<Vec<i64>>>(),
        _ => None,
    };
    let rising = |looks: &Vec<i64>| looks.first().is_some_and(|first| *first > 1) && looks.is_sorted_by(|a, b| a < b);
    let read = read.filter(rising).and_then(|looks| Some((number(*looks.last()?)?, looks)));
    let Some((all, looks)) = read else {
        diagnostics.add(&looks.value.place, format!("`looks` of `{name}` is not valid")).expected(LOOKS);
        return None;
    };
    Some(Seeds { all, looks: looks.into_iter().map(|n| n as usize).collect() })
}

fn integer(item: &Item) -> Option<i64> {
    match item {
        Item::Integer(n) => Some(*n),
        Item::Float(x) => whole(*x),
        _ => None,
    }
}

fn all_differ(seeds: &[u64]) -> bool {
    let mut known = HashSet::new();
    seeds.iter().all(|seed| known.insert(seed))
}

/// Seeds as a config states them.
pub(super) fn to_toml(seeds: &[u64], looks: &[usize]) -> Value {
    if looks.is_empty() {
        return Value::Array(seeds.iter().map(|&seed| Value::Integer(seed as i64)).collect());
    }
    let looks = Value::Array(looks.iter().map(|&n| Value::Integer(n as i64)).collect());
    Value::Table(Toml::from_iter([("looks".to_owned(), looks)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    const TASK: &str = "steps = 10\n[tasks.digits]\nmodel = \"mlp\"\ndataset = \"digits\"\n[optimizers.sgd]\n";

    fn parse(seeds: &str) -> Experiment {
        Experiment::parse(&Catalog::built_in(), "c.toml", &format!("{seeds}\n{TASK}"), "c", &[]).unwrap()
    }

    #[test]
    fn looks_and_judges_are_counted_and_written_so_that_they_can_be_read_again() {
        let both = parse("seeds = { looks = [3, 5, 8] }\njudge_seeds = 2");
        assert_eq!((&both.seeds[..], &both.judge_seeds[..]), (&[0, 1, 2, 3, 4, 5, 6, 7][..], &[8, 9][..]));
        assert_eq!(both.looks(), [3, 5, 8]);
        assert_eq!(both.stages()[1], Stage { seeds: 5, judge_seeds: 2 });
        let judged = parse("seeds = [4, 2]\njudge_seeds = { looks = [2, 4] }");
        assert_eq!((&judged.judge_seeds[..], judged.looks()), (&[5, 6, 7, 8][..], &[2, 4][..]));
        assert_eq!(judged.at_stage(judged.stages()[0]).judge_seeds, [5, 6]);
        for experiment in [both, judged, parse("judge_seeds = [7, 9]")] {
            let text = experiment.to_toml();
            assert_eq!(
                Experiment::parse(&Catalog::built_in(), "again.toml", &text, "", &[]).unwrap(),
                experiment,
                "{text}"
            );
        }
    }
}
