//! What the probe `gradients` saw, for people and for scripts.

use std::collections::BTreeMap;

use crate::analysis::{Rank, Ranking, Sample};
use crate::error::Result;
use crate::report::content::words::statistics;
use crate::report::document::{self, Cell, Number, Table};
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

/// One of the numbers that were seen.
type Of = for<'s> fn(&'s Seen) -> &'s Sample;

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

/// One row for each arm and each of gradient and update; without rows where nothing was probed.
pub(super) fn table(seen: &[Seen]) -> Table {
    let mut table = Table::new("Gradients and updates in the first steps", NOTE);
    table.words("#", seen.iter().map(|one| Number::count(one.place + 1)));
    table.words("arm", seen.iter().map(|one| Cell::label(one.rank.name())));
    table.words("of", seen.iter().map(|one| one.of.name()));
    let columns: [(&str, Of); 6] = [
        ("median at 1", |one| &one.median[0]),
        ("at 10", |one| &one.median[1]),
        ("shift", |one| &one.shift),
        ("moved", |one| &one.moved),
        ("spread at 1", |one| &one.spread[0]),
        ("at 10", |one| &one.spread[1]),
    ];
    for (title, sample) in columns {
        table.numbers(title, seen.iter().map(|one| sample(one).mean().map(|mean| Number::fixed(mean, 2))));
    }
    let zeros = seen.iter().map(|one| one.zeros.mean().map(|share| Number::fixed(100.0 * share, 1).with("%")));
    table.numbers("zeros at 10", zeros);
    table
}

/// The same for scripts, of the arm at a place of the ranking; `None` where nothing was probed.
pub(super) fn facts(seen: &[Seen], place: usize) -> Option<BTreeMap<String, document::Magnitudes>> {
    let own = seen.iter().filter(|one| one.place == place);
    let of = |one: &Seen| document::Magnitudes {
        steps: [STEPS.0, STEPS.1],
        log10_median: one.median.iter().map(statistics).collect(),
        log10_spread: one.spread.iter().map(statistics).collect(),
        shift: statistics(&one.shift),
        moved: statistics(&one.moved),
        zeros: statistics(&one.zeros),
    };
    Some(own.map(|one| (one.of.name().to_owned(), of(one))).collect()).filter(|of: &BTreeMap<_, _>| !of.is_empty())
}

fn find(run: &[Magnitudes], of: Quantity, step: u64) -> Option<&Magnitudes> {
    run.iter().find(|look| look.step == step && look.of == of)
}
