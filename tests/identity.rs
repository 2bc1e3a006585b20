//! Results of different data, devices or revisions are not mixed, and what differs is named; what is the same stays,
//! however it is called.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const OPTBENCH: &str = env!("CARGO_BIN_EXE_optbench");
const CONFIG: &str = "name = \"small\"\nseeds = 1\nsteps = 20\n[tasks.reader]\nmodel = \"lstm_lm\"\nembedding = 4\nhidden = 8\n\
                      seq_len = 10\nbatch_size = 8\npath = \"my.txt\"\n[tasks.bowl]\nmodel = \"quadratic\"\n\
                      [optimizers.sgd]\nlr = [0.1, 0.3]\n";
/// For what needs no data.
const BOWL: &str = "name = \"small\"\nseeds = 1\nsteps = 30\neval_every = 5\n[tasks.bowl]\nmodel = \"quadratic\"\n\
                    [optimizers.sgd]\nlr = 0.1\nmomentum = 0.9\n";

/// The SHA-256 of the texts, from `sha256sum`.
const DIGESTS: [&str; 2] = [
    "72e30364652a2617f44e843f7906ef43eba7919df9a0447517ef6273cb59c221",
    "929f3e43948a4775db4893ec1d927baca09515876d7ba06f74abf85742adced5",
];

fn text(number: usize) -> String {
    ["the quick brown fox jumps over the lazy dog\n", "pack my box with five dozen liquor jugs\n"][number].repeat(100)
}

fn optbench(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(OPTBENCH).env("OPTBENCH_OFFLINE", "1").current_dir(folder).args(arguments).output().unwrap()
}

fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), config).unwrap();
    fs::write(folder.path().join("my.txt"), text(0)).unwrap();
    folder
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn succeeds(output: Output) -> Output {
    assert!(output.status.success(), "{}", said(&output));
    output
}

#[track_caller]
fn refused(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
    for words in words {
        assert!(said(output).contains(words), "{words} is not in: {}", said(output));
    }
}

/// Every curve below a results folder.
fn curves(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for run in fs::read_dir(root.join("runs")).unwrap().flatten() {
        for file in ["steps.csv", "evals.csv"] {
            let name = format!("{}/{file}", run.file_name().to_string_lossy());
            all.insert(name, fs::read(run.path().join(file)).unwrap());
        }
    }
    all
}

/// Changes the records of all runs in a folder.
fn edit(root: &Path, change: impl Fn(&str) -> String) {
    for run in fs::read_dir(root.join("runs")).unwrap().flatten() {
        let record = run.path().join("run.toml");
        let text = fs::read_to_string(&record).unwrap();
        fs::write(&record, change(&text)).unwrap();
    }
    let _ = fs::remove_file(root.join("records.toml"));
}

