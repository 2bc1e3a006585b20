//! When the target of a task was reached, read again from the evaluations of runs that are there already.

use crate::error::Result;
use crate::results::{Record, Store};
use crate::task::{Split, Target};

impl Store {
    /// Tells the records of a task's runs when they reached another target than that of their day: a target judges a
    /// run and changes no update, so its evaluations are enough. A run without curves loses what it knew.
    ///
    /// # Errors
    /// When a record or an evaluation cannot be read or written.
    pub fn judge_again(&self, task: &str, target: Option<Target>) -> Result<()> {
        let mut packed = Vec::new();
        for record in self.packed()?.into_values().filter(|record| record.task == task) {
            if !self.run(&record.run).exists() {
                packed.push(Record { steps_to_target: None, ..record });
            }
        }
        if !packed.is_empty() {
            self.pack(&packed)?;
        }
        for name in self.names()? {
            let record = match self.finished(&name)? {
                Some(record) if record.task == task => record,
                _ => continue,
            };
            let reached = |target: Target| -> Result<Option<u64>> {
                let mut rows = self.evaluations(&name)?.into_iter().filter(|row| row.split == Split::Validation.name());
                Ok(rows.find(|row| target.reached(&row.scores)).map(|row| row.step))
            };
            let steps_to_target = target.map(reached).transpose()?.flatten();
            if steps_to_target != record.steps_to_target {
                self.rewrite(&Record { steps_to_target, ..record })?;
            }
        }
        Ok(())
    }
}
