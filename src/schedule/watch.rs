//! Whether the evaluations get better, as schedules that listen to them ask.

use crate::choice::Choice;
use crate::metric::Metric;
use crate::registry::Key;
use crate::settings::Settings;

pub(super) const METRIC: Key = Key::text("metric", "loss", "the metric to watch; the task must have it");
pub(super) const MODE: Key =
    Key::choice("mode", Mode::WORDS, "auto", "whether lower (min) or higher (max) is better; auto: by the metric");
const THRESHOLD: &str = "threshold";
const THRESHOLD_MODE: &str = "threshold_mode";
const WHETHER: &str = "whether the threshold is a share of the best value";

/// The key of the least change that counts as progress.
pub(super) const fn threshold(default: f64) -> Key {
    Key::float(THRESHOLD, default, crate::registry::Bounds::NON_NEGATIVE, "the least change that counts as progress")
}

/// The key of what it is measured in.
pub(super) const fn threshold_mode(default: &'static str) -> Key {
    Key::choice(THRESHOLD_MODE, Threshold::WORDS, default, WHETHER)
}

crate::choice! {
    /// What the threshold is measured in.
    enum Threshold {
        /// Shares of the best value.
        Relative = "rel",
        /// What the metric is measured in.
        Absolute = "abs",
    }
}

crate::choice! {
    /// Which values are better.
    enum Mode {
        /// Those that are by the metric.
        Auto = "auto",
        /// Lower ones.
        Min = "min",
        /// Higher ones.
        Max = "max",
    }
}

/// What is watched, and what counts as progress.
pub(super) struct Watch {
    /// The metric.
    pub(super) metric: Metric,
    /// Whether more is better.
    rise: bool,
    threshold: f64,
    mode: Threshold,
}

impl Watch {
    /// What the keys of this file say.
    pub(super) fn new(settings: &Settings) -> Self {
        let metric = Metric::named(settings.text(METRIC.name));
        let rise = match settings.choice(MODE.name) {
            Mode::Auto => metric.higher_is_better(),
            Mode::Min => false,
            Mode::Max => true,
        };
        Self { metric, rise, threshold: settings.float(THRESHOLD), mode: settings.choice(THRESHOLD_MODE) }
    }

    /// Whether a value is progress beyond the best one.
    pub(super) fn is_better(&self, value: f64, best: f64) -> bool {
        match (self.rise, self.mode) {
            (false, Threshold::Relative) => value < best * (1.0 - self.threshold),
            (false, Threshold::Absolute) => value < best - self.threshold,
            (true, Threshold::Relative) => value > best * (1.0 + self.threshold),
            (true, Threshold::Absolute) => value > best + self.threshold,
        }
    }

    /// The worst value that there is, finite as it may be stored.
    pub(super) fn worst(&self) -> f64 {
        if self.rise { f64::MIN } else { f64::MAX }
    }
}
