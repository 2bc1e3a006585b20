//! Arms: the runs that differ in the seed alone.

use crate::analysis::Sample;
use crate::analysis::by_seed::{BySeed, Seed, compared};
use crate::analysis::shares::Share;
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

impl<'a> Summary<'a> {
    /// The same arm under some of its seeds; `None` where there is no run of them.
    pub fn under(&self, seeds: impl Fn(u64) -> bool) -> Option<Self> {
        let mut runs = self.runs.iter().copied().filter(|record| seeds(record.seed)).peekable();
        runs.peek()?;
        let mut arm = Self { runs: Vec::new(), finished: 0, diverged: 0, failed: 0 };
        runs.for_each(|record| arm.push(record));
        Some(arm)
    }

    fn push(&mut self, record: &'a Record) {
        self.runs.push(record);
        match record.status {
            Status::Finished => self.finished += 1,
            Status::Diverged => self.diverged += 1,
            Status::Failed => self.failed += 1,
        }
    }
}

impl Summary<'_> {
    /// The learning rate.
    pub fn lr(&self) -> Option<f64> {
        self.number("lr")
    }

    /// The value of a hyper-parameter that is a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.runs[0].hyper_parameter(key)?.as_number()
    }

    /// What tells runs apart best: the loss or, of a task without one, the first of what is measured.
    fn finest(&self) -> Metric {
        let measured = self.runs.iter().find_map(|record| record.validation.as_ref()?.iter().next());
        measured.map_or(Metric::LOSS, |(metric, _)| metric)
    }

    /// Whether the seed changes nothing: two or more runs, all with the same loss.
    pub fn is_deterministic(&self) -> bool {
        let losses = self.validation(self.finest());
        losses.len() > 1 && losses.deviation() == Some(0.0)
    }

    /// The last validation scores of the runs that count: those that finished with scores that are finite numbers.
    pub fn validation(&self, metric: Metric) -> Sample {
        self.validation_by_seed(metric).into_iter().map(|(_, score)| score).collect()
    }

    /// What [`Summary::validation`] returns, with the seeds.
    pub fn validation_by_seed(&self, metric: Metric) -> BySeed {
        self.scored(metric)
            .filter_map(|record| Some((Seed::of(record), record.validation.as_ref()?.get(metric)?)))
            .collect()
    }

    /// The test scores of the runs that count, or the validation scores where a task has no test split.
    pub fn reported(&self, metric: Metric) -> Sample {
        self.by_seed(metric).into_iter().map(|(_, score)| score).collect()
    }

    /// What [`Summary::reported`] returns, with the seeds.
    pub fn by_seed(&self, metric: Metric) -> BySeed {
        self.scored(metric).filter_map(|record| Some((Seed::of(record), reported(record)?.get(metric)?))).collect()
    }

    /// The mean of [`Summary::reported`].
    pub fn finite_mean(&self, metric: Metric) -> Option<f64> {
        self.reported(metric).mean()
    }

    /// How many diverged, or ended with a score that is not a finite number, such as a perplexity that overflows.
    /// Both are treated alike everywhere: such a run has no score, and counts as lost.
    pub fn diverged_in(&self, metric: Metric) -> usize {
        let finished = self.runs.iter().filter(|record| record.status == Status::Finished);
        self.diverged + finished.filter(|record| !is_finite(record, metric)).count()
    }

    /// In how many it was, of those that did not fail.
    pub fn share_diverged(&self, metric: Metric) -> Share {
        Share { count: self.diverged_in(metric), of: self.runs.len() - self.failed }
    }

    /// The step that [`Summary::reported`] moves in, one prediction of those that are judged; `None` where they are
    /// not known, and of what is no count.
    pub fn step(&self, metric: Metric) -> Option<f64> {
        let judged =
            |record: &Record| if record.test.is_some() { record.test_examples } else { record.validation_examples };
        one_prediction(self.scored(metric).map(judged), metric)
    }

    /// Whether the runs of both, seed by seed, came to the same losses: the same computation twice.
    pub fn repeats(&self, other: &Summary) -> bool {
        let metric = self.finest();
        let (ours, theirs, paired) = compared(&self.by_seed(metric), &other.by_seed(metric));
        paired && ours == theirs
    }

    /// How many did not train to the end with a finite score: what [`Summary::diverged_in`] counts, and what failed.
    pub fn lost_in(&self, metric: Metric) -> usize {
        self.failed + self.diverged_in(metric)
    }

    /// How many trained to the end and have no such score: the task does not measure it.
    pub fn unscored(&self, metric: Metric) -> usize {
        self.runs.len() - self.lost_in(metric) - self.reported(metric).len()
    }

    /// The runs that finished with scores that are finite numbers, as far as the metric was measured.
    fn scored(&self, metric: Metric) -> impl Iterator<Item = &Record> {
        self.runs.iter().copied().filter_map(finished).filter(move |record| is_finite(record, metric))
    }

    /// How many nats the losses of [`Summary::reported`] lie above the task's floor, where it has one.
    pub fn above_floor(&self) -> Sample {
        let above = |record: &Record| Some(reported(record)?.get(Metric::LOSS)? - record.loss_floor?);
        self.scored(Metric::LOSS).filter_map(above).collect()
    }

    /// Milliseconds of a step of every run: batch, forward and backward pass, and update.
    pub fn milliseconds(&self) -> Sample {
        self.sample(|record| {
            let trained = record.gradient_seconds + record.optimizer_seconds;
            // Where the time went that another program took is not known.
            (record.steps > 0 && trained > 0.0).then(|| 1e3 * trained / record.steps as f64)
        })
    }

    /// Updates to the target of the runs that reached it.
    pub fn steps_to_target(&self) -> Sample {
        self.sample(|record| record.steps_to_target.map(|steps| steps as f64))
    }

    /// What [`Summary::steps_to_target`] returns, with the seeds.
    pub fn steps_by_seed(&self) -> BySeed {
        self.runs.iter().filter_map(|record| Some((Seed::of(record), record.steps_to_target? as f64))).collect()
    }

    /// Training seconds to the target: the steps to it at the run's own mean time of a step.
    pub fn seconds_to_target(&self) -> Sample {
        self.sample(|record| {
            Some(record.training_seconds()? * record.steps_to_target? as f64 / record.steps.max(1) as f64)
        })
    }

    /// A number of every run that has it.
    pub fn sample(&self, value: impl Fn(&Record) -> Option<f64>) -> Sample {
        self.runs.iter().filter_map(|record| value(record)).collect()
    }
}

