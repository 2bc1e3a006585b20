//! `runs.csv` and `summary.csv`.

use std::collections::BTreeSet;

use crate::analysis::{Summary, summaries};
use crate::error::{Error, Result};
use crate::metric::{Metric, Scores};
use crate::results::{Record, Status};
use crate::settings::number;

/// One row a run; where there are judge seeds, the column `judge` tells their runs from those that choose.
///
/// # Errors
/// When a row cannot be written, which memory alone can cause.
pub(super) fn runs(records: &[Record], judges: &[u64]) -> Result<Vec<u8>> {
    let keys = hyper_parameters(records);
    let mut header: Vec<String> = ["run", "task", "optimizer", "schedule", "seed"].map(str::to_owned).to_vec();
    header.extend(keys.iter().cloned());
    header.extend(["status", "steps"].map(str::to_owned));
    let horizons = has_horizons(records);
    header.extend(horizons.then(|| "horizon".to_owned()));
    let names = |prefixes: &[&str], metrics: &[Metric]| -> Vec<String> {
        let of = |prefix: &&str| metrics.iter().map(|metric| format!("{prefix}_{}", metric.name())).collect::<Vec<_>>();
        prefixes.iter().flat_map(of).collect()
    };
    header.extend(names(&["final_val", "final_test", "best_val"], Metric::BUILT_IN));
    header.extend(
        ["steps_to_target", "seconds", "gradient_seconds", "optimizer_seconds", "evaluation_seconds", "state_bytes"]
            .map(str::to_owned),
    );
    header.push("loss_floor".to_owned());
    header.extend((!judges.is_empty()).then(|| "judge".to_owned()));
    // Every new column comes at the end: scripts that count columns go on to work.
    header.extend(names(&["last_val", "last_test"], Metric::BUILT_IN));
    // One gradient an update needs no column.
    let asked = records.iter().any(|record| record.gradient_evaluations.is_some());
    header.extend(asked.then(|| "gradient_evaluations".to_owned()));
    let further = further(records);
    header.extend(names(&["final_val", "final_test", "best_val", "last_val", "last_test"], &further));
    let rows = records.iter().map(|record| {
        // Where a run stopped before its end is no final score: a plain mean of the column must not take it in.
        let scores = [&record.validation, &record.test].map(Option::as_ref);
        let finished = record.status == Status::Finished;
        let [finals, lasts] = [true, false].map(|wanted| scores.map(|scores| scores.filter(|_| finished == wanted)));
        let mut row = vec![record.run.clone(), record.task.clone(), record.optimizer.clone(), record.schedule.clone()];
        row.push(record.seed.to_string());
        row.extend(keys.iter().map(|key| record.hyper_parameter(key).map(ToString::to_string).unwrap_or_default()));
        row.extend([record.status.name().to_owned(), record.steps.to_string()]);
        row.extend(horizons.then(|| record.horizon.map(|steps| steps.to_string()).unwrap_or_default()));
        let [[val, test], [last_val, last_test]] = [finals, lasts];
        let cells = |scores: &[Option<&Scores>], metrics: &[Metric]| -> Vec<String> {
            let of = |scores: Option<&Scores>, metric: &Metric| exact(scores.and_then(|scores| scores.get(*metric)));
            scores.iter().flat_map(|scores| metrics.iter().map(|metric| of(*scores, metric))).collect()
        };
        let best = record.best.as_ref();
        row.extend(cells(&[val, test, best], Metric::BUILT_IN));
        row.push(record.steps_to_target.map(|steps| steps.to_string()).unwrap_or_default());
        let seconds = [record.seconds, record.gradient_seconds, record.optimizer_seconds, record.evaluation_seconds];
        // What goes on inside another program is not known, but for the time that it took.
        let is_known = |place: usize| place == 0 || record.computed_by.is_none();
        let cell = |known: bool, text: String| if known { text } else { String::new() };
        row.extend(seconds.iter().enumerate().map(|(place, seconds)| cell(is_known(place), format!("{seconds:.6}"))));
        row.push(cell(record.computed_by.is_none(), record.state_bytes.to_string()));
        row.push(exact(record.loss_floor));
        row.extend((!judges.is_empty()).then(|| judges.contains(&record.seed).to_string()));
        row.extend(cells(&lasts, Metric::BUILT_IN));
        row.extend(asked.then(|| record.gradient_evaluations.unwrap_or(record.steps).to_string()));
        row.extend(cells(&[val, test, best, last_val, last_test], &further));
        row
    });
    write(&header, rows)
}

