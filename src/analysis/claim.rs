//! Claims against the records: supported, refuted, or not to be decided with these seeds.

use crate::analysis::comparison::{ALPHA, LEVEL, POWER};
use crate::analysis::{Difference, Rank, Summary, ranking, rates};
use crate::config::{Arm, At, Claim, Experiment};
use crate::metric::Metric;
use crate::results::Record;
use crate::{optim, schedule};

/// What the results say to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// It holds.
    Supported,
    /// These seeds cannot decide it.
    Underpowered,
    /// It does not hold.
    Refuted,
}

impl Finding {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Supported => "SUPPORTED",
            Self::Underpowered => "UNDERPOWERED",
            Self::Refuted => "REFUTED",
        }
    }
}

/// A claim with what was found, task by task and rate by rate.
#[derive(Debug, Clone)]
pub struct Judgement<'a> {
    /// The claim.
    pub claim: &'a Claim,
    /// The worst of its parts: a claim holds where all of them do.
    pub finding: Finding,
    /// What it was judged by.
    pub parts: Vec<Part>,
}

/// A claim on one task, at one setting of each side.
#[derive(Debug, Clone)]
pub struct Part {
    /// The task.
    pub task: String,
    /// What is compared.
    pub metric: Metric,
    /// The learning rate that both sides share, where the claim is about every one.
    pub lr: Option<f64>,
    /// `better` minus `than`, turned so that more is better; `None` where nothing can be compared.
    pub lead: Option<Difference>,
    /// How far the lead may lie below zero: the claim's share of the mean of `than`.
    pub margin: f64,
    /// The smallest lead beyond the margin, either way, that these seeds would find with 80% power.
    pub detectable: Option<f64>,
    /// What it comes to.
    pub finding: Finding,
    /// What else there is to say.
    pub note: Option<String>,
}

impl Part {
    /// The two-sided 95% interval of the lead.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.lead.as_ref().map(|lead| lead.interval(LEVEL))
    }
}

/// Judges one claim.
///
/// A part is supported where the whole two-sided 95% interval of the lead lies at or above `-margin`
/// (so `better` is wrongly called good enough at most 2.5% of the time), and refuted where the whole
/// interval lies below it; the interval that refutes is widened to `1 - 0.05 / parts`, so that a
/// claim of many parts is not refuted by chance alone. Support needs no such correction: every part
/// has to give it.
pub fn judge<'a>(claim: &'a Claim, experiment: &Experiment, records: &[Record]) -> Judgement<'a> {
    let mut parts: Vec<Part> = Vec::new();
    for task in experiment.tasks.iter().filter(|task| claim.task.as_ref().is_none_or(|label| *label == task.label)) {
        let metric = claim.metric.unwrap_or(task.metric);
        let ranking = ranking(records, &task.label, metric);
        let side = |arm: &Arm| {
            ranking.ranks.iter().find(|rank| rank.optimizer == arm.optimizer && rank.schedule == arm.schedule)
        };
        let blank = |note: String| Part::undecided(&task.label, metric, note);
        match (side(&claim.better), side(&claim.than)) {
            (Some(better), Some(than)) => parts.extend(match settings(claim.at, better, than, metric, experiment) {
                Ok(pairs) => {
                    pairs.iter().map(|(lr, a, b)| part(claim, &task.label, metric, *lr, a, b)).collect::<Vec<_>>()
                }
                Err(note) => vec![blank(note)],
            }),
            (None, _) => parts.push(blank(format!("{} has not run", claim.better))),
            (_, None) => parts.push(blank(format!("{} has not run", claim.than))),
        }
    }
    let level = 1.0 - ALPHA / parts.len().max(1) as f64;
    for part in &mut parts {
        if let (Finding::Underpowered, Some(lead)) = (part.finding, &part.lead)
            && lead.interval(level).1 < -part.margin
        {
            part.finding = Finding::Refuted;
        }
    }
    let finding = parts.iter().map(|part| part.finding).max().unwrap_or(Finding::Underpowered);
    Judgement { claim, finding, parts }
}

impl Part {
    fn undecided(task: &str, metric: Metric, note: String) -> Self {
        let (lead, lr, detectable, note) = (None, None, None, Some(note));
        Self { task: task.to_owned(), metric, lr, lead, margin: 0.0, detectable, finding: Finding::Underpowered, note }
    }
}

