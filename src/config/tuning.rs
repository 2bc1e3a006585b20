//! The `[tuning]` table of a config: an equal budget of tries, spent evenly or by successive halving.

use crate::config::diagnostics::Diagnostics;
use crate::config::names::refuse_unknown;
use crate::config::source::{Entry, Item, Node, Table};
use crate::config::value::{length_of, value};
use crate::length::Length;
use crate::registry::{Accepts, Bounds};
use crate::settings::Value;

const MOST_TRIES: f64 = 10_000.0;
/// One run of a try is noisy: the best of several seeds is among the first few more often than it is the first.
const FINALISTS: usize = 3;

/// How many settings of every optimizer under every schedule are tried, and how.
///
/// Tries are trained under the first seed; the best of them on validation, the finalists, under all, and the best of
/// these on validation is reported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    /// What the tries of one optimizer and schedule may cost together, in whole runs.
    pub budget: usize,
    /// Whether bad tries are stopped early, so that more of them can be started.
    pub halving: Option<Halving>,
    /// How many of the best tries are trained under all seeds, at most those that are trained to the end.
    pub finalists: usize,
}

/// Successive halving (Karnin et al. 2013, Jamieson and Talwalkar 2016): of the tries of one rung, the
/// best `1 / factor` are trained anew for `factor` times as long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Halving {
    /// How many times fewer tries, and how many times longer, the next rung has.
    pub factor: usize,
    /// The share of a whole run that the shortest rung has at least, in percent.
    pub from: f64,
}

/// Tries of the same length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rung {
    /// How many there are.
    pub tries: usize,
    /// Their length as a share of a whole run.
    pub share: f64,
}

impl Tuning {
    /// The rungs in order; the last is of whole runs. Together they cost at most the budget.
    pub fn rungs(&self) -> Vec<Rung> {
        let Some(halving) = self.halving else { return vec![Rung { tries: self.budget, share: 1.0 }] };
        let shares = halving.shares();
        let rungs = |started: usize| -> Vec<Rung> {
            let of = |(k, share): (usize, &f64)| Rung { tries: started / halving.factor.pow(k as u32), share: *share };
            shares.iter().enumerate().map(of).collect()
        };
        let cost = |started: usize| rungs(started).iter().map(|rung| rung.tries as f64 * rung.share).sum::<f64>();
        let mut started = halving.factor.pow(shares.len() as u32 - 1);
        // A billionth covers the rounding of shares such as 1/3.
        while cost(started + 1) <= self.budget as f64 + 1e-9 {
            started += 1;
        }
        rungs(started)
    }

    /// How many settings are tried at all.
    pub fn tries(&self) -> usize {
        self.rungs()[0].tries
    }
}

impl Halving {
    /// The lengths of the rungs: `1 / factor^k` down to `from`, the shortest first.
    fn shares(&self) -> Vec<f64> {
        let lengths =
            (0..32).map(|k| (self.factor as f64).powi(-k)).take_while(|share| 100.0 * share >= self.from - 1e-9);
        let mut shares: Vec<f64> = lengths.collect();
        shares.reverse();
        shares
    }
}

/// Reads the table; `anytime` says whether the config has horizons, too.
pub(super) fn read(entry: &Entry, anytime: bool, diagnostics: &mut Diagnostics) -> Option<Tuning> {
    let node = &entry.value;
    let Item::Table(table) = &node.item else {
        let added = diagnostics.add(&node.place, format!("`tuning` is {}", node.item.describe()));
        added.expected("a table: [tuning] with budget = 16");
        return None;
    };
    refuse_unknown(table, &["budget", "halving", "finalists"], "`tuning`", diagnostics);
    if anytime {
        let added = diagnostics.add(&entry.key_place, "`tuning` and `anytime` are both given");
        added.expected("one of them: [anytime] needs every setting at every horizon, under every seed");
    }
    let Some(budget) = table.get("budget") else {
        diagnostics.add(&entry.key_place, "`tuning` lacks the key `budget`").expected("budget = 16, a number of tries");
        return None;
    };
    let place = &budget.value.place;
    let budget = whole(&budget.value, "budget", Bounds::within(1.0, MOST_TRIES), diagnostics)?;
    let halving = match table.get("halving") {
        None => None,
        Some(entry) => Some(halving(&entry.value, diagnostics)?),
    };
    if let Some(halving) = halving {
        let rungs = halving.shares().len();
        if budget < rungs {
            let added = diagnostics.add(place, format!("`budget` is {budget}, and halving has {rungs} rungs"));
            added.expected(format!("at least {rungs}: one whole run for each rung"));
            return None;
        }
    }
    let mut tuning = Tuning { budget, halving, finalists: FINALISTS };
    let whole_runs = tuning.rungs().last().map_or(1, |rung| rung.tries);
    tuning.finalists = match table.get("finalists") {
        None => FINALISTS.min(whole_runs),
        Some(entry) => {
            let finalists = whole(&entry.value, "finalists", Bounds::within(1.0, MOST_TRIES), diagnostics)?;
            if finalists > whole_runs {
                let title = format!("`finalists` is {finalists}, and {} to the end", trained(whole_runs));
                diagnostics.add(&entry.value.place, title).expected(format!("at most {whole_runs}"));
                return None;
            }
            finalists
        }
    };
    Some(tuning)
}

