//! What the probe `gradients` saw, for people and for scripts.

use serde_json::{Map, Value, json};

use crate::analysis::{Rank, Ranking, Sample};
use crate::error::Result;
use crate::report::format::Table;
use crate::report::json::statistics;
use crate::results::{Magnitudes, Quantity, Store};

/// The steps that RAdam's figures compare.
const STEPS: (u64, u64) = (1, 10);
const NOTE: &str = "The magnitudes |x| of all weights that are not zero, means over the seeds. Median: of log10 |x|. Shift: of that \
                    median, from step 1 to step 10, in decades. Moved: how far the whole distribution is from that of step 1 \
                    (Wasserstein's distance, in decades): a change of form counts, too. Spread: the standard deviation of \
                    log10 |x|, in decades. The updates of an adaptive rule at step 1 all have the same size.";

/// What was seen of one quantity of an arm: means over the seeds.
pub(super) struct Seen<'a, 'b> {
    place: usize,
    rank: &'b Rank<'a>,
    of: Quantity,
    median: [Sample; 2],
    shift: Sample,
    moved: Sample,
    spread: [Sample; 2],
    zeros: Sample,
}

/// What the probe saw of each arm's gradients and updates; nothing where nothing was probed.
///
/// # Errors
/// When the file of a run cannot be read.
pub(super) fn seen<'a, 'b>(store: &Store, ranking: &'b Ranking<'a>) -> Result<Vec<Seen<'a, 'b>>> {
    let mut seen = Vec::new();
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
            let ends = |value: fn(&Magnitudes) -> Option<f64>| {
                [STEPS.0, STEPS.1].map(|step| at(step).filter_map(|look| value(look?)).collect::<Sample>())
            };
            seen.push(Seen {
                place,
                rank,
                of,
                median: ends(|look| look.median),
                shift: both().filter_map(|(a, b)| Some(b.median? - a.median?)).collect(),
                moved: both().filter_map(|(a, b)| a.distance(b)).collect(),
                spread: ends(|look| look.deviation),
                zeros: at(STEPS.1).filter_map(|look| Some(look?.zero_share())).collect(),
            });
        }
    }
    Ok(seen)
}

/// One row for each arm and each of gradient and update; `None` where nothing was probed.
pub(super) fn table(seen: &[Seen]) -> Option<Table> {
    let mut table = Table::new("Gradients and updates in the first steps", NOTE, 3);
    table.head(["#", "arm", "of", "median at 1", "at 10", "shift", "moved", "spread at 1", "at 10", "zeros at 10"]);
    for Seen { place, rank, of, median, shift, moved, spread, zeros } in seen {
        let mut row = vec![(place + 1).to_string(), rank.name(), of.name().to_owned()];
        let [spread_at_1, spread_at_10] = spread;
        row.extend([&median[0], &median[1], shift, moved, spread_at_1, spread_at_10].map(cell));
        row.push(zeros.mean().map_or_else(|| "-".into(), |share| format!("{:.1}%", 100.0 * share)));
        table.rows.push(row);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// The same for scripts, of the arm at a place of the ranking: `null` where nothing was probed.
pub(super) fn json(seen: &[Seen], place: usize) -> Value {
    let own = seen.iter().filter(|one| one.place == place);
    let of: Map<String, Value> = own
        .map(|one| {
            let ends = |samples: &[Sample; 2]| samples.iter().map(statistics).collect::<Vec<_>>();
            let value = json!({
                "steps": [STEPS.0, STEPS.1],
                "log10_median": ends(&one.median),
                "log10_spread": ends(&one.spread),
                "shift": statistics(&one.shift),
                "moved": statistics(&one.moved),
                "zeros": statistics(&one.zeros),
            });
            (one.of.name().to_owned(), value)
        })
        .collect();
    if of.is_empty() { Value::Null } else { of.into() }
}

fn find(run: &[Magnitudes], of: Quantity, step: u64) -> Option<&Magnitudes> {
    run.iter().find(|look| look.step == step && look.of == of)
}

fn cell(sample: &Sample) -> String {
    sample.mean().map_or_else(|| "-".into(), |x| format!("{x:.2}"))
}
