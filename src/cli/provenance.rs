//! `provenance.json`: with what, on what and how the results were made.

use std::fs;
use std::thread::available_parallelism;

use candle_core::Device;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::sweep::Plan;
use crate::task::data::Library;

pub(super) fn json(plan: &Plan, library: &Library, device: &Device, jobs: usize, threads: usize) -> Result<String> {
    let config: String =
        Sha256::digest(plan.experiment.training_toml()).iter().map(|byte| format!("{byte:02x}")).collect();
    let document = json!({
        "optbench": env!("CARGO_PKG_VERSION"),
        "commit": option_env!("OPTBENCH_COMMIT"),
        "cpu": cpu(),
        "cores": available_parallelism().map_or(1, usize::from),
        "device": match device {
            Device::Cpu => "cpu",
            _ => "cuda",
        },
        "jobs": jobs,
        "threads": threads,
        "config_sha256": config,
        "dataset_sha256": library.digests(),
        "command": std::env::args().collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(|error| Error::Usage(error.to_string()))
}

/// The processor's name where the system tells it, else its architecture.
fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}