fn trained(tries: usize) -> String {
    if tries == 1 { "1 try is trained".to_owned() } else { format!("{tries} tries are trained") }
}

fn whole(node: &Node, name: &str, range: Bounds, diagnostics: &mut Diagnostics) -> Option<usize> {
    match value(node, name, Accepts::Integer(range), diagnostics) {
        Some(Value::Integer(n)) => Some(n as usize),
        _ => None,
    }
}

fn halving(node: &Node, diagnostics: &mut Diagnostics) -> Option<Halving> {
    const EXAMPLE: &str = "a table such as { factor = 3, from = \"10%\" }";
    let Item::Table(table) = &node.item else {
        diagnostics.add(&node.place, format!("`halving` is {}", node.item.describe())).expected(EXAMPLE);
        return None;
    };
    refuse_unknown(table, &["factor", "from"], "`halving`", diagnostics);
    let factor = match table.get("factor") {
        Some(entry) => whole(&entry.value, "factor", Bounds::within(2.0, 100.0), diagnostics)?,
        None => 3,
    };
    let from = from(table, diagnostics)?;
    if 100.0 / (factor as f64) < from {
        let added =
            diagnostics.add(&node.place, format!("halving by {factor} from {from}% has no rung below a whole run"));
        added.expected(format!("`from` of at most {:.1}%", 100.0 / factor as f64));
        return None;
    }
    Some(Halving { factor, from })
}

/// Reads the shortest length; a tenth of a run unless given.
fn from(table: &Table, diagnostics: &mut Diagnostics) -> Option<f64> {
    let Some(entry) = table.get("from") else { return Some(10.0) };
    match length_of(&entry.value, "from", diagnostics)? {
        Length::Percent(percent) if percent > 0.0 => Some(percent),
        other => {
            let added = diagnostics.add(&entry.value.place, format!("`from` is {other}"));
            added.expected("a share of the run above 0, such as \"10%\": it holds for every task");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rungs(budget: usize, halving: Option<(usize, f64)>) -> Vec<(usize, f64)> {
        let halving = halving.map(|(factor, from)| Halving { factor, from });
        Tuning { budget, halving, finalists: 1 }.rungs().iter().map(|rung| (rung.tries, rung.share)).collect()
    }

    #[test]
    fn halving_starts_as_many_tries_as_the_budget_pays_for() {
        assert_eq!(rungs(16, None), [(16, 1.0)]);
        // 48/9 + 16/3 + 5 = 15.67 whole runs; 51 tries would cost 51/9 + 17/3 + 5 = 16.33.
        assert_eq!(rungs(16, Some((3, 10.0))), [(50, 1.0 / 9.0), (16, 1.0 / 3.0), (5, 1.0)]);
        assert_eq!(rungs(3, Some((3, 10.0)))[2], (1, 1.0), "the smallest budget ends with one whole run");
        assert_eq!(rungs(4, Some((2, 50.0))), [(4, 0.5), (2, 1.0)]);
        for budget in 3..60 {
            let cost: f64 = rungs(budget, Some((3, 10.0))).iter().map(|(tries, share)| *tries as f64 * share).sum();
            assert!(cost <= budget as f64 + 1e-9 && cost > budget as f64 - 2.0, "{budget}: {cost}");
        }
    }
}
