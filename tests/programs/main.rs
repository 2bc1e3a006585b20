//! Training programs of users, from the command line: those that behave, and those that do not.
#![cfg(unix)]

mod misbehaviour;
mod resume;
mod told;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use optbench::results::{Record, Store};

/// A folder with the program in it, and a config that starts it with these behaviours.
fn folder(task: &str, behaviours: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("program.sh"), include_str!("program.sh")).unwrap();
    let behaviours: Vec<String> = behaviours.iter().map(|behaviour| format!("\"{behaviour}\"")).collect();
    let config = format!(
        "name = \"it\"\nseeds = 1\nsteps = 10\n[tasks.t]\n\
         command = [\"sh\", \"program.sh\", \"{{optimizer.behaviour}}\", \"{{steps}}\", \"{{out}}\"]\n\
         metrics = {{ loss = \"lower\", accuracy = \"higher\" }}\n{task}\n\
         [optimizers.o]\nkind = \"external\"\nbehaviour = [{}]\n",
        behaviours.join(", ")
    );
    fs::write(folder.path().join("it.toml"), config).unwrap();
    folder
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    command.env("OPTBENCH_OFFLINE", "1").current_dir(folder).args(arguments);
    command
}

fn optbench(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The records of the runs by what the program was told to do.
fn records(folder: &Path) -> BTreeMap<String, Record> {
    let there = Store::new(folder.join("results/it")).inventory().unwrap().records().unwrap();
    there.into_iter().map(|record| (record.hyper_parameter("behaviour").unwrap().to_string(), record)).collect()
}

/// Whether a process is there and is no zombie.
fn is_alive(process: &str) -> bool {
    let Ok(state) = fs::read_to_string(format!("/proc/{}/stat", process.trim())) else {
        let found = Command::new("kill").args(["-0", process.trim()]).output().unwrap();
        return found.status.success();
    };
    !state.contains(") Z ")
}
