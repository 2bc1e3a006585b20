//! What a program can do wrong costs its own run alone, and is said.

use std::fs;
use std::time::Instant;

use optbench::results::Status;

use crate::{folder, is_alive, optbench, records, said};

const FAILING: &[(&str, &[&str])] = &[
    ("repeats", &["an update at step 3 comes after step 3; expected steps that rise"]),
    ("goes_back", &["an update at step 2 comes after step 3"]),
    ("too_far", &["an update is at step 11; the run ends at step 10"]),
    ("word", &["`loss` is \"low\"; expected a number", "line: {\"step\": 2"]),
    ("nothing", &["`loss` is null; expected a number"]),
    ("percent", &["`accuracy` is 75; expected a share from 0 to 1", "help: divide it by 100"]),
    ("no_evaluation", &["it printed no evaluation on validation; expected one at the last step, 10"]),
    ("early_evaluation", &["the last evaluation on validation is at step 5; expected one at the last step, 10"]),
    ("lacks_a_metric", &["the last evaluation on validation has no `accuracy`"]),
    ("fails", &["it ended with status 3", "its last lines:\n    the reason", "to repeat it: "]),
    ("is_killed", &["it was ended by signal 9"]),
    ("silent", &["it printed nothing for 2s, its `silence`"]),
    ("slow", &["it had not ended after 5s, its `timeout`"]),
    ("stubborn", &["it had not ended after 5s, its `timeout`"]),
];

const DIVERGING: &[(&str, u64)] = &[("not_a_number", 4), ("infinite_score", 5), ("diverges", 7)];

const FINISHING: &[&str] = &["good", "long_line", "leaves_a_child", "leaves_a_pipe", "escapes_with_a_pipe"];

#[test]
fn every_fault_costs_its_own_run_alone_and_is_said() {
    let behaviours: Vec<&str> = (FAILING.iter().map(|(behaviour, _)| *behaviour))
        .chain(DIVERGING.iter().map(|(behaviour, _)| *behaviour))
        .chain(FINISHING.iter().copied())
        .collect();
    let folder = folder("timeout = \"5 seconds\"\nsilence = \"2 seconds\"", &behaviours);
    let output = optbench(folder.path(), &["run", "it.toml", "--jobs", "4"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let records = records(folder.path());
    assert_eq!(records.len(), behaviours.len());
    let run = |behaviour: &str| folder.path().join("results/it/runs").join(&records[behaviour].run);
    for (behaviour, parts) in FAILING {
        let record = &records[*behaviour];
        assert_eq!(record.status, Status::Failed, "{behaviour}: {record:?}");
        let error = record.error.as_deref().unwrap();
        for part in *parts {
            assert!(error.contains(part) && said.contains(part), "{behaviour}: {error}");
        }
    }
    for (behaviour, step) in DIVERGING {
        let record = &records[*behaviour];
        assert_eq!((record.status, record.steps), (Status::Diverged, *step), "{behaviour}: {record:?}");
        assert!(record.seconds < 30.0, "{behaviour}: it was waited for");
    }
    for behaviour in FINISHING {
        let record = &records[*behaviour];
        assert_eq!((record.status, record.steps), (Status::Finished, 10), "{behaviour}: {record:?}");
        assert_eq!(record.validation.as_ref().unwrap().iter().count(), 2);
        assert_eq!(record.computed_by.as_deref().map(|by| by.starts_with("sh program.sh")), Some(true));
    }
    for behaviour in ["leaves_a_child", "leaves_a_pipe"] {
        let child = fs::read_to_string(run(behaviour).join("out/child")).unwrap();
        assert!(!is_alive(&child), "{behaviour}");
        assert!(said.contains("left processes behind when it ended; they were ended, too"), "{said}");
    }
    assert!(said.contains("still holds its output"), "{said}");
    let output = |behaviour: &str| fs::read_to_string(run(behaviour).join("output.log")).unwrap();
    assert_eq!(output("good"), "hello\n", "measurements are not repeated there");
    assert!(output("stubborn").contains("did not end when it was asked to (SIGTERM), and was killed"));
    assert!(!run("good").join("out").exists(), "nothing was kept");
    // The command that repeats a failure by hand does it.
    let error = records["fails"].error.clone().unwrap();
    let command = error.lines().find_map(|line| line.trim().strip_prefix("to repeat it: ")).unwrap();
    let again = std::process::Command::new("sh").current_dir(folder.path()).args(["-c", command]).output().unwrap();
    assert_eq!((again.status.code(), &again.stderr[..]), (Some(3), &b"the reason\n"[..]), "{command}");
}

#[test]
fn a_gigabyte_of_output_is_read_and_endless_output_is_ended() {
    let folder = folder("", &["gigabyte", "endless"]);
    let start = Instant::now();
    let output = optbench(folder.path(), &["run", "it.toml", "--jobs", "2"]);
    let (records, said) = (records(folder.path()), said(&output));
    assert_eq!(records["gigabyte"].status, Status::Finished, "{said}");
    let log = folder.path().join("results/it/runs").join(&records["gigabyte"].run).join("output.log");
    let log = fs::read_to_string(log).unwrap();
    assert!(log.len() < 20 << 20 && log.contains("bytes of output were left out here"), "{}", log.len());
    assert!(said.contains("it printed more than 1 GiB beside its measurements"), "{said}");
    assert_eq!(records["endless"].status, Status::Failed, "{said} {:?}", start.elapsed());
}

#[test]
fn what_cannot_be_started_is_said() {
    let folder = folder("", &["good"]);
    let program = "tasks.t.command=[\"rumpelstiltskin\"]";
    let output = optbench(folder.path(), &["run", "it.toml", "--set", program]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("cannot start `rumpelstiltskin`: it was not found") && said.contains("help: "), "{said}");
}
