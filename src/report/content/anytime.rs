//! The anytime comparison: one run against the envelope of those tuned for each stopping time.

use crate::analysis::Difference;
use crate::analysis::anytime::{self as analysis, anytime};
use crate::report::Section;
use crate::report::content::words::{count, known_interval, points, probability, short, spread, verdict};
use crate::report::document::{AtHorizon, Cell, Number, Table, ends};

impl Section<'_> {
    /// Every arm without a stopping time at every horizon; empty without horizons.
    pub(super) fn at_horizons(&self) -> Vec<analysis::AtHorizon<'_>> {
        anytime(&self.stages, self.records, &self.ranking.task, self.ranking.metric, self.standard)
    }
}

/// The anytime comparison; without rows where there is none.
pub(super) fn table(section: &Section, rows: &[analysis::AtHorizon]) -> Table {
    let (metric, standard) = (section.ranking.metric, section.standard);
    let note = format!(
        "One run of each arm that nothing tells when it will end, at the settings that validation chose at its end, \
         against the envelope: at each horizon the arm with the best validation among those trained to end there, at \
         settings chosen for that horizon. Scores are {} {}; the difference is the one run's lead, paired by seed, \
         more is better for the one run; p by the paired t test, by Holm's method over the horizons of an arm. \
         Tuned for the horizon: the one arm at the settings that are best as of then.",
        section.split(),
        metric.name()
    );
    let mut table = Table::new("Anytime: one run against the envelope", note);
    let whole = section.stages.last().map_or(1, |stage| stage.steps);
    let share = |row: &analysis::AtHorizon| {
        let percent = 100.0 * row.steps as f64 / whole as f64;
        Number::new(percent, short(percent)).with("%")
    };
    let leads = || rows.iter().map(|row| row.lead.as_ref());
    table.words("one run of", rows.iter().map(|row| Cell::label(one_run(row))));
    table.words("envelope", rows.iter().map(|row| Cell::label(row.envelope.name())));
    table.numbers("step", rows.iter().map(|row| Number::count(row.steps)));
    table.numbers("of the run", rows.iter().map(share));
    table.numbers("one run", rows.iter().map(|row| spread(&row.one_run.reported(metric), metric)));
    table.numbers("envelope's", rows.iter().map(|row| spread(&row.envelope.best.reported(metric), metric)));
    table.numbers("difference", leads().map(|lead| lead.map(|lead| points(lead.mean, metric))));
    let interval = |lead: Option<&Difference>| known_interval(lead.map(|lead| standard.interval(lead)), metric);
    table.numbers(section.interval_name(), leads().map(interval));
    table.numbers("p (Holm)", rows.iter().map(|row| probability(row.p_adjusted)));
    table.numbers("seeds", leads().map(|lead| Number::count(lead.map_or(0, |lead| lead.n))));
    table.numbers("one run is", rows.iter().map(|row| verdict(row.verdict)));
    table.numbers("tuned for the horizon", rows.iter().map(|row| spread(&row.retuned.reported(metric), metric)));
    table
}

fn one_run(row: &analysis::AtHorizon) -> String {
    format!("{}+{}", row.optimizer, row.schedule)
}

/// The anytime comparison in one sentence for each arm without a stopping time.
pub(super) fn answers(rows: &[analysis::AtHorizon]) -> Vec<String> {
    let arms = rows.chunk_by(|a, b| (a.optimizer, a.schedule) == (b.optimizer, b.schedule));
    let answer = |arm: &[analysis::AtHorizon]| {
        let mut words: Vec<&str> = arm.iter().map(|row| row.verdict.word()).collect();
        words.sort_unstable();
        let counted: Vec<String> =
            words.chunk_by(|a, b| a == b).map(|same| format!("{} at {}", same[0], same.len())).collect();
        format!(
            "one run of {} against the envelope of schedules tuned for each of {}: {}",
            one_run(&arm[0]),
            count(arm.len(), "horizon"),
            counted.join(", ")
        )
    };
    arms.map(answer).collect()
}

/// The anytime comparison for scripts.
pub(super) fn facts(section: &Section, rows: &[analysis::AtHorizon]) -> Vec<AtHorizon> {
    let metric = section.ranking.metric;
    let of = |row: &analysis::AtHorizon| AtHorizon {
        one_run: one_run(row),
        envelope: row.envelope.name(),
        step: row.steps,
        one_run_mean: row.one_run.reported(metric).mean(),
        envelope_mean: row.envelope.best.reported(metric).mean(),
        retuned_mean: row.retuned.reported(metric).mean(),
        lead: row.lead.as_ref().map(|lead| lead.mean),
        interval: row.lead.as_ref().map(|lead| ends(section.standard.interval(lead))),
        n: row.lead.as_ref().map(|lead| lead.n),
        p_holm: row.p_adjusted,
        verdict: row.verdict.word().to_owned(),
    };
    rows.iter().map(of).collect()
}
