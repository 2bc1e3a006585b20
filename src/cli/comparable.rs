//! Whether a baseline can be compared with results: it must be of the same tasks, budget, data and device.

use std::path::Path;

use crate::catalog::Catalog;
use crate::cli::say;
use crate::config::Difference;
use crate::error::{Error, Result};
use crate::report::Results;
use crate::results::{EXPERIMENT, Store};

/// The results to compare with, or why they cannot be.
///
/// # Errors
/// When the disk refuses.
pub(super) fn baseline(catalog: &Catalog, folder: &Path, now: &Results) -> Result<Result<Results, String>> {
    let name = folder.display();
    let store = Store::new(folder);
    if !folder.is_file() && store.read(EXPERIMENT)?.is_none() {
        return Ok(Err(format!("the baseline {name} is missing: there is no experiment.toml in it")));
    }
    let old = match Results::open(catalog, store) {
        Ok(old) => old,
        Err(error @ Error::Io { .. }) => return Err(error),
        Err(error) => return Ok(Err(format!("the baseline {name} cannot be read: {error}"))),
    };
    if old.records.is_empty() {
        return Ok(Err(format!("the baseline {name} holds no run")));
    }
    let (then, is) = (old.conditions()?, now.conditions()?);
    let other_data = then.other_data(&is);
    // Where the contents are known, it does not matter what their file is called.
    let is_known = |task: &str| then.data.contains_key(task) && is.data.contains_key(task);
    // Other optimizers, schedules and seeds can be compared arm by arm; other tasks and budgets cannot.
    let decides = |difference: &Difference| {
        let key: Vec<&str> = difference.key.iter().map(String::as_str).collect();
        match key[..] {
            ["tasks", task, "path"] => !is_known(task),
            ["tasks", _, "target" | "metric", ..] => false,
            ["tasks" | "epochs" | "steps", ..] => true,
            _ => false,
        }
    };
    let settings = old.experiment.differences(&now.experiment).into_iter().filter(decides);
    let settings = settings.map(|difference| difference.to_string());
    let differences: Vec<String> = settings.chain(other_data.into_iter().map(|other| other.words)).collect();
    if !differences.is_empty() {
        let lines: String = differences.iter().map(|line| format!("\n  {line}")).collect();
        return Ok(Err(format!(
            "the baseline {name} is not comparable:{lines}\n  help: train the baseline again: \
             `optbench run {}/{EXPERIMENT} --out {name} --fresh`",
            now.store.root().display()
        )));
    }
    for task in &then.unknown {
        say(&format!(
            "note: the baseline {name} does not say which data task `{task}` was trained on; \
             it is compared as if it was the same"
        ));
    }
    Ok(Ok(old))
}
