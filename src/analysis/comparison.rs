//! The runners-up against the leader: by how much, and whether that is more than noise.

use crate::analysis::effect::{Effect, effect};
use crate::analysis::standard::POWER;
use crate::analysis::{Difference, Rank, Ranking, Sample, Standard, Summary, holm, wilcoxon};
use crate::metric::Metric;

/// What a comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Worse than the leader, by more than noise.
    Worse,
    /// Better than the leader on what is reported, by more than noise, although validation chose the leader.
    Better,
    /// The same in every seed.
    Equal,
    /// A difference inside the noise.
    Tied,
    /// Too few seeds to know the noise.
    Unknown,
    /// A larger share of seeds was lost than of the leader's, and the others do not decide.
    Unstable,
    /// No seed is left to compare.
    Lost,
}

impl Verdict {
    /// The word in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Equal => "equal",
            Self::Tied => "not significant",
            Self::Unknown => "too few seeds",
            Self::Unstable => "unstable",
            Self::Lost => "diverged",
        }
    }
}

/// One optimizer and schedule against the leader of its task.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The leader's reported score minus this one's, so that more is better for the leader whatever
    /// the metric; `None` where no seed is left to compare.
    pub lead: Option<Difference>,
    /// The lead as an effect size.
    pub effect: Effect,
    /// The p-value of the one-sided test that the arm is worse than the leader, of this comparison alone.
    pub p_worse: Option<f64>,
    /// Whether the arm may be the best of its task: see `may_be_best`.
    pub may_be_best: bool,
    /// The p-value of the paired (or Welch's) t test, two-sided, by Holm's method over all comparisons of the task.
    pub p_adjusted: Option<f64>,
    /// The p-value of Wilcoxon's signed-rank test of the same pairs, not adjusted.
    pub wilcoxon: Option<f64>,
    /// The smallest lead by which the arm would have been ruled out as the best with probability [`POWER`].
    pub detectable: Option<f64>,
    /// How many updates the leader reached the target before the arm; `None` where a seed of either never did.
    pub steps_saved: Option<Difference>,
    /// What it comes to among all comparisons of the task.
    pub verdict: Verdict,
}

/// Every arm of a ranking against the first; the first has none. The chance that the standard grants is for all
/// comparisons together, by Holm's method, where a verdict is reached; whether an arm may be the best is asked of each alone.
pub fn comparisons(ranking: &Ranking, standard: Standard) -> Vec<Option<Comparison>> {
    let Some(leader) = ranking.ranks.first() else { return Vec::new() };
    let (metric, floor) = (ranking.metric, ranking.loss_floor());
    let leads: Vec<Option<Difference>> =
        ranking.ranks[1..].iter().map(|rank| Difference::lead(&leader.best, &rank.best, metric)).collect();
    let p: Vec<Option<f64>> = leads.iter().map(|lead| standard.p_value(lead.as_ref()?)).collect();
    let compared =
        ranking.ranks[1..].iter().zip(leads).zip(holm::adjust_known(&p)).map(|((rank, lead), p_adjusted)| {
            let known = lead.as_ref();
            Some(Comparison {
                effect: known
                    .map_or_else(Effect::default, |lead| effect(lead, &leader.best, &rank.best, metric, floor)),
                p_worse: known.and_then(|lead| standard.p_above(lead)),
                may_be_best: may_be_best(leader, rank, known, standard),
                wilcoxon: known.and_then(|lead| wilcoxon::signed_rank(&lead.pairs)),
                // A one-sided test has the upper threshold of a two-sided one at twice the level.
                detectable: known.and_then(|lead| lead.detectable(2.0 * standard.alpha, POWER)),
                steps_saved: steps_saved(&leader.best, &rank.best),
                verdict: verdict(&leader.best, &rank.best, known, p_adjusted, metric, standard),
                p_adjusted,
                lead,
            })
        });
    std::iter::once(None).chain(compared).collect()
}

