//! What it took to find the settings: tries and steps, arm by arm.

use std::collections::BTreeSet;

use crate::report::Section;
use crate::report::format::Table;
use crate::report::words::{self, short};
use crate::results::Record;

impl Section<'_> {
    /// Tries and steps of every arm, those of runs that ended early among them; without rows where
    /// nothing was searched.
    pub(super) fn search(&self) -> Table {
        let note = "Tries: settings that were trained under the first seed, and how many of them to the end; their steps, \
                    and these as whole runs; the steps of the other seeds. Settings are chosen on validation. Where \
                    the tries differ between arms, so may the luck of their best.";
        let mut table = Table::new("What the search cost", note, 3);
        table.head(["#", "optimizer", "schedule", "tries", "to the end", "steps of the tries", "as whole runs"]);
        table.head(["steps of other seeds"]);
        if self.records.iter().any(|record| !record.horizons.is_empty()) {
            // Runs that end at the horizons of an anytime comparison are no tries.
            return table;
        }
        let mut searched = false;
        for (place, rank) in self.ranking.ranks.iter().enumerate() {
            let of = |record: &&Record| {
                (record.task.as_str(), record.optimizer.as_str(), record.schedule.as_str())
                    == (self.ranking.task.as_str(), rank.optimizer, rank.schedule)
            };
            let own: Vec<&Record> = self.records.iter().filter(of).collect();
            let Some(first) = rank.best.runs.first().map(|run| run.seed) else { continue };
            let (tries, others): (Vec<&Record>, Vec<&Record>) = own.iter().partition(|record| record.seed == first);
            let settings = |runs: &mut dyn Iterator<Item = &&Record>| -> usize {
                runs.map(|record| format!("{:?}", record.hyper_parameters)).collect::<BTreeSet<_>>().len()
            };
            let steps = |runs: &[&Record]| runs.iter().map(|record| record.steps).sum::<u64>();
            let whole = own.iter().filter(|record| record.horizon.is_none()).map(|record| record.steps).max();
            let tried = settings(&mut tries.iter());
            searched |= tried > 1;
            table.rows.push(vec![
                words::place(place, rank),
                rank.optimizer.to_owned(),
                rank.schedule.to_owned(),
                tried.to_string(),
                settings(&mut tries.iter().filter(|record| record.horizon.is_none())).to_string(),
                steps(&tries).to_string(),
                whole.map_or_else(|| "-".into(), |whole| short(steps(&tries) as f64 / whole.max(1) as f64)),
                steps(&others).to_string(),
            ]);
        }
        if !searched {
            table.rows.clear();
        }
        table
    }
}
