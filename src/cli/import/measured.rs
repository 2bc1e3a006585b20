//! What was measured, and whether more of it is better.

use crate::error::{Error, Result};
use crate::metric::{Direction, Metric};
use crate::recorded::direction::direction;
use crate::recorded::run::{Quantity, Run};
use crate::task::Split;
use crate::words::quoted;

/// The metrics of a task, the one that arms are ranked by first.
pub(super) type Metrics = Vec<(String, Metric)>;

/// Reads `--metric NAME=higher`.
pub(super) fn declared(words: &[String]) -> Result<Metrics> {
    let declared = words.iter().map(|word| {
        let wrong = || Error::Usage(format!("`--metric {word}`: expected NAME=higher or NAME=lower"));
        let (name, way) = word.split_once('=').ok_or_else(wrong)?;
        let way = [Direction::Higher, Direction::Lower].into_iter().find(|one| one.word() == way).ok_or_else(wrong)?;
        let metric =
            Metric::declared(name, way).map_err(|problem| Error::Usage(format!("`--metric {word}`: {problem}")))?;
        Ok((name.to_owned(), metric))
    });
    declared.collect()
}

/// The metrics of all evaluations, in the order in which arms are to be ranked by them: those declared, then others, then
/// the loss. Scores are put into the form that reports expect.
pub(super) fn metrics(runs: &mut [Run], declared: &Metrics) -> Result<Metrics> {
    use_test_as_validation(runs);
    let mut names: Vec<String> = Vec::new();
    for (_, metric) in runs.iter().flat_map(|run| &run.points).filter_map(|point| point.of.evaluated()) {
        if !names.iter().any(|name| name == metric) {
            names.push(metric.to_owned());
        }
    }
    if names.is_empty() {
        return Err(Error::Usage(
            "there are no scores of evaluations: no column is one of validation or test\n  help: `--column \
             val.accuracy=COLUMN` says which column holds one; `--metric NAME=higher` makes the column NAME a metric"
                .into(),
        ));
    }
    if let Some((name, _)) = declared.iter().find(|(name, _)| !names.contains(name)) {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        return Err(Error::Usage(format!("`--metric {name}`: no column holds it; there are {}", quoted(&known))));
    }
    let said = |name: &str| declared.iter().find(|(own, _)| own == name).map(|(_, metric)| Ok(*metric));
    let guess = |name: &str| {
        let way = direction(name).or_else(|| Some(Metric::named(name)).filter(|_| is_built_in(name)).map(way_of));
        way.map(|way| Metric::declared(name, way))
    };
    let (mut metrics, mut unknown) = (Metrics::new(), Vec::new());
    for name in &names {
        match said(name).or_else(|| guess(name)) {
            Some(metric) => metrics.push((name.clone(), metric.map_err(Error::Usage)?)),
            None => unknown.push(name.as_str()),
        }
    }
    if !unknown.is_empty() {
        return Err(Error::Usage(format!(
            "it is not known whether higher or lower is better of {}\n  help: {}",
            quoted(&unknown),
            unknown.iter().map(|name| format!("`--metric {name}=higher`")).collect::<Vec<_>>().join(" ")
        )));
    }
    let rank = |name: &str| match declared.iter().position(|(own, _)| own == name) {
        Some(place) => place,
        None => declared.len() + usize::from(name == Metric::LOSS.name()),
    };
    metrics.sort_by_key(|(name, _)| rank(name));
    shares(runs)?;
    Ok(metrics)
}

fn is_built_in(name: &str) -> bool {
    Metric::find(name, Metric::BUILT_IN).is_some()
}

fn way_of(metric: Metric) -> Direction {
    if metric.higher_is_better() { Direction::Higher } else { Direction::Lower }
}

