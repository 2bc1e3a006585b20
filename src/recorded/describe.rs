//! What nobody wrote down of runs: labels and seeds, as far as their names tell.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::error::{Error, Result};
use crate::recorded::run::Run;

/// The label of an optimizer, a schedule or a task of which nothing is known.
pub const UNKNOWN: &str = "recorded";

/// What is known of all runs, and of names of things.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// What the task is called where nobody says it.
    pub task: &'a str,
    /// The names of optimizers to look for.
    pub optimizers: &'a [&'a str],
    /// The names of schedules to look for.
    pub schedules: &'a [&'a str],
}

/// Gives every run its labels and its seed; returns whether all seeds are the runs' own, and none is a mere number.
///
/// # Errors
/// Where two runs of one arm have the same seed.
pub fn complete(runs: &mut [Run], known: Known) -> Result<bool> {
    let Known { task, optimizers, schedules } = known;
    drop_marks_of_single_runs(runs);
    let have_settings = runs.iter().any(|run| !run.settings.is_empty());
    for run in runs.iter_mut() {
        let name = Name::new(&run.name);
        if run.optimizer.is_none() {
            run.seed = run.seed.or(name.seed());
            run.schedule = run.schedule.take().or(name.one_of(schedules));
            if let Some(lr) = name.rate() {
                run.settings.entry("lr".into()).or_insert(lr);
            }
            let label = name.one_of(optimizers);
            run.optimizer = label.or_else(|| Some(if have_settings { UNKNOWN.into() } else { name.without_numbers() }));
        }
        run.task.get_or_insert_with(|| task.to_owned());
        for label in [&mut run.task, &mut run.optimizer, &mut run.schedule] {
            *label = Some(label_of(label.as_deref().unwrap_or(UNKNOWN)));
        }
    }
    let have_seeds = runs.iter().all(|run| run.seed.is_some());
    number_seeds(runs)?;
    Ok(have_seeds)
}

/// A text that differs in every run is none of their settings, but a mark of the run itself: a host, a path, a time.
fn drop_marks_of_single_runs(runs: &mut [Run]) {
    let keys: BTreeSet<String> = runs.iter().flat_map(|run| run.settings.keys().cloned()).collect();
    for key in keys {
        let values: Vec<&String> = runs.iter().filter_map(|run| run.settings.get(&key)).collect();
        let all: BTreeSet<&String> = values.iter().copied().collect();
        let is_text = values.iter().all(|value| value.parse::<f64>().is_err());
        if is_text && values.len() > 2 && all.len() == values.len() {
            for run in runs.iter_mut() {
                run.settings.remove(&key);
            }
        }
    }
}

/// What runs of one arm differ in: the seed alone.
type Arm = (Option<String>, Option<String>, Option<String>, BTreeMap<String, String>);

fn number_seeds(runs: &mut [Run]) -> Result<()> {
    let arm =
        |run: &Run| -> Arm { (run.task.clone(), run.optimizer.clone(), run.schedule.clone(), run.settings.clone()) };
    let mut taken: BTreeMap<Arm, BTreeMap<u64, String>> = BTreeMap::new();
    for run in runs.iter() {
        let Some(seed) = run.seed else { continue };
        if let Some(other) = taken.entry(arm(run)).or_default().insert(seed, run.name.clone()) {
            return Err(Error::Usage(format!(
                "`{other}` and `{}` are the same run: seed {seed} of {} with equal settings\n  help: `--column seed=COLUMN` \
                 or `--column NAME=COLUMN` names a column that tells them apart",
                run.name,
                run.optimizer.as_deref().unwrap_or_default()
            )));
        }
    }
    for run in runs.iter_mut().filter(|run| run.seed.is_none()) {
        let taken = taken.entry(arm(run)).or_default();
        let seed = (0..u64::MAX).find(|seed| !taken.contains_key(seed)).unwrap_or_default();
        taken.insert(seed, run.name.clone());
        run.seed = Some(seed);
    }
    Ok(())
}

/// A text as a label: claims join two by a `+`.
fn label_of(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let label: String = text.trim().chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if label.is_empty() { UNKNOWN.into() } else { label }
}

/// The name of a run, in small letters with `_` for whatever stands between its words.
struct Name {
    plain: String,
    own: String,
}

impl Name {
    fn new(name: &str) -> Self {
        let plain: String =
            name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
        Self { plain: format!("_{plain}_"), own: name.to_owned() }
    }

