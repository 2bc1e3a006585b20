//! `[anytime]` from the outside: what is trained again, what is read from the long run, what is said of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Without the horizons; 7 steps are off the evaluations' beat on purpose.
const CONFIG: &str = r#"
name = "any"
seeds = 3
steps = 40
eval_every = 10
[tasks.digits]
model = "mlp"
hidden = [8]
dataset = "digits"
[optimizers.adamw]
lr = [0.003, 0.01]
[optimizers.sf]
kind = "schedule_free_adamw"
lr = [0.003, 0.03]
schedules = ["constant"]
[schedules.constant]
[schedules.cosine]
[schedules.plateau]
kind = "reduce_on_plateau"
patience = 0
threshold = 0.5
"#;

const HORIZONS: &str = "[anytime]\nhorizons = [7, \"50%\"]\n";

const CLAIMS: &str = r#"
[claims.anytime]
better = "sf+constant"
than = "adamw+*"
margin = "100%"
at = "every_horizon"
"#;

fn optbench(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    let output = command.env("OPTBENCH_OFFLINE", "1").current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A folder in which the config was run.
fn run(config: &str, more: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("any.toml"), config).unwrap();
    let (code, _, said) = optbench(folder.path(), &[&["run", "any.toml"], more].concat());
    assert_eq!(code, 0, "{said}");
    folder
}

fn file(folder: &Path, run: &str, name: &str) -> String {
    let path = folder.join("results/any/runs").join(run).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn what_knows_its_end_is_trained_for_each_horizon_and_the_rest_is_read_there() {
    let with = run(&format!("{CONFIG}{HORIZONS}{CLAIMS}"), &[]);
    let without = run(CONFIG, &[]);
    let names = |folder: &Path| -> BTreeSet<String> {
        let runs = fs::read_dir(folder.join("results/any/runs")).unwrap();
        runs.map(|run| run.unwrap().file_name().into_string().unwrap()).collect()
    };
    let (known, early): (Vec<String>, Vec<String>) =
        names(with.path()).into_iter().partition(|name| names(without.path()).contains(name));
    assert_eq!(known.len(), 24, "every run of the plain config is there");
    assert_eq!(early.len(), 12, "two rates, three seeds and two horizons of the cosine alone: {early:?}");
    assert!(early.iter().all(|name| name.contains("adamw-cosine") && name.contains("-until")), "{early:?}");

    for name in &known {
        assert!(
            file(with.path(), name, "steps.csv") == file(without.path(), name, "steps.csv"),
            "{name}: a horizon changes no update, not even those of a schedule that listens to evaluations"
        );
        let rows = file(with.path(), name, "evals.csv");
        let plain = file(without.path(), name, "evals.csv");
        let added: Vec<&str> = rows.lines().filter(|row| !plain.lines().any(|known| known == *row)).collect();
        let added: Vec<String> =
            added.iter().map(|row| row.split(',').step_by(2).take(2).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(added, ["7 val", "7 test", "20 test"], "{name}");
    }
    for name in early.iter().filter(|name| name.contains("until20")) {
        let steps = file(with.path(), name, "steps.csv");
        let last = steps.lines().last().unwrap();
        assert!(last.starts_with("20,"), "{last}");
        let rate: f64 = last.split(',').nth(2).unwrap().parse().unwrap();
        assert!(rate < 0.0001, "the cosine ends with the run: {rate}");
    }
    let (code, json, _) = optbench(with.path(), &["report", "results/any", "--format", "json"]);
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rows = json["tasks"][0]["anytime"].as_array().unwrap();
    // Schedule-Free, and AdamW under the two schedules that do not know the end.
    assert_eq!(rows.len(), 9, "three arms at three horizons");
    assert!(rows.iter().all(|row| row["envelope"] == "adamw+cosine" && row["n"] == 3), "{rows:?}");
    let sf: Vec<&serde_json::Value> = rows.iter().filter(|row| row["one_run"] == "sf+constant").collect();
    assert_eq!(sf.iter().map(|row| row["step"].as_u64().unwrap()).collect::<Vec<_>>(), [7, 20, 40]);
    // The mean over seeds of what the chosen runs had on test after 7 steps.
    let chosen = json["tasks"][0]["ranks"].as_array().unwrap().iter().find(|rank| rank["optimizer"] == "sf").unwrap();
    let lr = &chosen["chosen"]["lr"].to_string();
    let at_7 = |seed| -> f64 {
        let rows = file(with.path(), &format!("digits-sf-constant-lr{lr}-s{seed}"), "evals.csv");
        let row = rows.lines().find(|row| row.starts_with("7,") && row.contains(",test,")).unwrap();
        row.split(',').nth(4).unwrap().parse().unwrap()
    };
    let mean = (0..3).map(at_7).sum::<f64>() / 3.0;
    assert!((sf[0]["one_run_mean"].as_f64().unwrap() - mean).abs() < 1e-12);

    let (code, checked, _) = optbench(with.path(), &["check", "results/any", "--format", "json"]);
    let checked: serde_json::Value = serde_json::from_str(&checked).unwrap();
    let parts = checked["claims"][0]["parts"].as_array().unwrap();
    assert_eq!((code, parts.len()), (0, 3), "a part for each horizon and the end: {parts:?}");
    assert_eq!(parts.iter().map(|part| part["step"].as_u64().unwrap()).collect::<Vec<_>>(), [7, 20, 40]);
    assert!(with.path().join("results/any/charts/digits-anytime.svg").is_file());
    let header = fs::read_to_string(without.path().join("results/any/runs.csv")).unwrap();
    assert!(!header.lines().next().unwrap().contains("horizon"), "no column without horizons");
}

#[test]
fn a_run_for_a_horizon_is_the_run_of_that_length() {
    let with = run(&format!("{CONFIG}{HORIZONS}"), &["--set", "seeds=1"]);
    let short = run(CONFIG, &["--set", "seeds=1", "--set", "steps=20"]);
    for file_name in ["steps.csv", "evals.csv"] {
        let early = file(with.path(), "digits-adamw-cosine-lr0.01-until20-s0", file_name);
        assert!(early == file(short.path(), "digits-adamw-cosine-lr0.01-s0", file_name), "{file_name}");
    }
    // And what stands for it is what it would have been.
    let long = file(with.path(), "digits-sf-constant-lr0.03-s0", "evals.csv");
    for row in file(short.path(), "digits-sf-constant-lr0.03-s0", "evals.csv").lines() {
        assert!(long.lines().any(|known| known == row), "{row}");
    }
}
