//! The anytime comparison as a table: one run against the envelope of those tuned for each stopping time.

use serde_json::{Value, json};

use crate::analysis::anytime::{AtHorizon, anytime};
use crate::analysis::standard::LEVEL;
use crate::report::Section;
use crate::report::format::Table;
use crate::report::words::{count, interval, points, probability, short, spread};

impl Section<'_> {
    /// Every arm without a stopping time at every horizon; empty without horizons.
    pub(super) fn at_horizons(&self) -> Vec<AtHorizon<'_>> {
        anytime(&self.stages, self.records, &self.ranking.task, self.ranking.metric)
    }

    /// The anytime comparison; without rows where there is none.
    pub(super) fn anytime(&self) -> Table {
        let metric = self.ranking.metric;
        let note = format!(
            "One run of each arm that nothing tells when it will end, at the settings that validation chose at its end, \
             against the envelope: at each horizon the arm with the best validation among those trained to end there, at \
             settings chosen for that horizon. Scores are {} {}; the difference is the one run's lead, paired by seed, \
             more is better for the one run; p by the paired t test, by Holm's method over the horizons of an arm. \
             Tuned for the horizon: the one arm at the settings that are best as of then.",
            self.split(),
            metric.name()
        );
        let mut table = Table::new("Anytime: one run against the envelope", note, 2);
        table.head(["one run of", "envelope", "step", "of the run", "one run", "envelope's", "difference"]);
        table.head(["95% interval", "p (Holm)", "seeds", "one run is", "tuned for the horizon"]);
        let whole = self.stages.last().map_or(1, |stage| stage.steps);
        for row in self.at_horizons() {
            let lead = row.lead.as_ref();
            let known = |(low, high): (f64, f64)| low.is_finite().then(|| interval((low, high), metric));
            let cell = |text: Option<String>| text.unwrap_or_else(|| "-".into());
            table.rows.push(vec![
                format!("{}+{}", row.optimizer, row.schedule),
                row.envelope.name(),
                row.steps.to_string(),
                format!("{}%", short(100.0 * row.steps as f64 / whole as f64)),
                spread(&row.one_run.reported(metric), metric),
                spread(&row.envelope.best.reported(metric), metric),
                cell(lead.map(|lead| points(lead.mean, metric))),
                cell(lead.and_then(|lead| known(lead.interval(LEVEL)))),
                probability(row.p_adjusted),
                lead.map_or(0, |lead| lead.n).to_string(),
                row.verdict.word().to_owned(),
                spread(&row.retuned.reported(metric), metric),
            ]);
        }
        table
    }

    /// The anytime comparison in one sentence for each arm without a stopping time.
    pub(super) fn anytime_answers(&self) -> Vec<String> {
        let rows = self.at_horizons();
        let mut answers: Vec<String> = Vec::new();
        for arm in rows.chunk_by(|a, b| (a.optimizer, a.schedule) == (b.optimizer, b.schedule)) {
            let [first, ..] = arm else { continue };
            let mut words: Vec<&str> = arm.iter().map(|row| row.verdict.word()).collect();
            words.sort_unstable();
            words.dedup();
            let counted = words.iter().map(|word| {
                let n = arm.iter().filter(|row| row.verdict.word() == *word).count();
                format!("{word} at {n}")
            });
            answers.push(format!(
                "one run of {}+{} against the envelope of schedules tuned for each of {}: {}",
                first.optimizer,
                first.schedule,
                count(arm.len(), "horizon"),
                counted.collect::<Vec<_>>().join(", ")
            ));
        }
        answers
    }

    /// The anytime comparison for scripts.
    pub(super) fn anytime_json(&self) -> Vec<Value> {
        let metric = self.ranking.metric;
        let rows = self.at_horizons();
        let of = |row: &AtHorizon| {
            json!({
                "one_run": format!("{}+{}", row.optimizer, row.schedule),
                "envelope": row.envelope.name(),
                "step": row.steps,
                "one_run_mean": row.one_run.reported(metric).mean(),
                "envelope_mean": row.envelope.best.reported(metric).mean(),
                "retuned_mean": row.retuned.reported(metric).mean(),
                "lead": row.lead.as_ref().map(|lead| lead.mean),
                "interval": row.lead.as_ref().map(|lead| lead.interval(LEVEL)).map(|(low, high)| [low, high]),
                "n": row.lead.as_ref().map(|lead| lead.n),
                "p_holm": row.p_adjusted,
                "verdict": row.verdict.word(),
            })
        };
        rows.iter().map(of).collect()
    }
}
