//! What other values of a key cost than the chosen one, as a table and in a sentence.

use crate::analysis::{Difference, Tried};
use crate::report::content::ranking::named;
use crate::report::content::words::{count, interval, known_interval, listed, points, setting, short, with_unit};
use crate::report::document::{Cell, OtherValue, Shown, Table, ends};
use crate::report::{Row, Section};

/// The values of a key of one arm.
struct Key<'a> {
    name: &'a str,
    tried: Vec<Tried<'a>>,
}

/// The numeric keys that a grid varies, the learning rate first, with what they were tried with.
///
/// Values that were drawn together with others, or given up by a search, have nothing to be compared with.
fn keys<'s>(row: Row<'s, '_>) -> Vec<Key<'s>> {
    let rank = row.rank;
    let names = rank.tried_values.iter().map(|(name, _)| name.as_str());
    let names = names.filter(|name| rank.is_ranked() && !row.gave_up() && rank.is_grid(name));
    let keys = names.map(|name| Key { name, tried: rank.tried_with(name) });
    let mut keys: Vec<Key> = keys.filter(|key| key.tried.len() > 1).collect();
    keys.sort_by_key(|key| key.name != "lr");
    keys
}

/// What other values cost; without rows where nothing was varied. The learning rate has a table of its own, but where
/// a single arm ran, its sensitivity is the answer.
pub(super) fn table(section: &Section) -> Table {
    let metric = section.ranking.metric;
    let note = format!(
        "The settings that are best on validation with each value of a key that the sweep varies, beside the chosen ones. \
         Cost: how much better the chosen settings are on {}, paired by seed. Without a score: every setting with that \
         value lost a seed.",
        section.split()
    );
    let alone = section.ranking.ranks.len() == 1;
    let all: Vec<(Row, Key)> = section
        .rows()
        .flat_map(|row| keys(row).into_iter().map(move |key| (row, key)))
        .filter(|(_, key)| alone || key.name != "lr")
        .collect();
    let rows = || all.iter().flat_map(|(row, key)| key.tried.iter().map(move |tried| (row, key.name, tried)));
    let mut table = Table::new("What other values cost", note);
    if alone {
        table = table.only(Shown::Everywhere);
    }
    named(&mut table, rows().map(|(row, ..)| *row));
    table.words("key", rows().map(|(_, key, _)| Cell::label(key)));
    table.numbers("value", rows().map(|(.., tried)| setting(tried.value)));
    let validation = rows().map(|(.., tried)| tried.score(metric).map(|mean| with_unit(mean, metric)));
    table.numbers(format!("val {}", metric.name()), validation);
    if section.is_tested() {
        let mean = |tried: &Tried| Some(with_unit(tried.best.as_ref()?.finite_mean(metric)?, metric));
        table.numbers(format!("test {}", metric.name()), rows().map(|(.., tried)| mean(tried)));
    }
    let cost = |tried: &Tried| -> Cell {
        if tried.is_chosen {
            return "chosen".into();
        }
        tried.cost.as_ref().map(|cost| points(cost.mean, metric)).into()
    };
    table.numbers("cost", rows().map(|(.., tried)| cost(tried)));
    let range = |tried: &Tried| tried.cost.as_ref().map(|cost| section.standard.interval(cost));
    table.numbers(section.interval_name(), rows().map(|(.., tried)| known_interval(range(tried), metric)));
    table
}

impl Section<'_> {
    /// What the values of every key cost, in one sentence for each; `None` where nothing was varied.
    pub(super) fn cost_of_other_values(&self, row: Row) -> Option<String> {
        let said: Vec<String> = keys(row).iter().filter_map(|key| self.cost_of(key)).collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    /// `Values of `lr` other than 0.1 cost from 0.20 points (at 0.03; 95% interval 0.10 to 0.30) to 3.10 points (at 1; ...).`
    fn cost_of(&self, key: &Key) -> Option<String> {
        let chosen = key.tried.iter().find(|tried| tried.is_chosen)?;
        let mut costs: Vec<(f64, &Difference)> =
            key.tried.iter().filter_map(|tried| Some((tried.value, tried.cost.as_ref()?))).collect();
        costs.sort_by(|a, b| a.1.mean.total_cmp(&b.1.mean));
        let lost = key.tried.iter().filter(|tried| tried.best.is_none()).map(|tried| short(tried.value));
        let lost: Vec<String> = lost.collect();
        let diverged = if lost.is_empty() { String::new() } else { format!("; at {}, seeds were lost", listed(&lost)) };
        let one = |value: Option<f64>, cost: &Difference| {
            let at = value.map_or_else(String::new, |value| format!("at {}; ", short(value)));
            let known = self
                .known(cost)
                .map_or_else(|| count(cost.n, "seed"), |range| format!("{} {range}", self.interval_name()));
            let (low, high) = self.standard.interval(cost);
            let open = if low <= 0.0 && high >= 0.0 && cost.n > 1 { ", not significant" } else { "" };
            format!("{} ({at}{known}{open})", points(cost.mean, self.ranking.metric))
        };
        let (name, best) = (key.name, short(chosen.value));
        Some(match &costs[..] {
            [] => format!("Of `{name}`, {best} alone finished in every seed."),
            [(value, cost)] => {
                format!("`{name}` {} instead of {best} costs {}{diverged}.", short(*value), one(None, cost))
            }
            [least, .., most] => format!(
                "Values of `{name}` other than {best} cost from {} to {}{diverged}.",
                one(Some(least.0), least.1),
                one(Some(most.0), most.1)
            ),
        })
    }

    /// The interval of a difference, where it is known.
    fn known(&self, difference: &Difference) -> Option<String> {
        let range = self.standard.interval(difference);
        range.0.is_finite().then(|| interval(range, self.ranking.metric).to_string())
    }
}