    /// The longest of some names that stands in it.
    fn one_of(&self, names: &[&str]) -> Option<String> {
        let found = names.iter().filter(|name| self.plain.contains(&format!("_{name}_")));
        found.max_by_key(|name| name.len()).map(|name| (*name).to_owned())
    }

    fn seed(&self) -> Option<u64> {
        let pattern = Regex::new("_(?:s|seed)_?([0-9]+)_").ok()?;
        pattern.captures(&self.plain)?.get(1)?.as_str().parse().ok()
    }

    fn rate(&self) -> Option<String> {
        let pattern = Regex::new("(?i)(?:^|[^a-z])lr[-_= ]?([0-9]*[.]?[0-9]+(?:e-?[0-9]+)?)").ok()?;
        Some(pattern.captures(&self.own)?.get(1)?.as_str().to_owned())
    }

    /// The name without the number at its end, by which runs of one kind are told apart.
    fn without_numbers(&self) -> String {
        let bare = self.own.trim_end_matches(|c: char| c.is_ascii_digit());
        let bare = ["seed", "run", "version", "s"].iter().find_map(|word| {
            let bare = bare.trim_end_matches(['-', '_', '=', ' ']).strip_suffix(word)?;
            bare.ends_with(['-', '_', ' ']).then_some(bare)
        });
        let bare = bare.unwrap_or(self.own.trim_end_matches(|c: char| c.is_ascii_digit()));
        let bare = bare.trim_end_matches(['-', '_', '=', ' ', '.']);
        if bare.is_empty() { self.own.clone() } else { bare.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, settings: &[(&str, &str)]) -> Run {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Run { name: name.into(), settings, ..Run::default() }
    }

    fn told(names: &[&str]) -> Vec<String> {
        let mut runs: Vec<Run> = names.iter().map(|name| run(name, &[])).collect();
        let (optimizers, schedules) = (&["sgd", "adamw", "schedule_free_adamw"][..], &["cosine", "constant"][..]);
        let have_seeds = complete(&mut runs, Known { task: "their task", optimizers, schedules }).unwrap();
        assert_eq!(have_seeds, names.iter().all(|name| name.contains("s2") || name.contains("seed")));
        assert!(runs.iter().all(|run| run.task.as_deref() == Some("their_task")));
        let words = |run: &Run| {
            let [optimizer, schedule] = [&run.optimizer, &run.schedule].map(|label| label.clone().unwrap());
            let lr = run.settings.get("lr").map_or(String::new(), |lr| format!(" lr {lr}"));
            format!("{optimizer} {schedule}{lr} s{}", run.seed.unwrap())
        };
        runs.iter().map(words).collect()
    }

    #[test]
    fn names_of_runs_tell_labels_seeds_and_rates() {
        assert_eq!(
            told(&["AdamW-cosine-lr1e-3-seed7", "schedule_free_adamw/lr=0.1 s2", "mnist_sgd"]),
            ["adamw cosine lr 1e-3 s7", "schedule_free_adamw recorded lr 0.1 s2", "sgd recorded s0"]
        );
        assert_eq!(
            told(&["ours-1", "ours-2", "base line_run3"]),
            ["ours recorded s0", "ours recorded s1", "base_line recorded s0"]
        );
    }

    #[test]
    fn runs_without_seeds_are_numbered_and_the_same_seed_twice_is_an_error() {
        let mut runs = [run("a", &[("lr", "1")]), run("b", &[("lr", "2")]), run("c", &[("lr", "1")])];
        complete(&mut runs, Known::default()).unwrap();
        assert_eq!(runs.each_ref().map(|run| run.seed), [Some(0), Some(0), Some(1)]);
        runs[2].seed = Some(0);
        let said = complete(&mut runs, Known::default()).unwrap_err().to_string();
        assert!(said.contains("`a` and `c` are the same run: seed 0 of recorded"), "{said}");
    }

    #[test]
    fn what_differs_in_every_run_is_no_setting_unless_it_is_a_number() {
        let mut runs = ["h1", "h2", "h3"].map(|host| run(host, &[("host", host), ("lr", &host[1..])]));
        complete(&mut runs, Known::default()).unwrap();
        assert!(runs.iter().all(|run| run.settings.len() == 1 && run.settings.contains_key("lr")));
    }
}
