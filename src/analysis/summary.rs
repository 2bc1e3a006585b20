//! Arms: the runs that differ in the seed alone.

use crate::analysis::Sample;
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
    /// A number of every run that has it.
    pub fn sample(&self, value: impl Fn(&Record) -> Option<f64>) -> Sample {
        self.runs.iter().filter_map(|record| value(record)).collect()
    }
}

/// The arms of an experiment in the order of their first runs.
pub fn summaries(records: &[Record]) -> Vec<Summary<'_>> {
    let mut arms: Vec<Summary> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for record in records {
        let key = (&record.task, &record.optimizer, &record.schedule, &record.hyper_parameters);
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
