//! One run against the envelope: the curves of those that knew when they would end, each up to its end.

use std::collections::BTreeMap;

use super::canvas::{Canvas, Over};
use crate::analysis::anytime::{AtHorizon, anytime, stages};
use crate::analysis::{Rank, Sample, Summary};
use crate::chart::{Color, Dash, LineChart, Marker, Series, Style};
use crate::error::Result;

/// The envelope belongs to no optimizer, and looks like none.
const ENVELOPE: Style = Style { color: Color(0x66, 0x66, 0x66), dash: Dash::Dotted, marker: Marker::Ring };

impl Canvas<'_, '_> {
    /// The validation curves of every arm without a stopping time and of the envelope at each
    /// horizon; `None` without horizons.
    pub(super) fn anytime(&self) -> Result<Option<LineChart>> {
        let (task, metric) = (&self.ranking.task, self.ranking.metric);
        let stages = stages(&self.results.records, task);
        let rows = anytime(&stages, &self.results.records, task, metric, self.results.standing.standard);
        if rows.is_empty() {
            return Ok(None);
        }
        let mut series = Vec::new();
        let mut ends: Vec<(f64, f64)> = Vec::new();
        for row in &rows {
            // The envelope is the same for every arm that is held against it.
            if ends.iter().any(|(step, _)| *step == row.steps as f64) {
                continue;
            }
            let mut line = self.series(&row.envelope, self.mean_curve(&row.envelope.best)?);
            ends.extend(line.points.last());
            line.label = format!("{}, ended by plan", row.envelope.name());
            series.push(line);
        }
        let shown = |row: &&AtHorizon| self.ranking.ranks.iter().any(|rank| named(rank, row));
        let last = rows.iter().map(|row| row.steps).max();
        for row in rows.iter().filter(|row| Some(row.steps) == last).filter(shown) {
            let points = self.mean_curve(&row.one_run)?;
            let style = self.palette.style(row.optimizer, row.schedule);
            series.push(Series::new(format!("{}+{}, one run", row.optimizer, row.schedule), style, points));
        }
        series.push(Series { markers: true, ..Series::new("envelope", ENVELOPE, ends) });
        let values = series.iter().flat_map(|series| &series.points).map(|(_, y)| *y);
        let y = self.axis("validation", metric, values);
        Ok(Some(LineChart {
            title: format!("{task}: one run against the envelope"),
            subtitle: Some(format!(
                "{}; a line that is ended by plan is the best arm that was trained to end where the line ends",
                self.seeds("mean over seeds")
            )),
            x: self.x_axis(Over::Steps),
            rules: self.target(metric, &y),
            y,
            series,
        }))
    }

    /// The mean over the seeds of the validation scores, from the first evaluation after the start:
    /// untrained weights would flatten all that matters.
    fn mean_curve(&self, arm: &Summary) -> Result<Vec<(f64, f64)>> {
        let mut at_step: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for record in &arm.runs {
            for row in self.results.store.evaluations(&record.run)? {
                if let (true, true, Some(value)) =
                    (row.split == "val", row.step > 0, row.scores.get(self.ranking.metric))
                {
                    at_step.entry(row.step).or_default().push(value);
                }
            }
        }
        let whole = at_step.into_iter().filter(|(_, values)| values.len() == arm.runs.len());
        Ok(whole
            .filter_map(|(step, values)| Some((step as f64, values.into_iter().collect::<Sample>().mean()?)))
            .collect())
    }
}

fn named(rank: &Rank, row: &AtHorizon) -> bool {
    (rank.optimizer, rank.schedule) == (row.optimizer, row.schedule)
}
