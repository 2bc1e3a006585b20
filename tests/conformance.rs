//! Every optimizer follows its reference, step by step, in f64.
//!
//! The numbers, and how they were made: `tests/reference`. `--nocapture` prints the table.
#![allow(clippy::print_stdout, reason = "the table is for whoever asks for it")]

mod problems;

use candle_core::DType;
use optbench::optim::{OPTIMIZERS, Step, build, groups};
use optbench::settings::Settings;
use problems::{
    NAMES, at, difference, eval_point, floats, formulas, problem, read_json, reference, settings, train_point,
};
use serde_json::Value as Json;

const TOLERANCE: f64 = 1e-10;

/// The largest difference from the points of a case, where the gradient is taken and where is evaluated.
fn follow(case: &Json, settings: &Settings) -> f64 {
    let mut problem = problem(case["problem"].as_str().unwrap(), DType::F64);
    let mut optimizer = build(settings);
    let mut worst = 0.0_f64;
    let mut compared = 0;
    for t in 0..case["steps"].as_u64().unwrap() {
        let factor = match case["lr_factors"].as_str() {
            Some("warmup10") => ((t + 1) as f64 / 10.0).min(1.0),
            Some(other) => panic!("unknown factors {other}"),
            None => 1.0,
        };
        let (loss, gradients) = problem.gradients(t).unwrap();
        let at = Step { loss, ..at(t, settings.float("lr") * factor) };
        optimizer.step(problem.parameters(), &gradients, &at, &mut ()).unwrap();
        let step = (t + 1).to_string();
        let train = &case["train"][&step];
        if train.is_null() {
            continue;
        }
        compared += 1;
        worst = worst.max(difference(&train_point(problem.parameters()), &floats(train)));
        // Without points of its own, evaluation is where training is.
        let eval = case.get("eval").map_or(train, |points| &points[&step]);
        worst = worst.max(difference(&eval_point(problem.parameters(), &*optimizer), &floats(eval)));
    }
    assert_eq!(compared, case["train"].as_object().unwrap().len(), "every point was compared");
    worst
}

#[test]
fn every_optimizer_follows_its_reference() {
    let mut failures = Vec::new();
    println!("| kind | reference | cases | largest error |\n| --- | --- | --- | --- |");
    // A formula has no numbers of its own: it follows the rules that it writes out, see below.
    for definition in OPTIMIZERS.iter().filter(|definition| definition.about.name != "formula") {
        let kind = definition.about.name;
        let path = reference().join("trajectories").join(format!("{kind}.json"));
        if !path.exists() {
            failures.push(format!("{kind}: no {}", path.display()));
            continue;
        }
        let json = read_json(&path);
        let cases = json["cases"].as_array().unwrap();
        let mut worst = 0.0_f64;
        for case in cases {
            let error = follow(case, &settings(kind, &case["settings"]));
            worst = worst.max(error);
            if error > TOLERANCE {
                failures.push(format!("{kind} {}: off by {error:.1e}", case["name"]));
            }
        }
        println!("| `{kind}` | {} | {} | {worst:.1e} |", json["reference"].as_str().unwrap(), cases.len());
        assert!(!cases.is_empty(), "{kind}: no cases");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Rules written as formulas take the path of the built-in ones.
#[test]
fn formulas_follow_the_rules_that_they_write_out() {
    let mut failures = Vec::new();
    println!("| rule | states | lines | largest error |\n| --- | --- | --- | --- |");
    let formulas = formulas();
    for (name, built_in, formula) in &formulas {
        let mut worst = 0.0_f64;
        for place in NAMES {
            let paths = [built_in, formula].map(|settings| {
                let (mut problem, mut optimizer) = (problem(place, DType::F64), build(settings));
                let mut path = Vec::new();
                for t in 0..50 {
                    let (loss, gradients) = problem.gradients(t).unwrap();
                    // A rate that rises and falls, as under a schedule.
                    let lr = settings.float("lr") * (1.0 - (t as f64 / 25.0 - 1.0).powi(2)).max(0.05);
                    let at = Step { loss, ..at(t, lr) };
                    optimizer.step(problem.parameters(), &gradients, &at, &mut ()).unwrap();
                    path.extend(train_point(problem.parameters()));
                    path.extend(eval_point(problem.parameters(), &*optimizer));
                }
                path
            });
            worst = worst.max(difference(&paths[1], &paths[0]));
        }
        let (states, lines) = (formula.table("state").len(), formula.text("update").lines().count());
        println!("| `{name}` | {states} | {lines} | {worst:.1e} |");
        if worst > 1e-12 {
            failures.push(format!("{name}: off by {worst:.1e}"));
        }
    }
    assert!(formulas.len() >= 12 && failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_reference_has_its_optimizer() {
    for entry in std::fs::read_dir(reference().join("trajectories")).unwrap() {
        let kind = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            OPTIMIZERS.iter().any(|definition| definition.about.name == kind),
            "there are numbers for `{kind}`, but no optimizer"
        );
    }
}

/// Parameter groups beside torch's own: another decay, another rate, another optimizer.
#[test]
fn groups_follow_torch() {
    let json = read_json(&reference().join("groups.json"));
    for case in json.as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mut keys = case["settings"].as_object().unwrap().clone();
        for (i, group) in case["groups"].as_array().unwrap().iter().enumerate() {
            for own in ["match", "weight_decay", "lr_factor"] {
                keys.extend(group.get(own).map(|value| (groups::name(i + 1, own), value.clone())));
            }
            if group.get("kind").is_some() {
                let mut kind = group.as_object().unwrap().clone();
                kind.retain(|key, _| !["match", "weight_decay", "lr_factor"].contains(&key.as_str()));
                keys.insert(groups::name(i + 1, "kind"), kind.into());
            }
        }
        let settings = settings(case["settings"]["kind"].as_str().unwrap(), &keys.into());
        let (mut problem, mut optimizer) = (problem("mlp", DType::F64), build(&settings));
        let (warmup, mut compared) = (case["warmup"].as_f64().unwrap(), 0);
        for t in 0..case["steps"].as_u64().unwrap() {
            let (_, gradients) = problem.gradients(t).unwrap();
            let factor = if warmup > 0.0 { ((t + 1) as f64 / warmup).min(1.0) } else { 1.0 };
            let at = at(t, settings.float("lr") * factor);
            optimizer.step(problem.parameters(), &gradients, &at, &mut ()).unwrap();
            if let Some(point) = case["train"].get((t + 1).to_string()) {
                let error = difference(&train_point(problem.parameters()), &floats(point));
                assert!(error < TOLERANCE, "{name} after {} updates: off by {error:.1e}", t + 1);
                compared += 1;
            }
        }
        assert_eq!(compared, 6, "{name}");
    }
}
