//! What a report says of runs that are made up.

use super::{ranking, search, sensitivity, task, tries};
use crate::analysis::ranking as ranked;
use crate::analysis::simulated::{Arm, records};
use crate::catalog::Catalog;
use crate::config::Experiment;
use crate::metric::Metric;
use crate::report::Section;
use crate::report::document::{Room, Table};
use crate::results::{Record, Store};

/// The report of one task `task`, 60 steps.
fn experiment() -> Experiment {
    let text = "steps = 60\n[tasks.task]\nmodel = \"rosenbrock\"\n[optimizers.a]\nkind = \"sgd\"\n";
    Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap()
}

/// What a terminal shows.
fn rows(table: &Table) -> Vec<Vec<String>> {
    table.rows_in(Room::Narrow).map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

fn section<'a>(records: &'a [Record], experiment: &'a Experiment) -> Section<'a> {
    Section::new(ranked(records, "task", Metric::LOSS), records, Some(experiment))
}

#[test]
fn what_never_finished_has_no_rank_and_no_choice() {
    let mut records = records(&[
        Arm::at("a", 0.1, &[f64::NAN, f64::NAN, f64::NAN]),
        Arm::at("b", 0.1, &[f64::NAN]),
        Arm::at("c", 0.1, &[f64::NAN, f64::NAN, 1.0]),
    ]);
    let experiment = experiment();
    let rows = rows(&ranking::table(&section(&records, &experiment)));
    assert_eq!(rows[0][..4], ["1", "c", "constant", "lr 0.1"], "lost two of three, but not all");
    assert!(rows[1..].iter().all(|row| row[0] == "-" && row[3] == "-"), "{rows:?}");
    assert!(section(&records, &experiment).subtitle().contains("100 steps"), "what the finished run did");

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
    let section = Section::new(ranked(&records, "task", Metric::LOSS), &records, None);
    let rows = rows(&ranking::table(&section));
    assert!(rows[0][4].starts_with("4.1667 ± ") && !rows[0][4].contains("of"), "{rows:?}");
    assert!(rows[1][4].ends_with("(2 of 3)"), "{rows:?}");
    assert!(section.subtitle().contains("standard deviation over seeds"));
    let one: Vec<Record> = records.iter().filter(|record| record.seed == 0).cloned().collect();
    let section = Section::new(ranked(&one, "task", Metric::LOSS), &one, None);
    assert!(!section.subtitle().contains("±"), "{}", section.subtitle());
}

#[test]
fn the_width_of_good_rates_says_where_the_grid_ends() {
    let losses = |losses: [f64; 4]| -> String {
        let arms: Vec<Arm> =
            [0.01, 0.1, 1.0, 10.0].into_iter().zip(losses).map(|(lr, x)| Arm::at("a", lr, &[x])).collect();
        let records = records(&arms);
        let table = sensitivity::table(&Section::new(ranked(&records, "task", Metric::LOSS), &records, None));
        rows(&table)[0][6].clone()
    };
    assert_eq!(losses([4.0, 1.0, 4.0, 4.0]), "< 2.00", "somewhere between its neighbours");
    assert_eq!(losses([4.0, 1.0, 1.0, 4.0]), "1.00");
    assert_eq!(losses([1.0, 1.0, 1.0, 4.0]), "≥ 2.00");
    assert_eq!(losses([4.0, 4.0, 4.0, 1.0]), "≥ 0.00");
    assert_eq!(losses([4.0, f64::NAN, 1.0, f64::NAN]), "< 2.00");
    let with_none = records(&[Arm::at("a", 0.0, &[2.0]), Arm::at("a", 0.1, &[1.0]), Arm::at("a", 1.0, &[1.0])]);
    let table = sensitivity::table(&Section::new(ranked(&with_none, "task", Metric::LOSS), &with_none, None));
    assert_eq!(rows(&table)[0][5..7], ["0.1 to 1", "≥ 1.00"], "no infinite number of decades");
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
    let section = Section::new(ranked(&records, "task", Metric::LOSS), &records, None);
    let row = &rows(&sensitivity::table(&section))[0];
    assert_eq!(row[4..], ["0.01 to 10; 2 of 4 tries to the end", "-", "-", "-"]);
    assert!(tries::table(&section).is_empty());
    let cost = &rows(&search::table(&section))[0];
    assert_eq!(cost[3..6], ["4", "1", "220"], "one of the two that went on diverged");
}

#[test]
fn the_terminal_has_sensitivity_and_cost() {
    let records = records(&[Arm::at("a", 0.1, &[1.0]), Arm::at("a", 1.0, &[2.0])]);
    let section = Section::new(ranked(&records, "task", Metric::LOSS), &records, None);
    let task = task::task(&section, &Store::new("nowhere")).unwrap();
    let shown: Vec<&str> =
        task.tables.iter().filter(|one| one.shown.fits(Room::Narrow)).map(|one| &*one.title).collect();
    assert_eq!(shown, ["What other values cost", "Sensitivity to the learning rate", "What the search cost", "Cost"]);
}
