//! Planned looks, judge seeds and added seeds from the outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

const TASK: &str = r#"
steps = 60
[tasks.digits]
model = "mlp"
hidden = [4]
dataset = "digits"
"#;

/// Arms so far apart that three seeds decide.
const FAR: &str = r#"
[optimizers.good]
kind = "sgd"
lr = 0.5
[optimizers.bad]
kind = "sgd"
lr = 1e-6
"#;

/// Arms that no number of seeds here can tell apart.
const NEAR: &str = r#"
[optimizers.good]
kind = "sgd"
lr = 0.5
[optimizers.bad]
kind = "sgd"
lr = 0.501
"#;

const CLAIM: &str = "[claims.good_is_better]\nbetter = \"good+constant\"\nthan = \"bad+constant\"\n";

fn optbench(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    let output = command.env("OPTBENCH_OFFLINE", "1").current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A folder with a config `c.toml`.
fn folder(parts: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), parts.concat()).unwrap();
    folder
}

fn rows(folder: &Path, file: &str) -> Vec<BTreeMap<String, String>> {
    let path = folder.join("results/c").join(file);
    csv::Reader::from_path(path).unwrap().into_deserialize().map(Result::unwrap).collect()
}

fn seeds(folder: &Path) -> BTreeSet<u64> {
    rows(folder, "runs.csv").iter().map(|row| row["seed"].parse().unwrap()).collect()
}

/// The curves of every run, and the tables but for their times.
fn curves(root: &Path) -> BTreeMap<String, String> {
    let runs = fs::read_dir(root.join("runs")).unwrap().map(|run| run.unwrap().path());
    let runs = runs.filter(|run| !run.file_name().unwrap().to_str().unwrap().starts_with('.'));
    runs.map(|run| {
        (run.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(run.join("evals.csv")).unwrap())
    })
    .collect()
}

fn json(folder: &Path, command: &[&str]) -> serde_json::Value {
    let (_, out, said) = optbench(folder, command);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{said}"))
}

