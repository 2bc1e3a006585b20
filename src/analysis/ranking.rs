//! Who is ahead on a task: every optimizer and schedule at its best hyper-parameters.

use crate::analysis::{Roles, Summary, summaries};
use crate::metric::Metric;
use crate::results::{Record, Setting};

/// The order of the optimizers and schedules on one task.
#[derive(Debug, Clone)]
pub struct Ranking<'a> {
    /// The task's label.
    pub task: String,
    /// What decides.
    pub metric: Metric,
    /// The best first.
    pub ranks: Vec<Rank<'a>>,
}

impl Ranking<'_> {
    /// The loss in nats below which no model comes but by luck, where it is known.
    pub fn loss_floor(&self) -> Option<f64> {
        self.ranks.iter().flat_map(|rank| &rank.best.runs).find_map(|record| record.loss_floor)
    }
}

/// An optimizer and a schedule at the hyper-parameters that were best on validation.
#[derive(Debug, Clone)]
pub struct Rank<'a> {
    /// The optimizer's label.
    pub optimizer: &'a str,
    /// The schedule's label.
    pub schedule: &'a str,
    /// The arm at the chosen hyper-parameters, under the seeds that are reported.
    pub best: Summary<'a>,
    /// The same arm under the seeds that chose it: its validation scores were the best of those tried.
    pub selection: Summary<'a>,
    /// Every arm that was tried, that of `selection` among them, under the seeds that choose.
    pub tried: Vec<Summary<'a>>,
    /// The numbers that every numeric key was tried with, in order, be it in runs that ended early.
    pub tried_values: Vec<(String, Vec<f64>)>,
    /// Runs tried, diverged among them, over all hyper-parameters.
    pub runs: usize,
    /// See [`Rank::runs`].
    pub diverged: usize,
    /// See [`Rank::runs`].
    pub failed: usize,
    /// What is ranked by.
    pub metric: Metric,
}

impl Rank<'_> {
    /// Whether a seed of the chosen arm trained to the end with a finite score: without one there is nothing to rank,
    /// and nothing was chosen.
    pub fn is_ranked(&self) -> bool {
        self.best.runs.len() > self.best.lost_in(self.metric)
    }

    /// Whether seeds that chose nothing are reported.
    pub fn is_judged(&self) -> bool {
        self.best.runs.iter().all(|run| self.selection.runs.iter().all(|chose| chose.seed != run.seed))
    }

    /// The optimizer and the schedule, as claims name them.
    pub fn name(&self) -> String {
        format!("{}+{}", self.optimizer, self.schedule)
    }

    /// The numbers that a key was tried with, in order, be it in runs that ended early; empty where it has none.
    pub fn values(&self, key: &str) -> &[f64] {
        self.tried_values.iter().find(|(known, _)| known == key).map_or(&[], |(_, values)| values)
    }

    /// The hyper-parameters of the chosen arm that others were tried with too.
    pub fn chosen(&self) -> Vec<(&str, &Setting)> {
        let first = self.best.runs[0];
        let swept =
            |key: &str| self.tried.iter().any(|arm| arm.runs[0].hyper_parameter(key) != first.hyper_parameter(key));
        let chosen = first.hyper_parameters.iter().filter(|(key, _)| key == "lr" || swept(key));
        chosen.map(|(key, value)| (key.as_str(), value)).collect()
    }
}

/// [`ranking_of`] where all seeds choose and all are reported.
pub fn ranking<'a>(records: impl IntoIterator<Item = &'a Record>, task: &str, metric: Metric) -> Ranking<'a> {
    ranking_of(records, task, metric, &Roles::default())
}

