//! What two arms at fixed settings say to a claim, before its parts are judged together.

use crate::analysis::by_seed::compared;
use crate::analysis::claim_part::{FAILED, Part};
use crate::analysis::comparison::steps_saved;
use crate::analysis::divergence::Divergence;
use crate::analysis::{Difference, Sample, Standard, Summary};
use crate::config::Bar;
use crate::metric::Metric;

/// `better` against `than`, apart from a refutation, which depends on the other parts.
pub(super) fn compare(
    bar: Bar,
    task: &str,
    metric: Metric,
    better: &Summary,
    than: &Summary,
    standard: Standard,
) -> Part {
    let mut part = Part::new(task, metric);
    if better.failed + than.failed > 0 {
        part.reason = Some(FAILED.into());
        return part;
    }
    if better.unscored(metric) + than.unscored(metric) > 0 {
        return Part::beyond_seeds(task, metric, &format!("{task} does not measure {}", metric.name()));
    }
    let sides = [better, than].map(|side| (side.runs[0].arm(), side.share_diverged(metric)));
    part.divergence = Some(Divergence::new(sides));
    part.steps_saved = steps_saved(better, than);
    part.needed = needed(bar, better, than, metric);
    let excess = Difference::excess(better, than, metric, |score| bar.needed(score));
    part.take(bar, Difference::lead(better, than, metric), excess, standard);
    part
}

