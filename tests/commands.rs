//! The smaller commands, on what a small sweep left.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use optbench::catalog::Catalog;
use optbench::optim::OPTIMIZERS;
use optbench::registry::Described;
use optbench::schedule::SCHEDULES;

fn optbench(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_optbench")).current_dir(folder).args(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn everything_registered_is_listed_and_explained() {
    let here = Path::new(".");
    let (_, all) = optbench(here, &["list"]);
    for definition in OPTIMIZERS {
        let name = definition.about.name;
        assert!(all.contains(name));
        let (code, text) = optbench(here, &["list", "optimizers", name]);
        assert_eq!(code, 0);
        for words in [definition.about.summary, definition.memory, definition.about.source] {
            assert!(text.contains(words), "{name}: {words}");
        }
        for key in definition.keys() {
            assert!(text.contains(key.name) && text.contains(key.help), "{name}: {}", key.name);
        }
        assert!(!definition.about.equations.is_empty(), "{name} has equations");
    }
    for definition in SCHEDULES {
        assert!(all.contains(definition.about.name) && !definition.about.equations.is_empty());
    }
}

#[test]
fn the_starter_config_is_valid_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(optbench(folder.path(), &["init"]).0, 0);
    let (code, listed) = optbench(folder.path(), &["run", "optbench.toml", "--dry-run"]);
    assert_eq!(code, 0);
    assert!(listed.contains("72 runs"), "{listed}");
    fs::write(folder.path().join("optbench.toml"), "mine").unwrap();
    assert_eq!(optbench(folder.path(), &["init"]).0, 2);
    assert_eq!(fs::read_to_string(folder.path().join("optbench.toml")).unwrap(), "mine");
    assert!(optbench(folder.path(), &["init", "-"]).1.contains("[tasks.digits]"));
}

#[test]
fn every_config_of_the_repository_is_valid() {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let entries = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for path in entries(&configs).chain(entries(&configs.join("study"))) {
        if path.extension().is_some_and(|extension| extension == "toml")
            && let Err(error) = optbench::config::Experiment::load(&Catalog::built_in(), &path, &[])
        {
            panic!("{error}");
        }
    }
}

#[test]
fn reports_and_plots_are_made_again_from_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let config = "seeds = 2\nsteps = 20\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\nlr = [0.01, 0.1]\n";
    fs::write(folder.path().join("bowl.toml"), config).unwrap();
    let (code, table) = optbench(folder.path(), &["run", "bowl.toml"]);
    assert_eq!(code, 0);
    let (_, whole) = optbench(folder.path(), &["report", "results/bowl"]);
    let more = whole.strip_prefix(&table).expect("what the run printed");
    assert!(more.contains("\nSensitivity to the learning rate\n") && more.contains("\nCost\n"), "{more}");
    assert!(table.starts_with("On bowl, sgd+constant reached final loss "), "{table}");
    let report = |format: &str| optbench(folder.path(), &["report", "results/bowl", "--format", format]).1;
    assert!(report("markdown").contains("| 1 | sgd | constant | lr 0.1 |"));
    assert!(report("markdown").contains("### Sensitivity to the learning rate"));
    assert!(report("csv").starts_with("task,rank,optimizer,schedule,chosen,metric,"));
    assert!(report("html").contains("<svg"));
    let json: serde_json::Value = serde_json::from_str(&report("json")).unwrap();
    assert_eq!(json["tasks"][0]["ranks"][0]["chosen"]["lr"], 0.1);

    let chart = folder.path().join("results/bowl/charts/bowl-loss.svg");
    let drawn = fs::read(&chart).unwrap();
    fs::remove_file(&chart).unwrap();
    let (_, files) = optbench(folder.path(), &["plot", "results/bowl", "--format", "svg"]);
    assert!(files.contains("bowl-loss.svg"));
    assert_eq!(fs::read(&chart).unwrap(), drawn);

    // What is kept of it draws what it can.
    fs::remove_dir_all(folder.path().join("results/bowl/runs")).unwrap();
    let (code, page) = optbench(folder.path(), &["report", "results/bowl", "--format", "html"]);
    assert!(code == 0 && page.contains("Only the records of the runs are here") && page.contains("<svg"), "{page}");
    let (_, files) = optbench(folder.path(), &["plot", "results/bowl", "--format", "svg"]);
    assert!(files.contains("bowl-lr_sensitivity.svg") && !files.contains("bowl-loss.svg"), "{files}");
}