#[test]
fn training_stops_at_the_look_that_decides_every_claim() {
    let folder = folder(&["seeds = { looks = [3, 5, 8] }", TASK, FAR, CLAIM]);
    let (_, dry, _) = optbench(folder.path(), &["run", "c.toml", "--dry-run"]);
    assert!(
        dry.contains("Looks at 3, 5, 8 seeds: training stops at the first at which every claim is decided"),
        "{dry}"
    );
    assert!(dry.ends_with("at most 16 runs, 960 steps in total\n"), "{dry}");
    let (code, out, said) = optbench(folder.path(), &["run", "c.toml"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("c: look 1 of 3 (3 seeds): 6 runs of 6 to train"), "{said}");
    assert_eq!(seeds(folder.path()), (0..3).collect());
    assert!(out.contains("look 1 of 3, with 3 of at most 8 seeds"), "{out}");
    let (code, check, _) = optbench(folder.path(), &["check", "results/c"]);
    assert_eq!(code, 0, "{check}");
    assert!(check.contains("look 1 of 3, with 3 of at most 8 seeds"), "{check}");
    let found = json(folder.path(), &["check", "results/c", "--format", "json"]);
    let claim = &found["claims"][0];
    assert_eq!((&claim["basis"], &claim["look"]), (&"looks".into(), &1.into()), "{found}");
    // Nothing is left to train, by any way of asking.
    let before = curves(&folder.path().join("results/c"));
    let again = ["run", "results/c/experiment.toml", "--out", "results/c"];
    for command in [&["run", "c.toml"][..], &again] {
        let (code, _, said) = optbench(folder.path(), command);
        assert!(code == 0 && said.contains("0 runs of 6 to train"), "{said}");
        assert!(before == curves(&folder.path().join("results/c")));
    }
}

#[test]
fn an_undecided_claim_has_all_looks_and_any_interruption_comes_to_the_same() {
    let folder = folder(&["seeds = { looks = [2, 3, 4] }", TASK, NEAR, CLAIM, "by = \"0%\"\n"]);
    let (code, out, said) = optbench(folder.path(), &["run", "c.toml", "--jobs", "2"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("look 2 of 3 (3 seeds): 2 runs of 6 to train"), "{said}");
    assert_eq!(seeds(folder.path()), (0..4).collect());
    assert!(out.contains("look 3 of 3, with all 4 seeds"), "{out}");
    let root = folder.path().join("results/c");
    let whole = curves(&root);
    let (_, judged, _) = optbench(folder.path(), &["check", "results/c", "--format", "json"]);
    for lost in ["good-constant-lr0.5-s1", "bad-constant-lr0.501-s3", "good-constant-lr0.5-s2"] {
        fs::remove_dir_all(root.join("runs").join(format!("digits-{lost}"))).unwrap();
    }
    assert_eq!(optbench(folder.path(), &["run", "c.toml"]).0, 0);
    assert!(whole == curves(&root));
    assert_eq!(judged, optbench(folder.path(), &["check", "results/c", "--format", "json"]).1);
    // A part of a folder that all parts share trains its own runs of the look that is due.
    let part = |i: usize| optbench(folder.path(), &["run", "c.toml", "--out", "parts", "--shard", &format!("{i}/2")]);
    for place in 0..4 {
        let (code, _, said) = part(1 + place % 2);
        assert_eq!(code, 0, "{said}");
        // At each look the first part that comes has to wait for the other one.
        assert_eq!(said.contains("of other parts"), place < 3, "{place}: {said}");
    }
    assert!(whole == curves(&folder.path().join("parts")));
    let merged = optbench(folder.path(), &["merge", "results/c", "parts", "--out", "merged"]);
    assert_eq!(merged.0, 0, "{}", merged.2);
    assert_eq!(judged, optbench(folder.path(), &["check", "merged", "--format", "json"]).1);
}

#[test]
fn parts_without_a_shared_folder_and_arrays_are_refused() {
    let folder = folder(&["seeds = { looks = [2, 3] }", TASK, NEAR, CLAIM]);
    let part = ["run", "c.toml", "--shard", "1/2"];
    let (code, _, said) = optbench(folder.path(), &part);
    assert!(code == 0 && said.contains("2 runs of other parts are missing"), "{said}");
    let (code, _, said) = optbench(folder.path(), &part);
    assert!(code == 2 && said.contains("this folder has no run of another part"), "{said}");
    let (code, _, said) = optbench(folder.path(), &["submit", "c.toml", "--engine", "slurm", "--dry-run"]);
    assert!(code == 2 && said.contains("planned looks decide as they go"), "{said}");
}

#[test]
fn without_claims_training_stops_when_one_arm_is_left() {
    let folder = folder(&["seeds = { looks = [3, 5] }", TASK, FAR]);
    let (code, out, said) = optbench(folder.path(), &["run", "c.toml"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(seeds(folder.path()), (0..3).collect(), "{out}");
}

#[test]
fn the_chosen_settings_alone_are_judged_by_the_judge_seeds() {
    let rates =
        "[optimizers.good]\nkind = \"sgd\"\nlr = [0.5, 0.1]\n[optimizers.bad]\nkind = \"sgd\"\nlr = [1e-6, 1e-7]\n";
    let folder = folder(&["seeds = 2\njudge_seeds = { looks = [3, 4] }", TASK, rates, CLAIM]);
    let (_, dry, _) = optbench(folder.path(), &["run", "c.toml", "--dry-run"]);
    assert!(dry.ends_with("at most 16 runs, 960 steps in total\n"), "{dry}");
    let (code, out, said) = optbench(folder.path(), &["run", "c.toml"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("the chosen settings under the judge seeds: 6 runs to train"), "{said}");
    let rows_of = rows(folder.path(), "runs.csv");
    assert_eq!(rows_of.len(), 8 + 6);
    let judged: Vec<_> = rows_of.iter().filter(|row| row["judge"] == "true").collect();
    assert!(judged.iter().all(|row| ["2", "3", "4"].contains(&row["seed"].as_str())));
    let good: BTreeSet<&str> =
        judged.iter().filter(|row| row["optimizer"] == "good").map(|row| row["lr"].as_str()).collect();
    assert_eq!(good, ["0.5"].into());
    let summary = rows(folder.path(), "summary.csv");
    assert_eq!(summary.iter().map(|row| row["runs"].as_str()).collect::<Vec<_>>(), ["2", "3", "2", "2", "3", "2"]);
    // What is reported is the mean of the judges alone.
    let mean = summary.iter().find(|row| row["judge"] == "true" && row["optimizer"] == "good").unwrap();
    let percent = 100.0 * mean["final_test_accuracy_mean"].parse::<f64>().unwrap();
    assert!(out.contains(&format!("{percent:.2}%")), "{percent}: {out}");
    assert!(out.contains("look 1 of 2, with 3 of at most 4 judge seeds"), "{out}");
}

#[test]
fn finalists_are_trained_under_all_seeds_and_reported_without_the_seed_of_the_search() {
    let search = "[tuning]\nbudget = 4\n[optimizers.sgd]\nlr = { log = [1e-2, 1], points = 4 }\n";
    let folder = folder(&["seeds = 4", TASK, search]);
    let (_, dry, _) = optbench(folder.path(), &["run", "c.toml", "--dry-run"]);
    assert!(dry.contains("the best 3 again under 3 more seeds"), "{dry}");
    assert!(dry.ends_with("13 runs, 780 steps in total\n"), "{dry}");
    let (code, out, said) = optbench(folder.path(), &["run", "c.toml"]);
    assert_eq!(code, 0, "{said}");
    let runs = rows(folder.path(), "runs.csv");
    assert_eq!(runs.len(), 13);
    let rates: BTreeSet<&str> = runs.iter().map(|row| row["lr"].as_str()).collect();
    let with = |lr: &str| runs.iter().filter(|row| row["lr"] == lr).collect::<Vec<_>>();
    let mean = |lr: &str, key: &str, least: u64| {
        let of: Vec<f64> = with(lr)
            .into_iter()
            .filter(|row| row["seed"].parse::<u64>().unwrap() >= least)
            .map(|row| row[key].parse().unwrap())
            .collect();
        of.iter().sum::<f64>() / of.len() as f64
    };
    let finalists: Vec<&str> = rates.into_iter().filter(|lr| with(lr).len() == 4).collect();
    assert_eq!(finalists.len(), 3);
    let best = finalists
        .into_iter()
        .max_by(|a, b| mean(a, "final_val_accuracy", 0).total_cmp(&mean(b, "final_val_accuracy", 0)))
        .unwrap();
    let percent = 100.0 * mean(best, "final_test_accuracy", 1);
    assert!(out.contains(&format!("{percent:.2}%")), "{percent}: {out}");
}

#[test]
fn seeds_that_are_added_after_results_were_seen_ask_for_more_evidence() {
    let folder = folder(&["seeds = 3", TASK, FAR, CLAIM]);
    assert_eq!(optbench(folder.path(), &["run", "c.toml"]).0, 0);
    let fixed = json(folder.path(), &["check", "results/c", "--format", "json"]);
    assert_eq!(fixed["claims"][0]["basis"], "fixed", "{fixed}");
    let (code, out, said) = optbench(folder.path(), &["run", "c.toml", "--set", "seeds=4", "--extend"]);
    assert_eq!(code, 0, "{said}");
    assert!(out.contains("Seeds were added after results were seen"), "{out}");
    let (_, check, _) = optbench(folder.path(), &["check", "results/c"]);
    assert!(check.contains("Seeds were added after results were seen"), "{check}");
    let added = json(folder.path(), &["check", "results/c", "--format", "json"]);
    assert_eq!(added["claims"][0]["basis"], "anytime", "{added}");
    // More rates are no more seeds.
    let other = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("c.toml"), other.path().join("c.toml")).unwrap();
    assert_eq!(optbench(other.path(), &["run", "c.toml"]).0, 0);
    let more = ["run", "c.toml", "--extend", "--set", "optimizers.good.lr=[0.5,0.3]"];
    assert_eq!(optbench(other.path(), &more).0, 0);
    let found = json(other.path(), &["check", "results/c", "--format", "json"]);
    assert_eq!(found["claims"][0]["basis"], "fixed", "{found}");
}
