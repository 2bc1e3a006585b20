//! Arms over several tasks: the mean ratio of their errors or losses.

use crate::analysis::{Difference, Rank, Ranking, Sample, Standard, holm, standard::Basis};
use crate::metric::Metric;

/// How many tasks it takes to test a mean over them.
pub const FEWEST: usize = 3;

/// What arms come to over the tasks that all of them ran on.
#[derive(Debug, Clone)]
pub struct OverTasks<'a, 'b> {
    /// The tasks.
    pub tasks: Vec<&'b str>,
    /// The tasks that are left out: an arm reached zero or less there, or the metric is of no known best score: there is no ratio.
    pub left_out: Vec<&'b str>,
    /// The arms, the one with the lowest mean logarithm on validation first.
    pub arms: Vec<OverArm<'a, 'b>>,
    /// Whether the means are tested.
    pub is_tested: bool,
}

/// One arm over several tasks.
#[derive(Debug, Clone)]
pub struct OverArm<'a, 'b> {
    /// The arm, as on the first task.
    pub rank: &'b Rank<'a>,
    /// The logarithm of its error, loss or perplexity over the first arm's, mean over the tasks; `None` for the first arm.
    pub log_ratio: Option<Difference>,
    /// The two-sided p-value of the t test over tasks, by Holm's method over the arms; `None` where it is not tested.
    pub p_adjusted: Option<f64>,
}

/// What arms come to over tasks; `None` below two tasks and two arms that have all of them.
///
/// Scores of different tasks have no common unit, but ratios have, of what a score leaves to be gained: an accuracy is taken as its
/// error 1 - accuracy, a loss and a perplexity as they are. The arm with the lowest mean logarithm on validation is compared with every other on the
/// reported scores: d = log(other / first) on each task, and the interval is mean(d) +- t sd(d) / sqrt(tasks): tasks
/// are the sample, so it says what to expect on a task like these.
pub fn over_tasks<'a, 'b>(rankings: &[&'b Ranking<'a>], standard: Standard) -> Option<OverTasks<'a, 'b>> {
    let [first, ..] = rankings else { return None };
    let everywhere = |arm: &&Rank| rankings.iter().all(|ranking| find(ranking, arm).is_some());
    let arms: Vec<&Rank> = first.ranks.iter().filter(everywhere).collect();
    let on = |ranking: &Ranking, arm: &Rank, score: fn(&Rank, Metric) -> Sample| {
        let metric = ranking.metric;
        let mean = score(find(ranking, arm)?, metric).mean()?;
        metric.left(mean).filter(|left| *left > 0.0).map(f64::ln)
    };
    let [validation, reported]: [fn(&Rank, Metric) -> Sample; 2] =
        [|rank, metric| rank.selection.validation(metric), |rank, metric| rank.best.reported(metric)];
    let has_ratios = |ranking: &&&Ranking| {
        arms.iter().all(|arm| [validation, reported].iter().all(|score| on(ranking, arm, *score).is_some()))
    };
    let (kept, left_out): (Vec<&'b Ranking>, Vec<&'b Ranking>) = rankings.iter().partition(has_ratios);
    if kept.len() < 2 || arms.len() < 2 {
        return None;
    }
    let logs = |arm: &Rank, score| -> Sample { kept.iter().filter_map(|ranking| on(ranking, arm, score)).collect() };
    let mut ordered: Vec<(f64, &Rank)> =
        arms.iter().map(|&arm| (logs(arm, validation).mean().unwrap_or(f64::INFINITY), arm)).collect();
    ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
    let best: Vec<f64> = logs(ordered[0].1, reported).iter().collect();
    let ratios: Vec<Option<Difference>> = ordered[1..]
        .iter()
        .map(|(_, arm)| {
            let pairs = logs(arm, reported).iter().zip(&best).map(|(own, best)| own - best).collect();
            Difference::paired(pairs).map(|ratio| ratio.unless_by_chance(false))
        })
        .collect();
    // The process that holds whenever it is asked for is one of seeds, and their number says nothing of tasks.
    let is_tested = kept.len() >= FEWEST && standard.basis != Basis::Anytime;
    let p: Vec<Option<f64>> =
        ratios.iter().map(|ratio| standard.p_value(ratio.as_ref()?).filter(|_| is_tested)).collect();
    let compared = ratios.into_iter().zip(holm::adjust_known(&p));
    let arms = ordered.iter().zip(std::iter::once((None, None)).chain(compared));
    let names = |rankings: &[&'b Ranking<'a>]| rankings.iter().map(|ranking| ranking.task.as_str()).collect();
    Some(OverTasks {
        tasks: names(&kept),
        left_out: names(&left_out),
        arms: arms.map(|((_, rank), (log_ratio, p_adjusted))| OverArm { rank, log_ratio, p_adjusted }).collect(),
        is_tested,
    })
}

