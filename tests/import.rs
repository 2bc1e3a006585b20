//! `optbench import`: what others recorded, judged like what optbench trains.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What a command prints to standard output and says beside it, where it ends as expected.
fn said(code: i32, folder: &Path, arguments: &[&str]) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    let output = command.env("OPTBENCH_OFFLINE", "1").current_dir(folder).args(arguments).output().unwrap();
    let [out, talk] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}:\n{out}{talk}");
    (out, talk)
}

fn put(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The rows of a CSV file, each as the cells of some columns.
fn cells(path: &Path, columns: &[&str]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let headers = reader.headers().unwrap().clone();
    let place = |name: &&str| {
        headers.iter().position(|header| header == *name).unwrap_or_else(|| panic!("{name}: {headers:?}"))
    };
    let places: Vec<usize> = columns.iter().map(place).collect();
    reader.records().map(|row| places.iter().map(|place| row.as_ref().unwrap()[*place].to_owned()).collect()).collect()
}

const CONFIG: &str = r#"
name = "trained"
seeds = 3
steps = 60
eval_every = 20
[tasks.digits]
model = "logistic"
[optimizers.adamw]
lr = [1e-3, 1e-2]
[optimizers.sgd]
lr = [0.1]
[schedules.constant]
[schedules.cosine]
[claims.adamw_wins]
better = "adamw+cosine"
than = "sgd+cosine"
"#;

/// Trains, and writes the curves of all runs as one long table.
fn trained(folder: &Path) -> PathBuf {
    put(folder, "trained.toml", CONFIG);
    said(0, folder, &["run", "trained.toml", "--out", "trained", "--log", "tensorboard"]);
    let root = folder.join("trained");
    let columns = ["run", "optimizer", "schedule", "seed", "lr"];
    let mut long = String::from("run,task,optimizer,schedule,seed,lr,step,split,metric,value\n");
    for row in cells(&root.join("runs.csv"), &columns) {
        let [run, optimizer, schedule, seed, lr] = &row[..] else { panic!("{row:?}") };
        let start = format!("{run},digits,{optimizer},{schedule},{seed},{lr}");
        for row in cells(&root.join("runs").join(run).join("evals.csv"), &["step", "split", "loss", "accuracy"]) {
            for (metric, value) in ["loss", "accuracy"].iter().zip(&row[2..]) {
                long += &format!("{start},{},{},{metric},{value}\n", row[0], row[1]);
            }
        }
        for row in cells(&root.join("runs").join(run).join("steps.csv"), &["step", "loss"]) {
            long += &format!("{start},{},train,loss,{}\n", row[0], row[1]);
        }
    }
    put(folder, "curves.csv", &long);
    root
}

/// The ranking of a report: labels, chosen rate and mean scores.
fn ranking(folder: &Path, results: &str) -> Vec<Value> {
    let report: Value = serde_json::from_str(&said(0, folder, &["report", results, "--format", "json"]).0).unwrap();
    let ranks = report["tasks"][0]["ranks"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    let kept = ["optimizer", "schedule", "rank", "chosen", "validation", "reported", "may_be_best", "difference"];
    ranks.iter().map(|rank| kept.iter().map(|key| (*key, rank[*key].clone())).collect()).collect()
}

#[test]
fn what_was_trained_here_says_the_same_when_it_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    trained(folder);
    put(folder, "claims.toml", &CONFIG[CONFIG.find("[claims").unwrap()..]);
    let (report, talk) = said(
        0,
        folder,
        &["import", "curves.csv", "--out", "theirs", "--claims", "claims.toml", "--metric", "accuracy=higher"],
    );
    assert!(talk.contains("arms are ranked by accuracy"), "{talk}");
    assert!(report.contains("On digits, "), "{report}");
    assert_eq!(ranking(folder, "theirs"), ranking(folder, "trained"));
    let judged = |results| -> Value {
        let (text, _) = said(0, folder, &["check", results, "--format", "json"]);
        let judged: Value = serde_json::from_str(&text).unwrap();
        judged["claims"].clone()
    };
    let claims = judged("theirs");
    assert_eq!(claims, judged("trained"));
    assert!(claims[0]["finding"].is_string(), "{claims:#}");
    let columns =
        ["task", "optimizer", "schedule", "seed", "lr", "status", "steps", "final_val_loss", "final_test_accuracy"];
    let runs = |results: &str| {
        let mut rows = cells(&folder.join(results).join("runs.csv"), &columns);
        rows.sort();
        rows
    };
    assert_eq!(runs("theirs"), runs("trained"));
    // The folder says who computed the numbers.
    let record = fs::read_to_string(folder.join("theirs/runs/digits-adamw-constant-lr0.001-s0/run.toml")).unwrap();
    assert!(record.contains("device = \"external\"") && record.contains("curves.csv\""), "{record}");
    assert!(!record.contains("optbench ="), "{record}");
    said(0, folder, &["plot", "theirs", "--format", "svg"]);
    let refused = said(2, folder, &["run", "theirs/experiment.toml", "--out", "again"]).1;
    assert!(refused.contains("imported"), "{refused}");
}

#[test]
fn tensorboard_s_files_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let root = trained(folder);
    let talk = said(0, folder, &["import", "trained/tensorboard", "--out", "events", "--task", "digits"]).1;
    assert!(talk.contains("optimizers: adamw, sgd") && talk.contains("schedules: constant, cosine"), "{talk}");
    assert!(talk.contains("tasks: digits"), "{talk}");
    let columns = ["run", "optimizer", "schedule", "seed", "final_val_accuracy"];
    let rounded = |row: Vec<String>| {
        let score = row[4].parse::<f64>().unwrap() as f32;
        (row[..4].to_vec(), score.to_bits())
    };
    let mut runs: Vec<_> = cells(&root.join("runs.csv"), &columns).into_iter().map(rounded).collect();
    let mut read: Vec<_> = cells(&folder.join("events/runs.csv"), &columns).into_iter().map(rounded).collect();
    runs.sort();
    read.sort();
    assert_eq!(read, runs);
}

