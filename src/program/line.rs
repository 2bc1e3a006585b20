//! What a program measures, as it says it.

use crate::metric::{Metric, Scores};
use crate::task::Split;

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// An update was done.
    Update {
        /// Updates done, this one included.
        step: u64,
        /// The training loss.
        loss: Option<f64>,
        /// The rate.
        lr: Option<f64>,
        /// The length of the gradient.
        grad_norm: Option<f64>,
    },
    /// An evaluation was done after so many updates.
    Evaluation {
        /// Updates done; `None` where the program does not say it, and the last evaluation is at the end.
        step: Option<u64>,
        /// What was evaluated on.
        split: Split,
        /// What was measured.
        scores: Scores,
    },
}

/// A value of a metric that can be one.
pub(super) fn score(metric: Metric, value: f64) -> Result<f64, String> {
    if metric.is_share() && value.is_finite() && !(0.0..=1.0).contains(&value) {
        let name = metric.name();
        return Err(format!(
            "`{name}` is {value}; expected a share from 0 to 1\n  help: divide it by 100, or give it another name, such as \
             `{name}_percent`, in `metrics`"
        ));
    }
    Ok(value)
}
