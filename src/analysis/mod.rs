//! What the records say: arms over their seeds, who is ahead, and whether that is more than noise.

pub mod anytime;
mod arm_match;
pub mod around_best;
#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the measured rates are worth seeing")]
mod best_rates;
pub mod bootstrap;
mod by_seed;
mod caveats;
mod change;
mod choice;
pub mod claim;
mod claim_evidence;
mod claim_part;
mod claim_settings;
pub mod comparison;
mod completeness;
mod difference;
mod divergence;
mod edges;
mod effect;
#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the measured rates are worth seeing")]
mod error_rates;
#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the measured rates are worth seeing")]
mod error_rates_of_claims;
#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the measured rates are worth seeing")]
mod error_rates_of_gate;
#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the measured rates are worth seeing")]
mod error_rates_of_sensitivity;
mod gate;
mod gate_power;
pub mod holm;
mod over_tasks;
pub mod profile;
mod ranking;
mod rate_curve;
mod rates;
pub mod reaches;
pub mod regression;
mod roles;
mod sample;
pub mod search;
pub mod sequential;
#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the measured rates are worth seeing")]
mod sequential_rates;
pub mod shares;
#[cfg(test)]
pub(crate) mod simulated;
pub mod standard;
pub mod student;
mod summary;
mod tries;
mod values;
mod warning;
pub mod wilcoxon;

pub use by_seed::{BySeed, Seed, mark_independent};
pub use caveats::{caveats, note, warnings};
pub use comparison::{Comparison, Verdict, comparisons, detectable};
pub use completeness::{Progress, progress, progress_of_all};
pub use difference::Difference;
pub use effect::Effect;
pub use over_tasks::{FEWEST as FEWEST_TASKS, OverArm, OverTasks, over_tasks};
pub use ranking::{Rank, Ranking, order, ranking, ranking_of};
pub use rates::{GOOD, Rate, good_range, rates};
pub use roles::Roles;
pub use sample::Sample;
pub use sequential::Standing;
pub use standard::Standard;
pub use summary::{Summary, summaries};
pub use tries::expected_best;
pub use values::Tried;
pub use warning::{MORE_SEEDS, Warning};
