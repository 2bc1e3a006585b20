//! Absolute claims: does an arm reach a score within so many steps?

use crate::analysis::by_seed::Seed;
use crate::analysis::claim_part::Part;
use crate::analysis::divergence::Divergence;
use crate::analysis::shares::Share;
use crate::analysis::summary::one_prediction;
use crate::analysis::{Difference, Rank, Sample, Standard, Summary};
use crate::config::{Bar, Experiment, Reaches};
use crate::length::{Length, Timeline};
use crate::margin::Margin;
use crate::metric::Metric;
use crate::results::{Record, Status};

/// The step that a claim is about, as far as the config and the runs tell how long an epoch is.
pub fn step(reaches: Reaches, experiment: &Experiment, records: &[&Record]) -> Option<u64> {
    let finished = records.iter().find(|record| record.status == Status::Finished && record.horizon.is_none());
    let steps = finished.map_or(0, |record| record.steps);
    let steps_per_epoch = match experiment.length {
        Length::Epochs(epochs) => finished.map(|_| (steps as f64 / epochs).round() as u64),
        _ => None,
    };
    match reaches.within {
        Length::Steps(steps) => Some(steps),
        _ if finished.is_none() => None,
        within => within.in_steps(&Timeline { steps, steps_per_epoch, beta2: None }).ok().or_else(|| {
            // Runs of a fixed number of steps: their only mark is the one that was asked for.
            let mut marks = records.iter().flat_map(|record| &record.marks).map(|mark| mark.steps);
            let first = marks.next()?;
            marks.all(|other| other == first).then_some(first)
        }),
    }
}

/// Nobody recorded what a run had reached.
struct Unknown;

/// What a run scored on validation at a step; `None` where it diverged before.
fn at_step(record: &Record, step: u64, metric: Metric) -> Result<Option<f64>, Unknown> {
    let finite = |score: Option<f64>| score.filter(|score| score.is_finite());
    if let Some(mark) = record.marks.iter().find(|mark| mark.steps == step) {
        return Ok(finite(mark.validation.as_ref().and_then(|scores| scores.get(metric))));
    }
    match record.status {
        Status::Finished if record.steps == step => Ok(finite(record.validation.as_ref().ok_or(Unknown)?.get(metric))),
        Status::Diverged if record.steps <= step => Ok(None),
        _ => Err(Unknown),
    }
}

/// The part of an absolute claim on a task, of the arm at the settings that are best on validation: a one-sample t test
/// that the mean score at the step is at least as good as the claimed one.
///
/// Runs that diverged before the step did not reach the score: they keep a claim from being supported, and refute it
/// where significantly more than half of all did.
pub(super) fn judge(reaches: Reaches, task: &str, rank: &Rank, experiment: &Experiment, standard: Standard) -> Part {
    let (metric, arm) = (reaches.score.metric, &rank.best);
    let undecided = |reason: String| Part::undecided(task, metric, reason);
    let Some(step) = step(reaches, experiment, &arm.runs) else {
        return undecided(format!("no run of {} finished, so the step is not known", rank.name()));
    };
    let at = |record: &&Record| Some((Seed::of(record), at_step(record, step, metric).ok()?));
    let known: Vec<(Seed, Option<f64>)> = arm.runs.iter().filter_map(at).collect();
    if known.len() < arm.runs.len() {
        return undecided(format!(
            "the records of {} hold no score at step {step}; `optbench run --fresh` trains the runs again and keeps it",
            rank.name()
        ));
    }
    let lost = Share { count: known.iter().filter(|(_, score)| score.is_none()).count(), of: known.len() };
    let mut part = Part::new(task, metric);
    part.horizon = Some(step);
    part.divergence = Some(Divergence::new([(rank.name(), lost)]));
    let sign = if metric.higher_is_better() { 1.0 } else { -1.0 };
    let leads: Sample =
        known.iter().filter_map(|(_, score)| Some(sign * (score.as_ref()? - reaches.score.value))).collect();
    part.weigh(Bar::Margin(Margin::NONE), lead(leads, arm, metric), standard);
    part
}

/// The leads over the claimed score as a difference, with the noise that a coarse score has at least.
fn lead(leads: Sample, arm: &Summary, metric: Metric) -> Option<Difference> {
    let lead = Difference::paired(leads)?;
    if arm.is_deterministic() {
        return Some(lead);
    }
    Some(lead.in_steps_of(one_prediction(arm.runs.iter().map(|record| record.validation_examples), metric)))
}
