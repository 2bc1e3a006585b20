//! How often the checks are wrong: on simulated records, against the rates that the docs state.

use super::claim::{Finding, judge};
use super::comparison::{Verdict, comparisons};
use super::ranking;
use super::simulated::{Arm, records};
use super::standard::{ALPHA, POWER, Standard};
use super::student;
use crate::catalog::Catalog;
use crate::config::Experiment;
use crate::metric::Metric;
use crate::rng::Stream;

const CONFIG: &str = "steps = 10\n[tasks.task]\nmodel = \"quadratic\"\n[optimizers.a]\nkind = \"sgd\"\n\
                      [optimizers.b]\nkind = \"sgd\"\n[claims.c]\nbetter = \"a+constant\"\nthan = \"b+constant\"\n";

/// Losses around `mean`: the seed moves all arms by 10%, and each arm by 3% on its own.
fn losses(stream: &mut Stream, shared: &[f64], mean: f64) -> Vec<f64> {
    shared.iter().map(|seed| mean * (1.0 + 0.1 * seed + 0.03 * stream.normal())).collect()
}

fn seeds(stream: &mut Stream, n: usize) -> Vec<f64> {
    (0..n).map(|_| stream.normal()).collect()
}

/// The share of each finding when `a` is `worse` times as bad as `b`, at a margin of `margin`.
fn findings(trials: usize, n: usize, worse: f64, margin: f64) -> [f64; 3] {
    let text = format!("{CONFIG}margin = {margin:?}\n");
    let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", &text, "c", &[]).unwrap();
    let mut stream = Stream::new(4, &format!("{n} seeds, {worse}, {margin}"));
    let mut counts = [0.0; 3];
    for _ in 0..trials {
        let shared = seeds(&mut stream, n);
        let (a, b) = (losses(&mut stream, &shared, worse), losses(&mut stream, &shared, 1.0));
        let finding = {
            let records = records(&[Arm::new("a", &a), Arm::new("b", &b)]);
            judge(&experiment.claims[0], &experiment, &records, Standard::FIXED).finding
        };
        let place = [Finding::Supported, Finding::Undecided, Finding::Refuted].iter().position(|f| *f == finding);
        counts[place.unwrap()] += 1.0 / trials as f64;
    }
    counts
}

/// The share of `trials` in which a rival is called worse that is as much worse than the leader, like
/// every other of `rivals`, as three seeds are said to see.
fn seen(trials: usize, rivals: usize) -> f64 {
    const NAMES: [&str; 11] = ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    const NOISE: f64 = 0.03;
    let error = NOISE * (2.0f64 / 3.0).sqrt();
    let behind = error * student::detectable(2.0, ALPHA / rivals as f64, POWER);
    let mut stream = Stream::new(5, &format!("{rivals} rivals"));
    let found = (0..trials).filter(|_| {
        let mut arm =
            |name, mean: f64| Arm::new(name, &[10.0, 11.0, 12.0].map(|seed| seed + mean + NOISE * stream.normal()));
        let leader = [arm("a", 0.0)];
        let arms: Vec<Arm> = leader.into_iter().chain(NAMES[..rivals].iter().map(|&name| arm(name, behind))).collect();
        let records = records(&arms);
        let ranking = ranking(&records, "task", Metric::LOSS);
        let place = ranking.ranks.iter().position(|rank| rank.optimizer == "b").unwrap();
        comparisons(&ranking, Standard::FIXED)[place]
            .as_ref()
            .is_some_and(|comparison| comparison.verdict == Verdict::Worse)
    });
    found.count() as f64 / trials as f64
}

/// Four standard errors of a share: less than one run of this test in 10,000 strays as far.
fn slack(share: f64, trials: usize) -> f64 {
    4.0 * (share * (1.0 - share) / trials as f64).sqrt()
}

#[test]
fn what_is_called_detectable_is_seen_however_many_rivals_there_are() {
    for rivals in [1, 4, 11] {
        let found = seen(1000, rivals);
        println!("a difference of the detectable size, 3 seeds, {rivals} rivals: seen {found}");
        assert!(found >= POWER - slack(POWER, 1000), "{rivals} rivals: {found}");
    }
}

#[test]
fn claims_are_wrong_as_rarely_as_stated() {
    for n in [3, 5] {
        let [supported, _, refuted] = findings(1000, n, 1.0, 0.0);
        println!("equal arms, margin 0, {n} seeds: supported {supported:.3}, refuted {refuted:.3}");
        assert!(supported <= 0.025 + slack(0.025, 1000), "{supported}");
        assert!(refuted <= 0.025 + slack(0.025, 1000), "{refuted}");
        let [supported, ..] = findings(1000, n, 1.05, 0.05);
        println!("5% worse, margin 5%, {n} seeds: supported {supported:.3}");
        assert!(supported <= 0.025 + slack(0.025, 1000), "on the margin: {supported}");
    }
    let [supported, ..] = findings(200, 10, 1.0, 0.05);
    println!("equal arms, margin 5%, 10 seeds: supported {supported:.3}");
    assert!(supported > 0.8, "{supported}");
    let [.., refuted] = findings(200, 10, 1.1, 0.01);
    assert!(refuted > 0.95, "{refuted}");
}