/// The arm on a task, if anything of it is ranked there.
fn find<'a, 'b>(ranking: &'b Ranking<'a>, arm: &Rank) -> Option<&'b Rank<'a>> {
    ranking
        .ranks
        .iter()
        .find(|rank| rank.is_ranked() && (rank.optimizer, rank.schedule) == (arm.optimizer, arm.schedule))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};

    #[test]
    fn ratios_are_averaged_over_tasks_by_hand() {
        // a is at 1/2, 1/3 and 1/4 of b's loss, whatever the size of either; c is not on every task.
        let tasks =
            [[1.0, 2.0], [10.0, 30.0], [0.1, 0.4]].map(|[a, b]| records(&[Arm::new("a", &[a]), Arm::new("b", &[b])]));
        let rankings: Vec<Ranking> = tasks.iter().map(|records| ranking(records, "task", Metric::LOSS)).collect();
        let all = rankings.iter().collect::<Vec<_>>();
        let over = over_tasks(&all, Standard::FIXED).unwrap();
        assert_eq!(over.arms.iter().map(|arm| arm.rank.optimizer).collect::<Vec<_>>(), ["a", "b"]);
        let ratio = over.arms[1].log_ratio.as_ref().unwrap();
        assert!((ratio.mean.exp() - 24f64.cbrt()).abs() < 1e-12, "the geometric mean of 2, 3 and 4");
        // scipy.stats.ttest_1samp(numpy.log([2, 3, 4]), 0).pvalue
        assert!((over.arms[1].p_adjusted.unwrap() - 0.034_184_2).abs() < 1e-6, "{:?}", over.arms[1].p_adjusted);
        let two = over_tasks(&all[..2], Standard::FIXED).unwrap();
        assert!(!two.is_tested && two.arms[1].p_adjusted.is_none() && two.arms[1].log_ratio.is_some());
        assert!(over_tasks(&all[..1], Standard::FIXED).is_none() && over_tasks(&[], Standard::FIXED).is_none());
        assert!(!over_tasks(&all, Standard::ANYTIME).unwrap().is_tested);
    }

    #[test]
    fn accuracies_are_taken_as_errors_and_what_has_no_ratio_is_left_out() {
        let mut tasks =
            [[1.0, 2.0], [10.0, 30.0], [-1.0, 4.0]].map(|[a, b]| records(&[Arm::new("a", &[a]), Arm::new("b", &[b])]));
        for (run, accuracy) in tasks[1].iter_mut().zip([0.98, 0.92]) {
            run.validation.as_mut().unwrap().set(Metric::ACCURACY, accuracy);
        }
        let metrics = [Metric::LOSS, Metric::ACCURACY, Metric::LOSS];
        let rankings: Vec<Ranking> =
            tasks.iter().zip(metrics).map(|(records, metric)| ranking(records, "task", metric)).collect();
        let over = over_tasks(&rankings.iter().collect::<Vec<_>>(), Standard::FIXED).unwrap();
        assert_eq!((over.tasks.len(), over.left_out.len()), (2, 1));
        let ratio = over.arms[1].log_ratio.as_ref().unwrap();
        assert!((ratio.mean.exp() - 8f64.sqrt()).abs() < 1e-9, "2 of the losses, 4 of the errors");
    }
}