/// What other values of one arm cost, for scripts.
pub(super) fn facts(section: &Section, row: Row) -> Vec<OtherValue> {
    let of = |key: &str, tried: &Tried| OtherValue {
        key: key.to_owned(),
        value: tried.value,
        chosen: tried.is_chosen,
        validation: tried.score(section.ranking.metric),
        behind: tried.behind,
        cost: tried.cost.as_ref().map(|cost| cost.mean),
        interval: tried.cost.as_ref().map(|cost| ends(section.standard.interval(cost))),
        n: tried.cost.as_ref().map(|cost| cost.n),
    };
    keys(row).iter().flat_map(|key| key.tried.iter().map(|tried| of(key.name, tried))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Metric;
    use crate::results::Record;

    fn runs(settings: &[(&str, f64, [f64; 3])]) -> Vec<Record> {
        let run = |(beta, lr, losses): &(&str, f64, [f64; 3])| {
            let mut runs = records(&[Arm::at("a", *lr, losses)]);
            for run in &mut runs {
                run.hyper_parameters.push(("beta".into(), (*beta).into()));
            }
            runs
        };
        settings.iter().flat_map(run).collect()
    }

    const NAN: f64 = f64::NAN;
    const GRID: [(&str, f64, [f64; 3]); 6] = [
        ("0.5", 0.1, [3.0, 3.1, 3.2]),
        ("0.5", 1.0, [1.5, 1.7, 1.8]),
        ("0.9", 0.1, [1.0, 1.1, 1.2]),
        ("0.9", 1.0, [NAN, 1.0, 1.0]),
        ("0.99", 0.1, [NAN, 1.0, 1.0]),
        ("0.99", 1.0, [NAN, 1.0, 1.0]),
    ];

    fn rows(settings: &[(&str, f64, [f64; 3])]) -> Vec<[String; 5]> {
        let records = runs(settings);
        let section = Section::new(ranking(&records, "task", Metric::LOSS), &records, None);
        let rows = table(&section).rows;
        assert_eq!(facts(&section, section.rows().next().unwrap()).len(), rows.len());
        rows.into_iter().map(|row| [3, 4, 5, 6, 7].map(|cell| row[cell].to_string())).collect()
    }

    #[test]
    fn each_value_is_at_its_own_best_rate() {
        let expected = [
            ["lr", "0.1", "1.1000", "chosen", "-"],
            ["lr", "1", "1.6667", "0.5667", "0.4232 to 0.7101"],
            ["beta", "0.5", "1.6667", "0.5667", "0.4232 to 0.7101"],
            ["beta", "0.9", "1.1000", "chosen", "-"],
            ["beta", "0.99", "-", "-", "-"],
        ];
        assert_eq!(rows(&GRID), expected);
        assert!(rows(&GRID[..1]).is_empty(), "one value is no choice");
        assert!(rows(&[GRID[0], ("0.9", 1.0, [1.0; 3])]).is_empty(), "the rate differs, too");
    }

    #[test]
    fn one_arm_alone_is_answered_by_what_other_values_cost() {
        let records = runs(&GRID);
        let headline = Section::new(ranking(&records, "task", Metric::LOSS), &records, None).headline();
        let expected = "On task, a+constant reached final loss 1.1000 at lr 0.1, beta 0.9 (3 seeds). `lr` 1 instead of 0.1 costs \
                        0.5667 (95% interval 0.4232 to 0.7101). `beta` 0.5 instead of 0.9 costs 0.5667 (95% interval 0.4232 \
                        to 0.7101); at 0.99, seeds were lost.";
        assert_eq!(headline, expected);
        let three = runs(&[GRID[2], ("0.9", 0.2, [1.1, 1.0, 1.4]), ("0.9", 0.4, [2.0, 2.0, 2.0])]);
        let headline = Section::new(ranking(&three, "task", Metric::LOSS), &three, None).headline();
        let expected = "Values of `lr` other than 0.1 cost from 0.0667 (at 0.2; 95% interval -0.3128 to 0.4461, not significant) to \
                        0.9000 (at 0.4; 95% interval 0.6516 to 1.1484).";
        assert!(headline.ends_with(expected), "{headline}");
    }
}
