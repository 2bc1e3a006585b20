//! How much a learning rate may be off, as a table.

use crate::analysis::{Rate, good_range, rates};
use crate::report::Section;
use crate::report::format::Table;
use crate::report::search::Search;
use crate::report::tables::names;
use crate::report::words::short;

/// The share of the best score that a rate may lose and still count as good.
pub(super) const GOOD: f64 = 0.01;

impl Section<'_> {
    /// The good rates of every arm; where a search gave up tries, how many of them ran to the end.
    pub(super) fn sensitivity(&self) -> Table {
        let note = "Good rates: next to the chosen one, with a mean validation score at most 1% worse, over the seeds of both; \
                    their width is log10(highest / lowest), in decades: at least that (≥) where they touch an end of the rates tried, \
                    and where one rate alone is good, less (<) than between its neighbours. Where tries were given up \
                    before the end, what ran to it says nothing of the others.";
        let mut table = Table::new("Sensitivity to the learning rate", note, 3);
        table.head(["#", "optimizer", "schedule", "chosen rate", "rates tried", "good rates", "decades", "diverged"]);
        for (place, rank) in self.ranking.ranks.iter().enumerate() {
            let tried = rates(rank);
            let (Some(first), Some(last)) = (tried.first(), tried.last()) else { continue };
            let mut row = names(place, rank);
            row.pop();
            row.push(rank.best.lr().filter(|_| rank.is_ranked()).map_or_else(|| "-".into(), short));
            if let Some(search) = self.search_of(rank).filter(Search::gave_up) {
                let given = rank.values("lr");
                let (low, high) = (given.first().map_or(first.lr, |lr| *lr), given.last().map_or(last.lr, |lr| *lr));
                let (whole, all) = (search.tries - search.given_up, search.tries);
                row.push(format!("{}; {whole} of {all} tries to the end", range(low, high)));
                row.extend(["-", "-", "-"].map(str::to_owned));
                table.rows.push(row);
                continue;
            }
            row.push(format!("{} ({})", tried.len(), range(first.lr, last.lr)));
            match good_range(&tried, GOOD) {
                Some((low, high)) => row.extend([range(low, high), width(&tried, (low, high))]),
                None => row.extend(["none".to_owned(), "-".to_owned()]),
            }
            row.push(format!("{:.0}%", 100.0 * rank.diverged as f64 / rank.runs as f64));
            table.rows.push(row);
        }
        table
    }
}

/// The width of the good rates in decades, and which side of the truth it is on.
fn width(tried: &[Rate], (low, high): (f64, f64)) -> String {
    // A rate of 0 lies infinitely many decades below all others.
    let below = tried.iter().rev().find(|rate| rate.lr > 0.0 && rate.lr < low);
    let above = tried.iter().find(|rate| rate.lr > high);
    match (below, above) {
        _ if low <= 0.0 => "-".into(),
        (None, None) if low == high => "-".into(),
        (Some(below), Some(above)) if low == high => format!("< {:.2}", (above.lr / below.lr).log10()),
        (Some(_), Some(_)) => format!("{:.2}", (high / low).log10()),
        _ => format!("≥ {:.2}", (high / low).log10()),
    }
}

fn range(low: f64, high: f64) -> String {
    if low == high { short(low) } else { format!("{} to {}", short(low), short(high)) }
}