/// One row an arm, over its seeds; the runs of judge seeds have a row of their own, told by the column `judge`.
///
/// # Errors
/// When a row cannot be written, which memory alone can cause.
pub(super) fn summary(records: &[Record], judges: &[u64]) -> Result<Vec<u8>> {
    let keys = hyper_parameters(records);
    let mut header: Vec<String> = ["task", "optimizer", "schedule"].map(str::to_owned).to_vec();
    header.extend(keys.iter().cloned());
    let horizons = has_horizons(records);
    header.extend(horizons.then(|| "horizon".to_owned()));
    header.extend(["runs", "finished", "diverged", "failed"].map(str::to_owned));
    let names = |metrics: &[Metric]| -> Vec<String> {
        let scores = ["final_val", "final_test", "best_val"].into_iter();
        let scores = scores.flat_map(|prefix| metrics.iter().map(move |metric| format!("{prefix}_{}", metric.name())));
        scores.flat_map(|score| ["mean", "std"].map(|statistic| format!("{score}_{statistic}"))).collect()
    };
    header.extend(names(Metric::BUILT_IN));
    header.extend(
        ["reached_target", "steps_to_target_mean", "seconds_mean", "state_bytes", "loss_floor"].map(str::to_owned),
    );
    header.extend((!judges.is_empty()).then(|| "judge".to_owned()));
    let further = further(records);
    header.extend(names(&further));
    let judge = |seed: u64| judges.contains(&seed);
    let arms = summaries(records).into_iter();
    let arms = arms.flat_map(|arm| [arm.under(|seed| !judge(seed)), arm.under(judge)].into_iter().flatten());
    let rows = arms.map(|arm: Summary| {
        let first = arm.runs[0];
        let mut row = vec![first.task.clone(), first.optimizer.clone(), first.schedule.clone()];
        row.extend(keys.iter().map(|key| first.hyper_parameter(key).map(ToString::to_string).unwrap_or_default()));
        row.extend(horizons.then(|| first.horizon.map(|steps| steps.to_string()).unwrap_or_default()));
        row.push(arm.runs.len().to_string());
        row.extend([arm.finished, arm.diverged, arm.failed].map(|count| count.to_string()));
        let statistics = |metrics: &[Metric]| {
            let readers: [fn(&Record) -> Option<&Scores>; 3] =
                [|record| record.validation.as_ref(), |record| record.test.as_ref(), |record| record.best.as_ref()];
            let mut cells = Vec::new();
            for (scores, metric) in
                readers.iter().flat_map(|scores| metrics.iter().map(move |metric| (scores, *metric)))
            {
                // What diverged ended nowhere, and a score that is not finite counts as that: neither has a part in a mean.
                let finished = |record: &&Record| record.status == Status::Finished;
                let score =
                    |record: &Record| scores(Some(record).filter(finished)?)?.get(metric).filter(|x| x.is_finite());
                let sample = arm.sample(score);
                cells.extend([cell(sample.mean()), cell(sample.deviation())]);
            }
            cells
        };
        row.extend(statistics(Metric::BUILT_IN));
        let reached = arm.steps_to_target();
        row.extend([reached.len().to_string(), cell(reached.mean())]);
        row.push(arm.sample(|record| Some(record.seconds)).mean().map_or_else(String::new, |s| format!("{s:.6}")));
        row.push(first.state_bytes.to_string());
        row.push(cell(first.loss_floor));
        row.extend((!judges.is_empty()).then(|| judge(first.seed).to_string()));
        row.extend(statistics(&further));
        row
    });
    write(&header, rows)
}

