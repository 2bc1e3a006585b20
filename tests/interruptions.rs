//! Pulling the plug: whatever happens to a sweep, the same command ends it with the same bytes.
//!
//! `OPTBENCH_KILLS=1000 cargo test --release --test interruptions killed -- --nocapture` pulls it 1,000 times, for which
//! `OPTBENCH_PROGRAM` may name a copy of the program, so that another can be built meanwhile.
#![cfg(unix)]
#![expect(clippy::print_stdout, reason = "the figures are what the test measures")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use optbench::catalog::Catalog;
use optbench::config::Experiment;
use optbench::length::Timeline;
use optbench::registry::Described;
use optbench::registry::Fallback::Required;
use optbench::rng::Stream;
use optbench::schedule::{self, SCHEDULES};
use optbench::sweep::Plan;
use optbench::task::data::Library;
use optbench::task::model::{Kind, MODELS};

const CONFIG: &str = concat!(
    r#"
name = "plug"
seeds = 1
steps = 600
eval_every = 50
checkpoint_every = 20
probe = ["gradients"]
[tasks.digits]
model = "mlp"
hidden = [256, 256]
[tasks.normalised]
dataset = "digits"
model = "cnn"
channels = [4]
hidden = 16
batch_norm = true
dropout = 0.1
[tasks.text]
model = "lstm_lm"
embedding = 8
hidden = 16
seq_len = 16
stateful = true
[tasks.groups]
dataset = "digits"
model = "resnet"
width = 2
blocks = [1, 1]
batch_size = 8
[tasks.attention]
model = "transformer_lm"
layers = 1
heads = 2
embedding = 8
seq_len = 16
dropout = 0.1
[tasks.table]
model = "linear"
dataset = "csv"
path = ""#,
    env!("CARGO_MANIFEST_DIR"),
    r#"/tests/tables/diabetes.csv"
label = "progression"
task = "regression"
[tasks.plain]
model = "logistic"
[tasks.bowl]
model = "quadratic"
[tasks.valley]
model = "rosenbrock"
[tasks.written]
model = "formula"
variables = { x = -1.5, y = 2 }
value = "(1 - x)^2 + (y - x^2)^2"
[optimizers.sgd]
lr = 0.05
momentum = 0.9
schedules = ["reduce_on_plateau", "greedy"]
[optimizers.radam]
lr = 0.003
schedules = ["one_after_the_other"]
[optimizers.schedule_free_adamw]
lr = 0.01
warmup = "10%"
schedules = ["both_at_once"]
[schedules.reduce_on_plateau]
patience = 0
cooldown = 1
[schedules.greedy]
patience = 0
window = 3
[schedules.one_after_the_other]
kind = "sequential"
warmup = "5%"
parts = [
    { kind = "reduce_on_plateau", patience = 0, factor = 0.5, length = "50%" },
    { kind = "chained", parts = ["cosine", { kind = "reduce_on_plateau", patience = 1 }] },
]
[schedules.both_at_once]
kind = "chained"
parts = [
    { kind = "reduce_on_plateau", patience = 1, factor = 0.7 },
    { kind = "sequential", parts = [{ kind = "linear", length = "40%" }, { kind = "reduce_on_plateau", patience = 0 }] },
]
"#
);
/// The program whose plug is pulled.
static OPTBENCH: LazyLock<String> =
    LazyLock::new(|| std::env::var("OPTBENCH_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_optbench").to_owned()));
const RUNS: usize = 40;
const PATHS: usize = 12;
/// What a finished run's folder holds, beside its record and nothing else; a path where the task is a
/// function of two numbers.
const FILES: [&str; 4] = ["evals.csv", "gradients.csv", "path.csv", "steps.csv"];

fn files(run: &str) -> impl Iterator<Item = &'static str> {
    let function = ["bowl", "valley", "written"].iter().any(|task| run.starts_with(task));
    FILES.into_iter().filter(move |file| function || *file != "path.csv")
}

fn command(program: &str, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    if program != *OPTBENCH {
        command.arg(&*OPTBENCH);
    }
    command.current_dir(folder).args(["run", "plug.toml", "--jobs", "2"]).args(arguments).stdout(Stdio::null());
    command
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    command(&OPTBENCH, folder, arguments).stderr(Stdio::null()).spawn().unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plug.toml"), CONFIG).unwrap();
    folder
}

/// The curves of the finished runs.
fn curves(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for run in fs::read_dir(root.join("runs")).into_iter().flatten().flatten() {
        let name = run.file_name().into_string().unwrap();
        if !name.starts_with('.') {
            for file in files(&name) {
                all.insert(format!("{name}/{file}"), fs::read(run.path().join(file)).unwrap());
            }
        }
    }
    all
}

