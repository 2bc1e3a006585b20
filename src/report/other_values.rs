//! What other values of a key cost than its best one, as a table.

use serde_json::{Value, json};

use crate::analysis::{Rank, values};
use crate::report::Section;
use crate::report::format::Table;
use crate::report::tables::names;
use crate::report::words::{points, short, with_unit};

/// A value of a key of one arm.
struct Tried<'a> {
    key: &'a str,
    value: f64,
    /// The best mean validation score at it, the other keys at their best.
    score: Option<f64>,
    /// How much worse that is than at the best value, whatever the metric.
    behind: Option<f64>,
}

impl Section<'_> {
    /// The values of the numeric keys that a grid varies beside the learning rate, which has a table of its own.
    ///
    /// Values that were drawn together with others, or given up by a search, have nothing to be compared with.
    fn tried_values<'a>(&self, rank: &'a Rank) -> Vec<Tried<'a>> {
        let metric = self.ranking.metric;
        let keys = rank.tried_values.iter().map(|(key, _)| key.as_str());
        let keys = keys.filter(|key| *key != "lr" && !self.gave_up(rank) && rank.is_grid(key));
        let of_key = |key: &'a str| {
            let values = values(&rank.tried, key, metric);
            let scores = values.iter().filter_map(|(_, score)| *score);
            let best = scores.reduce(|a, b| if metric.better(b, a) { b } else { a });
            let lost = move |score: f64| best.map(|best| (best - score).abs());
            let shown = if values.len() > 1 { values } else { Vec::new() };
            shown.into_iter().map(move |(value, score)| Tried { key, value, score, behind: score.and_then(lost) })
        };
        keys.flat_map(of_key).collect()
    }

    /// What other values cost; without rows where the rate alone was varied.
    pub(super) fn other_values(&self) -> Table {
        let metric = self.ranking.metric;
        let note = "The best mean validation score at each value of a key that the sweep varies, other keys at their best \
                    for it. Without a score: every setting with that value lost a seed.";
        let mut table = Table::new("What other values cost", note, 4);
        table.head(["#", "optimizer", "schedule", "key", "value"]);
        table.head([format!("val {}", metric.name()), "behind the best".to_owned()]);
        for (place, rank) in self.ranking.ranks.iter().enumerate() {
            for tried in self.tried_values(rank) {
                let mut row = names(place, rank);
                row.pop();
                row.extend([tried.key.to_owned(), short(tried.value)]);
                row.push(tried.score.map_or_else(|| "-".into(), |score| with_unit(score, metric)));
                row.push(match tried.behind {
                    None => "-".into(),
                    Some(0.0) => "best".into(),
                    Some(behind) => points(behind, metric),
                });
                table.rows.push(row);
            }
        }
        table
    }

    /// The same of one arm for scripts.
    pub(super) fn other_values_json(&self, rank: &Rank) -> Vec<Value> {
        let of = |tried: &Tried| json!({ "key": tried.key, "value": tried.value, "validation": tried.score, "behind": tried.behind });
        self.tried_values(rank).iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Metric;

    fn table(settings: &[(&str, f64, f64)]) -> Vec<[String; 3]> {
        let run = |(beta, lr, loss): &(&str, f64, f64)| {
            let mut runs = records(&[Arm::at("a", *lr, &[*loss])]);
            runs[0].hyper_parameters.push(("beta".into(), (*beta).into()));
            runs
        };
        let records: Vec<_> = settings.iter().flat_map(run).collect();
        let section = Section::new(ranking(&records, "task", Metric::Loss), &records, None);
        assert_eq!(section.other_values_json(&section.ranking.ranks[0]).len(), section.other_values().rows.len());
        section.other_values().rows.into_iter().map(|row| [4, 5, 6].map(|cell| row[cell].clone())).collect()
    }

    #[test]
    fn each_value_is_at_its_own_best_rate() {
        const NAN: f64 = f64::NAN;
        let grid = [("0.5", 0.1, 3.0), ("0.5", 1.0, 1.5), ("0.9", 0.1, 1.0), ("0.9", 1.0, NAN)];
        let lost = [("0.99", 0.1, NAN), ("0.99", 1.0, NAN)];
        let rows = table(&[&grid[..], &lost].concat());
        let expected = [["0.5", "1.5000", "0.5000"], ["0.9", "1.0000", "best"], ["0.99", "-", "-"]];
        assert_eq!(rows, expected);
        assert!(table(&grid[..2]).is_empty(), "one value is no choice");
        assert!(table(&[("0.5", 0.1, 3.0), ("0.9", 1.0, 1.0)]).is_empty(), "the rate differs, too");
    }
}
