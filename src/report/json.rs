//! The report for scripts: one JSON document.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::analysis::{Difference, Rank, Sample, bootstrap, detectable, good_range, rates};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::report::over_tasks::{self, Over};
use crate::report::profiles::Profiles;
use crate::report::sensitivity::GOOD;
use crate::report::{Results, SCHEMA_VERSION, Section, gradients};
use crate::results::{Record, Setting};

/// The report of an experiment as one JSON document.
///
/// # Errors
/// When the probed sizes of a run cannot be read.
pub(super) fn json(results: &Results, sections: &[Section], profiles: Option<&Profiles>) -> Result<String> {
    let tasks = sections
        .iter()
        .map(|section| {
            let seen = gradients::seen(&results.store, &section.ranking)?;
            let ranks = (0..section.ranking.ranks.len()).map(|place| json_rank(section, place, &seen));
            Ok(json!({
                "task": section.ranking.task,
                "metric": section.ranking.metric.name(),
                "answer": section.headline(),
                "may_be_best": section.may_be_best().map(|place| section.ranking.ranks[place].name()).collect::<Vec<_>>(),
                "note": section.note(),
                "basis": section.standard.basis.name(),
                "look": section.standard.look.map(|look| look.number),
                "looks": section.standard.look.map(|look| look.of),
                "level": section.standard.alpha,
                "detectable": detectable(&section.comparisons),
                "order_note": section.order_note(),
                "loss_floor": section.ranking.loss_floor(),
                "warnings": section.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "anytime": section.anytime_json(),
                "ranks": ranks.collect::<Vec<_>>(),
            }))
        })
        .collect::<Result<Vec<Value>>>()?;
    let answers: Vec<String> = sections.iter().map(Section::headline).chain(over_tasks::answer(sections)).collect();
    let document = json!({
        "schema_version": SCHEMA_VERSION,
        "experiment": results.experiment.name,
        "answer": answers.join(" "),
        "over_tasks": Over::new(sections).map(|over| over.json()),
        "performance": profiles.map(Profiles::json),
        "tasks": tasks,
    });
    serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(|error| Error::Usage(error.to_string()))
}

/// A mean with its interval.
fn mean_and_interval(section: &Section, difference: &Difference) -> Value {
    let (low, high) = section.standard.interval(difference);
    json!({ "mean": difference.mean, "interval": [low, high], "n": difference.n })
}

/// The chosen settings, each as what it is: a number, `true` or `false`, or a word.
fn settings<'a>(rank: &'a Rank) -> BTreeMap<&'a str, Value> {
    // JSON has no infinity.
    let value = |setting: &Setting| match setting.as_number() {
        Some(x) if !x.is_finite() => setting.to_string().into(),
        _ => json!(setting),
    };
    rank.chosen().into_iter().map(|(key, setting)| (key, value(setting))).collect()
}

fn json_rank(section: &Section, place: usize, seen: &[gradients::Seen]) -> Value {
    let (rank, comparison) = (&section.ranking.ranks[place], section.comparisons[place].as_ref());
    let metric = section.ranking.metric;
    let lead = comparison.and_then(|comparison| comparison.lead.as_ref());
    // Unbounded ends are null: JSON has no infinity.
    let interval = lead.map(|lead| section.standard.interval(lead)).map(|(low, high)| [low, high]);
    let drawn = lead.and_then(|lead| bootstrap::percentile(&lead.pairs, section.standard.confidence()));
    let tried = rates(rank);
    let good = good_range(&tried, GOOD).filter(|_| !section.gave_up(rank));
    let per_step = |seconds: fn(&Record) -> f64| {
        statistics(&rank.best.sample(|run| (run.steps > 0).then(|| 1e3 * seconds(run) / run.steps as f64)))
    };
    json!({
        "optimizer": rank.optimizer,
        "schedule": rank.schedule,
        "rank": rank.is_ranked().then_some(place + 1),
        "chosen": rank.is_ranked().then(|| settings(rank)),
        "may_be_best": section.may_be_best_at(place),
        "note": section.note_at(place),
        "validation": statistics(&rank.selection.validation(metric)),
        "reported": statistics(&rank.best.reported(metric)),
        "validation_loss": statistics(&rank.selection.validation(Metric::LOSS)),
        "reported_loss": statistics(&rank.best.reported(Metric::LOSS)),
        "above_floor": statistics(&rank.best.above_floor()),
        "difference": comparison.map(|comparison| json!({
            "lead": lead.map(|lead| lead.mean),
            "interval": interval,
            "bootstrap_interval": drawn.map(|(low, high)| [low, high]),
            "n": lead.map(|lead| lead.n),
            "standard_deviations": comparison.effect.deviations,
            "share": comparison.effect.share,
            "p_worse": comparison.p_worse,
            "may_be_best": comparison.may_be_best,
            "steps_saved": comparison.steps_saved.as_ref().map(|saved| mean_and_interval(section, saved)),
            "p_holm": comparison.p_adjusted,
            "p_wilcoxon": comparison.wilcoxon,
            "detectable": comparison.detectable,
            "verdict": comparison.verdict.word(),
        })),
        "rates_tried": tried.iter().map(|rate| rate.lr).collect::<Vec<_>>(),
        "good_lr": good.map(|(low, high)| [low, high]),
        "good_lr_decades": good.map(|(low, high)| (high / low).log10()),
        "other_values": section.other_values_json(rank),
        "expected_best": if section.gave_up(rank) { Vec::new() } else { section.ranking.expected_best(rank) },
        "steps_to_target": statistics(&rank.best.steps_to_target()),
        "seconds_to_target": statistics(&rank.best.seconds_to_target()),
        "ms_per_step": statistics(&rank.best.milliseconds()),
        "gradient_ms_per_step": per_step(|run| run.gradient_seconds),
        "update_ms_per_step": per_step(|run| run.optimizer_seconds),
        "evaluation_seconds": statistics(&rank.best.sample(|run| Some(run.evaluation_seconds))),
        "run_seconds": statistics(&rank.best.sample(|run| Some(run.seconds))),
        "search": section.search_of(rank).map(|search| search.json()),
        "state_bytes": rank.best.runs[0].state_bytes,
        "magnitudes": gradients::json(seen, place),
        "runs": rank.runs,
        "diverged": rank.diverged,
    })
}

pub(super) fn statistics(sample: &Sample) -> Value {
    json!({ "n": sample.len(), "mean": sample.mean(), "std": sample.deviation() })
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
        let [a, b] = [0, 1].map(|place| json_rank(&section, place, &[]));
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
