//! What a program is told, and how it is read.

use std::fs;

use optbench::results::{Status, Store};
use serde_json::{Value, json};

use crate::{folder, optbench, records, said};

const READS: &str = r#"
seeds = [4]
steps = 4
eval_every = 2
[tasks.t]
command = ["sh", "-c", "cat $OPTBENCH_RUN; echo; echo \"$OPTBENCH_DEVICE $CUDA_VISIBLE_DEVICES $OMP_NUM_THREADS\"; echo '{\"step\": 4, \"split\": \"val\", \"loss\": 1}'"]
metrics = { loss = "lower" }
steps_per_epoch = 2
[optimizers.adamw]
lr = 0.1
[optimizers.bare]
kind = "external"
widths = [[64, 32]]
[optimizers.wrapped]
kind = "schedule_free"
base = { kind = "sgd", momentum = 0.5 }
lr = 1
[schedules.linear]
[schedules.reduce_on_plateau]
metric = "loss"
[schedules.one_cycle]
[schedules.theirs]
kind = "external"
power = 2
"#;

/// The run file and the line after it, as the program printed them.
fn told(folder: &std::path::Path, run: &str) -> (Value, String) {
    let output = fs::read_to_string(folder.join("results/reads/runs").join(run).join("output.log")).unwrap();
    let mut lines = output.lines().filter(|line| !line.is_empty());
    (serde_json::from_str(lines.next().unwrap()).unwrap(), lines.next().unwrap().to_owned())
}

#[test]
fn a_run_file_says_what_the_contract_says() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("reads.toml"), READS).unwrap();
    let arguments = ["run", "reads.toml", "--devices", "3", "--threads", "5"];
    let output = optbench(folder.path(), &arguments);
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains(" runs have finished"), "the config is read back as it was: {}", said(&output));
    let (file, environment) = told(folder.path(), "t-adamw-linear-lr0.1-s4");
    assert_eq!(environment, "3 3 5");
    let keys: Vec<&String> = file.as_object().unwrap().keys().collect();
    let expected = [
        "run",
        "task",
        "seed",
        "steps",
        "eval_every",
        "evaluations",
        "steps_per_epoch",
        "optimizer",
        "schedule",
        "learning_rates",
        "out",
        "resume",
    ];
    assert_eq!(keys, expected);
    assert_eq!((&file["seed"], &file["steps"], &file["evaluations"]), (&json!(4), &json!(4), &json!([0, 2, 4])));
    assert_eq!(file["optimizer"]["settings"]["beta1"], json!(0.9), "also where the config is silent");
    let rates: Vec<f64> = serde_json::from_value(file["learning_rates"].clone()).unwrap();
    assert_eq!(rates, [0.1, 0.1 * 0.75, 0.1 * 0.5, 0.1 * 0.25]);
    assert_eq!((&file["resume"], &file["task"]), (&json!(false), &json!("t")));
    let (file, _) = told(folder.path(), "t-bare-linear-s4");
    assert_eq!(file["optimizer"], json!({"label": "bare", "kind": "external", "settings": {"widths": [64, 32]}}));
    assert!(file.get("learning_rates").is_none(), "without a rate there are none");
    let (file, _) = told(folder.path(), "t-wrapped-linear-lr1-s4");
    assert_eq!(file["optimizer"]["settings"]["base"]["momentum"], json!(0.5));
    assert!(told(folder.path(), "t-adamw-reduce_on_plateau-lr0.1-s4").0.get("learning_rates").is_none());
    assert!(told(folder.path(), "t-adamw-one_cycle-lr0.1-s4").0["momentum"].is_array());
    let (file, _) = told(folder.path(), "t-adamw-theirs-lr0.1-s4");
    assert_eq!(file["schedule"], json!({"label": "theirs", "kind": "external", "settings": {"power": 2}}));
    assert!(file.get("learning_rates").is_none());
}

#[test]
fn text_for_people_and_files_are_read_too() {
    let script = "i=0; while [ $i -lt 10 ]; do i=$((i + 5)); echo \"step $i loss 0.$i\"; echo \"val loss: 0.$i, acc 0.7\" >&2; \
                  sleep 0.05; done";
    let log = "printf 'step,train_loss,val_loss,val_accuracy\\n5,0.5,,\\n10,,0.25,0.75\\n' >{out}/metrics.csv";
    for (keys, script) in [
        (
            "patterns = { step = \"^step ([0-9]+)\", loss = \"loss ([0-9.]+)$\", \"val.loss\" = \"val loss: ([0-9.]+)\", \
          \"val.accuracy\" = \"acc ([0-9.]+)\" }",
            script,
        ),
        ("log = \"metrics.csv\"", log),
    ] {
        let folder = folder(keys, &["good"]);
        let command = format!("tasks.t.command=[\"sh\", \"-c\", {}]", json!(script));
        let output = optbench(folder.path(), &["run", "it.toml", "--set", &command]);
        let record = records(folder.path()).remove("good").unwrap();
        assert_eq!(record.status, Status::Finished, "{}", said(&output));
        assert_eq!(record.validation.unwrap().iter().count(), 2);
        let steps = fs::read_to_string(folder.path().join("results/it/runs").join(&record.run).join("steps.csv"));
        assert!(steps.unwrap().contains("5,,,0.5,\n"));
    }
}

