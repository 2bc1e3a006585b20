//! `provenance.json`: with what, on what and how the results were made.

use std::fs;
use std::thread::available_parallelism;

use candle_core::{Device, DeviceLocation};
use serde_json::{Value, json};

use crate::checksum::sha256;
use crate::error::{Error, Result};
use crate::results::Store;
use crate::sweep::Plan;
use crate::task::data::Library;

const FILE: &str = "provenance.json";
/// The starts before the latest.
const EARLIER: &str = "earlier";

/// What there is to know of a start.
pub(super) fn of(plan: &Plan, library: &Library, device: &Device, jobs: usize, threads: usize) -> Value {
    json!({
        "optbench": env!("CARGO_PKG_VERSION"),
        "commit": option_env!("OPTBENCH_COMMIT"),
        "cpu": cpu(),
        "cores": available_parallelism().map_or(1, usize::from),
        "device": match device.location() {
            DeviceLocation::Cpu => "cpu".to_owned(),
            DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
            DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
        },
        "jobs": jobs,
        "threads": threads,
        "config_sha256": sha256(plan.experiment.to_toml()),
        "dataset_sha256": library.digests(),
        "command": std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>(),
    })
}

/// Writes the latest start down, with those before it that differ from it.
pub(super) fn add(store: &Store, mut start: Value) -> Result<()> {
    // One that does not read back is of no use to anybody, and must not keep a sweep from going on.
    let mut earlier = origins(store).unwrap_or_default();
    earlier.retain(|other| *other != start);
    if !earlier.is_empty() {
        start[EARLIER] = Value::Array(earlier);
    }
    write(store, &start)
}

/// Every start that a folder knows of, the first one first; a merged folder knows those of its parts.
pub(super) fn origins(store: &Store) -> Result<Vec<Value>> {
    let Some(text) = store.read(FILE)? else { return Ok(Vec::new()) };
    let origins = match serde_json::from_str(&text).map_err(|error| Error::damaged(store.root().join(FILE), &error))? {
        Value::Array(origins) => origins,
        origin => vec![origin],
    };
    let mut starts = Vec::new();
    for mut origin in origins {
        let earlier = origin.as_object_mut().and_then(|origin| origin.shift_remove(EARLIER));
        starts.extend(earlier.and_then(|earlier| earlier.as_array().cloned()).into_iter().flatten());
        starts.push(origin);
    }
    Ok(starts)
}

/// Writes the file anew.
pub(super) fn write(store: &Store, document: &Value) -> Result<()> {
    let text = serde_json::to_string_pretty(document).map_err(|error| Error::Usage(error.to_string()))?;
    store.write(FILE, text + "\n")
}

/// The processor's name where the system tells it, else its architecture.
fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_kept_where_they_differ() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let start = |threads: u32| json!({ "threads": threads });
        for threads in [1, 2, 2, 3, 2] {
            add(&store, start(threads)).unwrap();
        }
        assert_eq!(origins(&store).unwrap(), [start(1), start(3), start(2)]);
        let text = store.read(FILE).unwrap().unwrap();
        let written: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written, json!({ "threads": 2, "earlier": [start(1), start(3)] }));
        store.write(FILE, &text[..text.len() / 2]).unwrap();
        assert!(origins(&store).is_err());
        add(&store, start(4)).unwrap();
        assert_eq!(origins(&store).unwrap(), [start(4)]);
    }
}