/// The lead that it takes: the mean of what each score of `than` asks for, over those that are compared.
fn needed(bar: Bar, better: &Summary, than: &Summary, metric: Metric) -> f64 {
    let (_, theirs, _) = compared(&better.by_seed(metric), &than.by_seed(metric));
    let scores = if theirs.is_empty() { than.by_seed(metric) } else { theirs };
    scores.into_iter().map(|(_, score)| bar.needed(score)).collect::<Sample>().mean().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::claim_part::Finding;
    use crate::analysis::simulated::{Arm, records};
    use crate::analysis::summaries;
    use crate::margin::Margin;

    const NAN: f64 = f64::NAN;
    const BETTER: Bar = Bar::By(Margin::NONE);

    fn judged(a: &[f64], b: &[f64], metric: Metric, bar: Bar) -> (Finding, String) {
        let records = records(&[Arm::new("a", a), Arm::new("b", b)]);
        let arms = summaries(&records);
        let mut part = compare(bar, "task", metric, &arms[0], &arms[1], Standard::FIXED);
        part.refute(bar, Standard::FIXED);
        (part.finding, part.reason.or(part.note).unwrap_or_default())
    }

    #[test]
    fn divergence_decides_where_an_exact_test_finds_it() {
        let by = |a: &[f64], b: &[f64]| judged(a, b, Metric::LOSS, BETTER);
        let (fine, lost) = ([1.0, 1.1, 1.2], [NAN; 3]);
        let said = "a+constant diverged in 0 of 3 seeds, b+constant in 3 of 3";
        assert_eq!(by(&fine, &lost), (Finding::Supported, said.into()), "1/64 is below 0.025");
        assert_eq!(by(&lost, &fine).0, Finding::Refuted);
        assert_eq!(by(&fine[..2], &lost[..2]).0, Finding::Undecided, "1/16 is not");
        assert_eq!(by(&lost, &lost).0, Finding::Undecided);
        // A score that overflows is as lost as a run that diverged.
        assert_eq!(by(&[f64::INFINITY; 3], &lost).0, Finding::Undecided);
        assert_eq!(by(&lost, &[f64::INFINITY; 3]).0, Finding::Undecided);
        assert_eq!(by(&[f64::INFINITY; 3], &fine).0, Finding::Refuted);
    }

    #[test]
    fn a_few_diverged_runs_refute_nothing_and_keep_support_back() {
        let by = |a: &[f64], b: &[f64]| judged(a, b, Metric::LOSS, BETTER);
        let (a, b) = ([1.0, 1.1, 1.21, 1.3, NAN], [2.0, 2.11, 2.2, 2.31, 2.4]);
        let (finding, reason) = by(&a, &b);
        assert_eq!(finding, Finding::Undecided);
        assert!(reason.starts_with("unstable: a+constant diverged in 1 of 5 seeds, b+constant in 0 of 5;"), "{reason}");
        // Scores that fall short refute, whoever diverged, and the finding says who did.
        let unstable = "unstable: b+constant diverged in 0 of 5 seeds, a+constant in 1 of 5";
        let swapped = records(&[Arm::new("b", &b), Arm::new("a", &a)]);
        let arms = summaries(&swapped);
        let mut part = compare(BETTER, "task", Metric::LOSS, &arms[0], &arms[1], Standard::FIXED);
        part.refute(BETTER, Standard::FIXED);
        assert_eq!((part.finding, part.note.as_deref()), (Finding::Refuted, Some(unstable)));
        let margin = judged(&[1.5, 1.6, 1.4], &[1.0, 1.1, NAN], Metric::LOSS, Bar::Margin(Margin::Share(0.01)));
        assert_ne!(margin.0, Finding::Supported, "the mean that a margin is a share of is finite");
    }

    #[test]
    fn a_metric_that_is_not_measured_decides_nothing() {
        for (a, b) in [([1.0, 1.1], [2.0, 2.1]), ([2.0, 2.1], [1.0, 1.1]), ([1.0, 1.1], [NAN; 2])] {
            let (finding, reason) = judged(&a, &b, Metric::ACCURACY, Bar::Margin(Margin::NONE));
            assert_eq!(finding, Finding::Undecided);
            assert_eq!(reason, "task does not measure accuracy; more seeds would not help");
        }
    }

    #[test]
    fn seeds_that_divergence_took_are_named_and_not_asked_for() {
        let (finding, reason) = judged(&[1.0, 1.1, 1.2], &[2.0, NAN, NAN], Metric::LOSS, BETTER);
        assert_eq!(finding, Finding::Undecided);
        assert!(reason.contains("b+constant in 2 of 3: too few seeds are left"), "{reason}");
        let (_, reason) = judged(&[1.0], &[2.0], Metric::LOSS, BETTER);
        assert!(reason.starts_with("with one seed, noise cannot be estimated"), "{reason}");
    }

    #[test]
    fn a_margin_is_a_share_of_every_score_with_its_noise() {
        // Lead -0.1 in every seed; 10% of a score of 1 to 3 moves from seed to seed.
        let (a, b) = ([1.1, 2.1, 3.1], [1.0, 2.0, 3.0]);
        let records = records(&[Arm::new("a", &a), Arm::new("b", &b)]);
        let arms = summaries(&records);
        let excess = |bar: Bar| {
            let part = compare(bar, "task", Metric::LOSS, &arms[0], &arms[1], Standard::FIXED);
            (part.needed, part.excess.unwrap().pairs.iter().map(|x| (x * 1e9).round() / 1e9).collect::<Vec<_>>())
        };
        let share = excess(Bar::Margin(Margin::Share(0.1)));
        assert!((share.0 + 0.2).abs() < 1e-12);
        assert_eq!(share.1, [0.0, 0.1, 0.2]);
        assert_eq!(excess(Bar::By(Margin::Share(0.1))).1, [-0.2, -0.3, -0.4]);
        assert_eq!(excess(Bar::Margin(Margin::Absolute(0.25))), (-0.25, vec![0.15; 3]));
    }

    #[test]
    fn a_coarse_score_has_the_noise_of_one_prediction_at_least() {
        let scored = |name, right: [f64; 3], examples: Option<u64>| {
            let mut runs = records(&[Arm::new(name, &[1.0, 1.1, 1.2])]);
            for (run, right) in runs.iter_mut().zip(right) {
                let scores = run.validation.take().unwrap();
                let loss = scores.get(Metric::LOSS).unwrap() + if name == "a" { 0.5 } else { 0.0 };
                run.validation = Some(scores.with(Metric::LOSS, loss).with(Metric::ACCURACY, right / 200.0));
                run.validation_examples = examples;
            }
            runs
        };
        let find = |a: [f64; 3], b: [f64; 3], examples, bar| {
            let records = [scored("a", a, examples), scored("b", b, examples)].concat();
            let arms = summaries(&records);
            compare(bar, "task", Metric::ACCURACY, &arms[0], &arms[1], Standard::FIXED)
        };
        let (full, margin) = ([200.0; 3], |share| Bar::Margin(Margin::Share(share)));
        for examples in [Some(200), None] {
            let part = find(full, full, examples, margin(0.0));
            assert_eq!(part.finding, Finding::Undecided, "saturated scores prove nothing: {part:?}");
        }
        let part = find(full, full, Some(200), margin(0.02));
        assert_eq!((part.finding, part.lead.unwrap().error), (Finding::Supported, Some(1.0 / 200.0 / 3f64.sqrt())));
        // A margin moves with the scores: that is not the noise of equal steps.
        let part = find([198.0, 196.0, 194.0], [199.0, 197.0, 195.0], None, margin(0.1));
        assert_eq!((part.finding, part.excess.unwrap().error), (Finding::Undecided, None));
    }
}