/// An arm may be the best of its task unless it is worse than the leader, which validation chose, by a one-sided test at
/// the level of the standard (5% where the number of seeds is fixed); or unless no seed of it has a score, or
/// significantly more of its seeds diverged than of the leader's.
///
/// One comparison decides about each arm, so the level is not divided by the number of arms: whichever arm is truly the
/// best, it is left out at most as often as its own test is wrong, if the leader was chosen on other runs
/// than those compared (`judge_seeds`). Where validation and test scores come from the same runs, the leader is the
/// arm whose runs were lucky, and an arm that is exactly as good is left out more often: `docs/report.md` has the rates.
fn may_be_best(leader: &Rank, arm: &Rank, lead: Option<&Difference>, standard: Standard) -> bool {
    let worse = lead.and_then(|lead| standard.p_above(lead)).is_some_and(|p| p <= standard.alpha);
    let diverged = |rank: &Rank| rank.best.share_diverged(rank.metric);
    arm.is_ranked() && !worse && !standard.is_more_often(diverged(arm), diverged(leader))
}

/// How many updates the leader saves on the way to the target, where every seed of both got there.
pub(super) fn steps_saved(leader: &Summary, other: &Summary) -> Option<Difference> {
    let all = |arm: &Summary| (arm.steps_to_target().len() == arm.runs.len()).then(|| arm.steps_by_seed());
    // Evaluations are far apart, so that seeds may agree by chance.
    Difference::between(&all(other)?, &all(leader)?).map(|saved| saved.unless_by_chance(false))
}

/// What the lead of one arm over another comes to for the other. Scores decide where they can; where they cannot, an arm
/// that lost more seeds is called unstable, which alone says nothing of its best.
pub(super) fn verdict(
    leader: &Summary,
    other: &Summary,
    lead: Option<&Difference>,
    p: Option<f64>,
    metric: Metric,
    standard: Standard,
) -> Verdict {
    let Some(lead) = lead else { return Verdict::Lost };
    let more_lost = other.lost_in(metric) * leader.runs.len() > leader.lost_in(metric) * other.runs.len();
    match p {
        Some(p) if p < standard.alpha && lead.mean > 0.0 => Verdict::Worse,
        Some(p) if p < standard.alpha && lead.mean < 0.0 => Verdict::Better,
        _ if more_lost => Verdict::Unstable,
        None if lead.mean == 0.0 => Verdict::Equal,
        None => Verdict::Unknown,
        Some(_) if lead.is_exact() && lead.mean == 0.0 => Verdict::Equal,
        Some(_) => Verdict::Tied,
    }
}

