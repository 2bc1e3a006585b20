//! Arms: the runs that differ in the seed alone.

use crate::analysis::Sample;
use crate::analysis::difference::BySeed;
use crate::metric::{Metric, Scores};
use crate::results::{Record, Status};

/// The runs of one arm.
#[derive(Debug, Clone)]
pub struct Summary<'a> {
    /// The runs, one for each seed.
    pub runs: Vec<&'a Record>,
    /// How many trained to the end.
    pub finished: usize,
    /// How many diverged.
    pub diverged: usize,
    /// How many failed.
    pub failed: usize,
}

impl Summary<'_> {
    /// The learning rate.
    pub fn lr(&self) -> Option<f64> {
        self.number("lr")
    }

    /// The value of a hyper-parameter that is a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.runs[0].hyper_parameter(key)?.parse().ok()
    }

    /// How many did not train to the end.
    pub fn lost(&self) -> usize {
        self.diverged + self.failed
    }

    /// Whether the seed changes nothing: two or more runs, all with the same loss.
    pub fn is_deterministic(&self) -> bool {
        let losses = self.validation(Metric::Loss);
        losses.len() > 1 && losses.deviation() == Some(0.0)
    }

    /// The last validation scores of the runs that finished.
    pub fn validation(&self, metric: Metric) -> Sample {
        self.sample(|record| finished(record)?.validation?.get(metric))
    }

    /// The test scores of the runs that finished, or the validation scores where a task has no test split.
    pub fn reported(&self, metric: Metric) -> Sample {
        self.sample(|record| reported(record)?.get(metric))
    }

    /// What [`Summary::reported`] returns, with the seeds.
    pub fn by_seed(&self, metric: Metric) -> BySeed {
        let score = |record: &Record| reported(record)?.get(metric).filter(|x| x.is_finite());
        self.runs.iter().filter_map(|record| Some((record.seed, score(record)?))).collect()
    }

    /// The mean of [`Summary::reported`] over the scores that are finite numbers.
    pub fn finite_mean(&self, metric: Metric) -> Option<f64> {
        self.by_seed(metric).into_iter().map(|(_, score)| score).collect::<Sample>().mean()
    }

    /// How many diverged, or ended with a score that is no finite number: a perplexity that overflows.
    pub fn diverged_in(&self, metric: Metric) -> usize {
        self.diverged + self.reported(metric).iter().filter(|score| !score.is_finite()).count()
    }

    /// How many trained to the end and have no such score: the task does not measure it.
    pub fn unscored(&self, metric: Metric) -> usize {
        self.finished - self.reported(metric).len()
    }

    /// How many nats the losses of [`Summary::reported`] lie above the task's floor, where it has one.
    pub fn above_floor(&self) -> Sample {
        self.sample(|record| Some(reported(record)?.loss - record.loss_floor?))
    }

    /// Milliseconds of a step of every run: batch, forward and backward pass, and update.
    pub fn milliseconds(&self) -> Sample {
        self.sample(|record| {
            let trained = record.gradient_seconds + record.optimizer_seconds;
            (record.steps > 0).then(|| 1e3 * trained / record.steps as f64)
        })
    }

    /// Updates to the target of the runs that reached it.
    pub fn steps_to_target(&self) -> Sample {
        self.sample(|record| record.steps_to_target.map(|steps| steps as f64))
    }

    /// Training seconds to the target: the steps to it at the run's own mean time of a step.
    pub fn seconds_to_target(&self) -> Sample {
        self.sample(|record| {
            let trained = record.gradient_seconds + record.optimizer_seconds;
            Some(trained * record.steps_to_target? as f64 / record.steps.max(1) as f64)
        })
    }

    /// A number of every run that has it.
    pub fn sample(&self, value: impl Fn(&Record) -> Option<f64>) -> Sample {
        self.runs.iter().filter_map(|record| value(record)).collect()
    }
}

/// A run that diverged has scores from before it did: they say nothing of where it would have ended.
fn finished(record: &Record) -> Option<&Record> {
    (record.status == Status::Finished).then_some(record)
}

fn reported(record: &Record) -> Option<Scores> {
    finished(record).and_then(|record| record.test.or(record.validation))
}

/// The arms of an experiment in the order of their first runs.
pub fn summaries(records: &[Record]) -> Vec<Summary<'_>> {
    let mut arms: Vec<Summary> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for record in records {
        let key = (&record.task, &record.optimizer, &record.schedule, &record.hyper_parameters, record.horizon);
        let place = *places.entry(key).or_insert_with(|| {
            arms.push(Summary { runs: Vec::new(), finished: 0, diverged: 0, failed: 0 });
            arms.len() - 1
        });
        let arm = &mut arms[place];
        arm.runs.push(record);
        match record.status {
            Status::Finished => arm.finished += 1,
            Status::Diverged => arm.diverged += 1,
            Status::Failed => arm.failed += 1,
        }
    }
    arms
}