/// Where nobody validated, settings are chosen by what is reported, as optbench does with functions.
fn use_test_as_validation(runs: &mut [Run]) {
    let validates = |run: &Run| run.points.iter().any(|point| matches!(point.of, Quantity::Validation(_)));
    if runs.iter().any(validates) {
        return;
    }
    for point in runs.iter_mut().flat_map(|run| &mut run.points) {
        if let Quantity::Test(metric) = &point.of {
            point.of = Quantity::score(Split::Validation, metric.clone());
        }
    }
}

/// Accuracies are shares: those in percent are divided by 100.
fn shares(runs: &mut [Run]) -> Result<()> {
    let is_share = |of: &Quantity| {
        of.evaluated().is_some_and(|(_, name)| Metric::find(name, Metric::BUILT_IN).is_some_and(Metric::is_share))
    };
    let values =
        || runs.iter().flat_map(|run| &run.points).filter(|point| is_share(&point.of)).map(|point| point.value);
    let most = values().filter(|value| value.is_finite()).fold(0.0, f64::max);
    let least = values().filter(|value| value.is_finite()).fold(0.0, f64::min);
    if least < 0.0 || most > 100.0 {
        let odd = if least < 0.0 { least } else { most };
        return Err(Error::Usage(format!(
            "an accuracy is {odd}; expected a share from 0 to 1, or percent\n  help: `--column val.NAME=COLUMN` gives the \
             column another name"
        )));
    }
    if most > 1.0 {
        let points = runs.iter_mut().flat_map(|run| &mut run.points);
        points.filter(|point| is_share(&point.of)).for_each(|point| point.value /= 100.0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded::run::Point;

    fn run(scores: &[(Split, &str, f64)]) -> Run {
        let point = |(split, metric, value): &(Split, &str, f64)| Point {
            line: 1,
            step: None,
            of: Quantity::score(*split, (*metric).to_owned()),
            value: *value,
        };
        Run { points: scores.iter().map(point).collect(), ..Run::default() }
    }

    fn names(runs: &mut [Run], words: &[&str]) -> Result<Vec<String>> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let metrics = metrics(runs, &declared(&words)?)?;
        Ok(metrics.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn arms_are_ranked_by_what_was_asked_for_and_last_by_the_loss() {
        let own =
            [(Split::Validation, "loss", 1.0), (Split::Validation, "accuracy", 0.5), (Split::Validation, "f1", 0.5)];
        assert_eq!(names(&mut [run(&own)], &[]).unwrap(), ["accuracy", "f1", "loss"]);
        assert_eq!(names(&mut [run(&own)], &["f1=higher"]).unwrap(), ["f1", "accuracy", "loss"]);
        let odd = [(Split::Validation, "wombats", 1.0)];
        let said = names(&mut [run(&odd)], &[]).unwrap_err().to_string();
        assert!(said.contains("of `wombats`") && said.contains("`--metric wombats=higher`"), "{said}");
        assert_eq!(names(&mut [run(&odd)], &["wombats=lower"]).unwrap(), ["wombats"]);
        for (word, problem) in [
            ("loss=higher", "lower is better"),
            ("f9=lower", "no column holds it; there are `wombats`"),
            ("x", "expected NAME=higher"),
        ] {
            let said = names(&mut [run(&odd)], &["wombats=lower", word]).unwrap_err().to_string();
            assert!(said.contains(problem), "{said}");
        }
        assert!(names(&mut [run(&[(Split::Train, "loss", 1.0)])], &[]).unwrap_err().to_string().contains("no scores"));
    }

    #[test]
    fn percent_become_shares_and_test_scores_alone_choose_too() {
        let mut runs = [run(&[(Split::Test, "accuracy", 87.5)]), run(&[(Split::Test, "accuracy", 0.5)])];
        names(&mut runs, &[]).unwrap();
        assert_eq!(runs.each_ref().map(|run| run.points[0].value), [0.875, 0.005]);
        assert_eq!(runs[0].points[0].of, Quantity::Validation("accuracy".into()));
        let said = names(&mut [run(&[(Split::Test, "accuracy", -1.0)])], &[]).unwrap_err().to_string();
        assert!(said.contains("an accuracy is -1"), "{said}");
    }
}