#[test]
fn final_scores_alone_are_enough() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // As MLflow exports it.
    let mut table = String::from("run_id,status,metrics.val_acc,params.lr,params.optimizer,params.seed,start_time\n");
    for (i, (optimizer, score)) in
        [("adam", 90), ("adam", 91), ("adam", 92), ("lion", 70), ("lion", 72), ("lion", 71)].iter().enumerate()
    {
        table += &format!("id{i},FINISHED,{score}.5,0.01,{optimizer},{},2026-01-0{}\n", i % 3, i + 1);
    }
    table += "id9,FAILED,,0.01,lion,3,2026-01-09\n";
    put(folder, "mlflow.csv", &table);
    let (report, talk) = said(0, folder, &["import", "mlflow.csv", "--out", "scores"]);
    assert!(talk.contains("  metrics.val_acc   val.accuracy "), "{talk}");
    assert!(report.contains("91.50"), "percent are shares: {report}");
    let rows = cells(&folder.join("scores/runs.csv"), &["optimizer", "seed", "status", "final_val_accuracy"]);
    assert_eq!(rows[0], ["adam", "0", "finished", "0.905"]);
    assert_eq!(rows[6][..3], ["lion", "3", "failed"]);
    said(0, folder, &["import", "mlflow.csv", "--out", "again"]);
    let gate = said(0, folder, &["check", "again", "--baseline", "scores"]).0;
    assert!(gate.contains("no regression in 2 arms"), "{gate}");
    // Of what nobody recorded there is no chart.
    let mut charts: Vec<_> =
        fs::read_dir(folder.join("scores/charts")).unwrap().map(|file| file.unwrap().file_name()).collect();
    charts.sort();
    assert!(
        charts.iter().all(|name| !["seconds", "learning_rate", "training"]
            .iter()
            .any(|part| name.to_string_lossy().contains(part))),
        "{charts:?}"
    );
    assert!(!charts.is_empty());
}

