//! `[tuning]` from the outside: how many tries, what they cost, interruption, parts, refusals.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

const CONFIG: &str = r#"
name = "search"
seeds = 3
steps = 90
[tasks.digits]
model = "mlp"
hidden = [8]
dataset = "digits"
[optimizers.sgd]
lr = { log_uniform = [1e-2, 1] }
momentum = { uniform = [0, 0.95] }
[optimizers.adamw]
lr = { log = [1e-4, 1e-1], points = 12 }
[tuning]
budget = 3
halving = { factor = 3, from = "10%" }
"#;

fn optbench(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    let output = command.env("OPTBENCH_OFFLINE", "1").current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("search.toml"), CONFIG).unwrap();
    folder
}

/// The curves of every run in a results folder.
fn curves(root: &Path) -> BTreeMap<String, String> {
    let runs = fs::read_dir(root.join("runs")).unwrap().map(|run| run.unwrap().path());
    runs.map(|run| {
        (run.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(run.join("evals.csv")).unwrap())
    })
    .collect()
}

fn runs(root: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(root.join("runs.csv")).unwrap().into_deserialize().map(Result::unwrap).collect()
}

#[test]
fn every_optimizer_has_the_same_tries_and_its_best_runs_under_every_seed() {
    let folder = folder();
    let (_, dry, _) = optbench(folder.path(), &["run", "search.toml", "--dry-run"]);
    // Nine tries of 10 steps, three of 30 and one of 90 are 270; two more seeds 180; of two optimizers.
    assert!(dry.contains("9 tries of 11.1% of the steps"), "{dry}");
    assert!(dry.ends_with("30 runs, 900 steps in total\n"), "{dry}");

    let (code, out, said) = optbench(folder.path(), &["run", "search.toml"]);
    assert_eq!(code, 0, "{said}");
    let root = folder.path().join("results/search");
    let rows = runs(&root);
    assert_eq!(rows.len(), 30);
    assert_eq!(rows.iter().map(|row| row["steps"].parse::<u64>().unwrap()).sum::<u64>(), 900);
    for optimizer in ["sgd", "adamw"] {
        let own = || rows.iter().filter(|row| row["optimizer"] == optimizer);
        let of = |horizon: &str| own().filter(|row| row["horizon"] == horizon).collect::<Vec<_>>();
        assert_eq!([of("10").len(), of("30").len(), of("").len()], [9, 3, 3], "{optimizer}");
        // Who goes on was best on validation, and the winner keeps its settings under every seed.
        let loss = |row: &BTreeMap<String, String>| row["final_val_accuracy"].parse::<f64>().unwrap();
        let went_on: Vec<&str> = of("30").iter().map(|row| row["lr"].as_str()).collect();
        let worst_on = of("10")
            .iter()
            .filter(|row| went_on.contains(&row["lr"].as_str()))
            .map(|row| loss(row))
            .fold(1.0, f64::min);
        let best_out = of("10")
            .iter()
            .filter(|row| !went_on.contains(&row["lr"].as_str()))
            .map(|row| loss(row))
            .fold(0.0, f64::max);
        assert!(worst_on >= best_out, "{optimizer}: {worst_on} went on, {best_out} did not");
        let winners = of("");
        assert!(winners.iter().all(|row| row["lr"] == winners[0]["lr"]));
        assert_eq!(winners.iter().map(|row| row["seed"].as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
    }
    assert!(out.starts_with("On digits, "), "{out}");
    let (_, report, _) = optbench(folder.path(), &["report", "results/search", "--format", "markdown"]);
    assert!(report.contains("### What the search cost"), "{report}");
    let line =
        report.lines().find(|line| line.contains("| sgd |") && line.contains("| 9 |")).expect("tries in the report");
    assert!(line.contains("| 270 |"), "steps of the tries: {line}");

    let charts: Vec<_> = fs::read_dir(root.join("charts")).unwrap().map(|file| file.unwrap().file_name()).collect();
    let drawn = |words: &str| charts.iter().any(|name| name.to_str().unwrap().contains(words));
    assert!(drawn("learning_rate"), "{charts:?}");
    assert!(!["sensitivity", "_by_", "expected_best"].into_iter().any(drawn), "of the finalists alone: {charts:?}");

    let before = curves(&root);
    let (_, _, said) = optbench(folder.path(), &["run", "search.toml"]);
    assert!(said.contains("0 runs of 30 to train"), "{said}");
    assert!(before == curves(&root));
}

#[test]
fn parts_and_interruptions_come_to_the_same_search() {
    let whole = folder();
    assert_eq!(optbench(whole.path(), &["run", "search.toml", "--jobs", "2"]).0, 0);
    let expected = curves(&whole.path().join("results/search"));

    let parts = folder();
    for part in ["1/2", "2/2"] {
        let (code, _, said) = optbench(parts.path(), &["run", "search.toml", "--shard", part]);
        assert_eq!(code, 0, "{said}");
    }
    assert!(curves(&parts.path().join("results/search")) == expected, "two parts");

    // As after a kill: some runs of a later rung and some of the first are gone.
    let root = whole.path().join("results/search");
    for (place, run) in expected.keys().enumerate() {
        if place % 3 == 0 || !run.contains("until") {
            fs::remove_dir_all(root.join("runs").join(run)).unwrap();
        }
    }
    assert_eq!(optbench(whole.path(), &["run", "search.toml"]).0, 0);
    assert!(curves(&root) == expected, "after an interruption");
}

#[test]
fn the_resolved_config_means_the_same_search_and_arrays_are_refused() {
    let folder = folder();
    assert_eq!(optbench(folder.path(), &["run", "search.toml", "--set", "steps=18"]).0, 0);
    let again = ["run", "results/search/experiment.toml", "--out", "results/again"];
    assert_eq!(optbench(folder.path(), &again).0, 0);
    assert!(curves(&folder.path().join("results/search")) == curves(&folder.path().join("results/again")));
    let (code, _, said) = optbench(folder.path(), &["submit", "search.toml", "--engine", "slurm", "--dry-run"]);
    assert_eq!(code, 2);
    assert!(said.contains("[tuning] decides what to train as it goes"), "{said}");
}