#[test]
fn completions_are_for_the_shell_that_asked() {
    assert!(optbench(Path::new("."), &["completions", "bash"]).1.contains("_optbench"));
}

#[test]
fn schedules_are_previewed_as_they_will_be_logged() {
    let folder = tempfile::tempdir().unwrap();
    let config = "steps = 40\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\nlr = 0.2\nmomentum = 0.9\n\
                  [schedules.cosine]\nwarmup = \"10%\"\n[schedules.one_cycle]\n[schedules.cycle]\nkind = \"cosine\"\nperiod = 10\n";
    fs::write(folder.path().join("s.toml"), config).unwrap();
    let (code, csv) = optbench(folder.path(), &["schedule", "s.toml", "--csv", "-"]);
    assert_eq!(code, 0);
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["schedule", "step", "factor", "lr", "momentum"]);
    assert_eq!(rows.len(), 1 + 3 * 40);
    assert_eq!(rows[1], ["cosine", "1", "0.25", "0.05", ""]);
    assert_eq!((rows[41][0], rows[41][4]), ("one_cycle", "0.95"));

    assert_eq!(optbench(folder.path(), &["run", "s.toml", "--set", "seeds=1"]).0, 0);
    let logged =
        fs::read_to_string(folder.path().join("results/s/runs/bowl-sgd-one_cycle-lr0.2-s0/steps.csv")).unwrap();
    for (row, line) in rows[41..81].iter().zip(logged.lines().skip(1)) {
        let logged: Vec<&str> = line.split(',').collect();
        assert_eq!((row[1], row[3]), (logged[0], logged[2]));
    }

    assert_eq!(optbench(folder.path(), &["schedule", "s.toml", "--out", "s.png"]).0, 0);
    assert!(fs::read(folder.path().join("s.png")).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(optbench(folder.path(), &["schedule", "s.toml", "--task", "bowls"]).0, 2);
}

