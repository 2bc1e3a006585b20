//! What the probe `gradients` saw, as a table.

use crate::analysis::{Ranking, Sample};
use crate::error::Result;
use crate::report::format::Table;
use crate::results::{Magnitudes, Quantity, Store};

/// The steps that RAdam's figures compare.
const STEPS: (u64, u64) = (1, 10);
const NOTE: &str = "The magnitudes |x| of all weights that are not zero, means over the seeds. Median: of log10 |x|. Shift: of that \
                    median, from step 1 to step 10, in decades. Moved: how far the whole distribution is from that of step 1 \
                    (Wasserstein's distance, in decades): a change of form counts, too. Spread: the standard deviation of \
                    log10 |x|, in decades. The updates of an adaptive rule at step 1 all have the same size.";

/// One row for each arm and each of gradient and update; `None` where nothing was probed.
///
/// # Errors
/// When the file of a run cannot be read.
pub(super) fn table(store: &Store, ranking: &Ranking) -> Result<Option<Table>> {
    let mut table = Table::new("Gradients and updates in the first steps", NOTE, 3);
    table.head(["#", "arm", "of", "median at 1", "at 10", "shift", "moved", "spread at 1", "at 10", "zeros at 10"]);
    for (place, rank) in ranking.ranks.iter().enumerate() {
        let mut looks = Vec::new();
        for record in &rank.best.runs {
            looks.push(store.magnitudes(&record.run)?);
        }
        for of in [Quantity::Gradient, Quantity::Update] {
            let at = |step: u64| looks.iter().map(move |run| find(run, of, step));
            if at(STEPS.0).all(|look| look.is_none()) {
                continue;
            }
            let both = || at(STEPS.0).zip(at(STEPS.1)).filter_map(|(a, b)| a.zip(b));
            let mut row = vec![(place + 1).to_string(), rank.name(), of.name().to_owned()];
            row.push(cell(at(STEPS.0).filter_map(|look| look?.median)));
            row.push(cell(at(STEPS.1).filter_map(|look| look?.median)));
            row.push(cell(both().filter_map(|(a, b)| Some(b.median? - a.median?))));
            row.push(cell(both().filter_map(|(a, b)| a.distance(b))));
            row.push(cell(at(STEPS.0).filter_map(|look| look?.deviation)));
            row.push(cell(at(STEPS.1).filter_map(|look| look?.deviation)));
            let zeros = at(STEPS.1).filter_map(|look| Some(100.0 * look?.zero_share()));
            row.push(zeros.collect::<Sample>().mean().map_or_else(|| "-".into(), |share| format!("{share:.1}%")));
            table.rows.push(row);
        }
    }
    Ok((!table.rows.is_empty()).then_some(table))
}

fn find(run: &[Magnitudes], of: Quantity, step: u64) -> Option<&Magnitudes> {
    run.iter().find(|look| look.step == step && look.of == of)
}

fn cell(values: impl Iterator<Item = f64>) -> String {
    values.collect::<Sample>().mean().map_or_else(|| "-".into(), |x| format!("{x:.2}"))
}
