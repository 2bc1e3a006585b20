//! What `provenance.json` says of a start: with what, on what and how it trains.

use std::thread::available_parallelism;

use candle_core::{Device, DeviceLocation};
use serde_json::{Value, json};

use crate::checksum::sha256;
use crate::sweep::Plan;
use crate::system;
use crate::task::data::Library;

/// What there is to know of a start.
pub(super) fn of(plan: &Plan, library: &Library, device: &Device, jobs: usize, threads: usize) -> Value {
    json!({
        "optbench": env!("CARGO_PKG_VERSION"),
        "commit": option_env!("OPTBENCH_COMMIT"),
        "cpu": system::processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
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
