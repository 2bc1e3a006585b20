//! How large a lead is, in units that can be compared between experiments.

use crate::analysis::{Difference, Summary};
use crate::metric::Metric;

/// A lead as an effect size.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Effect {
    /// In standard deviations over seeds, pooled over both arms (Cohen's d); `None` where these are unknown or zero.
    pub deviations: Option<f64>,
    /// As a share of what the other arm leaves to be gained, see [`Metric::left`], of a loss above the floor where the task
    /// has one; `None` where that is not above zero or not known.
    pub share: Option<f64>,
}

/// The effect size of the lead of one arm over another.
pub(super) fn effect(
    lead: &Difference,
    leader: &Summary,
    other: &Summary,
    metric: Metric,
    floor: Option<f64>,
) -> Effect {
    let variance = |arm: &Summary| arm.reported(metric).deviation().map(|deviation| deviation.powi(2));
    let pooled = variance(leader).zip(variance(other)).map(|(a, b)| (0.5 * (a + b)).sqrt());
    let above = if metric == Metric::LOSS { floor.unwrap_or(0.0) } else { 0.0 };
    let left = other.reported(metric).mean().and_then(|mean| Some(metric.left(mean)? - above));
    Effect {
        deviations: pooled.filter(|deviation| *deviation > 0.0).map(|deviation| lead.mean / deviation),
        share: left.filter(|left| *left > 0.0).map(|left| lead.mean / left).filter(|share| *share <= 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};
    use crate::analysis::summaries;

    #[test]
    fn a_lead_by_hand() {
        let records =
            records(&[Arm::new("a", &[1.0, 2.0, 3.0]), Arm::new("b", &[3.0, 4.0, 5.0]), Arm::new("c", &[-1.0])]);
        let arms = summaries(&records);
        let of = |a: usize, b: usize, floor| {
            let lead = Difference::lead(&arms[a], &arms[b], Metric::LOSS).unwrap();
            effect(&lead, &arms[a], &arms[b], Metric::LOSS, floor)
        };
        assert_eq!(of(0, 1, None), Effect { deviations: Some(2.0), share: Some(0.5) });
        assert_eq!(of(0, 1, Some(1.0)).share, Some(2.0 / 3.0), "above the floor");
        assert_eq!(of(0, 2, None), Effect { deviations: None, share: None }, "one seed, and a loss below zero");
    }
}
