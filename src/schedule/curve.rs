//! The curves that schedules are drawn with.

use std::f64::consts::PI;

use crate::registry::{Accepts, Bounds, Key};
use crate::schedule::misfit;
use crate::settings::Settings;

/// The power of the way that has passed, for curves over it.
pub(super) const K_DECAY: Key = Key::optional(
    "k_decay",
    Accepts::Float(Bounds::POSITIVE),
    "the power of the way that has passed; above 1 it stays longer near the peak; 1 where absent",
);

/// The power of the way that has passed, 1 where there is none.
pub(super) fn k_decay(settings: &Settings) -> f64 {
    settings.optional_float(K_DECAY.name).unwrap_or(1.0)
}

/// The share of a length that has passed, at most all of it.
pub(super) fn progress(t: u64, length: u64) -> f64 {
    t.min(length) as f64 / length as f64
}

/// The straight line from `from` to `to`, as `progress` goes from 0 to 1.
pub(super) fn linear(from: f64, to: f64, progress: f64) -> f64 {
    from + (to - from) * progress
}

/// Half a cosine from `from` to `to`, as `progress` goes from 0 to 1, and back as it goes to 2.
pub(super) fn cosine(from: f64, to: f64, progress: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * progress).cos()) / 2.0
}

/// The warning that a curve over a key's length ends with the run before it is through.
pub(super) fn cut_short(key: &str, length: u64, steps: u64) -> Vec<String> {
    let so = "it is cut short on its way; make it at most as long";
    (length > steps).then(|| misfit(key, length, steps, so)).into_iter().collect()
}
