//! The scores that absolute claims ask for, of runs that were trained before they were claimed.

use std::collections::BTreeSet;

use crate::analysis::reaches::step;
use crate::config::Experiment;
use crate::error::Result;
use crate::results::{Mark, Record, Status, Store};

/// Fills in what the records do not hold, from the curves of the runs that have them.
///
/// # Errors
/// When curves cannot be read.
pub(super) fn fill(store: &Store, experiment: &Experiment, records: &mut [Record]) -> Result<()> {
    let mut wanted: BTreeSet<(usize, u64)> = BTreeSet::new();
    for task in &experiment.tasks {
        for (claim, reaches) in experiment.claims_that_reach(task) {
            let own = |record: &Record| {
                record.task == task.label
                    && record.horizon.is_none()
                    && claim.better.means(&record.optimizer, &record.schedule)
            };
            let all: Vec<&Record> = records.iter().filter(|record| own(record)).collect();
            let Some(step) = step(reaches, experiment, &all) else { continue };
            let lacks = |record: &Record| {
                record.status != Status::Failed && !record.marks.iter().any(|mark| mark.steps == step)
            };
            let places = (0..records.len()).filter(|&place| own(&records[place]) && lacks(&records[place]));
            wanted.extend(places.map(|place| (place, step)));
        }
    }
    for (place, steps) in wanted {
        let rows = store.evaluations(&records[place].run)?;
        let found = rows.into_iter().find(|row| row.step == steps && row.split == "val");
        if let Some(row) = found {
            let validation = Some(row.scores).filter(crate::metric::Scores::are_finite);
            records[place].marks.push(Mark { steps, validation });
        }
    }
    Ok(())
}
