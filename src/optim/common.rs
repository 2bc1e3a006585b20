//! What all optimizers share.

use crate::choice::Choice;
use crate::optim::average::{self, Average};
use crate::optim::groups;
use crate::registry::{Accepts, Bounds, Key};
use crate::settings::Settings;

crate::choice! {
    /// The statistics that batch normalisation evaluates by.
    pub enum Statistics {
        /// Estimated anew, for one evaluation, on training batches at the weights that are evaluated.
        Reestimated = "reestimated",
        /// Those that the training gathered, whatever is evaluated.
        Training = "training",
    }
}

const LR: &str = "lr";
const CLIP_NORM: &str = "clip_norm";
const STATISTICS: &str = "batch_norm_statistics";

/// The keys that every optimizer takes beside its own.
pub(super) const KEYS: &[Key] = &[
    Key::optional(
        CLIP_NORM,
        Accepts::Float(Bounds::POSITIVE),
        "scale the gradient down to this Euclidean norm where it is longer",
    ),
    groups::DECAY_ON,
    average::KIND,
    average::DECAY,
    average::START,
    average::EVERY,
    average::WINDOW,
    Key::optional(
        STATISTICS,
        Accepts::Choice(Statistics::WORDS),
        "evaluate batch normalisation with statistics estimated anew, or with those of the training; unless given, \
         anew wherever other weights than those trained are evaluated",
    ),
];

/// The key `lr`, for rules that have nothing particular to say about it.
pub const fn lr(default: f64) -> Key {
    Key::float(LR, default, Bounds::NON_NEGATIVE, "peak learning rate")
}

/// What the settings of any optimizer say beside what is its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Common {
    /// The peak learning rate.
    pub lr: f64,
    /// The length beyond which gradients are scaled down.
    pub clip_norm: Option<f64>,
    /// The average of the weights that is evaluated in their place.
    pub average: Option<Average>,
    /// What batch normalisation evaluates by; where absent, statistics are estimated anew wherever other weights than
    /// those trained are evaluated.
    pub statistics: Option<Statistics>,
}

impl Common {
    /// From checked settings whose durations are measured in steps.
    ///
    /// # Panics
    /// Where a duration was not measured.
    pub fn of(settings: &Settings) -> Self {
        Self {
            lr: settings.float(LR),
            clip_norm: settings.optional_float(CLIP_NORM),
            average: Average::of(settings),
            statistics: settings.optional_choice(STATISTICS),
        }
    }
}

/// What a gradient of this length is multiplied by, where it is not to be longer than a limit.
pub fn clipping(limit: Option<f64>, norm: f64) -> f64 {
    limit.map_or(1.0, |limit| (limit / (norm + 1e-6)).min(1.0))
}