/// A record as it was before it told of its conditions.
fn older(record: &str) -> String {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in record.lines() {
        inside = if line.starts_with('[') { line.starts_with("[identity") } else { inside };
        if let Some(fingerprint) = line.strip_prefix("fingerprint = ") {
            lines.push(format!("fingerprint = {}\"", &fingerprint[..17]));
        } else if !inside {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn a_text_that_was_edited_is_refused_by_name_wherever_runs_would_be_added() {
    let folder = folder(CONFIG);
    let run = |more: &[&str]| optbench(folder.path(), &[&["run", "small.toml"], more].concat());
    succeeds(run(&[]));
    let root = folder.path().join("results/small");
    let before = curves(&root);
    fs::write(folder.path().join("my.txt"), text(1)).unwrap();
    let place = folder.path().join("my.txt").display().to_string();
    let words = ["`my.txt` (dataset `text`) has changed", DIGESTS[0], DIGESTS[1], place.as_str(), "help: `"];
    for more in [&[][..], &["--extend", "--set", "seeds=2"], &["--extend", "--dry-run", "--set", "seeds=2"]] {
        refused(&run(more), 2, &words);
    }
    assert!(curves(&root) == before);
    // Another working directory has its own file of that name.
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("my.txt"), text(1)).unwrap();
    fs::write(folder.path().join("my.txt"), text(0)).unwrap();
    let place = other.join("my.txt").display().to_string();
    refused(&optbench(&other, &["run", "../small.toml", "--out", "../results/small"]), 2, &["has changed", &place]);

    // The file restored, nothing is trained; under another name, it is the same data.
    assert!(said(&succeeds(run(&[]))).contains("0 runs of 4 to train"));
    fs::write(folder.path().join("copy.txt"), text(0)).unwrap();
    let renamed = run(&["--extend", "--set", "tasks.reader.path=copy.txt"]);
    assert!(said(&succeeds(renamed)).contains("0 runs of 4 to train"));
    fs::write(folder.path().join("copy.txt"), text(1)).unwrap();

    // Both ways on work as they are given.
    let refusal = said(&run(&["--set", "tasks.reader.path=copy.txt"]));
    let help = refusal.lines().find(|line| line.contains("help: ")).unwrap();
    let commands: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
    assert_eq!(commands.len(), 2, "{help}");
    for command in commands {
        let yes = if command.contains("--fresh") { " --yes" } else { "" };
        let pasted = Command::new("sh").current_dir(folder.path()).args(["-c", &format!("{command}{yes}")]).output();
        succeeds(pasted.unwrap());
    }
    assert!(folder.path().join("results/small-2/runs").is_dir());
    assert!(curves(&root) != before);
}

#[test]
fn a_run_that_was_interrupted_does_not_go_on_with_other_data() {
    let folder = folder(CONFIG);
    let arguments = ["run", "small.toml", "--jobs", "1", "--set", "checkpoint_every=1000", "--set", "steps=100000000"];
    let mut child = Command::new(OPTBENCH)
        .current_dir(folder.path())
        .args(arguments)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let runs = folder.path().join("results/small/runs");
    let has_checkpoint = || {
        let entries = fs::read_dir(&runs).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.path().join("checkpoint.safetensors").is_file())
    };
    while !has_checkpoint() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before there was a checkpoint");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // Beside a process that trains, too.
    fs::write(folder.path().join("my.txt"), text(1)).unwrap();
    let words = ["`my.txt` (dataset `text`) has changed", DIGESTS[0], DIGESTS[1]];
    let beside = optbench(folder.path(), &arguments);
    child.kill().unwrap();
    child.wait().unwrap();
    refused(&beside, 2, &words);
    refused(&optbench(folder.path(), &arguments), 2, &words);
    assert!(has_checkpoint(), "what there is stays");
    fs::write(folder.path().join("my.txt"), text(0)).unwrap();
    let whole = optbench(folder.path(), &[&arguments[..], &["--extend", "--dry-run"]].concat());
    assert!(shown(&succeeds(whole)).contains("4 new runs"));
}

#[test]
fn folders_of_other_data_do_not_merge_and_are_no_baseline() {
    let folder = folder(CONFIG);
    let optbench = |arguments: &[&str]| optbench(folder.path(), arguments);
    succeeds(optbench(&["run", "small.toml", "--out", "a", "--shard", "1/2"]));
    succeeds(optbench(&["run", "small.toml", "--out", "same"]));
    fs::write(folder.path().join("my.txt"), text(1)).unwrap();
    succeeds(optbench(&["run", "small.toml", "--out", "b", "--shard", "2/2"]));
    succeeds(optbench(&["run", "small.toml", "--out", "now"]));
    let words = ["task `reader`: `my.txt` (dataset `text`) has changed", DIGESTS[0], DIGESTS[1], "`optbench run "];
    refused(&optbench(&["merge", "a", "b", "--out", "c"]), 2, &words);
    assert!(!folder.path().join("c/runs").exists());
    refused(&optbench(&["merge", "b", "--out", "same"]), 2, &["has changed"]);
    succeeds(optbench(&["merge", "a", "same", "--out", "c"]));
    // Also where the first folder has no run of that task.
    succeeds(optbench(&["run", "small.toml", "--out", "function", "--shard", "3/4"]));
    refused(&optbench(&["merge", "function", "a", "now", "--out", "d"]), 2, &["now cannot be merged", "has changed"]);
    refused(&optbench(&["check", "now", "--baseline", "same"]), 3, &words);
    // The same data under another name can be compared.
    fs::write(folder.path().join("copy.txt"), text(0)).unwrap();
    succeeds(optbench(&["run", "small.toml", "--out", "renamed", "--set", "tasks.reader.path=copy.txt"]));
    succeeds(optbench(&["check", "renamed", "--baseline", "same"]));

    // Folders from before records told of their conditions: provenance.json tells of the data.
    let old = folder.path().join("same");
    edit(&old, older);
    refused(&optbench(&["check", "now", "--baseline", "same"]), 3, &words);
    refused(&optbench(&["merge", "same", "now", "--out", "d"]), 2, &["has changed"]);
    succeeds(optbench(&["check", "renamed", "--baseline", "same"]));
    for command in [&["report", "same"][..], &["plot", "same"], &["merge", "same", "--out", "e"]] {
        succeeds(optbench(command));
    }
    let add = optbench(&["run", "small.toml", "--out", "same", "--extend"]);
    refused(&add, 2, &["was made by an earlier optbench", "--out same-2` keeps these results", "--fresh` deletes"]);
    fs::remove_file(old.join("provenance.json")).unwrap();
    refused(&optbench(&["check", "renamed", "--baseline", "same"]), 3, &["tasks.reader.path: was"]);
    let unknown = succeeds(optbench(&["check", "now", "--baseline", "same"]));
    assert!(said(&unknown).contains("does not say which data task `reader` was trained on"), "{}", said(&unknown));
}

#[test]
fn other_devices_and_revisions_are_not_mixed_and_a_baseline_may_have_other_revisions() {
    let folder = folder(BOWL);
    let optbench = |arguments: &[&str]| optbench(folder.path(), arguments);
    let root = folder.path().join("old");
    let words = ["optimizer sgd computes other numbers in this optbench: its revision was 7, is 1", "--fresh` deletes"];
    for (was, is, words, code) in [
        ("device = \"cpu\"", "device = \"cuda\"", &["the device was `cuda`, is `cpu`"][..], 3),
        ("\"optimizer sgd\" = 1", "\"optimizer sgd\" = 7", &words, 0),
    ] {
        succeeds(optbench(&["run", "small.toml", "--out", "old", "--fresh", "--yes"]));
        succeeds(optbench(&["run", "small.toml", "--out", "now"]));
        edit(&root, |record| {
            assert!(record.contains(was), "{record}");
            record.replace(was, is)
        });
        refused(&optbench(&["run", "small.toml", "--out", "old"]), 2, words);
        refused(&optbench(&["merge", "old", "now", "--out", "both"]), 2, &words[..1]);
        let checked = optbench(&["check", "now", "--baseline", "old"]);
        refused(&checked, code, if code == 3 { words } else { &[] });
    }
}

/// The names of the runs of a folder.
fn names(root: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(root.join("runs")).unwrap().flatten().map(|run| run.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_setting_that_becomes_a_list_and_a_label_whose_name_clashes_keep_every_run() {
    let folder = folder(&BOWL.replace("[optimizers.sgd]", "[optimizers.\"a b\"]\nkind = \"sgd\""));
    let run = |more: &[&str]| optbench(folder.path(), &[&["run", "small.toml"], more].concat());
    succeeds(run(&[]));
    let root = folder.path().join("results/small");
    let before = curves(&root);
    assert_eq!(names(&root), ["bowl-a_b-constant-lr0.1-s0"]);
    let list = ["--set", "optimizers.\"a b\".momentum=[0.5,0.9]", "--set", "optimizers.\"a b\".lr=[0.1,0.01]"];
    let list = [&list[..], &["--set", "optimizers.a_b.kind=\"adam\"", "--set", "optimizers.a_b.lr=0.1"]].concat();
    let looked = succeeds(run(&[&list[..], &["--extend", "--dry-run", "--set", "seeds=2"]].concat()));
    let words = "9 new runs, 270 steps in total; 1 run is there and stays as it is";
    assert!(shown(&looked).contains(words), "{}", shown(&looked));
    assert!(shown(&looked).contains("Seeds added to results (1) are noted"), "{}", shown(&looked));
    assert_eq!(names(&root).len(), 1, "nothing was trained");
    let extended = succeeds(run(&[&list[..], &["--extend", "--set", "seeds=2"]].concat()));
    assert!(said(&extended).contains("9 runs of 10 to train"), "{}", said(&extended));
    let after = curves(&root);
    assert!(after.len() == 20 && before.iter().all(|(file, bytes)| after[file] == *bytes), "{:?}", names(&root));
    // Whoever starts again finds the same names; and a fresh folder comes to the same runs.
    let again = succeeds(run(&[&list[..], &["--set", "seeds=2"]].concat()));
    assert!(said(&again).contains("0 runs of 10 to train"), "{}", said(&again));
    succeeds(run(&[&list[..], &["--set", "seeds=2", "--out", "fresh"]].concat()));
    let table = |root: &Path| {
        let text = fs::read_to_string(root.join("summary.csv")).unwrap();
        text.lines().map(|row| row.split(',').take(8).collect::<Vec<_>>().join(",")).collect::<Vec<_>>()
    };
    assert_eq!(table(&root), table(&folder.path().join("fresh")));
    // Merged, a run is one run, whatever its folder is called.
    let merged = succeeds(optbench(folder.path(), &["merge", "results/small", "fresh", "--out", "both"]));
    assert!(said(&merged).contains("fresh: 0 runs taken, 10 known"), "{}", said(&merged));

    let provenance = |root: &str| {
        let text = fs::read(folder.path().join(root).join("provenance.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()
    };
    assert_eq!(provenance("results/small")["extended"], serde_json::json!([1]));
    assert_eq!(provenance("both").as_array().unwrap().last().unwrap()["extended"], serde_json::json!([1]));
    assert!(provenance("fresh").get("extended").is_none(), "they were planned");
}

#[test]
fn another_target_is_read_from_the_evaluations() {
    let folder = folder(BOWL);
    let run = |more: &[&str]| optbench(folder.path(), &[&["run", "small.toml"], more].concat());
    let target = ["--set", "tasks.bowl.target={loss=0.05}", "--set", "seeds=2"];
    succeeds(run(&["--set", "seeds=2"]));
    let asked = run(&target);
    refused(&asked, 2, &["tasks.bowl.target.loss", "help: `--extend` keeps the existing runs"]);
    let looked = succeeds(run(&[&target[..], &["--extend", "--dry-run"]].concat()));
    assert!(shown(&looked).contains("Task `bowl` has another target"), "{}", shown(&looked));
    assert!(said(&succeeds(run(&[&target[..], &["--extend"]].concat()))).contains("0 runs of 2 to train"));
    succeeds(run(&[&target[..], &["--out", "fresh"]].concat()));
    let reached = |root: &str| -> Vec<String> {
        let mut rows = csv::Reader::from_path(folder.path().join(root).join("runs.csv")).unwrap();
        let place = rows.headers().unwrap().iter().position(|name| name == "steps_to_target").unwrap();
        rows.records().map(|row| row.unwrap()[place].to_owned()).collect()
    };
    assert!(reached("fresh").iter().all(|step| !step.is_empty()), "{:?}", reached("fresh"));
    assert_eq!(reached("results/small"), reached("fresh"));
    let without = run(&["--extend", "--set", "seeds=2"]);
    succeeds(without);
    assert_eq!(reached("results/small"), ["", ""]);
}

#[test]
fn what_is_no_results_folder_is_a_usage_error_and_no_baseline() {
    let folder = folder(BOWL);
    let optbench = |arguments: &[&str]| optbench(folder.path(), arguments);
    succeeds(optbench(&["run", "small.toml", "--out", "now"]));
    for command in [
        &["report", "my.txt"][..],
        &["plot", "my.txt"],
        &["check", "my.txt"],
        &["merge", "my.txt", "--out", "c"],
        &["merge", "now", "--out", "my.txt"],
        &["run", "small.toml", "--out", "my.txt"],
    ] {
        refused(&optbench(command), 2, &["`my.txt` is a file; expected the folder"]);
    }
    refused(&optbench(&["check", "now", "--baseline", "my.txt"]), 3, &["`my.txt` is a file"]);
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::copy(folder.path().join("now/experiment.toml"), empty.join("experiment.toml")).unwrap();
    fs::write(empty.join("records.toml"), "").unwrap();
    for command in [&["report", "empty"][..], &["check", "empty", "--baseline", "now"], &["plot", "empty"]] {
        refused(&optbench(command), 2, &[]);
    }
    refused(&optbench(&["check", "now", "--baseline", "empty"]), 3, &["holds no run"]);
}
