//! `optbench run`: trains what is missing, then writes tables, charts and report.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::analysis::mark_independent;
use crate::analysis::sequential::is_extended;
use crate::catalog::Catalog;
use crate::cli::device::{self, Choice};
use crate::cli::guard::{Earlier, enter, missing, refuse_foreign};
use crate::cli::programs::{self, Devices};
use crate::cli::progress::Bars;
use crate::cli::{Exit, data, extension, interrupt, print, provenance, rounds, say, threads};
use crate::config::Experiment;
use crate::error::{Error, Result};
use crate::report::render::terminal;
use crate::report::{Results, tensorboard};
use crate::results::{Inventory, Store};
use crate::sweep::{Execution, Machine, Plan, Shard, Sweep};
use crate::words::count;

/// Train all runs of CONFIG that are not done yet, then write tables, charts and a report
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command line")]
pub(super) struct Arguments {
    /// The experiment: a TOML file (`optbench init` writes one), or - for standard input
    config: PathBuf,
    /// Override a key, such as steps=200 or optimizers.adamw.lr=[1e-3,3e-3]; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Write the results to this directory [default: results/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Train this many runs at a time [default: one per core, fewer where memory is short; with a training program one, or one per device]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Use this many threads inside one run [default: cores / jobs, at least 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Train on this device: cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu")]
    device: Choice,
    /// Give each run of a training program one of these devices: 0,1 for two GPUs
    #[arg(long, value_name = "NAME,NAME,..")]
    devices: Option<Devices>,
    /// Train only the I-th (1-based) of N equal parts of the sweep
    #[arg(long, value_name = "I/N", default_value = "1/1", hide_default_value = true)]
    shard: Shard,
    /// Look for dataset files here first
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Also write TensorBoard event files, under tensorboard/ in the results
    #[arg(long, value_enum, value_name = "FORM")]
    log: Option<Log>,
    /// Print the runs, their number and the total number of steps; train nothing
    #[arg(long)]
    dry_run: bool,
    /// Delete earlier results of this experiment first (asks, unless --yes)
    #[arg(long)]
    fresh: bool,
    /// Keep the results that are there and train what the config adds: seeds, values, optimizers, schedules, tasks
    #[arg(long, conflicts_with = "fresh")]
    extend: bool,
    /// Answer yes to every question
    #[arg(long)]
    yes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Log {
    /// Event files for `tensorboard --logdir`
    Tensorboard,
}

pub(super) fn execute(catalog: &Catalog, arguments: &Arguments) -> Result<Exit> {
    // Before anything that might start a thread.
    let (mut jobs, threads) = threads::share(arguments.jobs, arguments.threads);
    let experiment = Experiment::load(catalog, &arguments.config, &arguments.set)?;
    let store = Store::new(arguments.out.clone().unwrap_or_else(|| PathBuf::from("results").join(&experiment.name)));
    // From here on, also while data is read, a signal ends the sweep as it is meant to.
    let interrupt = interrupt::listen()?;
    let device = device::open(arguments.device)?;
    let library = data::library(arguments.data_dir.clone());
    let mut plan = Plan::on(&device, experiment, &library)?;
    let mut there = Inventory::default();
    if !arguments.fresh && (arguments.extend || !arguments.dry_run) {
        refuse_foreign(&store)?;
        there.refresh(&store)?;
        plan.adopt(&there.all_done());
    }
    let devices = arguments.devices.clone().unwrap_or_default();
    let mut machine = Machine { devices: &devices.0, threads };
    if let Some(usual) = programs::jobs(&plan, &devices) {
        jobs = arguments.jobs.map_or(usual, usize::from);
        machine.threads = arguments.threads.map_or_else(|| programs::threads(jobs), usize::from);
    }
    if device.is_cpu() {
        let room = plan.room(jobs)?;
        match room.problem {
            Some(problem) if arguments.jobs.is_some() => {
                return Err(Error::Usage(format!("{problem}\n  help: `--jobs {}` fits", room.jobs)));
            }
            Some(problem) => say(&format!("warning: {problem}; `--jobs {}` is used", room.jobs)),
            None => {}
        }
        jobs = room.jobs;
    }
    let first = plan.due(&[], arguments.shard).runs;
    for warning in plan.warnings(&first.iter().collect::<Vec<_>>())? {
        say(&format!("warning: {warning}"));
    }
    if arguments.dry_run && arguments.extend {
        print(&extension::preview(catalog, &store, &there, &mut plan, arguments.shard)?)?;
        return Ok(Exit::Success);
    }
    if arguments.dry_run {
        print(&rounds::outlook(&plan, &store, &first, arguments.shard)?)?;
        return Ok(Exit::Success);
    }

    let earlier = match (arguments.fresh, arguments.extend) {
        (true, _) => Earlier::Forget { agreed: arguments.yes },
        (_, true) => Earlier::Extend,
        _ => Earlier::Keep,
    };
    let _hold = enter(catalog, &store, &mut there, &plan, earlier)?;
    plan.extended = is_extended(&plan.experiment, &store.provenance_if_sound()?.extended);
    let mut execution = Execution::default();
    for round in 1.. {
        // Each round tells what the next one is to train.
        there.refresh(&store)?;
        let mut done = if plan.has_rounds() { there.all_finished() } else { Vec::new() };
        mark_independent(&mut done, &plan.experiment);
        let due = plan.due(&done, arguments.shard);
        let mut missing = missing(&store, &there, &due.runs.iter().collect::<Vec<_>>())?;
        missing.retain(|run| execution.failed.iter().all(|(failed, _)| *failed != run.name));
        if missing.is_empty() {
            rounds::refuse_lonely_part(&plan, &due, &done, arguments.shard, round)?;
        }
        if round > 1 && missing.is_empty() {
            break;
        }
        rounds::announce(&plan, &due, round, &missing, jobs);
        if !missing.is_empty() {
            store.add_origin(provenance::of(&plan, &library, &device, jobs, threads))?;
        }
        let jobs = jobs.min(missing.len());
        let bars = Bars::new(&plan, jobs, missing.len());
        let sweep = Sweep { plan: &plan, store: &store, jobs, interrupt: &interrupt, progress: &bars, machine };
        let now = sweep.train(missing)?;
        bars.finish();
        if let Some(problem) = now.fewer_jobs {
            say(&format!("warning: {problem}; fewer runs were trained at a time"));
        }
        execution.trained += now.trained;
        execution.failed.extend(now.failed);
        execution.interrupted = now.interrupted;
        if now.interrupted || !plan.has_rounds() {
            break;
        }
    }

    there.refresh(&store)?;
    if !execution.interrupted
        && let Some(waiting) = rounds::waiting(&plan, &there.all_finished(), arguments.shard)
    {
        say(&waiting);
    }
    // Those of this part were trained again: what is left is of another one, or of no part at all.
    let (results, flaws) = Results::of_sound(catalog, store, there)?;
    for flaw in flaws {
        say(&format!("warning: {flaw}; the run is left out"));
    }
    conclude(&results, &execution, arguments.log)
}

/// Writes what follows from the runs that are there, and says how the sweep ended.
fn conclude(results: &Results, execution: &Execution, log: Option<Log>) -> Result<Exit> {
    for warning in results.mixed()? {
        say(&format!("warning: {warning}"));
    }
    let report = results.write()?;
    if log == Some(Log::Tensorboard) {
        tensorboard::write(results)?;
    }
    for (run, error) in &execution.failed {
        say(&format!("error: {run} failed: {error}"));
    }
    if execution.interrupted {
        say(&format!(
            "interrupted; {} finished and saved; run the same command again to continue",
            count(results.records.len(), "run")
        ));
        return Ok(Exit::Interrupted);
    }
    print(&(terminal::BRIEF.render)(&report)?)?;
    say(&format!("\nCharts and report: {}", results.store.root().join("report.html").display()));
    Ok(if execution.failed.is_empty() { Exit::Success } else { Exit::Failure })
}
