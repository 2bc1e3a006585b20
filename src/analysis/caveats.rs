//! What weakens a conclusion, to stand beside it wherever it is told.

use crate::analysis::choice::of_search;
use crate::analysis::comparison::{self, Comparison, Verdict};
use crate::analysis::edges::edges;
use crate::analysis::tries::luck;
use crate::analysis::warning::{self, Warning};
use crate::analysis::{Progress, Rank, Ranking};
use crate::config::Experiment;
use crate::metric::Metric;
use crate::words::capitalised;

/// What weakens any conclusion about these arms, such as the two sides of a claim or all that are ranked: too few seeds,
/// a best value at the end of those tried, unequal tries, one rate beside tuned ones.
pub fn caveats(ranks: &[&Rank], metric: Metric, experiment: Option<&Experiment>) -> Vec<Warning> {
    let seeds = ranks.iter().map(|rank| rank.best.runs.len()).min().unwrap_or(0);
    let few = ((1..3).contains(&seeds) && ranks.len() > 1)
        .then(|| Warning::FewSeeds { seeds, set: few_seeds_key(experiment) });
    let mut caveats: Vec<Warning> = few.into_iter().chain(edges(ranks, experiment)).collect();
    caveats.extend(unequal_tries(ranks, metric));
    if ranks.iter().any(|rank| rank.is_judged()) {
        // Under seeds of its own, the best of many tries is not flattered.
        caveats.retain(|caveat| !matches!(caveat, Warning::UnequalTries { .. }));
    }
    caveats
}

/// What to set for three seeds that are reported.
fn few_seeds_key(experiment: Option<&Experiment>) -> &'static str {
    match experiment {
        Some(experiment) if !experiment.judge_seeds.is_empty() => "`judge_seeds` to 3 or more",
        Some(experiment) if experiment.tuning.is_some() => {
            "`seeds` to 4 or more, as the seed of the search is not reported"
        }
        _ => "`seeds` to 3 or more",
    }
}

