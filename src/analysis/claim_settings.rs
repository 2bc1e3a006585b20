//! The settings at which the two sides of a claim are compared.

use crate::analysis::{Rank, Rate, Summary, order, rates};
use crate::config::{At, Experiment};
use crate::metric::Metric;
use crate::results::Setting;
use crate::{optim, schedule};

/// A learning rate that both sides share, where that matters, and the two arms.
pub(super) type Pair<'a, 'b> = (Option<f64>, &'b Summary<'a>, &'b Summary<'a>);

/// The arms that a claim compares.
pub(super) struct Settings<'a, 'b> {
    pub(super) pairs: Vec<Pair<'a, 'b>>,
    /// What was left out.
    pub(super) note: Option<String>,
}

/// The arms that a claim compares, or why there are none.
pub(super) fn settings<'a, 'b>(
    at: At,
    better: &'b Rank<'a>,
    than: &'b Rank<'a>,
    metric: Metric,
    experiment: &Experiment,
) -> Result<Settings<'a, 'b>, String> {
    let alone = |a, b| Settings { pairs: vec![(None, a, b)], note: None };
    match at {
        At::Tuned | At::EveryHorizon | At::AroundBest => Ok(alone(&better.best, &than.best)),
        At::Default => Ok(alone(at_defaults(better, experiment)?, at_defaults(than, experiment)?)),
        At::EveryLr => {
            let [ours, theirs] = [better, than].map(|rank| rates(rank));
            let pairs: Vec<_> = ours
                .iter()
                .filter(|rate| theirs.iter().any(|other| other.lr == rate.lr))
                .filter_map(|&Rate { lr, .. }| {
                    Some((Some(lr), best_at(better, lr, metric)?, best_at(than, lr, metric)?))
                })
                .collect();
            if pairs.is_empty() {
                return Err(format!(
                    "{} and {} share no learning rate: give both the same `lr`",
                    better.name(),
                    than.name()
                ));
            }
            let shared = pairs.len();
            let partly = ours.len() > shared || theirs.len() > shared;
            let of = |rank: &Rank, rates: &[Rate]| format!("{shared} of {} rates of {}", rates.len(), rank.name());
            let note = partly.then(|| format!("compared at {} and {}", of(better, &ours), of(than, &theirs)));
            Ok(Settings { pairs, note })
        }
    }
}

/// The best arm among those with a learning rate, chosen on validation.
fn best_at<'a, 'b>(rank: &'b Rank<'a>, lr: f64, metric: Metric) -> Option<&'b Summary<'a>> {
    let at = rank.tried.iter().filter(|arm| arm.lr() == Some(lr));
    at.min_by(|a, b| order(a, b, metric))
}

/// The arm at which every key that the sweep varies has its kind's own default. Keys that the
/// config fixes stay as fixed.
fn at_defaults<'a, 'b>(rank: &'b Rank<'a>, experiment: &Experiment) -> Result<&'b Summary<'a>, String> {
    let mut wanted: Vec<(String, Setting)> = Vec::new();
    let optimizer = experiment.optimizers.iter().map(|entrant| &entrant.grid).find(|grid| grid.label == rank.optimizer);
    for (grid, swept) in optimizer.iter().flat_map(|grid| grid.swept().map(move |key| (grid, key))) {
        if let Some(value) = grid.key::<optim::Definition>(swept).and_then(|key| key.default.value()) {
            wanted.push((swept.to_owned(), Setting::of(&value)));
        }
    }
    let schedule = experiment.schedules.iter().find(|grid| grid.label == rank.schedule);
    for (grid, swept) in schedule.iter().flat_map(|grid| grid.swept().map(move |key| (grid, key))) {
        if let Some(value) = grid.key::<schedule::Definition>(swept).and_then(|key| key.default.value()) {
            wanted.push((format!("schedule.{swept}"), Setting::of(&value)));
        }
    }
    let fits = |arm: &&Summary| wanted.iter().all(|(key, value)| arm.runs[0].hyper_parameter(key) == Some(value));
    rank.tried.iter().find(fits).ok_or_else(|| {
        let missing: Vec<String> = wanted.iter().map(|(key, value)| format!("{key} {value}")).collect();
        format!("{} did not run at its defaults: add {} to the sweep", rank.name(), missing.join(", "))
    })
}
