//! What the runs of training programs have of the machine.

use std::path::Path;
use std::str::FromStr;
use std::thread::available_parallelism;

use crate::error::Result;
use crate::results::Store;
use crate::sweep::{Plan, Run};

/// `--devices 0,1,2`: what runs of training programs take turns on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Devices(pub(super) Vec<String>);

impl FromStr for Devices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err("expected the devices with commas between them, such as 0,1,2".into());
        }
        Ok(Self(names))
    }
}

/// How many runs are trained at a time where that was not said: as many as there are devices for training programs, whose
/// needs optbench does not know, and one where no devices are named; `None` where optbench trains every task itself.
pub(super) fn jobs(plan: &Plan, devices: &Devices) -> Option<usize> {
    are_in(plan).then(|| devices.0.len().max(1))
}

/// Whether a training program has a part in a sweep.
pub(super) fn are_in(plan: &Plan) -> bool {
    plan.experiment.tasks.iter().any(|task| !task.is_trained_here())
}

/// How many threads each of them is to use where that was not said.
pub(super) fn threads(jobs: usize) -> usize {
    let cores = available_parallelism().map_or(1, usize::from);
    (cores / jobs.max(1)).max(1)
}

/// The command of a run, as `--dry-run` prints it below the run; nothing of one that optbench trains itself.
///
/// # Errors
/// When a placeholder has no value.
pub(super) fn command(plan: &Plan, run: &Run, store: &Store) -> Result<String> {
    let folder = store.run(&run.name);
    let command = plan.tasks[run.task].trainer.describe(&plan.job(run), Path::new(&folder))?;
    Ok(command.map(|command| format!("    {command}\n")).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_names_with_commas() {
        assert_eq!("0, GPU-8f2".parse(), Ok(Devices(vec!["0".into(), "GPU-8f2".into()])));
        assert!("0,,1".parse::<Devices>().is_err());
    }
}