#[test]
fn commands_are_shown_before_anything_runs_and_files_decide() {
    let folder = folder("", &["good"]);
    let shown = said(&optbench(folder.path(), &["run", "it.toml", "--dry-run"]));
    assert!(shown.contains("OPTBENCH_RUN=") && shown.contains("sh program.sh good 10 "), "{shown}");
    assert!(!folder.path().join("results").exists());
    let run = || said(&optbench(folder.path(), &["run", "it.toml"]));
    assert!(run().contains("1 run of 1 to train"));
    assert!(run().contains("0 runs of 1 to train"), "{}", run());
    // How runs are watched is no reason to train them again, and what decides their numbers is.
    let watched = ["run", "it.toml", "--set", "tasks.t.timeout=\"1 hour\""];
    let watched = said(&optbench(folder.path(), &watched));
    assert!(watched.contains("0 runs of 1 to train"), "{watched}");
    let script = folder.path().join("program.sh");
    fs::write(&script, fs::read_to_string(&script).unwrap() + "\n# another\n").unwrap();
    let changed = optbench(folder.path(), &["run", "it.toml"]);
    assert!(!changed.status.success() && said(&changed).contains("--fresh"), "{}", said(&changed));
    let store = Store::new(folder.path().join("results/it"));
    let record = store.inventory().unwrap().records().unwrap().remove(0);
    assert_eq!(record.identity.unwrap().device, "external");
}

#[test]
fn mistakes_in_the_config_are_told_at_their_place() {
    let folder = folder("", &["good"]);
    for (set, parts) in [
        ("tasks.t.timeout=\"soon\"", &["not a valid time", "10 minutes"][..]),
        ("tasks.t.patterns={ \"val.loss\" = \"loss [0-9\" }", &["not a valid regular expression"]),
        ("tasks.t.patterns={ \"val.loss\" = \"loss\" }", &["0 groups in parentheses"]),
        ("tasks.t.metrics={ accuracy = \"lower\" }", &["of `accuracy`, higher is better"]),
        ("tasks.t.metrics={}", &["`metrics` is", "{ loss = \"lower\" }"]),
        ("tasks.t.metric=\"f1\"", &["has no metric `f1`"]),
        ("tasks.t.files=[\"*.py\"]", &["`files` names `*.py`, and there is no such file"]),
        ("tasks.t.command=[\"sh\", \"{optimizer.rate}\"]", &["nothing is known as `{optimizer.rate}`"]),
        ("epochs=2", &["there are no epochs here", "`steps_per_epoch`"]),
        ("tasks.d.model=\"mlp\"", &["optimizer `o` is `external`, and task `d` is trained by optbench"]),
        ("tasks.t.model=\"imported\"", &["unknown key `command`"]),
    ] {
        let output = optbench(folder.path(), &["run", "it.toml", "--set", set]);
        let said = said(&output);
        assert!(!output.status.success() && parts.iter().all(|part| said.contains(part)), "{set}: {said}");
        assert!(!folder.path().join("results").exists(), "{set}: nothing was trained");
    }
}

const REWARDS: &str = r#"
seeds = 4
steps = 10
[tasks.t]
command = ["sh", "-c", "echo '{\"step\": 10, \"split\": \"val\", \"episode/reward\": '$((100 + {seed} * {seed} + {optimizer.gain} * (30 + {seed}) / 30))'}'"]
metrics = { "episode/reward" = "higher" }
target = { "episode/reward" = 150 }
common_random_numbers = false
[optimizers.low]
kind = "external"
gain = 0
[optimizers.high]
kind = "external"
gain = 60
[schedules.theirs]
kind = "external"
[claims.higher]
better = "high+theirs"
than = "low+theirs"
by = "10%"
"#;

#[test]
fn metrics_of_any_name_are_ranked_claimed_and_drawn_and_seeds_that_share_nothing_are_no_pairs() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rewards.toml"), REWARDS).unwrap();
    let run = |set: &str| {
        let output = optbench(folder.path(), &["run", "rewards.toml", "--set", set]);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let said_of_run = run("tasks.t.common_random_numbers=false");
    assert!(
        said_of_run.contains("high+theirs is the best of 2 arms") && said_of_run.contains("Welch's test"),
        "{said_of_run}"
    );
    assert!(folder.path().join("results/rewards/charts/t-episode_reward.svg").exists());
    let check = || {
        let output = optbench(folder.path(), &["check", "results/rewards", "--format", "json"]);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let lead = |check: &Value| check["claims"][0]["parts"][0].clone();
    let unpaired = lead(&check());
    // The same records, read as pairs.
    let paired = run("tasks.t.common_random_numbers=true");
    assert!(!paired.contains("Welch's test") && paired.contains("0 runs of 8 to train"), "{paired}");
    assert_ne!(unpaired, lead(&check()));
    assert_eq!(unpaired["finding"], lead(&check())["finding"]);
}
