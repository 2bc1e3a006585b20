//! A comparison with a baseline as a table.

use crate::analysis::regression::{Change, Outcome};
use crate::report::baseline_words::{detectable, diverged, legend, seeds_compared, settings};
use crate::report::check::Checked;
use crate::report::format::Table;
use crate::report::words::{interval_of, points, probability, short, with_unit};

impl Checked<'_> {
    /// Every arm of the baseline, then and now.
    pub(super) fn changes_table(&self) -> Table {
        let Some(against) = &self.against else { return Table::new("Against the baseline", "", 4) };
        let mut table = Table::new("Against the baseline", legend(&against.rules, &against.changes), 4);
        // The same of every arm that is tested.
        let confidence = against.changes.iter().find_map(|change| change.interval.map(|_| change.confidence));
        let worse =
            confidence.map_or_else(|| "worse by".into(), |level| format!("worse by [{}%]", short(100.0 * level)));
        table.head(["outcome", "task", "arm", "settings", "before", "now"]);
        table.head([worse.as_str(), "tolerance", "would find", "p (Holm)", "seeds"]);
        table.rows.extend(against.changes.iter().map(row));
        table
    }
}

fn row(change: &Change) -> Vec<String> {
    let metric = change.metric;
    let dash = || "-".to_owned();
    let cell = |x: Option<f64>| x.map_or_else(dash, |x| with_unit(x, metric));
    let nearest = change.nearest.as_ref().and_then(|nearest| nearest.now);
    vec![
        change.outcome.word().to_owned(),
        change.task.clone(),
        change.arm.clone(),
        settings(change),
        cell(change.before),
        nearest.map_or_else(|| cell(change.now), |x| format!("{} (nearest)", with_unit(x, metric))),
        match change.seeds.filter(|_| change.outcome == Outcome::Diverged) {
            Some(seeds) => diverged(change, seeds),
            None => change.worse.as_ref().zip(change.interval).map_or_else(dash, |(worse, bounds)| {
                format!("{} {}", points(worse.mean, metric), interval_of(bounds, metric))
            }),
        },
        match (change.outcome, change.is_beyond) {
            (Outcome::Missing | Outcome::Diverged, _) => dash(),
            (Outcome::Identical, _) | (_, Some(false)) => "kept".to_owned(),
            (_, Some(true)) => "exceeded".to_owned(),
            (_, None) => "undecided".to_owned(),
        },
        detectable(change).unwrap_or_else(dash),
        probability(change.p),
        seeds_compared(change),
    ]
}