/// The metrics of some run beside the built-in ones, which every table has: their columns come last.
fn further(records: &[Record]) -> Vec<Metric> {
    let scores = records.iter().flat_map(|record| [&record.validation, &record.test]).flatten();
    let metrics: BTreeSet<Metric> = scores.flat_map(Scores::iter).map(|(metric, _)| metric).collect();
    metrics.into_iter().filter(|metric| !Metric::BUILT_IN.contains(metric)).collect()
}

/// Whether some runs end at a horizon by plan: only then there is a column that says which.
fn has_horizons(records: &[Record]) -> bool {
    records.iter().any(|record| record.horizon.is_some())
}

/// Every hyper-parameter that a run has, in the order of first appearance.
fn hyper_parameters(records: &[Record]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for (key, _) in records.iter().flat_map(|record| &record.hyper_parameters) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    // The optimizers' keys first, then the schedules'.
    keys.sort_by_key(|key| key.starts_with("schedule."));
    keys
}

/// A number as it was measured, be it infinite.
fn exact(x: Option<f64>) -> String {
    x.map(number).unwrap_or_default()
}

/// A statistic; empty where there is none.
fn cell(x: Option<f64>) -> String {
    x.filter(|x| x.is_finite()).map(number).unwrap_or_default()
}

pub(super) fn write(header: &[String], rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let refused = |error: csv::Error| Error::Usage(format!("a table could not be written: {error}"));
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(header).map_err(refused)?;
    for row in rows {
        csv.write_record(row).map_err(refused)?;
    }
    csv.into_inner().map_err(|error| Error::Usage(format!("a table could not be written: {error}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::analysis::simulated::{Arm, records};

    #[test]
    fn the_summary_averages_what_finished_with_a_finite_score() {
        let records = records(&[Arm::new("a", &[1.0, 2.0, f64::NAN, f64::INFINITY])]);
        let last = records[2].validation.as_ref().unwrap().get(Metric::LOSS);
        assert_eq!(last, Some(9.0), "the last score before it diverged");
        let summary = summary(&records, &[]).unwrap();
        let row: BTreeMap<String, String> =
            csv::Reader::from_reader(&summary[..]).deserialize().next().unwrap().unwrap();
        assert_eq!((&*row["final_val_loss_mean"], &*row["runs"], &*row["diverged"]), ("1.5", "4", "1"));
    }

    #[test]
    fn a_mean_over_a_column_of_final_scores_takes_in_what_finished_alone() {
        let mut records = records(&[Arm::at("a", 0.1, &[1.0, f64::NAN, 2.0])]);
        records[2].status = Status::Failed;
        let table = String::from_utf8(runs(&records, &[]).unwrap()).unwrap();
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
        let column = |name: &str| {
            let place = lines[0].iter().position(|other| *other == name).unwrap();
            lines[1..].iter().map(|row| row[place]).collect::<Vec<_>>()
        };
        assert_eq!(column("status"), ["finished", "diverged", "failed"]);
        assert_eq!((column("final_val_loss"), column("last_val_loss")), (vec!["1", "", ""], vec!["", "9", "2"]));
        let last = ["val_loss", "val_accuracy", "val_perplexity", "test_loss", "test_accuracy", "test_perplexity"];
        assert_eq!(lines[0][lines[0].len() - 6..], last.map(|column| format!("last_{column}")), "appended");
    }

    #[test]
    fn gradients_beside_one_an_update_get_a_column() {
        let mut records = records(&[Arm::at("a", 0.1, &[1.0, 2.0])]);
        let table = |records: &[Record]| String::from_utf8(super::runs(records, &[]).unwrap()).unwrap();
        assert!(!table(&records).contains("gradient_evaluations"));
        records[1].gradient_evaluations = Some(230);
        let table = table(&records);
        let lines: Vec<&str> = table.lines().collect();
        let ends = [",gradient_evaluations", ",100", ",230"];
        assert!(lines.iter().zip(ends).all(|(line, end)| line.ends_with(end)), "{table}");
    }
}