/// What one prediction of the fewest that were judged is worth; `None` where their numbers are not known, and of what is
/// not a count.
pub(super) fn one_prediction(judged: impl Iterator<Item = Option<u64>>, metric: Metric) -> Option<f64> {
    let judged: Option<Vec<u64>> = judged.collect();
    let fewest = judged?.into_iter().min().filter(|_| metric.is_share())?;
    Some(1.0 / fewest as f64)
}

/// A run that diverged has scores from before it did: they say nothing of where it would have ended.
fn finished(record: &Record) -> Option<&Record> {
    (record.status == Status::Finished).then_some(record)
}

/// Whether no score of the metric is infinite or not a number.
fn is_finite(record: &Record, metric: Metric) -> bool {
    [&record.validation, &record.test].into_iter().flatten().filter_map(|scores| scores.get(metric)).all(f64::is_finite)
}

fn reported(record: &Record) -> Option<&Scores> {
    finished(record).and_then(|record| record.test.as_ref().or(record.validation.as_ref()))
}

/// The arms of an experiment in the order of their first runs.
pub fn summaries<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Summary<'a>> {
    let mut arms: Vec<Summary> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for record in records {
        let key = (&record.task, &record.optimizer, &record.schedule, &record.hyper_parameters, record.horizon);
        let place = *places.entry(key).or_insert_with(|| {
            arms.push(Summary { runs: Vec::new(), finished: 0, diverged: 0, failed: 0 });
            arms.len() - 1
        });
        arms[place].push(record);
    }
    arms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Direction;

    #[test]
    fn a_task_without_a_loss_is_told_apart_by_what_it_has() {
        let reward = Metric::declared("summary_rs_reward", Direction::Higher).unwrap();
        let of = |rewards: [f64; 2]| {
            let mut runs = records(&[Arm::new("a", &[0.0; 2])]);
            for (run, score) in runs.iter_mut().zip(rewards) {
                run.validation = Some([(reward, score)].into_iter().collect());
            }
            runs
        };
        let (one, other) = (of([1.0, 2.0]), of([3.0, 3.0]));
        let arms = [&summaries(&one)[0], &summaries(&other)[0]];
        assert_eq!(arms.map(Summary::is_deterministic), [false, true]);
        assert!(!arms[0].repeats(arms[1]) && arms[0].repeats(arms[0]));
    }

    #[test]
    fn a_score_that_is_not_finite_counts_as_diverged_in_that_metric_alone() {
        let mut runs = records(&[Arm { test: Some(vec![1.0, f64::INFINITY, 3.0]), ..Arm::new("a", &[1.0, 2.0, 3.0]) }]);
        for (run, perplexity) in runs.iter_mut().zip([2.0, 3.0, f64::INFINITY]) {
            run.validation.as_mut().unwrap().set(Metric::PERPLEXITY, perplexity);
        }
        let arm = &summaries(&runs)[0];
        assert_eq!([Metric::LOSS, Metric::PERPLEXITY].map(|metric| arm.lost_in(metric)), [1, 1]);
        assert_eq!((arm.reported(Metric::LOSS).mean(), arm.validation(Metric::LOSS).mean()), (Some(2.0), Some(2.0)));
        assert_eq!(arm.validation_by_seed(Metric::PERPLEXITY), [(0.into(), 2.0), (1.into(), 3.0)]);
        assert_eq!((arm.unscored(Metric::LOSS), arm.unscored(Metric::ACCURACY)), (0, 3));
    }
}
