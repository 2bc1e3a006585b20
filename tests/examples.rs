//! The examples as they are run: kinds of somebody else's beside the built-in ones.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// An example as `cargo test` builds it, beside the tests.
fn example(name: &str) -> PathBuf {
    let tests = env::current_exe().unwrap();
    let built =
        tests.ancestors().nth(2).unwrap().join("examples").join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(built.exists(), "{} is missing: `cargo test` builds it, or `cargo build --examples`", built.display());
    built
}

fn run(folder: &Path, name: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(example(name));
    command.env("OPTBENCH_OFFLINE", "1").current_dir(folder).args(arguments).output().unwrap()
}

/// What it prints to standard output and what it says beside it, where it ends as expected.
fn said(code: i32, folder: &Path, name: &str, arguments: &[&str]) -> (String, String) {
    let output = run(folder, name, arguments);
    let [out, talk] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(output.status.code(), Some(code), "{name} {arguments:?}:\n{out}{talk}");
    (out, talk)
}

fn config(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).display().to_string()
}

#[test]
fn an_optimizer_of_ones_own_is_listed_checked_trained_and_judged() {
    let folder = tempfile::tempdir().unwrap();
    let said = |code, arguments: &[&str]| said(code, folder.path(), "own_optimizer", arguments);
    assert!(said(0, &["list", "optimizers"]).0.contains("\n  soft_sign "), "after the built-in ones");
    let explained = said(0, &["list", "optimizers", "soft_sign"]).0;
    for part in ["p <- p - lr m / (|m| + softness)", "softness", "clip_norm", "one value per parameter"] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
    let config = config("own_optimizer.toml");
    let short = ["run", &config, "--set", "epochs=1", "--set", "seeds=2", "--set", "tasks.digits.hidden=[8]"];
    let mistaken = said(2, &[&short[..], &["--set", "optimizers.soft_sign.softnes=1"]].concat()).1;
    assert!(mistaken.contains("did you mean `softness`?"), "{mistaken}");

    let report = said(0, &short).0;
    assert!(report.contains("soft_sign+cosine"), "{report}");
    let runs = fs::read_to_string(folder.path().join("results/own_optimizer/runs.csv")).unwrap();
    assert_eq!(
        (runs.matches("soft_sign").count() > 12, runs.lines().next().unwrap().contains(",softness,")),
        (true, true)
    );
    // Records are written once: none is trained again.
    said(0, &short);
    assert_eq!(fs::read_to_string(folder.path().join("results/own_optimizer/runs.csv")).unwrap(), runs);
    let judged = said(0, &["check", "results/own_optimizer", "--format", "json"]).0;
    assert!(judged.contains("soft_sign_is_as_good_as_adamw"), "{judged}");

    // The command without the rule cannot know what trained here, and says so.
    let command = Command::new(env!("CARGO_BIN_EXE_optbench"))
        .current_dir(folder.path())
        .args(["report", "results/own_optimizer"])
        .output()
        .unwrap();
    let message = String::from_utf8(command.stderr).unwrap();
    assert!(message.contains("there is no optimizer `soft_sign`"), "{message}");
}

#[test]
fn a_dataset_of_ones_own_is_listed_and_learned() {
    let folder = tempfile::tempdir().unwrap();
    let said = |arguments: &[&str]| said(0, folder.path(), "own_dataset", arguments).0;
    assert!(said(&["list", "datasets", "stripes"]).contains("noisy stripes in four directions"));
    assert!(said(&["data", "list"]).contains("stripes"));
    let config = config("own_dataset.toml");
    let report = said(&["run", &config, "--set", "epochs=1", "--set", "seeds=1"]);
    assert!(report.contains("adamw+constant"), "{report}");
    let root = folder.path().join("results/own_dataset");
    let evaluations =
        fs::read_to_string(root.join("runs").read_dir().unwrap().next().unwrap().unwrap().path().join("evals.csv"));
    assert!(evaluations.unwrap().lines().last().unwrap().contains(",test,"));
    let provenance = fs::read_to_string(root.join("provenance.json")).unwrap();
    assert!(provenance.contains("\"stripes\""), "the digest of its images: {provenance}");
}

#[test]
fn a_model_of_ones_own_is_listed_trained_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let said = |arguments: &[&str]| said(0, folder.path(), "own_model", arguments).0;
    let listed = said(&["list", "models", "residual_mlp"]);
    assert!(listed.contains("h <- h + W2") && listed.contains("numbers between the blocks"), "{listed}");
    let report = said(&["run", &config("own_model.toml"), "--set", "epochs=1", "--set", "seeds=1"]);
    assert!(report.contains("residual_mlp on digits") && report.contains("schedule_free_adamw"), "{report}");
}

#[test]
fn a_candle_training_is_continued_and_delivers() {
    let folder = tempfile::tempdir().unwrap();
    let text = said(0, folder.path(), "candle_training", &[]).0;
    assert!(text.contains("continues after 150 steps with a learning rate of 0.01"), "{text}");
    let last = text.lines().find(|line| line.trim_start().starts_with("300 ")).unwrap();
    let accuracy: f64 = last.split_whitespace().last().unwrap().parse().unwrap();
    assert!(accuracy > 0.9, "{text}");
}
