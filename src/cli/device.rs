//! `--device`: where to train.

use std::str::FromStr;

use candle_core::Device;

use crate::error::{Error, Result};

/// A device as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Cpu,
    Cuda(usize),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().ok().map(Self::Cuda);
        match text {
            "cpu" => Some(Self::Cpu),
            "cuda" => Some(Self::Cuda(0)),
            _ => text.strip_prefix("cuda:").and_then(number),
        }
        .ok_or_else(|| format!("`{text}` is not a valid device; expected `cpu`, `cuda` or `cuda:N`"))
    }
}

/// Opens the device.
pub(super) fn open(choice: Choice) -> Result<Device> {
    match choice {
        Choice::Cpu => Ok(Device::Cpu),
        Choice::Cuda(_) if !cfg!(feature = "cuda") => Err(Error::Usage(
            "this optbench was built without CUDA\n  help: build it with `cargo build --release --features cuda`, which needs nvcc".into(),
        )),
        Choice::Cuda(number) => Device::new_cuda(number).map_err(|error| {
            let reason = error.to_string();
            Error::Usage(format!("cannot open cuda:{number}: {}", reason.lines().next().unwrap_or_default()))
        }),
    }
}
