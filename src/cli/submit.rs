//! `optbench submit`: the sweep as a job array of a cluster.
//!
//! Arrays deliver a task at least once: what is done is the results folder's own mark, so a task
//! that comes twice finds its runs done, and a lost one is submitted again by the same command.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum};

use crate::catalog::Catalog;
use crate::cli::admission::{Beside, admit};
use crate::cli::guard::{Earlier, enter, missing, refuse_foreign};
use crate::cli::{Exit, print, programs, say};
use crate::config::Experiment;
use crate::error::{Error, Result};
use crate::report::Results;
use crate::results::{EXPERIMENT, Store};
use crate::sweep::{Plan, Run, Shard};
use crate::task::data::Library;
use crate::words::count;

/// Submit the sweep to a cluster as a job array; a last job merges and reports
#[derive(Args)]
pub(super) struct Arguments {
    /// The experiment: a TOML file, or - for standard input
    config: PathBuf,
    /// Choose the scheduler of the cluster
    #[arg(long, value_enum)]
    engine: Engine,
    /// Print the scripts and submit nothing
    #[arg(long)]
    dry_run: bool,
    /// Override a key, such as steps=200; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Write the results to this directory, on a file system that all nodes share [default: results/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Look for dataset files here first
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Split the sweep into this many tasks of the array [default: one for 20 runs, at most 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    tasks: Option<u16>,
    /// Request this many cores for each task, which trains as many runs at a time, or one of a training program with all of them
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    cpus: u16,
    /// Submit to this partition
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Limit the time of each task, such as 2:00:00
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Request this much memory for each task, such as 4G
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Pass another option to sbatch, such as --option=--account=lab; may be repeated
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    option: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Engine {
    Slurm,
}

/// Runs that a task trains unless the user says otherwise: a task costs its scheduler half a second.
const BUNDLE: usize = 20;
const MOST_TASKS: usize = 100;

pub(super) fn execute(catalog: &Catalog, arguments: &Arguments) -> Result<Exit> {
    let Engine::Slurm = arguments.engine;
    let experiment = Experiment::load(catalog, &arguments.config, &arguments.set)?;
    let root = arguments.out.clone().unwrap_or_else(|| PathBuf::from("results").join(&experiment.name));
    let root = std::path::absolute(&root).map_err(Error::io("find", &root))?;
    let store = Store::new(&root);
    refuse_foreign(&store)?;
    let mut plan = Plan::new(experiment, &Library::new(arguments.data_dir.clone()))?;
    if plan.experiment.tuning.is_some() {
        return Err(Error::Usage(
            "a job array is fixed when it is submitted, and [tuning] decides what to train as it goes\n  \
             help: submit `optbench run --shard I/N` for parts of it, or a config without [tuning]"
                .into(),
        ));
    }
    if !plan.experiment.looks().is_empty() {
        return Err(Error::Usage(
            "a job array is fixed when it is submitted, and planned looks decide as they go how many seeds are trained\n  \
             help: give `seeds` a fixed number (`--set seeds=5`), or start `optbench run --shard I/N` for all parts in one \
             folder that they share"
                .into(),
        ));
    }
    if !plan.experiment.judge_seeds.is_empty() {
        return Err(Error::Usage(
            "a job array is fixed when it is submitted, and `judge_seeds` train what is chosen as it goes\n  \
             help: submit `optbench run --shard I/N` for parts of it, or a config without `judge_seeds`"
                .into(),
        ));
    }
    let mut there = store.inventory()?;
    plan.adopt(&there.all_done());
    admit(catalog, &store, &there, &plan, Beside::Results)?;
    let all: Vec<&Run> = plan.runs.iter().collect();
    let missing = missing(&store, &there, &all)?;
    if !arguments.dry_run {
        for warning in warnings(&queued(&job_name(&plan))) {
            say(&format!("warning: {warning}"));
        }
    }
    if missing.is_empty() {
        if !arguments.dry_run {
            // The job that was to do it may be what the cluster lost.
            Results::open(catalog, store)?.write()?;
        }
        say("all runs are done already; nothing was submitted");
        return Ok(Exit::Success);
    }
    let tasks = arguments.tasks.map_or_else(|| all.len().div_ceil(BUNDLE).min(MOST_TASKS), usize::from).min(all.len());
    let array: Vec<usize> = (1..=tasks)
        .filter(|&index| {
            let shard = Shard::new(index, tasks);
            let mut own = plan.runs.iter().enumerate().filter(|(place, _)| shard.contains(*place));
            own.any(|(_, run)| missing.iter().any(|missing| missing.name == run.name))
        })
        .collect();
    let (script, last) = (array_script(arguments, &plan, &root, &array, tasks)?, last_script(arguments, &plan, &root)?);
    if arguments.dry_run {
        print(&format!(
            "{script}\n# The last job, with --dependency=afterany on the array. Both read {}, which\n\
             # `optbench submit` writes first.\n{last}",
            root.join(EXPERIMENT).display()
        ))?;
        return Ok(Exit::Success);
    }
    let _hold = enter(catalog, &store, &mut there, &plan, Earlier::Keep)?;
    let job = submit(&script, &[])?;
    // After any ending: what a failed task left undone is the next submission's to train.
    let report = submit(&last, &[format!("--dependency=afterany:{job}")])?;
    say(&format!(
        "submitted {} of {} as job {job}, {}; job {report} reports when they end\n\
         the same command submits again what is missing then",
        missing.len(),
        count(all.len(), "run"),
        count(array.len(), "task")
    ));
    print(&format!("{job}\n"))?;
    Ok(Exit::Success)
}

fn job_name(plan: &Plan) -> String {
    format!("optbench-{}", plan.experiment.name)
}

/// Tasks in the queue, a line each: number, a bar, state, a bar, reason. None where there is no queue to ask.
fn queued(job_name: &str) -> String {
    let output = Command::new("squeue").args(["--me", "--noheader", "--format=%i|%T|%r", "--name", job_name]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// What a user should know of an earlier submission before another one: a cluster holds tasks that it
/// could not launch, and a held one waits, and keeps the report waiting, until somebody lets it go.
fn warnings(queued: &str) -> Vec<String> {
    let tasks: Vec<Vec<&str>> = queued.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
    let (held, under_way): (Vec<_>, Vec<_>) = tasks
        .into_iter()
        .filter(|task| task.len() == 3)
        .partition(|task| task[1] == "PENDING" && task[2].to_ascii_lowercase().contains("held"));
    let mut warnings: Vec<String> = (held.iter())
        .map(|task| {
            let (task, reason) = (task[0], task[2]);
            format!("{task} is held ({reason}): `scontrol release {task}` lets it go, `scancel {task}` drops it")
        })
        .collect();
    if !under_way.is_empty() {
        let names: Vec<&str> = under_way.iter().map(|task| task[0]).collect();
        let names = names.join(", ");
        warnings.push(format!("an earlier submission is still in the queue ({names}); no run is trained twice"));
    }
    warnings
}

fn array_script(arguments: &Arguments, plan: &Plan, root: &Path, array: &[usize], tasks: usize) -> Result<String> {
    let indices: Vec<String> = array.iter().map(ToString::to_string).collect();
    let mut header = header(arguments, &job_name(plan), root, "%A_%a");
    header
        .insert(1, format!("--array={}", if array.len() == tasks { format!("1-{tasks}") } else { indices.join(",") }));
    header.push(format!("--cpus-per-task={}", arguments.cpus));
    header.extend(arguments.time.iter().map(|time| format!("--time={time}")));
    // A minute's notice before the time limit: the run under way is saved and taken up again.
    header.push("--signal=B:TERM@60".into());
    let (jobs, threads) = if programs::are_in(plan) { (1, arguments.cpus) } else { (arguments.cpus, 1) };
    let run = format!(
        "exec {} run {} --out {} --jobs {jobs} --threads {threads} --shard \"${{SLURM_ARRAY_TASK_ID}}/{tasks}\"{}",
        quoted(&program()?),
        quoted(&root.join(EXPERIMENT)),
        quoted(root),
        data_dir(arguments)?,
    );
    Ok(script(&header, &run))
}

fn last_script(arguments: &Arguments, plan: &Plan, root: &Path) -> Result<String> {
    let header = header(arguments, &format!("{}-report", job_name(plan)), root, "%j");
    let (program, root) = (quoted(&program()?), quoted(root));
    Ok(script(&header, &format!("exec {program} merge {root} --out {root}")))
}

fn header(arguments: &Arguments, name: &str, root: &Path, log: &str) -> Vec<String> {
    let mut header = vec![format!("--job-name={name}")];
    header.push(format!("--output=\"{}\"", root.join(format!("slurm-{log}.log")).display()));
    header.extend(arguments.partition.iter().map(|partition| format!("--partition={partition}")));
    header.extend(arguments.memory.iter().map(|memory| format!("--mem={memory}")));
    header.extend(arguments.option.iter().cloned());
    header
}

fn script(header: &[String], command: &str) -> String {
    let header: String = header.iter().map(|option| format!("#SBATCH {option}\n")).collect();
    format!("#!/bin/sh\n{header}\n{command}\n")
}

fn data_dir(arguments: &Arguments) -> Result<String> {
    let Some(folder) = &arguments.data_dir else { return Ok(String::new()) };
    let folder = std::path::absolute(folder).map_err(Error::io("find", folder))?;
    Ok(format!(" --data-dir {}", quoted(&folder)))
}

fn program() -> Result<PathBuf> {
    std::env::current_exe().map_err(Error::io("find", "optbench"))
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// Hands a script to sbatch and reads the number of its job.
fn submit(script: &str, options: &[String]) -> Result<String> {
    use std::io::Write;
    let mut file = tempfile::NamedTempFile::new().map_err(Error::io("write", "a temporary file"))?;
    file.write_all(script.as_bytes()).map_err(Error::io("write", "a temporary file"))?;
    let output = Command::new("sbatch").arg("--parsable").args(options).arg(file.path()).output().map_err(|error| {
        Error::Usage(format!(
            "cannot start sbatch: {error}\n  help: submit from a machine of the cluster, or look with `--dry-run`"
        ))
    })?;
    if !output.status.success() {
        return Err(Error::Usage(format!("sbatch refused: {}", String::from_utf8_lossy(&output.stderr).trim())));
    }
    // `JOB` or `JOB;CLUSTER`.
    let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(answer.split(';').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::warnings;

    #[test]
    fn held_tasks_are_named_with_what_frees_them() {
        let said = warnings("7_[3-6]|PENDING|Resources\n7_1|RUNNING|None\n7_2|PENDING|launch failed requeued held\n");
        assert_eq!(said.len(), 2);
        assert!(said[0].starts_with("7_2 is held") && said[0].contains("`scontrol release 7_2`"), "{}", said[0]);
        assert!(said[1].contains("(7_[3-6], 7_1)"), "{}", said[1]);
        assert!(warnings("").is_empty());
    }
}
