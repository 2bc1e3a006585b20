//! The metrics that a config declares, of tasks that optbench does not train itself.

use crate::metric::{Direction, Metric};
use crate::registry::{Accepts, Key};
use crate::settings::Settings;

const METRICS: &str = "metrics";
const DIRECTIONS: &[&str] = &[Direction::Higher.word(), Direction::Lower.word()];

/// The key that declares them.
pub(super) const KEY: Key = Key::required(
    METRICS,
    Accepts::WordTable(DIRECTIONS),
    "what is measured, each with whether `higher` or `lower` is better; arms are ranked by the first unless `metric` says \
     otherwise",
);

/// The key that says whether runs of one seed can be compared in pairs.
pub(super) const COMMON_RANDOM_NUMBERS: Key = Key::flag(
    "common_random_numbers",
    true,
    "whether runs of one seed share initial weights and data order, so that they are compared in pairs",
)
.that_decides_nothing();

/// The metrics in the order in which they are declared.
///
/// # Errors
/// In words for the user, where a name is not valid or a built-in metric has the other direction.
pub(super) fn metrics(settings: &Settings) -> Result<Vec<Metric>, String> {
    let entries = settings.table(METRICS).iter();
    let declared = entries.map(|(name, value)| {
        let is_higher = value.as_text() == Some(Direction::Higher.word());
        Metric::declared(name, if is_higher { Direction::Higher } else { Direction::Lower })
    });
    declared.collect()
}
