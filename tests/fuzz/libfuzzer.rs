//! One target under libFuzzer: `OPTBENCH_FUZZ=config fuzz CORPUS`, as `scripts/fuzz` calls it.

#![no_main]

use std::sync::LazyLock;

mod limit;
mod targets;

#[global_allocator]
static ALLOCATOR: limit::Limited = limit::Limited;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("OPTBENCH_FUZZ").unwrap_or_default();
    let names: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    let found = targets::TARGETS.iter().find(|(other, _)| *other == name);
    found.unwrap_or_else(|| panic!("OPTBENCH_FUZZ is `{name}`; expected one of {names:?}")).1
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET(bytes));