/// One part, apart from its refutation by interval.
fn part(claim: &Claim, task: &str, metric: Metric, lr: Option<f64>, better: &Summary, than: &Summary) -> Part {
    let lead = Difference::lead(better, than, metric);
    let margin = claim.margin * than.reported(metric).mean().map_or(0.0, f64::abs);
    let detectable = lead.as_ref().and_then(|lead| lead.detectable(ALPHA, POWER));
    let mut part = Part { lr, lead, margin, detectable, ..Part::undecided(task, metric, String::new()) };
    part.note = None;
    if better.failed + than.failed > 0 {
        part.note = Some("runs failed: `optbench run` tries them again".into());
    } else if better.diverged > than.diverged {
        part.finding = Finding::Refuted;
        part.note = Some(format!(
            "{} diverged in {} of {} seeds, {} in {}",
            claim.better,
            better.diverged,
            better.runs.len(),
            claim.than,
            than.diverged
        ));
    } else if part.lead.is_none() && better.finished > 0 {
        part.finding = Finding::Supported;
        part.note = Some(format!("{} diverged in every seed", claim.than));
    } else if let Some(lead) = &part.lead {
        if lead.interval(LEVEL).0 >= -margin {
            part.finding = Finding::Supported;
        } else if lead.error.is_none() {
            part.note = Some("one seed knows no noise: set `seeds` to 3 or more".into());
        }
    } else {
        part.note = Some("no seed is left to compare".into());
    }
    part
}

type Pair<'a, 'b> = (Option<f64>, &'b Summary<'a>, &'b Summary<'a>);

/// The arms that a claim compares, or why there are none.
fn settings<'a, 'b>(
    at: At,
    better: &'b Rank<'a>,
    than: &'b Rank<'a>,
    metric: Metric,
    experiment: &Experiment,
) -> Result<Vec<Pair<'a, 'b>>, String> {
    match at {
        At::Tuned => Ok(vec![(None, &better.best, &than.best)]),
        At::Default => Ok(vec![(None, at_defaults(better, experiment)?, at_defaults(than, experiment)?)]),
        At::EveryLr => {
            let shared: Vec<f64> = rates(&better.tried, metric).iter().map(|rate| rate.lr).collect();
            let shared = shared.into_iter().filter(|lr| than.tried.iter().any(|arm| arm.lr() == Some(*lr)));
            let pairs: Vec<_> = shared
                .filter_map(|lr| Some((Some(lr), best_at(better, lr, metric)?, best_at(than, lr, metric)?)))
                .collect();
            if pairs.is_empty() {
                return Err(format!("{} and {} share no learning rate", better.name(), than.name()));
            }
            Ok(pairs)
        }
    }
}

/// The best arm among those with a learning rate, chosen on validation.
fn best_at<'a, 'b>(rank: &'b Rank<'a>, lr: f64, metric: Metric) -> Option<&'b Summary<'a>> {
    let at = rank.tried.iter().filter(|arm| arm.lr() == Some(lr));
    at.min_by(|a, b| super::ranking::order(a, b, metric))
}

/// The arm at which every key that the sweep varies has its kind's own default. Keys that the
/// config fixes stay as fixed.
fn at_defaults<'a, 'b>(rank: &'b Rank<'a>, experiment: &Experiment) -> Result<&'b Summary<'a>, String> {
    let mut wanted: Vec<(String, String)> = Vec::new();
    let optimizer = experiment.optimizers.iter().map(|(grid, _)| grid).find(|grid| grid.label == rank.optimizer);
    if let Some((grid, definition)) = optimizer.and_then(|grid| Some((grid, optim::find(&grid.kind)?))) {
        let keys: Vec<_> = definition.keys().collect();
        let rate = std::iter::once("lr");
        for swept in rate.chain(grid.swept().filter(|key| *key != "lr")) {
            if let Some(value) = keys.iter().find(|key| key.name == swept).and_then(|key| key.default.value()) {
                wanted.push((swept.to_owned(), value.to_string()));
            }
        }
    }
    let own = experiment.schedules.iter().find(|grid| grid.label == rank.schedule);
    if let Some((grid, definition)) = own.and_then(|grid| Some((grid, schedule::find(&grid.kind)?))) {
        for swept in grid.swept() {
            if let Some(value) = definition.keys().find(|key| key.name == swept).and_then(|key| key.default.value()) {
                wanted.push((format!("schedule.{swept}"), value.to_string()));
            }
        }
    }
    let fits = |arm: &&Summary| {
        wanted.iter().all(|(key, value)| arm.runs[0].hyper_parameter(key).is_some_and(|found| found == value))
    };
    rank.tried.iter().find(fits).ok_or_else(|| {
        let missing: Vec<String> = wanted.iter().map(|(key, value)| format!("{key} {value}")).collect();
        format!("{} did not run at its defaults: add {} to the sweep", rank.name(), missing.join(", "))
    })
}
