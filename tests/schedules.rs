//! Every schedule against torch, or a plain transcription of its paper, step by step.
//!
//! `reference/schedules.py` writes the numbers and says where each of them comes from.

use std::collections::BTreeSet;

use optbench::catalog::Catalog;
use optbench::length::{Length, Timeline};
use optbench::metric::Scores;
use optbench::registry::Described;
use optbench::registry::{Accepts, Bounds};
use optbench::schedule::{self, SCHEDULES, Schedule};
use optbench::settings::{Settings, Value};
use serde_json::{Map, Value as Json};

/// How far a factor may lie from the reference: a factor is at most 1, so this is rounding.
const TOLERANCE: f64 = 1e-12;

#[test]
fn every_schedule_follows_the_reference() {
    let reference: Json = serde_json::from_str(include_str!("reference/schedules.json")).unwrap();
    let cases = reference["schedules"].as_array().unwrap();
    let (mut kinds, mut worst) = (BTreeSet::new(), (0.0, String::new()));
    for case in cases {
        let error = compare(case);
        if error > worst.0 {
            worst = (error, case["name"].to_string());
        }
        kinds.insert(case["kind"].as_str().unwrap());
    }
    assert!(worst.0 <= TOLERANCE, "{} is off by {:e}", worst.1, worst.0);
    assert_eq!(kinds, SCHEDULES.iter().map(|definition| definition.about.name).collect(), "kinds with a reference");
}

/// The largest difference between a schedule and its reference, from the first step to past the last.
fn compare(case: &Json) -> f64 {
    let settings = settings(case["kind"].as_str().unwrap(), case["settings"].as_object().unwrap());
    // "1 epoch" is the default of some keys, and one step of the reference.
    let timeline = Timeline { steps: case["total"].as_u64().unwrap_or(100), steps_per_epoch: Some(1), beta2: None };
    let mut schedule = schedule::build(&settings, &timeline).unwrap_or_else(|why| panic!("{}: {why}", case["name"]));
    if let Some(metrics) = case["metrics"].as_array() {
        return difference(&after_each(&mut *schedule, metrics), &case["factors"]);
    }
    let steps = case["factors"].as_array().unwrap().len() as u64;
    let points: Vec<_> = (0..steps).map(|t| schedule.at(t)).collect();
    let factors: Vec<f64> = points.iter().map(|point| point.factor).collect();
    let momenta: Vec<f64> = points.iter().filter_map(|point| point.momentum).collect();
    difference(&factors, &case["factors"]).max(difference(&momenta, &case["momentum"]))
}

/// The factor after each evaluation of the loss; JSON has no NaN, so null stands for it.
fn after_each(schedule: &mut dyn Schedule, losses: &[Json]) -> Vec<f64> {
    let heard = losses.iter().zip(1..).map(|(loss, t)| {
        let loss = loss.as_f64().unwrap_or(f64::NAN);
        schedule.observe(t, &Scores::of_loss(loss));
        schedule.at(t).factor
    });
    heard.collect()
}

/// A difference in length, or a number on one side alone, counts as infinite.
fn difference(actual: &[f64], expected: &Json) -> f64 {
    let expected: Vec<f64> = expected.as_array().into_iter().flatten().map(|x| x.as_f64().unwrap()).collect();
    if actual.len() != expected.len() {
        return f64::INFINITY;
    }
    let differences = actual.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |worst, d| if d <= worst { worst } else { d })
}

/// Settings from the reference, which gives all durations in steps.
fn settings(kind: &str, given: &Map<String, Json>) -> Settings {
    let definition = Catalog::built_in().schedules.find(kind).unwrap_or_else(|| panic!("no schedule `{kind}`"));
    let mut settings = definition.defaults();
    for (name, json) in given.iter().filter(|(name, _)| *name != "kind") {
        let key = definition.key(name).unwrap_or_else(|| panic!("`{kind}` has no `{name}`"));
        settings.set(name, value(key.accepts, json));
    }
    settings
}

fn value(accepts: Accepts, json: &Json) -> Value {
    let each = |accepts| json.as_array().unwrap().iter().map(|json| value(accepts, json)).collect();
    match accepts {
        Accepts::Bool => json.as_bool().unwrap().into(),
        Accepts::Integer(_) => json.as_i64().unwrap().into(),
        Accepts::Float(_) => json.as_f64().unwrap().into(),
        Accepts::Text => json.as_str().unwrap().into(),
        Accepts::Choice(words) => {
            assert!(words.contains(&json.as_str().unwrap()), "{json}");
            json.as_str().unwrap().into()
        }
        Accepts::Length | Accepts::Interval => Length::Steps(json.as_u64().unwrap()).into(),
        Accepts::Lengths => Value::List(each(Accepts::Length)),
        Accepts::Points => each(Accepts::Point).into(),
        Accepts::Point => vec![value(Accepts::Length, &json[0]), value(Accepts::Float(Bounds::ANY), &json[1])].into(),
        Accepts::Schedules => Value::List(json.as_array().unwrap().iter().map(part).collect()),
        other => panic!("no schedule takes {other}"),
    }
}

/// A part: the table of a schedule, or one with a `schedule` and its `length`.
fn part(json: &Json) -> Value {
    let table = json.get("schedule").unwrap_or(json).as_object().unwrap();
    let mut part = settings(table["kind"].as_str().unwrap(), table);
    if let Some(length) = json.get("length") {
        part.set("length", value(Accepts::Length, length));
    }
    part.into()
}
