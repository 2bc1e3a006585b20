//! The linear warmup that Schedule-Free rules carry themselves.

use crate::length::Length;
use crate::registry::Key;
use crate::settings::Settings;

pub(super) const KEY: Key =
    Key::length("warmup", Length::ZERO, "raise the rate linearly over this long; it counts less in the average");

/// Raises a rate from `1 / steps` of itself to all of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Warmup {
    steps: u64,
}

impl Warmup {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { steps: settings.steps("warmup") }
    }

    /// The factor of the update after `t` updates.
    pub(super) fn factor(self, t: u64) -> f64 {
        if t >= self.steps { 1.0 } else { (t + 1) as f64 / self.steps as f64 }
    }
}
