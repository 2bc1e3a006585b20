//! What two arms at fixed settings say to a claim, before its parts are judged together.

use crate::analysis::claim::{Finding, Part};
use crate::analysis::{Difference, Standard, Summary};
use crate::config::Bar;
use crate::metric::Metric;

/// Why nothing is judged where runs stopped by an error.
pub(super) const FAILED: &str = "runs failed: `optbench run` tries them again";

/// `better` against `than`, apart from a refutation by interval, which depends on the other parts.
///
/// Divergence decides where one side has a larger share of it than the other could make up for: a
/// `better` that diverges in more seeds is refuted, a `than` without a seed left is beaten.
pub(super) fn compare(
    bar: Bar,
    task: &str,
    metric: Metric,
    better: &Summary,
    than: &Summary,
    standard: Standard,
) -> Part {
    let needed = bar.needed(than.finite_mean(metric).unwrap_or(0.0));
    let mut part = Part { needed, ..Part::new(task, metric) };
    if better.failed + than.failed > 0 {
        part.reason = Some(FAILED.into());
        return part;
    }
    if better.unscored(metric) + than.unscored(metric) > 0 {
        return Part::beyond_seeds(task, metric, &format!("{task} does not measure {}", metric.name()));
    }
    part.weigh(bar, Difference::lead(better, than, metric), standard);
    let [lost, other_lost] = [better, than].map(|side| side.diverged_in(metric));
    let both = || {
        let of = |lost: usize, side: &Summary| format!("{lost} of {}", side.runs.len());
        let [name, other] = [better, than].map(|side| side.runs[0].arm());
        format!("{name} diverged in {} seeds, {other} in {}", of(lost, better), of(other_lost, than))
    };
    // Shares, as a search runs its best settings under more seeds than its others.
    if lost * than.runs.len() > other_lost * better.runs.len() {
        (part.finding, part.reason) = (Finding::Refuted, Some(both()));
        return part;
    }
    let Some(lead) = &part.lead else {
        (part.finding, part.reason) = if lost < better.runs.len() {
            (Finding::Supported, Some(both()))
        } else {
            (Finding::Undecided, Some(format!("{}: nothing is left to compare", both())))
        };
        return part;
    };
    let too_few = lead.error.is_none() && lead.same_step().is_none();
    if part.finding == Finding::Undecided && too_few && other_lost > 0 {
        part.reason = Some(format!("{}: too few seeds are left to compare", both()));
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};
    use crate::analysis::summaries;

    fn judged(a: &[f64], b: &[f64], metric: Metric, bar: Bar) -> (Finding, String) {
        let records = records(&[Arm::new("a", a), Arm::new("b", b)]);
        let arms = summaries(&records);
        let part = compare(bar, "task", metric, &arms[0], &arms[1], Standard::FIXED);
        (part.finding, part.reason.unwrap_or_default())
    }

    #[test]
    fn divergence_of_every_seed_loses_to_finite_scores_and_to_nothing_else() {
        const NAN: f64 = f64::NAN;
        let by = |a: &[f64], b: &[f64]| judged(a, b, Metric::Loss, Bar::By(0.0));
        let lost = [NAN; 3];
        let said = "a+constant diverged in 0 of 3 seeds, b+constant in 3 of 3";
        assert_eq!(by(&[1.0, 1.1, 1.2], &lost), (Finding::Supported, said.into()));
        assert_eq!(by(&lost, &[1.0, 1.1, 1.2]).0, Finding::Refuted);
        assert_eq!(by(&lost, &lost).0, Finding::Undecided);
        // A score that overflows is as lost as a run that diverged.
        assert_eq!(by(&[f64::INFINITY; 3], &lost).0, Finding::Undecided);
        assert_eq!(by(&lost, &[f64::INFINITY; 3]).0, Finding::Undecided);
        assert_eq!(by(&[f64::INFINITY; 3], &[1.0, 1.1, 1.2]).0, Finding::Refuted);
        let margin = judged(&[1.5, 1.6, 1.4], &[1.0, 1.1, f64::INFINITY], Metric::Loss, Bar::Margin(0.01));
        assert_ne!(margin.0, Finding::Supported, "the mean that a margin is a share of is finite");
    }

    #[test]
    fn a_metric_that_is_not_measured_decides_nothing() {
        for (a, b) in [([1.0, 1.1], [2.0, 2.1]), ([2.0, 2.1], [1.0, 1.1]), ([1.0, 1.1], [f64::NAN; 2])] {
            let (finding, reason) = judged(&a, &b, Metric::Accuracy, Bar::Margin(0.0));
            assert_eq!(finding, Finding::Undecided);
            assert_eq!(reason, "task does not measure accuracy; more seeds would not help");
        }
    }

    #[test]
    fn seeds_that_divergence_took_are_named_and_not_asked_for() {
        let (finding, reason) = judged(&[1.0, 1.1, 1.2], &[2.0, f64::NAN, f64::NAN], Metric::Loss, Bar::By(0.0));
        assert_eq!(finding, Finding::Undecided);
        assert!(reason.contains("b+constant in 2 of 3: too few seeds are left"), "{reason}");
        let (_, reason) = judged(&[1.0], &[2.0], Metric::Loss, Bar::By(0.0));
        assert!(reason.starts_with("one seed knows no noise"), "{reason}");
    }
}