/// Ranks what ran on a task: hyper-parameters are chosen on validation among the arms with the most
/// seeds (a search runs its finalists alone under all of them), an arm with fewer diverged
/// seeds before one with more, then by the mean of `metric`, then by the mean loss ([`order`]). Arms in which nothing
/// finished come last.
///
/// Where no run of a chosen arm is there yet under the seeds that are reported, those that chose it stand for them.
pub fn ranking_of<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    task: &str,
    metric: Metric,
    roles: &Roles,
) -> Ranking<'a> {
    let all = summaries(records.into_iter().filter(|record| record.task == task));
    // Runs that end earlier by plan are for the anytime comparison and for searches.
    let (arms, early): (Vec<_>, Vec<_>) = all.into_iter().partition(|arm| arm.runs[0].horizon.is_none());
    let mut ranks: Vec<Rank<'a>> = Vec::new();
    for arm in arms {
        let (optimizer, schedule) = (arm.runs[0].optimizer.as_str(), arm.runs[0].schedule.as_str());
        let rank = ranks.iter_mut().find(|rank| (rank.optimizer, rank.schedule) == (optimizer, schedule));
        match rank {
            Some(rank) => rank.tried.push(arm),
            None => ranks.push(Rank {
                optimizer,
                schedule,
                best: arm.clone(),
                selection: arm.clone(),
                tried: vec![arm],
                tried_values: Vec::new(),
                runs: 0,
                diverged: 0,
                failed: 0,
                metric,
            }),
        }
    }
    for rank in &mut ranks {
        rank.runs = rank.tried.iter().map(|arm| arm.runs.len()).sum();
        let same =
            |arm: &&Summary| (&*arm.runs[0].optimizer, &*arm.runs[0].schedule) == (rank.optimizer, rank.schedule);
        rank.tried_values = numbers(early.iter().filter(same).chain(&rank.tried));
        rank.diverged = rank.tried.iter().map(|arm| arm.diverged).sum();
        rank.failed = rank.tried.iter().map(|arm| arm.failed).sum();
        let whole = std::mem::take(&mut rank.tried);
        let choosing: Vec<Summary> = whole.iter().filter_map(|arm| arm.under(|seed| roles.choose(seed))).collect();
        // Judge seeds alone: what they judge was chosen elsewhere.
        rank.tried = if choosing.is_empty() { whole.clone() } else { choosing };
        let most = rank.tried.iter().map(|arm| arm.runs.len()).max().unwrap_or(0);
        let known_best = rank.tried.iter().filter(|arm| arm.runs.len() == most);
        if let Some(best) = known_best.min_by(|a, b| order(a, b, metric)) {
            rank.selection = best.clone();
        }
        let settings = &rank.selection.runs[0].hyper_parameters;
        let same = whole.iter().find(|arm| arm.runs[0].hyper_parameters == *settings);
        let reported = same.and_then(|arm| arm.under(|seed| roles.report(seed)));
        rank.best = reported.unwrap_or_else(|| rank.selection.clone());
    }
    ranks.sort_by(|a, b| b.is_ranked().cmp(&a.is_ranked()).then_with(|| order(&a.selection, &b.selection, metric)));
    Ranking { task: task.to_owned(), metric, ranks }
}

/// The numbers of every numeric key of some arms, in order.
fn numbers<'a, 'b: 'a>(arms: impl Iterator<Item = &'a Summary<'b>>) -> Vec<(String, Vec<f64>)> {
    let mut numbers: Vec<(String, Vec<f64>)> = Vec::new();
    for arm in arms {
        for (key, value) in &arm.runs[0].hyper_parameters {
            let Some(value) = value.as_number() else { continue };
            match numbers.iter_mut().find(|(known, _)| known == key) {
                Some((_, values)) => values.push(value),
                None => numbers.push((key.clone(), vec![value])),
            }
        }
    }
    for (_, values) in &mut numbers {
        values.sort_by(f64::total_cmp);
        values.dedup();
    }
    numbers
}

/// Which of two arms validation prefers: one that finished at all, then fewer lost seeds, then the better mean, then the
/// lower mean loss. A run without a finite score is lost ([`Summary::lost_in`]).
pub fn order(a: &Summary, b: &Summary, metric: Metric) -> std::cmp::Ordering {
    let key = |arm: &Summary, metric: Metric| {
        let mean = arm.validation(metric).mean();
        mean.unwrap_or(f64::INFINITY * metric_sign(metric)) * metric_sign(metric)
    };
    let nothing = |arm: &Summary| arm.lost_in(metric) == arm.runs.len();
    nothing(a)
        .cmp(&nothing(b))
        .then_with(|| a.lost_in(metric).cmp(&b.lost_in(metric)))
        .then_with(|| key(a, metric).total_cmp(&key(b, metric)))
        .then_with(|| key(a, Metric::LOSS).total_cmp(&key(b, Metric::LOSS)))
}

/// What turns "better" into "less".
fn metric_sign(metric: Metric) -> f64 {
    if metric.higher_is_better() { -1.0 } else { 1.0 }
}
