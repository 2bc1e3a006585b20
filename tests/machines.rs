//! A sweep over several machines: shards, merges, and the scripts for a cluster.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CONFIG: &str = "name = \"many\"\nseeds = 3\nsteps = 20\n[tasks.bowl]\nmodel = \"quadratic\"\n\
                      [optimizers.sgd]\nlr = [0.01, 0.1]\n[optimizers.adamw]\n";

fn optbench(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_optbench")).current_dir(folder).args(arguments).output().unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("many.toml"), CONFIG).unwrap();
    folder
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn shards_of_two_machines_merge_to_the_whole() {
    let folder = folder();
    for (shard, out) in [("1/2", "a"), ("2/2", "b"), ("1/1", "whole")] {
        assert!(optbench(folder.path(), &["run", "many.toml", "--shard", shard, "--out", out]).status.success());
    }
    let merged = optbench(folder.path(), &["merge", "a", "b", "--out", "c"]);
    assert!(merged.status.success(), "{}", said(&merged));
    let names = |root: &str| {
        let mut names: Vec<_> =
            fs::read_dir(folder.path().join(root).join("runs")).unwrap().flatten().map(|e| e.file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("c"), names("whole"));
    for name in names("whole") {
        for file in ["steps.csv", "evals.csv"] {
            let read = |root: &str| fs::read(folder.path().join(root).join("runs").join(&name).join(file)).unwrap();
            assert_eq!(read("c"), read("whole"));
        }
    }
    let table = |root: &str| {
        let rows = fs::read_to_string(folder.path().join(root).join("runs.csv")).unwrap();
        rows.lines().map(|row| row.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(table("c"), table("whole"), "one order, whichever command lists the runs");
    let origins: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("c/provenance.json")).unwrap()).unwrap();
    assert_eq!(origins.as_array().unwrap().len(), 2);
    let again = optbench(folder.path(), &["merge", "a", "c", "--out", "c"]);
    assert!(again.status.success() && said(&again).contains("0 runs taken"), "{}", said(&again));
    assert!(optbench(folder.path(), &["run", "many.toml", "--out", "c"]).status.success());
}

/// The names of the runs whose records are packed in a folder.
fn packed(root: &Path) -> Vec<String> {
    let text = fs::read_to_string(root.join("records.toml")).unwrap();
    let mut names: Vec<String> = text.lines().filter(|line| line.starts_with("run = ")).map(str::to_owned).collect();
    names.sort();
    names
}

#[test]
fn packed_results_are_guarded_like_runs_and_stay_until_they_are_trained_again() {
    let folder = folder();
    let run = |more: &[&str]| optbench(folder.path(), &[&["run", "many.toml", "--out", "kept"], more].concat());
    assert!(run(&[]).status.success());
    let root = folder.path().join("kept");
    fs::remove_dir_all(root.join("runs")).unwrap();
    let before = fs::read(root.join("records.toml")).unwrap();
    for (arguments, words) in [
        (&["--set", "steps=21"][..], "holds the results of another experiment"),
        (&["--fresh"], "Delete the results of 9 runs"),
    ] {
        let refused = run(arguments);
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(said(&refused).contains(words), "{}", said(&refused));
        assert!(fs::read(root.join("records.toml")).unwrap() == before);
    }
    let all = packed(&root);
    let part = run(&["--shard", "1/9"]);
    assert!(part.status.success(), "{}", said(&part));
    assert!(said(&part).contains("1 of these runs have no curves"), "{}", said(&part));
    assert_eq!(fs::read_dir(root.join("runs")).unwrap().count(), 1);
    assert_eq!((packed(&root), all.len()), (all, 9));
    assert_eq!(fs::read_to_string(root.join("runs.csv")).unwrap().lines().count(), 1 + 9);

    let text = fs::read_to_string(root.join("records.toml")).unwrap();
    let this = format!("optbench = \"{}\"", env!("CARGO_PKG_VERSION"));
    fs::write(root.join("records.toml"), text.replace(&this, "optbench = \"0.0.7\"")).unwrap();
    let refused = run(&[]);
    assert!(said(&refused).contains("was trained by optbench 0.0.7"), "{}", said(&refused));
    fs::write(root.join("records.toml"), text).unwrap();
    assert!(run(&[]).status.success());
    assert_eq!(fs::read_dir(root.join("runs")).unwrap().count(), 9);
}

#[test]
fn packed_results_merge_with_runs() {
    let folder = folder();
    for (shard, out) in [("1/2", "a"), ("2/2", "b")] {
        assert!(optbench(folder.path(), &["run", "many.toml", "--shard", shard, "--out", out]).status.success());
    }
    fs::remove_dir_all(folder.path().join("a/runs")).unwrap();
    for (folders, out, of_a) in [(&["a"][..], "copy", 5), (&["a", "b"], "both", 5), (&["a", "b"], "b", 5)] {
        let merged = optbench(folder.path(), &[&["merge"], folders, &["--out", out]].concat());
        assert!(merged.status.success(), "{}", said(&merged));
        assert!(said(&merged).contains(&format!("a: {of_a} runs taken, 0 known")), "{}", said(&merged));
    }
    assert_eq!(packed(&folder.path().join("copy")), packed(&folder.path().join("a")));
    assert_eq!(packed(&folder.path().join("both")).len(), 9);
    assert_eq!(packed(&folder.path().join("b")), packed(&folder.path().join("both")));
}

#[test]
fn an_experiment_under_way_is_not_mixed_with_another_or_deleted() {
    let folder = folder();
    let run = |more: &[&str]| optbench(folder.path(), &[&["run", "many.toml", "--out", "a"], more].concat());
    let long = ["run", "many.toml", "--out", "a", "--jobs", "1", "--set", "steps=1000000000"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_optbench"))
        .current_dir(folder.path())
        .args(long)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let runs = folder.path().join("a/runs");
    while !fs::read_dir(&runs).is_ok_and(|runs| runs.count() > 0) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it trained");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let other = run(&[]);
    let forgetful = run(&["--fresh", "--yes"]);
    let held = fs::read_dir(&runs).unwrap().count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(other.status.code(), Some(2), "{}", said(&other));
    assert!(said(&other).contains("another process is training another experiment in a"), "{}", said(&other));
    assert!(said(&other).contains("steps: was 1000000000, is 20"), "{}", said(&other));
    assert_eq!(forgetful.status.code(), Some(2), "{}", said(&forgetful));
    assert!(said(&forgetful).contains("another process is training in a"), "{}", said(&forgetful));
    assert!(held > 0, "what the other process was writing is there");
    let free = run(&["--fresh", "--yes"]);
    assert!(free.status.success(), "{}", said(&free));
    assert!(!folder.path().join("a/.lock").exists());
}

#[test]
fn a_damaged_run_keeps_no_other_from_being_merged() {
    let folder = folder();
    for (shard, out) in [("1/2", "a"), ("2/2", "b")] {
        assert!(optbench(folder.path(), &["run", "many.toml", "--shard", shard, "--out", out]).status.success());
    }
    let runs = |root: &str| {
        let names = fs::read_dir(folder.path().join(root).join("runs")).unwrap().flatten();
        let mut names: Vec<_> = names.map(|entry| entry.path()).collect();
        names.sort();
        names
    };
    // A record that names a place outside, and curves that are gone.
    let of_a = runs("a");
    let mine = folder.path().join("mine");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("thesis.tex"), "mine").unwrap();
    let mark = fs::read_to_string(of_a[0].join("run.toml")).unwrap();
    let (first, rest) = mark.split_at(mark.find("run = ").unwrap());
    let rest = &rest[rest.find('\n').unwrap()..];
    fs::write(of_a[0].join("run.toml"), format!("{first}run = \"../../mine\"{rest}")).unwrap();
    fs::remove_file(of_a[1].join("steps.csv")).unwrap();
    let merged = optbench(folder.path(), &["merge", "a", "b", "--out", "c"]);
    assert_eq!(merged.status.code(), Some(1), "{}", said(&merged));
    for problem in ["run.toml is damaged: it is the record of `../../mine`", "steps.csv is gone"] {
        assert!(said(&merged).contains(problem), "{}", said(&merged));
    }
    assert_eq!(runs("c").len(), 9 - 2);
    assert_eq!(fs::read_to_string(mine.join("thesis.tex")).unwrap(), "mine");
    assert!(optbench(folder.path(), &["run", "many.toml", "--shard", "1/2", "--out", "a"]).status.success());
    let merged = optbench(folder.path(), &["merge", "a", "b", "--out", "c"]);
    assert!(merged.status.success() && runs("c").len() == 9, "{}", said(&merged));
}

#[test]
fn different_experiments_do_not_merge() {
    let folder = folder();
    assert!(optbench(folder.path(), &["run", "many.toml", "--out", "a"]).status.success());
    assert!(optbench(folder.path(), &["run", "many.toml", "--out", "b", "--set", "steps=21"]).status.success());
    let merged = optbench(folder.path(), &["merge", "a", "b", "--out", "c"]);
    assert_eq!(merged.status.code(), Some(2));
    assert!(said(&merged).contains("steps: was 20, is 21"), "{}", said(&merged));
    assert!(!folder.path().join("c/runs").exists());
}

#[test]
fn a_submission_can_be_looked_at_and_leaves_out_what_is_done() {
    let folder = folder();
    let submit = |more: &[&str]| {
        let arguments = [&["submit", "many.toml", "--engine", "slurm", "--dry-run", "--tasks", "3"], more].concat();
        String::from_utf8(optbench(folder.path(), &arguments).stdout).unwrap()
    };
    let script = submit(&["--partition", "gpu", "--time", "1:00:00", "--memory", "2G", "--option=--account=lab"]);
    for line in [
        "#!/bin/sh",
        "#SBATCH --array=1-3",
        "#SBATCH --partition=gpu",
        "#SBATCH --time=1:00:00",
        "#SBATCH --mem=2G",
        "#SBATCH --account=lab",
    ] {
        assert!(script.lines().any(|other| other == line), "{line} is not in\n{script}");
    }
    assert!(script.contains("--shard \"${SLURM_ARRAY_TASK_ID}/3\""), "{script}");
    assert!(optbench(folder.path(), &["run", "many.toml", "--shard", "2/3"]).status.success());
    assert!(submit(&[]).contains("#SBATCH --array=1,3\n"), "{}", submit(&[]));
    assert!(optbench(folder.path(), &["run", "many.toml"]).status.success());
    assert_eq!(submit(&[]), "");
}