fn checkpoints(root: &Path) -> usize {
    let runs = fs::read_dir(root.join("runs")).into_iter().flatten().flatten();
    runs.filter(|run| run.path().join("checkpoint.safetensors").is_file()).count()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// A model or a schedule with a state that nobody kills would prove nothing by its absence.
#[test]
fn every_model_and_every_schedule_with_a_state_is_among_what_is_killed() {
    let plan = Plan::new(
        Experiment::parse(&Catalog::built_in(), "plug.toml", CONFIG, "plug", &[]).unwrap(),
        &Library::default(),
    )
    .unwrap();
    assert_eq!(plan.runs.len(), RUNS);
    let models: BTreeSet<&str> = plan.experiment.tasks.iter().map(|task| task.model.name()).collect();
    let here = MODELS.iter().filter(|definition| !matches!(definition.kind, Kind::Program | Kind::Imported));
    assert_eq!(models, here.map(|definition| definition.about.name).collect());
    assert!(plan.runs.iter().all(|run| !plan.schedule(run).unwrap().state().is_empty()));
    let killed: BTreeSet<&str> = plan.experiment.schedules.iter().map(|schedule| schedule.kind.name()).collect();
    // Those that are made of others have the state of these.
    assert!(["sequential", "chained"].iter().all(|kind| killed.contains(kind)));
    let timeline = Timeline { steps: 600, steps_per_epoch: Some(20), beta2: None };
    for definition in SCHEDULES.iter().filter(|one| one.about.keys.iter().all(|key| key.default != Required)) {
        let settings = definition.defaults();
        let has_state = !schedule::build(&settings, &timeline).unwrap().state().is_empty();
        assert!(!has_state || killed.contains(definition.about.name), "{}", definition.about.name);
    }
}

#[test]
fn a_killed_sweep_ends_with_the_bytes_of_an_undisturbed_one() {
    let folder = folder();
    let whole = folder.path().join("whole");
    let begun = Instant::now();
    assert!(start(folder.path(), &["--out", "whole"]).wait().unwrap().success());
    let undisturbed = begun.elapsed();
    let expected = curves(&whole);
    assert_eq!(expected.len(), 3 * RUNS + PATHS, "a path of each run on a function");

    let wanted: usize = std::env::var("OPTBENCH_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(12);
    let mut dice = Stream::new(0, "kills");
    let (mut kills, mut sweeps, mut taken_up) = (0, 0, 0);
    // The machine may be as busy now as it was not before, and the other way round.
    let mut pace = undisturbed;
    while kills < wanted {
        let out = format!("killed-{sweeps}");
        let root = folder.path().join(&out);
        let before = kills;
        sweeps += 1;
        loop {
            let mut child = start(folder.path(), &["--out", &out]);
            // The last start of a sweep may run to its end; the earlier ones rarely do.
            std::thread::sleep(pace.mul_f64(dice.between(0.01, 0.25)));
            let finished = child.try_wait().unwrap();
            if let Some(status) = finished {
                assert!(status.success());
                break;
            }
            signal(&child, "-KILL");
            child.wait().unwrap();
            kills += 1;
            if (kills - before).is_multiple_of(30) {
                pace = pace.mul_f64(1.5);
            }
            taken_up += usize::from(checkpoints(&root) > 0);
            for (file, bytes) in curves(&root) {
                assert!(bytes == expected[&file], "{file} counted as finished after kill {kills}, but differs");
            }
        }
        assert!(curves(&root) == expected, "sweep {sweeps} differs after its kills");
        if kills - before < 8 {
            pace = pace.mul_f64(0.6);
        }
        assert_eq!(fs::read_to_string(root.join("runs.csv")).unwrap().lines().count(), 1 + RUNS);
        let left = fs::read_dir(root.join("runs")).unwrap().flatten().filter(|e| e.path().is_dir()).count();
        assert_eq!(left, RUNS, "nothing half done is left");
        for run in fs::read_dir(root.join("runs")).unwrap().flatten() {
            let entries = fs::read_dir(run.path()).unwrap().flatten();
            let found: BTreeSet<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
            let name = run.file_name().into_string().unwrap();
            let expected = files(&name).chain(["run.toml"]).map(str::to_owned).collect();
            assert_eq!(found, expected, "{name}");
        }
        println!(
            "{kills} kills, {sweeps} sweeps to the end, {taken_up} with a checkpoint to go on from: \
             0 losses, 0 duplicates, 0 differing bytes"
        );
    }
    assert!(taken_up > 0, "some run was taken up from its checkpoint");
}

/// Waits until the sweep trains something.
fn until_under_way(child: &mut Child, root: &Path) {
    let under_way = || fs::read_dir(root.join("runs")).into_iter().flatten().flatten().any(|run| run.path().is_dir());
    while !under_way() {
        assert!(child.try_wait().unwrap().is_none(), "ended before it trained anything");
        std::thread::sleep(Duration::from_millis(10));
    }
}

const LONG: [&str; 4] = ["--set", "steps=200000", "--set", "eval_every=50000"];

#[test]
fn a_terminated_sweep_stops_cleanly_within_two_seconds_and_goes_on() {
    let folder = folder();
    // A machine that is busy elsewhere may hold one stop up, but not each.
    let in_time = (0..3).any(|attempt| {
        let out = format!("long-{attempt}");
        let root = folder.path().join(&out);
        let mut child = start(folder.path(), &[&LONG[..], &["--out", &out]].concat());
        until_under_way(&mut child, &root);
        // What took less than a second is not worth keeping.
        std::thread::sleep(Duration::from_millis(2500));
        signal(&child, "-TERM");
        let asked = Instant::now();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let took = asked.elapsed();
        assert!(checkpoints(&root) > 0, "what was under way is kept");
        took < Duration::from_secs(2)
    });
    assert!(in_time, "each stop took two seconds or more");
}

/// How long a process takes to end once it is asked to; nothing where that is more than ten seconds.
fn ends(child: &mut Child) -> Option<Duration> {
    assert!(child.try_wait().unwrap().is_none(), "it must be at work when it is asked");
    signal(child, "-TERM");
    let asked = Instant::now();
    while asked.elapsed() < Duration::from_secs(10) {
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(130));
            return Some(asked.elapsed());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

/// Data that never come, and a log that takes nothing more: both last longer than any step.
#[test]
fn nobody_waits_for_what_does_not_end() {
    const PIPE: &str = "name = \"plug\"\nseeds = 1\nsteps = 9\n[tasks.text]\nmodel = \"lstm_lm\"\npath = \"pipe\"\n\
                        [optimizers.sgd]\n";
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    fs::write(folder.path().join("plug.toml"), PIPE).unwrap();
    // A machine that is busy elsewhere may hold one stop up, but not each.
    let in_time = |ends: &mut dyn FnMut() -> Option<Duration>| {
        (0..3).any(|_| ends().expect("it ends at all") < Duration::from_secs(2))
    };
    let mut reading = || {
        let mut child = start(folder.path(), &["--out", "reading"]);
        std::thread::sleep(Duration::from_millis(500));
        ends(&mut child)
    };
    assert!(in_time(&mut reading), "data that never come");

    fs::write(folder.path().join("plug.toml"), CONFIG).unwrap();
    let mut talking = || {
        let (_nobody_reads, log) = std::io::pipe().unwrap();
        let mut full = log.try_clone().unwrap();
        std::thread::spawn(move || while full.write_all(&[b'.'; 1024]).is_ok() {});
        std::thread::sleep(Duration::from_millis(200));
        let mut child = command(&OPTBENCH, folder.path(), &["--out", "talking"]).stderr(log).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        ends(&mut child)
    };
    assert!(in_time(&mut talking), "a log that takes nothing more");
}

#[test]
fn a_sweep_under_nohup_outlives_its_terminal() {
    let folder = folder();
    let root = folder.path().join("long");
    let arguments = [&LONG[..], &["--out", "long"]].concat();
    let mut child = command("nohup", folder.path(), &arguments).stderr(Stdio::null()).spawn().unwrap();
    until_under_way(&mut child, &root);
    signal(&child, "-HUP");
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "the signal that a closed terminal sends ended it");
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn two_processes_share_a_sweep_without_training_anything_twice() {
    let folder = folder();
    assert!(start(folder.path(), &["--out", "whole"]).wait().unwrap().success());
    let both = [(); 2].map(|()| command(&OPTBENCH, folder.path(), &["--out", "shared"]).stderr(Stdio::piped()).spawn());
    let said = both.map(|child| {
        let output = child.unwrap().wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    });
    let expected = curves(&folder.path().join("whole"));
    assert!(curves(&folder.path().join("shared")) == expected);
    assert_eq!(fs::read_to_string(folder.path().join("shared/runs.csv")).unwrap().lines().count(), 1 + RUNS);
    // A line for each run that a process trained: `[3/21] bowl-sgd-... val loss ...`.
    let trained = said.iter().flat_map(|said| said.lines()).filter(|line| line.starts_with('['));
    let trained: Vec<&str> = trained.map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!((trained.len(), trained.iter().collect::<BTreeSet<_>>().len()), (RUNS, RUNS), "{trained:?}");
}

#[test]
fn a_torn_checkpoint_costs_work_but_no_result() {
    let folder = folder();
    assert!(start(folder.path(), &["--out", "whole"]).wait().unwrap().success());
    let root = folder.path().join("torn");
    let mut child = start(folder.path(), &["--out", "torn"]);
    while checkpoints(&root) == 0 {
        std::thread::sleep(Duration::from_millis(5));
        assert!(child.try_wait().unwrap().is_none(), "finished before it could be disturbed");
    }
    signal(&child, "-KILL");
    child.wait().unwrap();
    for run in fs::read_dir(root.join("runs")).unwrap().flatten() {
        let checkpoint = run.path().join("checkpoint.safetensors");
        if let Ok(bytes) = fs::read(&checkpoint) {
            fs::write(&checkpoint, &bytes[..bytes.len() / 2]).unwrap();
        }
    }
    assert!(start(folder.path(), &["--out", "torn"]).wait().unwrap().success());
    assert!(curves(&root) == curves(&folder.path().join("whole")));
}
