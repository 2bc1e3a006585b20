//! The command line: one file a sub-command, with its arguments and what it does.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::catalog::Catalog;
use crate::error::Error;
use crate::system;

mod admission;
mod again;
mod check;
mod comparable;
mod completions;
mod data;
mod device;
mod extension;
mod format;
mod guard;
mod import;
mod init;
mod interrupt;
mod list;
mod merge;
mod plot;
mod programs;
mod progress;
mod provenance;
mod report;
mod rounds;
mod run;
mod schedule;
mod submit;
mod threads;

/// Which optimizer and which learning-rate schedule should I use, and is the difference real?
#[derive(Parser)]
#[command(name = "optbench", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  optbench init                              write a commented config to start from
  optbench run optbench.toml --dry-run       see what it would train
  optbench schedule optbench.toml            see its learning rates
  optbench run optbench.toml                 train it, then write ranking, charts and report
  optbench list optimizers adamw             equations, keys, defaults, source

Exit codes: 0 success; 1 a check or a run failed; 2 usage or config error; 3 baseline missing or
not comparable; 130 interrupted, everything finished so far saved.";

#[derive(Subcommand)]
enum Command {
    Run(run::Arguments),
    Schedule(schedule::Arguments),
    Report(report::Arguments),
    Plot(plot::Arguments),
    Check(check::Arguments),
    List(list::Arguments),
    Data(data::Arguments),
    Init(init::Arguments),
    Merge(merge::Arguments),
    Import(import::Arguments),
    Submit(submit::Arguments),
    Completions(completions::Arguments),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// All is well.
    Success,
    /// A run or a check failed.
    Failure,
    /// The baseline is missing or not comparable.
    NotComparable,
    /// Interrupted; what was finished is saved.
    Interrupted,
}

impl Exit {
    /// What the process ends with.
    fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::NotComparable => 3,
            Self::Interrupted => 130,
        }
    }
}

/// Runs the command that the process was started with, over these kinds.
pub(crate) fn main(catalog: &Catalog) -> ExitCode {
    system::prepare();
    let result = match Cli::parse().command {
        Command::Run(arguments) => run::execute(catalog, &arguments),
        Command::Schedule(arguments) => schedule::execute(catalog, &arguments),
        Command::Report(arguments) => report::execute(catalog, &arguments),
        Command::Plot(arguments) => plot::execute(catalog, &arguments),
        Command::Check(arguments) => check::execute(catalog, &arguments),
        Command::List(arguments) => list::execute(catalog, &arguments),
        Command::Data(arguments) => data::execute(catalog, &arguments),
        Command::Init(arguments) => init::execute(&arguments),
        Command::Merge(arguments) => merge::execute(catalog, &arguments),
        Command::Import(arguments) => import::execute(catalog, &arguments),
        Command::Submit(arguments) => submit::execute(catalog, &arguments),
        Command::Completions(arguments) => completions::execute(&arguments),
    };
    match result {
        Ok(exit) => exit.code().into(),
        // The reader of a pipe went away: that is its right.
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let code = if let Error::Config { count, .. } = &error {
                let plural = if *count == 1 { "" } else { "s" };
                say(&format!("{error}\n\nerror: {count} mistake{plural} in the config; nothing was trained"));
                2
            } else {
                say(&format!("error: {error}"));
                if matches!(error, Error::Usage(_) | Error::Data { .. }) { 2 } else { 1 }
            };
            ExitCode::from(code)
        }
    }
}

/// Talk goes to stderr.
pub(crate) fn say(text: &str) {
    // Nobody is left to be told when stderr is gone.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Data goes to stdout.
fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Error::io("write", "standard output"))
}
