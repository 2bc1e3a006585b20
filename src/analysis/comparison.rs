//! The runners-up against the leader: by how much, and whether that is more than noise.

use crate::analysis::standard::POWER;
use crate::analysis::{Difference, Ranking, Sample, Standard, Summary, holm, wilcoxon};

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
    /// Seeds were lost that the leader did not lose.
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
            Self::Tied => "cannot tell",
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
    /// The p-value of the paired (or Welch's) t test, by Holm's method over all comparisons of the task.
    pub p_adjusted: Option<f64>,
    /// The p-value of Wilcoxon's signed-rank test of the same pairs, not adjusted.
    pub wilcoxon: Option<f64>,
    /// The smallest difference that the comparison would have found with probability [`POWER`] at
    /// the level that Holm's method gives it at least: that of the standard over the number of comparisons.
    pub detectable: Option<f64>,
    /// What it comes to.
    pub verdict: Verdict,
}

/// Every arm of a ranking against the first; the first has none. The chance that the standard grants is for all
/// comparisons together.
pub fn comparisons(ranking: &Ranking, standard: Standard) -> Vec<Option<Comparison>> {
    let Some(leader) = ranking.ranks.first() else { return Vec::new() };
    let leads: Vec<Option<Difference>> =
        ranking.ranks[1..].iter().map(|rank| Difference::lead(&leader.best, &rank.best, ranking.metric)).collect();
    let p: Vec<Option<f64>> = leads.iter().map(|lead| standard.p_value(lead.as_ref()?)).collect();
    let level = standard.shared(p.iter().flatten().count()).alpha;
    let compared =
        ranking.ranks[1..].iter().zip(leads).zip(holm::adjust_known(&p)).map(|((rank, lead), p_adjusted)| {
            let verdict = verdict(&leader.best, &rank.best, lead.as_ref(), p_adjusted, standard);
            let wilcoxon = lead.as_ref().and_then(|lead| wilcoxon::signed_rank(&lead.pairs));
            let detectable = lead.as_ref().and_then(|lead| lead.detectable(level, POWER));
            Some(Comparison { lead, p_adjusted, wilcoxon, detectable, verdict })
        });
    std::iter::once(None).chain(compared).collect()
}

/// What the lead of one arm over another comes to for the other.
pub(super) fn verdict(
    leader: &Summary,
    other: &Summary,
    lead: Option<&Difference>,
    p: Option<f64>,
    standard: Standard,
) -> Verdict {
    let Some(lead) = lead else { return Verdict::Lost };
    if other.lost() > leader.lost() {
        return Verdict::Unstable;
    }
    match p {
        None if lead.mean == 0.0 => Verdict::Equal,
        None => Verdict::Unknown,
        Some(_) if lead.is_exact() && lead.mean == 0.0 => Verdict::Equal,
        Some(p) if p < standard.alpha && lead.mean > 0.0 => Verdict::Worse,
        Some(p) if p < standard.alpha => Verdict::Better,
        Some(_) => Verdict::Tied,
    }
}

/// The smallest difference between two arms that this sweep would typically have seen: the median
/// over the comparisons with the leader.
pub fn detectable(comparisons: &[Option<Comparison>]) -> Option<f64> {
    let all: Sample = comparisons.iter().flatten().filter_map(|comparison| comparison.detectable).collect();
    all.quantile(0.5).filter(|x| x.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Metric;

    fn verdicts(arms: &[Arm]) -> Vec<Verdict> {
        let records = records(arms);
        let ranking = ranking(&records, "task", Metric::Loss);
        comparisons(&ranking, Standard::FIXED).iter().flatten().map(|comparison| comparison.verdict).collect()
    }

    #[test]
    fn every_verdict_has_its_case() {
        let a = Arm::new("a", &[1.0, 1.1, 1.2]);
        assert_eq!(verdicts(&[a.clone(), Arm::new("b", &[2.0, 2.11, 2.2])]), [Verdict::Worse]);
        assert_eq!(verdicts(&[a.clone(), Arm::new("b", &[1.0, 1.1, 1.2])]), [Verdict::Equal]);
        assert_eq!(verdicts(&[a.clone(), Arm::new("b", &[0.9, 1.6, 1.1])]), [Verdict::Tied]);
        assert_eq!(verdicts(&[a.clone(), Arm::new("b", &[1.5, 1.6, f64::NAN])]), [Verdict::Unstable]);
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
}