/// The caveats as sentences of one note; `None` where there are none.
pub fn note(caveats: &[Warning]) -> Option<String> {
    let said: Vec<String> = caveats.iter().map(|caveat| format!("{}.", capitalised(&caveat.to_string()))).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// What weakens a claim about these arms, its one or two sides, clause by clause.
///
/// Sides that were tuned over different numbers of settings are told of with the size of the bias, one rate beside a
/// tuned one, too; so is a single side that was chosen by the scores that are judged.
pub(super) fn of_claim(sides: &[&Rank], metric: Metric, experiment: &Experiment) -> Vec<String> {
    let mut found = caveats(sides, metric, Some(experiment));
    // Of one seed the finding itself says it.
    found.retain(|caveat| !matches!(caveat, Warning::FewSeeds { seeds: 1, .. }));
    if sides.iter().any(|rank| rank.is_judged()) {
        // Other seeds chose than those that are judged: no choice flatters these.
        return found.iter().map(ToString::to_string).collect();
    }
    let told = found.iter().any(|caveat| matches!(caveat, Warning::UnequalTries { .. }));
    let number = |rank: &&&Rank| rank.tried.len();
    if let (Some(fewest), Some(most)) = (sides.iter().min_by_key(number), sides.iter().max_by_key(number))
        && !told
        && fewest.tried.len() < most.tried.len()
    {
        found.push(unequal(fewest, most, metric));
    }
    let mut said: Vec<String> = found.iter().map(ToString::to_string).collect();
    if let [only] = sides
        && only.tried.len() > 1
    {
        let by = luck(only, 1)
            .map_or_else(String::new, |by| format!(", by up to about {}", warning::difference(by, metric)));
        said.push(format!(
            "{} was chosen among {} settings by the scores that are judged: chance alone makes it look better{by}",
            only.name(),
            only.tried.len()
        ));
    }
    said
}

/// Everything that a reader of this ranking should know; `experiment` is what it is of, where it is of one, and
/// `progress` what of its runs on the task is there.
pub fn warnings(
    ranking: &Ranking,
    comparisons: &[Option<Comparison>],
    experiment: Option<&Experiment>,
    progress: Option<Progress>,
) -> Vec<Warning> {
    let spec = experiment.and_then(|experiment| experiment.tasks.iter().find(|task| task.label == ranking.task));
    let mut warnings = Vec::new();
    let ranks = &ranking.ranks;
    let incomplete = progress.filter(|progress| !progress.is_complete());
    warnings.extend(incomplete.map(Warning::Incomplete));
    if ranks.is_empty() {
        return warnings;
    }
    let mut weak = caveats(&ranks.iter().collect::<Vec<_>>(), ranking.metric, experiment);
    if incomplete.is_some() {
        // The other seeds may be among what is missing.
        weak.retain(|warning| !matches!(warning, Warning::FewSeeds { .. }));
    }
    warnings.extend(weak);
    let is_independent = |rank: &Rank| rank.best.runs.iter().any(|run| run.is_independent);
    warnings.extend((ranks.len() > 1 && ranks.iter().any(is_independent)).then_some(Warning::Unpaired));
    warnings.extend(chosen_by_what_is_compared(ranking).then_some(Warning::SameScores));
    warnings.extend(of_search(ranks, experiment));
    let open = comparisons.iter().flatten().filter(|comparison| comparison.may_be_best).count();
    // Where more are missing, or there are fewer than three, that is said already.
    let enough = incomplete.is_none() && ranks.iter().all(|rank| rank.best.runs.len() >= 3);
    if open > 0 && enough {
        let detectable = comparison::detectable(comparisons);
        warnings.push(Warning::Open { arms: open + 1, detectable, metric: ranking.metric });
    }
    let better =
        |(_, comparison): &(_, &Option<Comparison>)| comparison.as_ref().is_some_and(|c| c.verdict == Verdict::Better);
    if let Some((rank, _)) = ranks.iter().zip(comparisons).find(better) {
        warnings.push(Warning::TestDisagrees { better: rank.name() });
    }
    let mut at_zero: Vec<String> =
        ranks.iter().filter(|rank| rank.values("lr").contains(&0.0)).map(|rank| rank.optimizer.to_owned()).collect();
    at_zero.dedup();
    warnings.extend((!at_zero.is_empty()).then_some(Warning::RateOfZero { optimizers: at_zero }));
    let all = || ranks.iter().flat_map(|rank| &rank.tried);
    if let Some(target) = spec.and_then(|spec| spec.target)
        && !all().any(|arm| arm.runs.iter().any(|run| run.steps_to_target.is_some()))
    {
        warnings.push(Warning::TargetNeverReached { target });
    }
    let (diverged, failed): (usize, usize) =
        ranks.iter().fold((0, 0), |(diverged, failed), rank| (diverged + rank.diverged, failed + rank.failed));
    if diverged > 0 {
        warnings.push(Warning::Diverged { runs: diverged, of: ranks.iter().map(|rank| rank.runs).sum() });
    }
    if failed > 0 {
        warnings.push(Warning::Failed { runs: failed });
    }
    warnings
}

/// Whether validation chose the leader among several by the very scores that are compared, noise included.
fn chosen_by_what_is_compared(ranking: &Ranking) -> bool {
    let arms = || ranking.ranks.iter().filter(|rank| rank.is_ranked()).map(|rank| &rank.best);
    let tested = arms().any(|arm| arm.runs.iter().any(|run| run.test.is_some()));
    let noisy = arms().any(|arm| arm.finished > 1 && !arm.is_deterministic());
    let judged = ranking.ranks.iter().any(Rank::is_judged);
    !tested && noisy && !judged && arms().count() > 2
}

/// Arms that were tuned over different numbers of settings, and those that ran at one rate beside them.
fn unequal_tries(ranks: &[&Rank], metric: Metric) -> Vec<Warning> {
    let is_tuned = |rank: &&Rank| rank.numbers_tried("lr").len() > 1;
    let (tuned, alone): (Vec<&Rank>, Vec<&Rank>) = ranks.iter().copied().partition(is_tuned);
    let number = |rank: &&&Rank| rank.tried.len();
    let mut warnings = Vec::new();
    if let (Some(fewest), Some(most)) = (tuned.iter().min_by_key(number), tuned.iter().max_by_key(number))
        && fewest.tried.len() < most.tried.len()
    {
        warnings.push(unequal(fewest, most, metric));
    }
    let mut optimizers: Vec<String> = alone.iter().map(|rank| rank.optimizer.to_owned()).collect();
    optimizers.dedup();
    if !tuned.is_empty() && !optimizers.is_empty() {
        warnings.push(Warning::OneRate { optimizers });
    }
    warnings
}

fn unequal(fewest: &Rank, most: &Rank, metric: Metric) -> Warning {
    let pair = |rank: &Rank| (rank.name(), rank.tried.len());
    let by = luck(most, fewest.tried.len()).map(|by| (by, metric));
    Warning::UnequalTries { fewest: pair(fewest), most: pair(most), by }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};
    use crate::analysis::{Standard, comparisons, ranking};
    use crate::metric::Metric;

    fn texts(arms: &[Arm]) -> Vec<String> {
        let records = records(arms);
        let ranking = ranking(&records, "task", Metric::LOSS);
        let comparisons = comparisons(&ranking, Standard::FIXED);
        warnings(&ranking, &comparisons, None, None).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_clean_sweep_has_no_warning() {
        let a = [0.01, 0.1, 1.0].map(|lr| Arm::at("a", lr, &if lr == 0.1 { [1.0, 1.1, 1.2] } else { [4.0, 4.1, 4.2] }));
        let b =
            [0.01, 0.1, 1.0].map(|lr| Arm::at("b", lr, &if lr == 0.1 { [2.0, 2.11, 2.2] } else { [4.0, 4.1, 4.2] }));
        assert!(texts(&[a, b].concat()).is_empty());
    }

    #[test]
    fn half_a_sweep_is_said_and_not_blamed_on_its_seeds() {
        let records = records(&[Arm::new("a", &[1.0]), Arm::new("b", &[2.0])]);
        let ranking = ranking(&records, "task", Metric::LOSS);
        let said = |there| {
            let progress = Some(Progress { there, planned: 6 });
            warnings(&ranking, &comparisons(&ranking, Standard::FIXED), None, progress)
                .iter()
                .map(ToString::to_string)
                .collect::<String>()
        };
        assert!(said(2).starts_with("2 of 6 runs have finished: ") && !said(2).contains("`seeds`"), "{}", said(2));
        assert!(said(6).starts_with("with one seed, noise"), "{}", said(6));
    }

    #[test]
    fn each_trouble_names_the_key_that_helps() {
        let arms = [
            Arm::at("a", 0.1, &[1.0, 1.3]),
            Arm::at("a", 1.0, &[9.0, f64::NAN]),
            Arm::at("b", 0.1, &[1.2, 1.25]),
            Arm::at("c", 0.1, &[7.0, 7.1]),
            Arm::at("c", 0.2, &[8.0, 8.1]),
            Arm::at("d", 0.1, &[8.0, 8.1]),
            Arm::at("d", 0.2, &[7.0, 7.1]),
            Arm::at("d", 0.3, &[8.0, 8.1]),
        ];
        let said = texts(&arms).join("\n");
        for words in [
            "with 2 seeds, only very large",
            "`seeds`",
            "a under constant (0.1)",
            "`optimizers.a.lr`",
            "lower rates",
            "the rate of b was not tuned",
            "over 2 settings, d+constant over 3: the best of more settings tends to look better, by up to about",
            "1 of 16 runs diverged",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }

    #[test]
    fn a_line_stays_readable_however_many_arms_it_is_of() {
        let rates = [("a", 0.01), ("a", 0.1)].map(|(label, lr)| Arm::at(label, lr, &[1.0, 1.1, 1.2]));
        let label = |n: usize| -> &'static str { Box::leak(format!("arm{n}").into_boxed_str()) };
        let mut many: Vec<Arm> = (0..300).map(|n| Arm::at(label(n), 0.1, &[2.0, 2.1, 2.2])).collect();
        many.extend(rates);
        let said = texts(&many);
        let one_rate = said.iter().find(|line| line.starts_with("the rate of")).unwrap();
        assert!(one_rate.contains(", and 294 more was not tuned"), "{one_rate}");
        let ends = (0..300).flat_map(|n| [(0.1, 1.0), (1.0, 2.0)].map(|(lr, loss)| Arm::at(label(n), lr, &[loss; 3])));
        let said = texts(&ends.collect::<Vec<_>>());
        let edge = said.iter().find(|line| line.contains("lowest that was tried")).unwrap();
        assert!(edge.contains("; and 294 more: lower rates") && edge.ends_with("and 294 more"), "{edge}");
        assert!(said.iter().all(|line| line.len() < 700), "{said:?}");
    }

    #[test]
    fn a_rate_of_0_is_said() {
        let said = texts(&[Arm::at("a", 0.0, &[2.0; 3]), Arm::at("a", 0.1, &[1.0; 3]), Arm::at("a", 1.0, &[3.0; 3])]);
        assert!(said.iter().any(|line| line.starts_with("a learning rate of 0 was also tried, for a:")), "{said:?}");
    }

    #[test]
    fn what_weakens_a_pair_is_one_note() {
        let runs =
            records(&[Arm::at("a", 0.1, &[1.0, 1.3]), Arm::at("a", 1.0, &[2.0, 2.5]), Arm::at("b", 0.1, &[3.0, 4.0])]);
        let ranking = ranking(&runs, "task", Metric::LOSS);
        let pair = |a: usize, b: usize| note(&caveats(&[&ranking.ranks[a], &ranking.ranks[b]], Metric::LOSS, None));
        let said = pair(0, 1).unwrap();
        assert!(
            said.starts_with(
                "With 2 seeds, only very large differences are significant; set `seeds` to 3 or more. The "
            ),
            "{said}"
        );
        assert!(said.contains("The best `lr` is the lowest that was tried, for a under constant (0.1)"), "{said}");
        assert!(said.contains(". The rate of b was not tuned"), "{said}");
        assert_eq!(note(&[]), None);
    }
}
