//! Programs that are interrupted: no one outlives optbench, and those that can go on do.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use optbench::results::Status;

use crate::{command, folder, is_alive, optbench, records, said};

const PATIENCE: Duration = Duration::from_secs(60);

fn start(folder: &Path, more: &[&str]) -> Child {
    let arguments = [&["run", "it.toml"], more].concat();
    command(folder, &arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Waits until a file under the results holds what is looked for; returns what it holds.
fn wait_for(folder: &Path, file: &str, is_enough: impl Fn(&str) -> bool) -> String {
    let start = Instant::now();
    let runs = folder.join("results/it/runs");
    loop {
        let entries = fs::read_dir(&runs).into_iter().flatten().flatten();
        let found =
            entries.filter_map(|entry| fs::read_to_string(entry.path().join(file)).ok()).find(|text| is_enough(text));
        if let Some(text) = found {
            return text;
        }
        assert!(start.elapsed() < PATIENCE, "waited for {file}");
        sleep(Duration::from_millis(20));
    }
}

fn steps(folder: &Path, file: &str) -> Vec<u64> {
    let run = folder.join("results/it/runs").join(&records(folder)["goes_on"].run).join(file);
    let text = fs::read_to_string(run).unwrap();
    text.lines().skip(1).map(|row| row.split(',').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn a_program_that_can_goes_on_however_it_was_ended() {
    for how in ["-INT", "-KILL"] {
        let folder = folder("resume = true", &["goes_on"]);
        let length = ["--set", "steps=100"];
        let mut child = start(folder.path(), &length);
        wait_for(folder.path(), "out/done", |done| done.trim().parse().is_ok_and(|done: u64| done >= 20));
        signal(&child, how);
        child.wait().unwrap();
        // Where optbench was killed, its program ends with its next line, which nobody reads.
        sleep(Duration::from_millis(200));
        let output = optbench(folder.path(), &[&["run", "it.toml"], &length[..]].concat());
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(records(folder.path())["goes_on"].status, Status::Finished);
        let all = steps(folder.path(), "steps.csv");
        assert!(all.is_sorted_by(|a, b| a < b) && all.last() == Some(&100), "{how}: {all:?}");
        // Between what was read and what the program had kept a few lines may be lost with a pipe, none twice.
        assert!(all.len() >= if how == "-INT" { 100 } else { 90 }, "{how}: {all:?}");
        let evaluations = steps(folder.path(), "evals.csv");
        let fewest = if how == "-INT" { 10 } else { 9 };
        assert!(evaluations.is_sorted_by(|a, b| a < b) && evaluations.len() >= fewest, "{how}: {evaluations:?}");
        let log = wait_for(folder.path(), "output.log", |_| true);
        // What was printed within half a second before optbench was killed may be lost.
        assert!(how == "-KILL" || log.starts_with("from 0\nfrom "), "{how}: {log}");
        assert!(log.trim_end().rsplit(' ').next().is_some_and(|from| from != "0"), "{how}: {log}");
    }
}

#[test]
fn what_a_program_measures_on_its_way_out_counts() {
    let folder = folder(
        "resume = true\n[claims.half]\narm = \"o+constant\"\nreaches = { loss = 1 }\nwithin = 50",
        &["keeps_at_the_end"],
    );
    let arguments = ["--set", "steps=100"];
    let mut child = start(folder.path(), &arguments);
    wait_for(folder.path(), "output.log", |text| text.contains("waits"));
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let output = optbench(folder.path(), &[&["run", "it.toml"], &arguments[..]].concat());
    let record = records(folder.path()).remove("keeps_at_the_end").unwrap();
    assert_eq!((record.status, record.error.as_deref()), (Status::Finished, None), "{}", said(&output));
    assert!(record.marks[0].validation.is_some(), "evaluated at step 50 before it ended, and never again");
    let text = wait_for(folder.path(), "evals.csv", |_| true);
    let steps: Vec<&str> = text.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(steps, ["10", "20", "30", "40", "50", "60", "70", "80", "90", "100"]);
}

#[test]
fn a_claimed_step_without_an_evaluation_fails_the_run() {
    let claim = "[claims.half]\narm = \"o+constant\"\nreaches = { loss = 1 }\nwithin = 5";
    let folder = folder(claim, &["good"]);
    let output = optbench(folder.path(), &["run", "it.toml"]);
    assert!(said(&output).contains("a claim asks for the scores on validation at step 5"), "{}", said(&output));
}

#[test]
fn a_program_that_cannot_go_on_starts_anew() {
    let folder = folder("", &["goes_on"]);
    let mut child = start(folder.path(), &["--set", "steps=100"]);
    wait_for(folder.path(), "out/done", |done| done.trim().parse().is_ok_and(|done: u64| done >= 5));
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let left = fs::read_dir(folder.path().join("results/it/runs")).unwrap().flatten();
    assert_eq!(left.filter(|entry| entry.path().is_dir()).count(), 0, "nothing is left of the run");
    let output = optbench(folder.path(), &["run", "it.toml", "--set", "steps=100"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(wait_for(folder.path(), "output.log", |_| true), "from 0\n");
    assert_eq!(steps(folder.path(), "steps.csv").len(), 100);
}

#[test]
fn no_program_outlives_an_interruption_even_one_that_ignores_it() {
    for (behaviour, signals) in [("stubborn", 1), ("stubborn", 2), ("slow", 1)] {
        let folder = folder("", &[behaviour]);
        let mut child = start(folder.path(), &[]);
        wait_for(folder.path(), "output.log", |text| text.contains('1'));
        let parent = child.id().to_string();
        let found = Command::new("pgrep").args(["-P", &parent]).output();
        let program = found.map(|found| String::from_utf8_lossy(&found.stdout).into_owned()).unwrap_or_default();
        let asked = Instant::now();
        for _ in 0..signals {
            signal(&child, "-INT");
            sleep(Duration::from_millis(300));
        }
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let taken = asked.elapsed();
        let is_waited_for = (behaviour, signals) == ("stubborn", 1);
        assert_eq!(taken > Duration::from_secs(8), is_waited_for, "{behaviour}, {signals}: {taken:?}");
        let alive = program.lines().filter(|process| is_alive(process)).count();
        assert_eq!(alive, 0, "{behaviour}, {signals}: {program}");
    }
}
