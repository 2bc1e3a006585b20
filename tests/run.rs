//! `optbench run` from the outside: what it writes, what it skips, what it refuses.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CONFIG: &str = r#"
name = "small"
seeds = 2
steps = 30
eval_every = 10
[tasks.digits]
model = "mlp"
hidden = [16]
batch_size = 32
target = { accuracy = 0.3 }
[tasks.bowl]
model = "quadratic"
[optimizers.sgd]
lr = [0.05, 1e9]
[optimizers.schedule_free_adamw]
lr = 0.01
[schedules.constant]
[schedules.cosine]
warmup = "10%"
"#;

fn optbench(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    command.env("OPTBENCH_OFFLINE", "1").current_dir(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with the config in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), CONFIG).unwrap();
    folder
}

/// Every curve below a results folder.
fn curves(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for run in fs::read_dir(root.join("runs")).unwrap() {
        let run = run.unwrap().path();
        for file in ["steps.csv", "evals.csv"] {
            let name = format!("{}/{file}", run.file_name().unwrap().to_str().unwrap());
            all.insert(name, fs::read(run.join(file)).unwrap());
        }
    }
    all
}

fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).unwrap().into_deserialize().map(Result::unwrap).collect()
}

#[test]
fn a_run_leaves_what_the_contract_promises() {
    let folder = folder();
    let output = optbench(folder.path(), &["run", "small.toml"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let root = folder.path().join("results/small");
    for file in ["experiment.toml", "provenance.json", "runs.csv", "summary.csv", "report.html"] {
        assert!(root.join(file).is_file(), "{file}");
    }
    for chart in ["digits-loss", "digits-accuracy", "digits-lr_sensitivity", "bowl-loss", "bowl-lr_sensitivity"] {
        assert!(fs::read_to_string(root.join(format!("charts/{chart}.svg"))).unwrap().contains("<svg"));
        assert!(fs::read(root.join(format!("charts/{chart}.png"))).unwrap().starts_with(b"\x89PNG"));
    }

    let runs = table(&root.join("runs.csv"));
    assert_eq!(runs.len(), 2 * (2 + 1) * 2 * 2, "tasks x (rates of sgd + 1) x schedules x seeds");
    let diverged = runs.iter().filter(|run| run["status"] == "diverged").count();
    let hopeless = runs.iter().filter(|run| run["task"] == "bowl" && run["lr"] == "1000000000").count();
    assert_eq!((hopeless, diverged >= hopeless), (4, true), "a rate of 1e9 diverges on the bowl");
    let one = runs.iter().find(|run| run["run"] == "digits-schedule_free_adamw-cosine-lr0.01-s1").unwrap();
    for (key, value) in [("seed", "1"), ("lr", "0.01"), ("beta2", "0.999"), ("steps", "30"), ("status", "finished")] {
        assert_eq!(one[key], value, "{key}");
    }
    assert_eq!(one["schedule.warmup"], "10%");
    assert_eq!(one["momentum"], "", "a column of another optimizer is empty");
    assert_eq!(one["final_val_perplexity"], "");
    assert!(one["steps_to_target"].parse::<u64>().unwrap() > 0);
    assert!(one["state_bytes"].parse::<u64>().unwrap() > 0);

    let steps = table(&root.join("runs/digits-schedule_free_adamw-cosine-lr0.01-s1/steps.csv"));
    assert_eq!(steps.len(), 30);
    assert_eq!(steps[0]["step"], "1");
    assert!((steps[0]["lr"].parse::<f64>().unwrap() - 0.01 / 3.0).abs() < 1e-15, "the warmup's first rate");
    let evaluations = table(&root.join("runs/digits-schedule_free_adamw-cosine-lr0.01-s1/evals.csv"));
    let at: Vec<(&str, &str)> = evaluations.iter().map(|row| (row["step"].as_str(), row["split"].as_str())).collect();
    assert_eq!(at, [("0", "val"), ("10", "val"), ("20", "val"), ("30", "val"), ("30", "test")]);
    let bowl = table(&root.join("runs/bowl-sgd-constant-lr0.05-s0/evals.csv"));
    assert!(bowl.iter().all(|row| row["split"] == "val" && row["epoch"].is_empty() && row["accuracy"].is_empty()));

    let summary = table(&root.join("summary.csv"));
    assert_eq!(summary.len(), runs.len() / 2);
    assert!(summary.iter().all(|arm| arm["runs"] == "2"));
}

#[test]
fn curves_do_not_depend_on_jobs_and_a_second_run_trains_nothing() {
    let folder = folder();
    for (jobs, out) in [("1", "a"), ("2", "b"), ("2", "c")] {
        assert!(optbench(folder.path(), &["run", "small.toml", "--jobs", jobs, "--out", out]).status.success());
    }
    let first = curves(&folder.path().join("a"));
    assert!(first.len() >= 48);
    assert!(first == curves(&folder.path().join("b")) && first == curves(&folder.path().join("c")));

    let records = fs::read(folder.path().join("a/runs.csv")).unwrap();
    let again = optbench(folder.path(), &["run", "small.toml", "--out", "a"]);
    assert!(text(&again.stderr).contains("0 runs of 24 to train"), "{}", text(&again.stderr));
    assert_eq!(fs::read(folder.path().join("a/runs.csv")).unwrap(), records, "seconds included: nothing was trained");

    fs::remove_dir_all(folder.path().join("a/runs/bowl-sgd-cosine-lr0.05-s0")).unwrap();
    let mended = optbench(folder.path(), &["run", "small.toml", "--out", "a"]);
    assert!(text(&mended.stderr).contains("1 run of 24 to train"), "{}", text(&mended.stderr));
    assert!(first == curves(&folder.path().join("a")));
}

/// Every kind of network, with what is drawn at random or carried along beside the weights.
const NETWORKS: &str = r#"
name = "networks"
seeds = 2
steps = 8
eval_every = 8
[tasks.cnn]
model = "cnn"
channels = [4, 8]
hidden = 16
batch_norm = true
dropout = 0.3
dataset = "digits"
batch_size = 16
[tasks.fused_cnn]
model = "cnn"
channels = [8, 16]
hidden = 16
dropout = 0.3
dataset = "digits"
batch_size = 16
[tasks.resnet]
model = "resnet"
width = 4
dataset = "digits"
batch_size = 16
label_smoothing = 0.1
[tasks.reader]
model = "lstm_lm"
embedding = 8
hidden = 16
layers = 2
seq_len = 20
dropout = 0.2
batch_size = 16
[tasks.rememberer]
model = "lstm_lm"
embedding = 16
hidden = 16
tied = true
stateful = true
seq_len = 20
batch_size = 16
# Its products are large enough for several threads.
[tasks.wide]
model = "mlp"
hidden = [512, 512]
dataset = "digits"
batch_size = 512
[optimizers.adamw]
average = "ema"
average_decay = 0.5
[optimizers.schedule_free_sgd]
lr = 0.1
"#;

#[test]
fn no_network_s_curves_depend_on_jobs_or_threads() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("networks.toml"), NETWORKS).unwrap();
    for (jobs, threads, out) in [("1", "1", "a"), ("1", "2", "b"), ("5", "1", "c")] {
        let arguments = ["run", "networks.toml", "--jobs", jobs, "--threads", threads, "--out", out];
        let output = optbench(folder.path(), &arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let first = curves(&folder.path().join("a"));
    assert_eq!(first.len(), 2 * 6 * 2 * 2, "files x tasks x optimizers x seeds");
    for out in ["b", "c"] {
        for (name, bytes) in &curves(&folder.path().join(out)) {
            assert!(first[name] == *bytes, "{name} of {out}");
        }
    }
    let seeds = ["s0", "s1"].map(|seed| &first[&format!("cnn-adamw-constant-lr0.001-{seed}/steps.csv")]);
    assert_ne!(seeds[0], seeds[1], "not the same because nothing happens");
}

#[test]
fn the_resolved_config_is_the_same_experiment() {
    let folder = folder();
    assert!(optbench(folder.path(), &["run", "small.toml"]).status.success());
    let resolved = "results/small/experiment.toml";
    let again = optbench(folder.path(), &["run", resolved]);
    assert!(text(&again.stderr).contains("0 runs of 24 to train"), "{}", text(&again.stderr));
    assert!(fs::read_to_string(folder.path().join(resolved)).unwrap().contains("beta2 = 0.999"));
}

#[test]
fn another_experiment_in_the_same_folder_is_refused_with_the_difference() {
    let folder = folder();
    assert!(optbench(folder.path(), &["run", "small.toml"]).status.success());
    let before = curves(&folder.path().join("results/small"));
    let other = optbench(folder.path(), &["run", "small.toml", "--set", "steps=31"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("steps: was 30, is 31"), "{}", text(&other.stderr));
    assert!(before == curves(&folder.path().join("results/small")));
    let unasked = optbench(folder.path(), &["run", "small.toml", "--set", "steps=31", "--fresh"]);
    assert_eq!(unasked.status.code(), Some(2));
    assert!(before == curves(&folder.path().join("results/small")), "nobody said yes");
    assert!(optbench(folder.path(), &["run", "small.toml", "--set", "steps=31", "--fresh", "--yes"]).status.success());
}

#[test]
fn an_experiment_is_extended_and_its_runs_are_not_trained_again() {
    let folder = folder();
    let run = |more: &[&str]| optbench(folder.path(), &[&["run", "small.toml"], more].concat());
    assert!(run(&["--set", "seeds=1"]).status.success());
    let root = folder.path().join("results/small");
    let before = curves(&root);
    let refused = run(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("help: `--extend` keeps the existing runs"), "{}", text(&refused.stderr));
    let extended = run(&["--extend"]);
    assert!(extended.status.success(), "{}", text(&extended.stderr));
    assert!(text(&extended.stderr).contains("12 runs of 24 to train"), "{}", text(&extended.stderr));
    let after = curves(&root);
    assert_eq!(after.len(), 2 * before.len());
    assert!(before.iter().all(|(file, bytes)| after[file] == *bytes));
    assert!(run(&["--extend", "--set", "optimizers.sgd.lr=[0.01,0.05,1e9]"]).status.success(), "another rate");
    for (change, words) in [
        ("steps=31", "bowl-schedule_free_adamw-constant-lr0.01-s0 was trained with other settings"),
        ("seeds=1", "-s1 is not a run of the new experiment"),
    ] {
        let refused = run(&["--extend", "--set", "optimizers.sgd.lr=[0.01,0.05,1e9]", "--set", change]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains(words), "{}", text(&refused.stderr));
        let unasked = run(&["--set", "optimizers.sgd.lr=[0.01,0.05,1e9]", "--set", change]);
        assert!(!text(&unasked.stderr).contains("--extend"), "{}", text(&unasked.stderr));
    }
}

#[test]
fn provenance_tells_of_every_start_that_trained() {
    let folder = folder();
    let run = |more: &[&str]| {
        assert!(optbench(folder.path(), &[&["run", "small.toml"], more].concat()).status.success());
        let text = fs::read(folder.path().join("results/small/provenance.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()
    };
    let first = run(&["--jobs", "1", "--shard", "1/2"]);
    assert_eq!((&first["jobs"], first.get("earlier")), (&1.into(), None));
    let second = run(&["--jobs", "2"]);
    assert_eq!((&second["jobs"], &second["earlier"][0]), (&2.into(), &first));
    assert_eq!(run(&["--jobs", "1", "--threads", "7"]), second, "nothing was trained");
    let sum = Command::new("sha256sum").arg(folder.path().join("results/small/experiment.toml")).output();
    if let Ok(sum) = sum {
        assert!(text(&sum.stdout).contains(second["config_sha256"].as_str().unwrap()));
    }
}

#[test]
fn a_dry_run_lists_and_trains_nothing() {
    let folder = folder();
    let output = optbench(folder.path(), &["run", "small.toml", "--dry-run", "--set", "seeds=[7]"]);
    assert!(output.status.success());
    let listed = text(&output.stdout);
    assert!(listed.contains("digits-sgd-cosine-lr0.05-s7  30 steps\n"), "{listed}");
    assert!(listed.ends_with("12 runs, 360 steps in total\n"), "{listed}");
    assert!(!folder.path().join("results").exists());
}

#[test]
fn an_optimizer_runs_on_its_own_tasks_only() {
    let folder = folder();
    let path = folder.path().join("small.toml");
    let own = CONFIG
        .replace("[optimizers.schedule_free_adamw]", "[optimizers.schedule_free_adamw]\ntasks = [\"digits\"]")
        + "[claims.where_both_are]\nbetter = \"sgd+cosine\"\nthan = \"schedule_free_adamw+cosine\"\nmargin = 1.0\n";
    fs::write(path, own).unwrap();
    let output = optbench(folder.path(), &["run", "small.toml"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows = table(&folder.path().join("results/small/runs.csv"));
    let on = |optimizer: &str, task: &str| {
        rows.iter().filter(|row| row["optimizer"] == optimizer && row["task"] == task).count()
    };
    assert_eq!((on("sgd", "digits"), on("sgd", "bowl")), (8, 8));
    assert_eq!((on("schedule_free_adamw", "digits"), on("schedule_free_adamw", "bowl")), (4, 0));
    let judged = text(&optbench(folder.path(), &["check", "results/small"]).stdout);
    assert!(judged.contains("where_both_are") && !judged.contains("has not run"), "{judged}");
    let again = optbench(folder.path(), &["run", "results/small/experiment.toml", "--dry-run"]);
    assert!(text(&again.stdout).contains("20 runs"), "{}", text(&again.stdout));
}

#[test]
fn shards_are_disjoint_and_together_whole() {
    let folder = folder();
    let listed = |shard: &str| -> Vec<String> {
        let output = optbench(folder.path(), &["run", "small.toml", "--dry-run", "--shard", shard]);
        text(&output.stdout).lines().filter(|line| line.ends_with("30 steps")).map(str::to_owned).collect()
    };
    let mut parts = [listed("1/3"), listed("2/3"), listed("3/3")].concat();
    let mut whole = listed("1/1");
    assert_eq!(listed("2/3").len(), 8);
    parts.sort();
    whole.sort();
    assert_eq!(parts, whole);
    assert_eq!(optbench(folder.path(), &["run", "small.toml", "--shard", "4/3"]).status.code(), Some(2));
}

#[test]
fn exit_codes_tell_usage_from_failure() {
    let folder = folder();
    let code = |arguments: &[&str]| optbench(folder.path(), arguments).status.code();
    assert_eq!(code(&["run", "small.toml", "--set", "stepz=1"]), Some(2));
    assert_eq!(code(&["run", "small.toml", "--jobs", "0"]), Some(2));
    assert_eq!(code(&["report", "nowhere"]), Some(2));
    assert_eq!(code(&["list", "optimizers", "adamv"]), Some(2));
    assert_eq!(code(&["run", "absent.toml"]), Some(2));
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_what_is_finished_and_the_next_start_goes_on() {
    let folder = folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_optbench"))
        .current_dir(folder.path())
        .args(["run", "small.toml", "--jobs", "1", "--set", "steps=3000", "--set", "tasks.digits.hidden=[256,256]"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let runs = folder.path().join("results/small/runs");
    let finished = || {
        let entries = fs::read_dir(&runs).into_iter().flatten().flatten();
        entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count()
    };
    let start = std::time::Instant::now();
    while finished() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before a run was finished");
        assert!(start.elapsed().as_secs() < 300, "no run was finished in five minutes");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let status = child.wait_with_output().unwrap().status;
    assert_eq!(status.code(), Some(130));
    let kept = finished();
    assert!((1..24).contains(&kept));
    assert!(folder.path().join("results/small/runs.csv").is_file());
}
