//! What the records say: arms over their seeds, and who is ahead.

mod ranking;
mod sample;
mod summary;

pub use ranking::{Rank, Ranking, ranking};
pub use sample::Sample;
pub use summary::{Summary, summaries};
