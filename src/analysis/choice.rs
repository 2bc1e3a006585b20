//! What weakens a choice that a search made.

use crate::analysis::warning::Warning;
use crate::analysis::{Difference, Rank, Roles, Standard, order};
use crate::config::Experiment;

/// What there is to know of the choices of a search; nothing of a plain sweep, and where judge seeds report the choice.
pub(super) fn of_search(ranks: &[Rank], experiment: Option<&Experiment>) -> Vec<Warning> {
    let searched = experiment.filter(|experiment| experiment.tuning.is_some() && experiment.judge_seeds.is_empty());
    let Some(experiment) = searched else { return Vec::new() };
    if experiment.seeds.len() == 1 {
        return vec![Warning::SearchedSeed];
    }
    let roles = Roles::of(experiment);
    ranks.iter().filter_map(|rank| runner_up(rank, &roles)).collect()
}

/// A warning where the finalist that validation liked second is better than the chosen one on what is reported.
fn runner_up(rank: &Rank, roles: &Roles) -> Option<Warning> {
    let chosen = &rank.selection.runs[0].hyper_parameters;
    let finalists = rank.tried.iter().filter(|arm| arm.runs.len() == rank.selection.runs.len());
    let second =
        finalists.filter(|arm| arm.runs[0].hyper_parameters != *chosen).min_by(|a, b| order(a, b, rank.metric))?;
    let reported = second.under(|seed| roles.report(seed))?;
    let lead = Difference::lead(&reported, &rank.best, rank.metric).filter(|lead| lead.mean > 0.0)?;
    let differing = second.runs[0].hyper_parameters.iter().filter(|pair| !chosen.contains(pair));
    let differing: Vec<String> = differing.map(|(key, value)| format!("{key} {}", value.short())).collect();
    Some(Warning::RunnerUp {
        arm: rank.name(),
        settings: differing.join(", "),
        by: (lead.mean, rank.metric),
        significant: Standard::FIXED.p_value(&lead).is_some_and(|p| p <= Standard::FIXED.alpha),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking_of;
    use crate::analysis::simulated::{Arm, records};
    use crate::catalog::Catalog;
    use crate::metric::Metric;

    /// What is said of a search with two finalists and these test losses, which validation saw the other way round.
    fn said(test: [[f64; 4]; 2], seeds: &str) -> Vec<String> {
        let text = format!(
            "seeds = {seeds}\nsteps = 10\n[tasks.task]\nmodel = \"mlp\"\ndataset = \"digits\"\n[tuning]\nbudget = 3\n\
             finalists = 2\n[optimizers.a]\nkind = \"sgd\"\nlr = [0.1, 0.2, 0.3]\n"
        );
        let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", &text, "c", &[]).unwrap();
        let arm = |lr, losses: [f64; 4], test: [f64; 4]| Arm { test: Some(test.to_vec()), ..Arm::at("a", lr, &losses) };
        let arms = [arm(0.1, [1.0, 1.1, 1.2, 1.1], test[0]), arm(0.2, [1.1, 1.2, 1.3, 1.2], test[1])];
        let records = records(&[&arms[..], &[Arm::at("a", 0.3, &[9.0])]].concat());
        let ranking = ranking_of(&records, "task", Metric::LOSS, &Roles::of(&experiment));
        of_search(&ranking.ranks, Some(&experiment)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_pick_behind_its_runner_up_is_warned_of() {
        let [good, bad] = [[1.0, 1.1, 1.2, 1.15], [1.2, 1.31, 1.4, 1.34]];
        assert_eq!(said([good, bad], "4"), [""; 0]);
        let warned = said([bad, good], "4");
        assert!(warned[0].starts_with("the runner-up of the search for a+constant (lr 0.2) is better"), "{warned:?}");
        assert!(warned[0].contains("by 0.2 (significant)"), "{warned:?}");
        let noise = said([good, [1.3, 1.0, 1.5, 0.9]], "4");
        assert!(noise[0].contains("(not significant)"), "{noise:?}");
        // The seed of the search, in which the runner-up is far ahead, is not reported.
        assert_eq!(said([[9.0, 1.1, 1.2, 1.15], bad], "4"), [""; 0]);
        assert!(said([good, bad], "1")[0].contains("set `seeds` to 4 or more"));
    }
}