#[test]
fn runs_without_seeds_are_not_paired() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut table = String::from("optimizer,val_loss\n");
    for i in 0..4 {
        table += &format!("a,1.{i}\nb,2.{i}\n");
    }
    put(folder, "scores.csv", &table);
    said(0, folder, &["import", "scores.csv", "--out", "out"]);
    let config = fs::read_to_string(folder.join("out/experiment.toml")).unwrap();
    assert!(config.contains("common_random_numbers = false"), "{config}");
    let report = said(0, folder, &["report", "out"]).0;
    assert!(report.contains("independent"), "{report}");
}

#[test]
fn hyper_parameters_of_a_random_search_do_not_multiply() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut table = String::from("optimizer,lr,weight_decay,eps,beta1,seed,val_loss\n");
    for i in 1..=100 {
        table += &format!(
            "adamw,{},{},{},{},0,{}\n",
            f64::from(i) * 1e-4,
            f64::from(i) * 1e-3,
            f64::from(i) * 1e-9,
            f64::from(i) / 101.0,
            1.0 / f64::from(i)
        );
    }
    put(folder, "search.csv", &table);
    said(0, folder, &["import", "search.csv", "--out", "out"]);
    let rows = cells(&folder.join("out/runs.csv"), &["lr", "weight_decay", "beta1", "status"]);
    assert_eq!((rows.len(), rows[0][3].as_str()), (100, "finished"));
}

#[test]
fn nothing_is_left_of_what_cannot_be_imported_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "good.csv", "optimizer,seed,step,val_loss\nsgd,0,10,0.5\nsgd,1,10,0.25\n");
    put(folder, "bad.csv", "optimizer,seed,step,val_loss\nsgd,0,10,0.5\nsgd,1,10,half\n");
    put(folder, "odd.csv", "optimizer,seed,step,wombats\nsgd,0,10,0.5\nsgd,0,20,0.25\n");
    put(folder, "claims.toml", "# a claim\n[claims.a]\nbetter = \"sdg\"\nthan = \"sgd\"\n");
    put(folder, "config.toml", "seeds = 3\n");
    for (arguments, problem) in [
        (&["bad.csv"][..], "bad.csv:3: `half` is not a number"),
        (&["good.csv", "bad.csv"], "bad.csv:3"),
        (&["none.csv"], "none.csv"),
        (&["good.csv", "--column", "lr=rate"], "there is no column `rate`"),
        (&["good.csv", "--column", "rate"], "expected OURS=THEIRS"),
        (&["good.csv", "--metric", "loss=up"], "expected NAME=higher or NAME=lower"),
        (&["good.csv", "--metric", "f1=higher"], "no column holds it"),
        (&["odd.csv"], "there are no scores of evaluations"),
        (&["good.csv", "--claims", "claims.toml"], "claims.toml:3:10"),
        (&["good.csv", "--claims", "config.toml"], "config.toml has a key `seeds`"),
        (&["good.csv", "good.csv"], "are the same run"),
        (&["claims.toml"], "there are no scores of evaluations"),
    ] {
        let talk = said(
            if arguments == ["none.csv"] { 1 } else { 2 },
            folder,
            &[&["import"], arguments, &["--out", "out"]].concat(),
        )
        .1;
        assert!(talk.contains(problem), "{arguments:?}: {talk}");
    }
    let mut left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["bad.csv", "claims.toml", "config.toml", "good.csv", "odd.csv"]);

    said(0, folder, &["import", "odd.csv", "--out", "out", "--metric", "wombats=lower"]);
    let before = fs::read_to_string(folder.join("out/runs.csv")).unwrap();
    let refused = said(2, folder, &["import", "good.csv", "--out", "out"]).1;
    assert!(refused.contains("out already exists; not overwritten"), "{refused}");
    assert_eq!(fs::read_to_string(folder.join("out/runs.csv")).unwrap(), before);
    fs::create_dir(folder.join("empty")).unwrap();
    said(0, folder, &["import", "good.csv", "--out", "empty"]);
}
