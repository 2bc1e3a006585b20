//! The answer over several tasks: who is among the best on each of them.

use crate::analysis::{Rank, Verdict};
use crate::report::Section;
use crate::report::words::count;

/// How many arms are named before they are counted.
const NAMED: usize = 3;

/// One sentence over tasks that were compared with their noise known; `None` where there is no such pair of tasks.
///
/// Scores of different tasks have no common mean. What can be said fairly is which arms are beaten on none.
pub(super) fn over_tasks(sections: &[Section]) -> Option<String> {
    let compared: Vec<&Section> = sections.iter().filter(|section| is_known(section)).collect();
    let [first, others @ ..] = &compared[..] else { return None };
    if others.is_empty() {
        return None;
    }
    let same = |a: &Rank, b: &Rank| (a.optimizer, a.schedule) == (b.optimizer, b.schedule);
    let everywhere = |rank: &&Rank| others.iter().all(|section| unbeaten(section).any(|other| same(rank, other)));
    let names: Vec<String> = unbeaten(first).filter(everywhere).map(Rank::name).collect();
    let tasks = count(compared.len(), "task");
    Some(match names.len() {
        0 => format!("Over {tasks}, no arm is on each the leader or within its noise."),
        1..=NAMED => {
            let verb = if names.len() == 1 { "is" } else { "are" };
            format!("Over {tasks}, only {} {verb} nowhere worse than the leader by more than noise.", names.join(", "))
        }
        n => format!("Over {tasks}, {n} arms are nowhere worse than the leader by more than noise."),
    })
}

/// Whether there are rivals, and the noise of some comparison is known.
fn is_known(section: &Section) -> bool {
    section.comparisons.iter().flatten().any(|comparison| comparison.p_adjusted.is_some())
}

/// The leader, and every arm that it does not beat.
fn unbeaten<'a, 'b>(section: &'b Section<'a>) -> impl Iterator<Item = &'b Rank<'a>> {
    let beaten = [Verdict::Worse, Verdict::Unstable, Verdict::Lost];
    let arms = section.ranking.ranks.iter().zip(&section.comparisons);
    arms.filter(move |(rank, comparison)| {
        rank.is_ranked() && comparison.as_ref().is_none_or(|comparison| !beaten.contains(&comparison.verdict))
    })
    .map(|(rank, _)| rank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Metric;

    /// The sentence over tasks, each of three arms at these mean losses; a NaN diverged.
    fn said(tasks: &[[f64; 3]]) -> Option<String> {
        let records: Vec<_> = tasks
            .iter()
            .map(|means| {
                let arm = |(name, mean): (_, &f64)| Arm::new(name, &[0.0, 0.02, -0.01].map(|noise| mean + noise));
                let [a, b, mut c] = [("a", &means[0]), ("b", &means[1]), ("c", &means[2])].map(arm);
                // The third differs from the others by more than a step that every seed has.
                c.validation[0] += 0.001;
                records(&[a, b, c])
            })
            .collect();
        let sections: Vec<Section> =
            records.iter().map(|records| Section::new(ranking(records, "task", Metric::Loss), records, None)).collect();
        over_tasks(&sections)
    }

    #[test]
    fn what_is_beaten_on_no_task_is_named() {
        assert_eq!(said(&[[1.0, 1.0, 2.0]]), None, "one task has its own answer");
        let text = said(&[[1.0, 1.0, 2.0], [1.0, 1.0, 5.0]]).unwrap();
        assert_eq!(
            text,
            "Over 2 tasks, only a+constant, b+constant are nowhere worse than the leader by more than noise."
        );
        let text = said(&[[1.0, f64::NAN, 2.0], [2.0, f64::NAN, 1.0]]).unwrap();
        assert_eq!(text, "Over 2 tasks, no arm is on each the leader or within its noise.");
    }
}
