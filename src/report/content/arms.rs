//! The arms of a ranking, as scripts read them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::analysis::Rank;
use crate::metric::Metric;
use crate::report::content::gradients::{self, Seen};
use crate::report::content::words::statistics;
use crate::report::content::{other_values, search, tries};
use crate::report::document::{Arm, Comparison, Estimate, ends};
use crate::report::{Row, Section};
use crate::results::{Record, Setting};

/// An arm with every number that there is of it.
pub(super) fn arm(section: &Section, row: Row, seen: &[Seen]) -> Arm {
    let (rank, metric) = (row.rank, section.ranking.metric);
    let good = row.found.good;
    let per_step = |seconds: fn(&Record) -> f64| {
        statistics(&rank.best.sample(|run| (run.steps > 0).then(|| 1e3 * seconds(run) / run.steps as f64)))
    };
    Arm {
        optimizer: rank.optimizer.to_owned(),
        schedule: rank.schedule.to_owned(),
        rank: rank.is_ranked().then_some(row.place + 1),
        chosen: rank.is_ranked().then(|| settings(rank)),
        may_be_best: row.may_be_best,
        note: row.found.note.clone(),
        validation: statistics(&rank.selection.validation(metric)),
        reported: statistics(&rank.best.reported(metric)),
        validation_loss: statistics(&rank.selection.validation(Metric::LOSS)),
        reported_loss: statistics(&rank.best.reported(Metric::LOSS)),
        above_floor: statistics(&rank.best.above_floor()),
        difference: comparison(section, row),
        rates_tried: row.found.rates.iter().map(|rate| rate.lr).collect(),
        good_lr: good.map(|(low, high)| [low, high]),
        good_lr_decades: good.map(|(low, high)| (high / low).log10()),
        other_values: other_values::facts(section, row),
        expected_best: tries::expected_best(section, row)
            .into_iter()
            .map(|x| Some(x).filter(|x| x.is_finite()))
            .collect(),
        steps_to_target: statistics(&rank.best.steps_to_target()),
        seconds_to_target: statistics(&rank.best.seconds_to_target()),
        ms_per_step: statistics(&rank.best.milliseconds()),
        gradient_ms_per_step: per_step(|run| run.gradient_seconds),
        update_ms_per_step: per_step(|run| run.optimizer_seconds),
        evaluation_seconds: statistics(&rank.best.sample(|run| Some(run.evaluation_seconds))),
        run_seconds: statistics(&rank.best.sample(|run| Some(run.seconds))),
        search: search::facts(row),
        state_bytes: rank.best.runs[0].state_bytes,
        magnitudes: gradients::facts(seen, row.place),
        runs: rank.runs,
        diverged: rank.diverged,
    }
}

/// The leader beside an arm.
fn comparison(section: &Section, row: Row) -> Option<Comparison> {
    let (comparison, standard) = (row.comparison?, section.standard);
    let lead = comparison.lead.as_ref();
    Some(Comparison {
        lead: lead.map(|lead| lead.mean),
        interval: lead.map(|lead| ends(standard.interval(lead))),
        bootstrap_interval: row.found.drawn.map(ends),
        n: lead.map(|lead| lead.n),
        standard_deviations: comparison.effect.deviations,
        share: comparison.effect.share,
        p_worse: comparison.p_worse,
        may_be_best: comparison.may_be_best,
        steps_saved: comparison.steps_saved.as_ref().map(|saved| Estimate {
            mean: saved.mean,
            interval: ends(standard.interval(saved)),
            n: saved.n,
        }),
        p_holm: comparison.p_adjusted,
        p_wilcoxon: comparison.wilcoxon,
        detectable: comparison.detectable,
        verdict: comparison.verdict.word().to_owned(),
    })
}

/// The chosen settings, each as what it is: a number, `true` or `false`, or a word.
fn settings(rank: &Rank) -> BTreeMap<String, Value> {
    // JSON has no infinity.
    let value = |setting: &Setting| match setting.as_number() {
        Some(x) if !x.is_finite() => setting.to_string().into(),
        _ => json!(setting),
    };
    rank.chosen().into_iter().map(|(key, setting)| (key.to_owned(), value(setting))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};

    #[test]
    fn settings_are_numbers_and_what_does_not_apply_is_null() {
        let mut records = records(&[
            Arm::at("a", 1e-5, &[1.0, 1.1, 1.3]),
            Arm::at("a", 1.0, &[2.0, 2.1, 2.2]),
            Arm::at("b", 0.1, &[f64::NAN; 3]),
        ]);
        for record in &mut records {
            let keys = [("nesterov", "true"), ("decay", "l2"), ("hidden", "[8 8]")];
            let amsgrad = Setting::Flag(record.hyper_parameter("lr") == Some(&1e-5.into()));
            record.hyper_parameters.extend(keys.map(|(key, value)| (key.to_owned(), value.into())));
            record.hyper_parameters.push(("amsgrad".into(), amsgrad));
        }
        let section = Section::new(ranking(&records, "task", Metric::LOSS), &records, None);
        let [a, b]: [Value; 2] = section
            .rows()
            .map(|row| serde_json::to_value(arm(&section, row, &[])).unwrap())
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        assert_eq!((&a["rank"], &a["chosen"]["lr"], &a["chosen"]["amsgrad"]), (&json!(1), &json!(1e-5), &json!(true)));
        assert_eq!((&a["rates_tried"], &a["good_lr"]), (&json!([1e-5, 1.0]), &json!([1e-5, 1e-5])));
        assert_eq!((&a["search"]["tries"], &a["search"]["to_the_end"]), (&json!(2), &json!(2)));
        assert!((a["update_ms_per_step"]["mean"].as_f64().unwrap() - 1.0).abs() < 1e-9, "0.1 s over 100 steps");
        assert_eq!(
            (&a["may_be_best"], &b["may_be_best"], &a["difference"]),
            (&json!(true), &json!(false), &Value::Null)
        );
        assert!(a["note"].as_str().unwrap().starts_with("The best `lr` is the lowest that was tried"), "{}", a["note"]);
        assert_eq!(b["difference"]["verdict"], json!("diverged"));
        assert_eq!((&b["rank"], &b["chosen"], &b["reported_loss"]["mean"]), (&Value::Null, &Value::Null, &Value::Null));
    }
}
