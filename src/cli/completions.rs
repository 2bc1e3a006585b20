//! `optbench completions`: a script for the shell.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::cli::{Cli, Exit, print};
use crate::error::{Error, Result};

/// Print a completion script for a shell
#[derive(Args)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn execute(arguments: &Arguments) -> Result<Exit> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut Cli::command(), "optbench", &mut script);
    print(&String::from_utf8(script).map_err(|error| Error::Usage(error.to_string()))?)?;
    Ok(Exit::Success)
}