#[test]
fn a_search_by_halving_is_previewed_at_its_full_length() {
    let folder = tempfile::tempdir().unwrap();
    let config = "steps = 90\n[tasks.bowl]\nmodel = \"quadratic\"\n[tuning]\nbudget = 3\nhalving = { factor = 3, from = \"12%\" }\n\
                  [optimizers.sgd]\nlr = { log_uniform = [1e-3, 1e-1] }\n[schedules.reduce_on_plateau]\n";
    fs::write(folder.path().join("s.toml"), config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_optbench"))
        .current_dir(folder.path())
        .args(["schedule", "s.toml", "--csv", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1 + 90, "{said}");
    assert!(said.contains("note: schedule `reduce_on_plateau` depends on the evaluations of a run"), "{said}");
}

#[test]
fn odd_schedules_draw_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let config = "steps = 40\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\n\
                  [schedules.cycle]\nkind = \"cosine\"\nperiod = 10\n[schedules.late]\nkind = \"multi_step\"\nmilestones = [10, 50]\n";
    fs::write(folder.path().join("s.toml"), config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_optbench"))
        .current_dir(folder.path())
        .args(["run", "s.toml", "--dry-run"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("warning: schedule `cycle` on task `bowl`:"), "{said}");
    assert!(said.contains("warning: schedule `late` on task `bowl`:"), "{said}");
}

#[test]
fn charts_are_chosen_by_axis_metric_and_arm() {
    let folder = tempfile::tempdir().unwrap();
    let config = "seeds = 2\nsteps = 20\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\nlr = [0.01, 0.1]\n\
                  momentum = [0.0, 0.5]\n[optimizers.adam]\n";
    fs::write(folder.path().join("bowl.toml"), config).unwrap();
    assert_eq!(optbench(folder.path(), &["run", "bowl.toml"]).0, 0);
    let plot = |arguments: &[&str]| {
        let (code, files) =
            optbench(folder.path(), &[&["plot", "results/bowl", "--format", "svg"], arguments].concat());
        (code, files.lines().map(|line| line.rsplit(['/', '\\']).next().unwrap().to_owned()).collect::<Vec<_>>())
    };
    let all = plot(&[]).1;
    for name in
        ["loss", "loss_over_seconds", "lr_sensitivity", "momentum_sensitivity", "training_loss", "learning_rate"]
    {
        assert!(all.contains(&format!("bowl-{name}.svg")), "{name}: {all:?}");
    }
    let seconds = plot(&["--x", "seconds", "--metric", "loss"]).1;
    assert_eq!(
        seconds,
        [
            "bowl-loss_over_seconds.svg",
            "bowl-lr_sensitivity.svg",
            "bowl-momentum_sensitivity.svg",
            "bowl-sgd_lr_by_momentum.svg"
        ]
    );
    assert_eq!(plot(&["--chart", "*_sensitivity"]).1, ["bowl-lr_sensitivity.svg", "bowl-momentum_sensitivity.svg"]);
    let by_clock = plot(&["--x", "seconds"]).1;
    assert!(by_clock.contains(&"bowl-training_loss_over_seconds.svg".to_owned()), "{by_clock:?}");
    assert!(!by_clock.iter().any(|name| name.ends_with("learning_rate.svg") || name.ends_with("-loss.svg")));

    let read = |path: &str| fs::read_to_string(folder.path().join(path).join("bowl-loss.svg")).unwrap();
    let complete = read("results/bowl/charts");
    plot(&["--only", "adam+*"]);
    plot(&["--only", "sgd+*", "--out", "mine"]);
    assert_eq!(read("results/bowl/charts"), complete, "no part takes the place of the whole");
    for (drawn, there, gone) in
        [(read("results/bowl/charts/selection"), "adam+constant: ", "sgd+"), (read("mine"), "sgd+constant: ", "adam+")]
    {
        assert!(drawn.contains(there) && !drawn.contains(gone), "values of {there} alone");
    }
    assert_eq!(plot(&["--chart", "speed"]).0, 2);
    assert_eq!((plot(&["--only", "lion+*"]).0, plot(&["--metric", "speed"]).0), (2, 2));
}

#[test]
fn a_device_that_is_not_there_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), "steps = 1\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\n")
        .unwrap();
    for (device, words) in [
        ("cuda", if cfg!(feature = "cuda") { "cannot open cuda:0" } else { "--features cuda" }),
        ("cuda:7", if cfg!(feature = "cuda") { "cannot open cuda:7" } else { "built without CUDA" }),
        ("gpu", "expected `cpu`, `cuda` or `cuda:N`"),
    ] {
        if device == "cuda" && Path::new("/dev/nvidia0").exists() && cfg!(feature = "cuda") {
            continue;
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
        let output = command.current_dir(folder.path()).args(["run", "c.toml", "--device", device]).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{device}: {message}");
        assert!(message.contains(words), "{device}: {message}");
        assert!(!folder.path().join("results").exists());
    }
}

fn with_input(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    command.current_dir(folder).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A usage error may end the command before it has read anything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn a_config_comes_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let config = "steps = 4\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\n";
    let run = |arguments: &[&str], input: &str| with_input(folder.path(), arguments, input);
    for (name, text) in [("stdin", config.to_owned()), ("mine", format!("name = \"mine\"\n{config}"))] {
        assert_eq!(run(&["run", "-", "--set", "seeds=2"], &text).status.code(), Some(0));
        let resolved = fs::read_to_string(folder.path().join("results").join(name).join("experiment.toml")).unwrap();
        assert!(resolved.contains(&format!("name = \"{name}\"")), "{resolved}");
    }
    let csv = run(&["schedule", "-", "--csv", "-"], config);
    assert_eq!(String::from_utf8(csv.stdout).unwrap().lines().count(), 1 + 4);
    let mistaken = run(&["run", "-"], &config.replace("sgd", "sdg"));
    let said = String::from_utf8(mistaken.stderr).unwrap();
    assert_eq!(mistaken.status.code(), Some(2));
    assert!(said.contains("--> <stdin>:4:13") && said.contains("did you mean `sgd`?"), "{said}");
    assert_eq!(with_input(folder.path(), &["run", "missing.toml"], config).status.code(), Some(2));
}

#[test]
fn one_thing_is_no_plural() {
    const THINGS: [&str; 12] = [
        "runs",
        "seeds",
        "steps",
        "tasks",
        "arms",
        "tries",
        "settings",
        "claims",
        "schedules",
        "rates",
        "mistakes",
        "epochs",
    ];
    let folder = tempfile::tempdir().unwrap();
    let one = "seeds = 1\nsteps = 1\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\n";
    let searched = "name = \"search\"\nseeds = 2\nsteps = 100\n[tasks.bowl]\nmodel = \"quadratic\"\n[tuning]\nbudget = 3\n\
                    halving = { factor = 3, from = \"30%\" }\n[optimizers.sgd]\nlr = { log_uniform = [1e-3, 1e-1] }\n";
    fs::write(folder.path().join("one.toml"), one).unwrap();
    fs::write(folder.path().join("search.toml"), searched).unwrap();
    fs::write(folder.path().join("mistaken.toml"), one.replace("sgd", "sdg")).unwrap();
    let commands = [
        "run one.toml --dry-run",
        "run search.toml --dry-run",
        "run mistaken.toml",
        "submit one.toml --engine slurm --dry-run",
        "run one.toml",
        "run one.toml",
        "report results/one",
        "report results/one --format markdown",
        "check results/one",
        "check results/one --baseline results/one",
        "merge results/one --out merged",
        "plot results/one --format svg",
        "run one.toml --set steps=2 --fresh",
    ];
    for command in commands {
        let arguments: Vec<&str> = command.split(' ').collect();
        let output = with_input(folder.path(), &arguments, "");
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        let words: Vec<&str> =
            said.split_whitespace().map(|word| word.trim_matches([',', ';', '.', ':', '(', ')'])).collect();
        let plural = words.windows(2).find(|pair| pair[0] == "1" && THINGS.contains(&pair[1]));
        assert_eq!(plural, None, "{command}: {said}");
        assert!(!said.is_empty(), "{command}");
    }
}

#[test]
fn what_nothing_is_run_under_draws_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let config = "steps = 4\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\nschedules = [\"constant\"]\n\
                  [schedules.constant]\n[schedules.cosine]\n";
    let output = with_input(folder.path(), &["run", "-", "--dry-run"], config);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("warning: schedule `cosine` is not used"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_sweep_keeps_within_the_memory_that_its_job_was_given() {
    let folder = tempfile::tempdir().unwrap();
    // 2.5 MB a run: 1.2 of weights, and their gradients.
    let config = "steps = 1\n[tasks.digits]\nmodel = \"mlp\"\nhidden = [4096]\nbatch_size = 1\n[optimizers.sgd]\n";
    fs::write(folder.path().join("wide.toml"), config).unwrap();
    let run = |megabytes: &str, jobs: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
        command.current_dir(folder.path()).env("SLURM_MEM_PER_NODE", megabytes).args(["run", "wide.toml"]).args(jobs);
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run("1", &[]);
    assert!(
        code == 2 && said.contains("a run takes at least 2.") && said.contains("; the Slurm job may use 1.0 MB"),
        "{said}"
    );
    let (code, said) = run("6", &["--jobs", "3"]);
    assert!(code == 2 && said.contains("3 runs at a time take at least 7.4 MB"), "{said}");
    assert!(said.contains("help: `--jobs 2` fits"), "{said}");
    assert_eq!(run("6", &["--jobs", "2"]).0, 0);
    let (code, said) = run("3", &["--fresh", "--yes"]);
    let many = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    assert!(code == 0 && (!many || said.contains("; `--jobs 1` is used")), "{said}");
}
