//! `optbench init`: a config to start from.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::cli::{Exit, print, say};
use crate::error::{Error, Result};

const STARTER: &str = include_str!("../../configs/quickstart.toml");

/// Write a commented starter config
#[derive(Args)]
pub(super) struct Arguments {
    /// Write the config to this file; - is standard output
    #[arg(default_value = "optbench.toml")]
    file: PathBuf,
}

pub(super) fn execute(arguments: &Arguments) -> Result<Exit> {
    let file = &arguments.file;
    if file.as_os_str() == "-" {
        print(STARTER)?;
        return Ok(Exit::Success);
    }
    let config = STARTER.replace("configs/quickstart.toml", &file.display().to_string());
    let written = OpenOptions::new().write(true).create_new(true).open(file);
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Error::Usage(format!("`{}` already exists; not overwritten", file.display())));
        }
        other => other.and_then(|mut new| new.write_all(config.as_bytes())).map_err(Error::io("write", file))?,
    }
    say(&format!("wrote {}; train it with `optbench run {}`", file.display(), file.display()));
    Ok(Exit::Success)
}
