//! Best values at the end of those that were tried: what lies beyond may be better.

use crate::analysis::Rank;
use crate::analysis::warning::Warning;
use crate::config::Experiment;
use crate::registry::{Accepts, Bounds};
use crate::{optim, schedule};

/// How many values of a key are enough to say that the best lies at an end. Of two it always does, which is
/// said of the rate alone: no other key decides as much.
fn searched(key: &str) -> usize {
    if key == "lr" { 2 } else { 3 }
}

/// A warning for each key and end; the schedules of one optimizer share a place. A value beyond
/// which the key takes none is no such end: no decay, no momentum.
pub(super) fn edges(ranks: &[&Rank], experiment: Option<&Experiment>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for key in keys(ranks) {
        for highest in [true, false] {
            let mut arms: Vec<(String, Vec<String>, f64)> = Vec::new();
            for rank in ranks.iter().filter(|rank| rank.is_ranked()) {
                let values = rank.values(key);
                let end = if highest { values.last() } else { values.first() };
                let Some(&here) = end.filter(|end| rank.best.number(key) == Some(**end)) else { continue };
                if values.len() < searched(key) || is_bound(range(rank, key, experiment), here, highest) {
                    continue;
                }
                match arms.iter_mut().find(|(optimizer, _, value)| optimizer == rank.optimizer && *value == here) {
                    Some((_, schedules, _)) => schedules.push(rank.schedule.to_owned()),
                    None => arms.push((rank.optimizer.to_owned(), vec![rank.schedule.to_owned()], here)),
                }
            }
            if !arms.is_empty() {
                warnings.push(Warning::Edge { key: key.to_owned(), arms, highest });
            }
        }
    }
    warnings
}

/// The numeric keys of the ranked arms, the learning rate first.
fn keys<'a>(ranks: &[&'a Rank]) -> Vec<&'a str> {
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in ranks.iter().flat_map(|rank| &rank.tried_values) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    keys.sort_by_key(|key| *key != "lr");
    keys
}

/// The numbers that a key of an arm takes, where the config tells what it is.
fn range(rank: &Rank, key: &str, experiment: Option<&Experiment>) -> Option<Bounds> {
    let experiment = experiment?;
    let key = if let Some(name) = key.strip_prefix("schedule.") {
        let grid = experiment.schedules.iter().find(|grid| grid.label == rank.schedule)?;
        grid.key::<schedule::Definition>(name)?
    } else {
        let entrant = experiment.optimizers.iter().find(|entrant| entrant.grid.label == rank.optimizer)?;
        entrant.grid.key::<optim::Definition>(key)?
    };
    match key.accepts {
        Accepts::Float(range) | Accepts::Integer(range) => Some(range),
        // Steps.
        Accepts::Length | Accepts::Interval => Some(Bounds::NON_NEGATIVE),
        _ => None,
    }
}

/// Whether the key takes nothing beyond this value.
fn is_bound(range: Option<Bounds>, value: f64, highest: bool) -> bool {
    let beyond = if highest { value.next_up() } else { value.next_down() };
    range.is_some_and(|range| !range.contains(beyond))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::catalog::Catalog;
    use crate::metric::Metric;

    /// What is said of `sgd` where a key was tried at these values, with these losses.
    fn said(key: &str, tried: &[(&str, f64)]) -> Vec<String> {
        let text = "steps = 10\n[tasks.task]\nmodel = \"quadratic\"\n[optimizers.a]\nkind = \"sgd\"\n";
        let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap();
        let run = |(value, loss): &(&str, f64)| {
            let mut runs = records(&[Arm::new("a", &[*loss])]);
            runs[0].hyper_parameters.push((key.to_owned(), (*value).into()));
            runs
        };
        let records: Vec<_> = tried.iter().flat_map(run).collect();
        let ranking = ranking(&records, "task", Metric::LOSS);
        edges(&ranking.ranks.iter().collect::<Vec<_>>(), Some(&experiment)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_end_of_a_list_is_warned_of_unless_the_key_ends_there() {
        let falling = [("0", 3.0), ("0.5", 2.0), ("0.9", 1.0)];
        let rising = [("0", 1.0), ("0.5", 2.0), ("0.9", 3.0)];
        let high = "the best `momentum` is the highest that was tried, for a under constant (0.9): higher values may be better; \
                    add some to `optimizers.a.momentum`";
        assert_eq!(said("momentum", &falling), [high]);
        assert!(said("momentum", &rising).is_empty(), "there is no momentum below none");
        assert!(said("momentum", &falling[1..]).is_empty(), "two values are a comparison");
        assert_eq!(said("weight_decay", &rising[1..]).len(), 0);
        let above_none = [("0.01", 1.0), ("0.1", 2.0), ("1", 3.0)];
        assert!(said("weight_decay", &above_none)[0].contains("lowest that was tried, for a under constant (0.01)"));
        assert!(said("dampening", &[("0", 3.0), ("0.5", 2.0), ("1", 1.0)]).is_empty(), "it is a share");
        assert!(said("momentum", &[("0", 3.0), ("0.5", 1.0), ("0.9", 2.0)]).is_empty());
    }

    #[test]
    fn a_key_of_a_schedule_is_named_where_it_stands() {
        let tried = [("10", 3.0), ("20", 2.0), ("40", 1.0)];
        let said = said("schedule.warmup", &tried);
        assert!(
            said[0].starts_with("the best `warmup` is the highest that was tried, for a under constant (40)"),
            "{said:?}"
        );
        assert!(said[0].ends_with("add some to `schedules.constant.warmup`"), "{said:?}");
    }
}
