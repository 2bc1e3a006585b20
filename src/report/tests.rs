//! What a report says of runs that are made up.

use super::*;
use crate::analysis::simulated::{Arm, records};
use crate::metric::Metric;

/// The report of one task `task`, 60 steps.
fn experiment() -> Experiment {
    let text = "steps = 60\n[tasks.task]\nmodel = \"rosenbrock\"\n[optimizers.a]\nkind = \"sgd\"\n";
    Experiment::parse("c.toml", text, "c", &[]).unwrap()
}

fn section<'a>(records: &'a [Record], experiment: &'a Experiment) -> Section<'a> {
    Section::new(ranking(records, "task", Metric::Loss), records, Some(experiment))
}

#[test]
fn what_never_finished_has_no_rank_and_no_choice() {
    let mut records = records(&[
        Arm::at("a", 0.1, &[f64::NAN, f64::NAN, f64::NAN]),
        Arm::at("b", 0.1, &[f64::NAN]),
        Arm::at("c", 0.1, &[f64::NAN, f64::NAN, 1.0]),
    ]);
    let experiment = experiment();
    let rows = section(&records, &experiment).compact().rows;
    assert_eq!(rows[0][..4], ["1", "c", "constant", "lr 0.1"], "lost two of three, but not all");
    assert!(rows[1..].iter().all(|row| row[0] == "-" && row[3] == "-"), "{rows:?}");
    assert!(section(&records, &experiment).subtitle().contains("100 steps"), "what the finished run did");

    let summary = String::from_utf8(csv::summary(&records).unwrap()).unwrap();
    assert!(!summary.contains("inf") && !summary.contains("NaN"), "{summary}");
    records.truncate(4);
    records.iter_mut().for_each(|record| record.steps = 7);
    let subtitle = section(&records, &experiment).subtitle();
    assert!(subtitle.contains("rosenbrock, 60 steps"), "{subtitle}");
}

#[test]
fn a_mean_of_fewer_seeds_says_so() {
    let records = records(&[Arm::at("a", 0.1, &[1.0, 2.0, f64::NAN]), Arm::at("b", 0.1, &[3.0, 4.0, 5.5])]);
    let section = Section::new(ranking(&records, "task", Metric::Loss), &records, None);
    let rows = section.compact().rows;
    assert!(rows[0][4].starts_with("4.1667 ± ") && !rows[0][4].contains("of"), "{rows:?}");
    assert!(rows[1][4].ends_with("(2 of 3)"), "{rows:?}");
    assert!(section.subtitle().contains("standard deviation over seeds"));
    let one: Vec<Record> = records.iter().filter(|record| record.seed == 0).cloned().collect();
    let section = Section::new(ranking(&one, "task", Metric::Loss), &one, None);
    assert!(!section.subtitle().contains("±"), "{}", section.subtitle());
}
