//! What a report says of runs that are made up.

use super::*;
use crate::analysis::ranking;
use crate::analysis::simulated::{Arm, records};
use crate::catalog::Catalog;
use crate::metric::Metric;
use crate::results::Status;

/// The report of one task `task`, 60 steps.
fn experiment() -> Experiment {
    let text = "steps = 60\n[tasks.task]\nmodel = \"rosenbrock\"\n[optimizers.a]\nkind = \"sgd\"\n";
    Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap()
}

fn section<'a>(records: &'a [Record], experiment: &'a Experiment) -> Section<'a> {
    Section::new(ranking(records, "task", Metric::LOSS), records, Some(experiment))
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

    let summary = String::from_utf8(csv::summary(&records, &[]).unwrap()).unwrap();
    assert!(!summary.contains("inf") && !summary.contains("NaN"), "{summary}");
    records.truncate(4);
    for record in &mut records {
        record.steps = 7;
    }
    let subtitle = section(&records, &experiment).subtitle();
    assert!(subtitle.contains("rosenbrock, 60 steps"), "{subtitle}");
}

#[test]
fn a_mean_of_fewer_seeds_says_so() {
    let records = records(&[Arm::at("a", 0.1, &[1.0, 2.0, f64::NAN]), Arm::at("b", 0.1, &[3.0, 4.0, 5.5])]);
    let section = Section::new(ranking(&records, "task", Metric::LOSS), &records, None);
    let rows = section.compact().rows;
    assert!(rows[0][4].starts_with("4.1667 ± ") && !rows[0][4].contains("of"), "{rows:?}");
    assert!(rows[1][4].ends_with("(2 of 3)"), "{rows:?}");
    assert!(section.subtitle().contains("standard deviation over seeds"));
    let one: Vec<Record> = records.iter().filter(|record| record.seed == 0).cloned().collect();
    let section = Section::new(ranking(&one, "task", Metric::LOSS), &one, None);
    assert!(!section.subtitle().contains("±"), "{}", section.subtitle());
}

#[test]
fn the_summary_averages_what_finished_with_a_finite_score() {
    let records = records(&[Arm::new("a", &[1.0, 2.0, f64::NAN, f64::INFINITY])]);
    assert_eq!(
        records[2].validation.as_ref().unwrap().get(Metric::LOSS),
        Some(9.0),
        "the last score before it diverged"
    );
    let summary = csv::summary(&records, &[]).unwrap();
    let row: BTreeMap<String, String> = ::csv::Reader::from_reader(&summary[..]).deserialize().next().unwrap().unwrap();
    assert_eq!((&*row["final_val_loss_mean"], &*row["runs"], &*row["diverged"]), ("1.5", "4", "1"));
}

#[test]
fn the_width_of_good_rates_says_where_the_grid_ends() {
    let losses = |losses: [f64; 4]| -> String {
        let arms: Vec<Arm> =
            [0.01, 0.1, 1.0, 10.0].into_iter().zip(losses).map(|(lr, x)| Arm::at("a", lr, &[x])).collect();
        let records = records(&arms);
        let table = Section::new(ranking(&records, "task", Metric::LOSS), &records, None).sensitivity();
        table.rows[0][6].clone()
    };
    assert_eq!(losses([4.0, 1.0, 4.0, 4.0]), "< 2.00", "somewhere between its neighbours");
    assert_eq!(losses([4.0, 1.0, 1.0, 4.0]), "1.00");
    assert_eq!(losses([1.0, 1.0, 1.0, 4.0]), "≥ 2.00");
    assert_eq!(losses([4.0, 4.0, 4.0, 1.0]), "≥ 0.00");
    assert_eq!(losses([4.0, f64::NAN, 1.0, f64::NAN]), "< 2.00");
    let with_none = records(&[Arm::at("a", 0.0, &[2.0]), Arm::at("a", 0.1, &[1.0]), Arm::at("a", 1.0, &[1.0])]);
    let table = Section::new(ranking(&with_none, "task", Metric::LOSS), &with_none, None).sensitivity();
    assert_eq!(table.rows[0][5..7], ["0.1 to 1", "≥ 1.00"], "no infinite number of decades");
}

#[test]
fn what_a_search_gave_up_is_no_sensitivity() {
    let mut records = records(&[
        Arm::at("a", 0.01, &[3.0]),
        Arm::at("a", 0.1, &[1.0]),
        Arm::at("a", 1.0, &[f64::NAN]),
        Arm::at("a", 10.0, &[4.0]),
    ]);
    for record in records.iter_mut().filter(|record| [0.01.into(), 10.0.into()].contains(&record.hyper_parameters[0].1))
    {
        (record.horizon, record.steps) = (Some(10), 10);
    }
    let section = Section::new(ranking(&records, "task", Metric::LOSS), &records, None);
    let row = &section.sensitivity().rows[0];
    assert_eq!(row[4..], ["0.01 to 10; 2 of 4 tries to the end", "-", "-", "-"]);
    assert!(section.tables().iter().all(|table| table.title != "Expected best after k tries"));
    let cost = &section.search().rows[0];
    assert_eq!(cost[3..6], ["4", "1", "220"], "one of the two that went on diverged");
}

#[test]
fn a_mean_over_a_column_of_final_scores_takes_in_what_finished_alone() {
    let mut records = records(&[Arm::at("a", 0.1, &[1.0, f64::NAN, 2.0])]);
    records[2].status = Status::Failed;
    let table = String::from_utf8(csv::runs(&records, &[]).unwrap()).unwrap();
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