/// The smallest difference that this sweep would have found with probability [`POWER`]: the median over the arms that may
/// be the best, as it is of these that more would be known with more seeds; over all where there is none.
pub fn detectable(comparisons: &[Option<Comparison>]) -> Option<f64> {
    let of = |open: bool| -> Sample {
        let meant = comparisons.iter().flatten().filter(|comparison| comparison.may_be_best || !open);
        meant.filter_map(|comparison| comparison.detectable).collect()
    };
    of(true).quantile(0.5).or_else(|| of(false).quantile(0.5)).filter(|x| x.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};

    fn verdicts(arms: &[Arm]) -> Vec<Verdict> {
        let records = records(arms);
        let ranking = ranking(&records, "task", Metric::LOSS);
        comparisons(&ranking, Standard::FIXED).iter().flatten().map(|comparison| comparison.verdict).collect()
    }

    #[test]
    fn every_verdict_has_its_case() {
        let a = Arm::new("a", &[1.0, 1.1, 1.2]);
        assert_eq!(verdicts(&[a.clone(), Arm::new("b", &[2.0, 2.11, 2.2])]), [Verdict::Worse]);
        assert_eq!(verdicts(&[a.clone(), Arm::new("b", &[1.0, 1.1, 1.2])]), [Verdict::Equal]);
        assert_eq!(verdicts(&[a.clone(), Arm::new("b", &[0.9, 1.6, 1.1])]), [Verdict::Tied]);
        assert_eq!(verdicts(&[a.clone(), Arm::new("b", &[1.5, 1.1, f64::NAN])]), [Verdict::Unstable]);
        assert_eq!(verdicts(&[a.clone(), Arm::new("b", &[1.5, 1.61, f64::NAN])]), [Verdict::Worse]);
        assert_eq!(verdicts(&[a, Arm::new("b", &[f64::NAN; 3])]), [Verdict::Lost]);
        assert_eq!(verdicts(&[Arm::new("a", &[1.0]), Arm::new("b", &[2.0])]), [Verdict::Unknown]);
        let chosen = Arm { test: Some(vec![3.0, 3.1, 3.2]), ..Arm::new("a", &[1.0, 1.1, 1.2]) };
        let better = Arm { test: Some(vec![2.0, 2.1, 2.21]), ..Arm::new("b", &[2.0, 2.1, 2.2]) };
        assert_eq!(verdicts(&[chosen, better]), [Verdict::Better]);
    }

    #[test]
    fn many_comparisons_are_corrected() {
        // Alone it would be called worse; among eight of its kind chance alone may do that.
        let b = |name: &'static str| Arm::new(name, &[1.06, 1.11, 1.28]);
        let a = Arm::new("a", &[1.0, 1.1, 1.2]);
        let c = Arm::new("b", &[1.06, 1.17, 1.29]);
        assert_eq!(verdicts(&[a.clone(), c.clone()]), [Verdict::Worse]);
        let names = ["c", "d", "e", "f", "g", "h", "i"];
        let many: Vec<Arm> = [a, c].into_iter().chain(names.into_iter().map(b)).collect();
        assert!(verdicts(&many).iter().all(|verdict| *verdict == Verdict::Tied));
    }

    fn standing(arms: &[Arm], standard: Standard) -> Vec<bool> {
        let records = records(arms);
        comparisons(&ranking(&records, "task", Metric::LOSS), standard)
            .iter()
            .flatten()
            .map(|c| c.may_be_best)
            .collect()
    }

    #[test]
    fn an_arm_may_be_the_best_unless_it_is_worse_by_its_own_one_sided_test() {
        let a = Arm::new("a", &[1.0, 1.1, 1.2]);
        // The differences are 0.03, 0.05, 0.10: t = 2.882, one-sided p = 0.0511; then t = 3.255, p = 0.0414.
        let near = Arm::new("b", &[1.03, 1.15, 1.3]);
        let far = Arm::new("c", &[1.035, 1.16, 1.305]);
        let eight = ["d", "e", "f", "g", "h", "i"].map(|name| Arm { optimizer: name, ..near.clone() });
        assert_eq!(standing(&[a.clone(), near.clone(), far.clone()], Standard::FIXED), [true, false]);
        let all = [vec![a.clone(), near.clone(), far], eight.to_vec()].concat();
        assert_eq!(standing(&all, Standard::FIXED).iter().filter(|may| !**may).count(), 1, "not divided by eight");
        assert_eq!(standing(&all, Standard::at_look(&[3, 6], 0)), [true; 8], "half of the 5% is for the second look");
        assert_eq!(standing(&all, Standard::ANYTIME), [true; 8]);
        assert_eq!(standing(&[Arm::new("a", &[1.0]), Arm::new("b", &[9.0])], Standard::FIXED), [true], "one seed");
    }

    #[test]
    fn divergence_rules_out_an_arm_by_an_exact_test_alone() {
        let a = Arm::new("a", &[1.0, 1.1, 1.2, 1.3, 1.4]);
        let lost = |n: usize| {
            let losses: Vec<f64> =
                (0..5).map(|i| if i < n { f64::NAN } else { [1.2, 1.2, 1.1, 1.2, 1.4][i] }).collect();
            standing(&[a.clone(), Arm::new("b", &losses)], Standard::FIXED)
        };
        assert_eq!([0, 1, 2, 3, 4, 5].map(lost).concat(), [true, true, true, true, false, false]);
    }

    #[test]
    fn steps_to_the_target_are_saved_where_every_seed_got_there() {
        let a = Arm { steps_to_target: Some(40), ..Arm::new("a", &[1.0, 1.1, 1.2]) };
        let b = Arm { steps_to_target: Some(70), ..Arm::new("b", &[2.0, 2.1, 2.3]) };
        let mut records = records(&[a, b]);
        records[5].steps_to_target = Some(73);
        let saved = |records: &[crate::results::Record]| {
            let compared = comparisons(&ranking(records, "task", Metric::LOSS), Standard::FIXED);
            compared[1].as_ref().unwrap().steps_saved.clone()
        };
        assert_eq!(saved(&records).unwrap().pairs.iter().collect::<Vec<_>>(), [30.0, 30.0, 33.0]);
        records[4].steps_to_target = None;
        assert_eq!(saved(&records), None);
    }
}
