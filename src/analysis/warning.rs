//! What a reader should know before believing a ranking.

use crate::analysis::comparison::{Comparison, Verdict};
use crate::analysis::edges::{edges, said};
use crate::analysis::{Progress, Rank, Ranking, rates};
use crate::config::Experiment;
use crate::metric::Metric;
use crate::task::Target;

/// Why a ranking may mislead, and which key would mend it.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// Planned runs are not there yet.
    Incomplete(Progress),
    /// The best value of a key is the lowest or highest of those tried.
    Edge {
        /// The key; that of a schedule begins with `schedule.`.
        key: String,
        /// The optimizers with the schedules under which it is, and the value.
        arms: Vec<(String, Vec<String>, f64)>,
        /// Whether it is the highest one tried.
        highest: bool,
    },
    /// An optimizer ran at one learning rate only, while others were tuned.
    OneRate {
        /// The optimizers.
        optimizers: Vec<String>,
    },
    /// So few seeds that noise can hardly be told from a difference.
    FewSeeds {
        /// How many.
        seeds: usize,
    },
    /// Arms were tuned with different numbers of tries.
    UnequalTries {
        /// The arm with the fewest and its number.
        fewest: (String, usize),
        /// The arm with the most and its number.
        most: (String, usize),
    },
    /// Nothing reached the target.
    TargetNeverReached {
        /// The target.
        target: Target,
    },
    /// The leader cannot be told from others.
    InsideNoise {
        /// From how many.
        others: usize,
        /// The smallest difference that would have been seen.
        detectable: Option<f64>,
        /// How many seeds were compared.
        seeds: usize,
        /// What is compared.
        metric: Metric,
    },
    /// Validation chose an arm that is worse on test.
    TestDisagrees {
        /// The arm that is better on test.
        better: String,
    },
    /// Runs diverged.
    Diverged {
        /// How many.
        runs: usize,
        /// Of how many.
        of: usize,
    },
    /// Runs failed, and are missing.
    Failed {
        /// How many.
        runs: usize,
    },
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Incomplete(Progress { there: 0, planned }) => {
                write!(f, "none of {planned} runs is there; `optbench run` trains them")
            }
            Self::Incomplete(Progress { there, planned }) => write!(
                f,
                "{there} of {planned} runs {} there: the others may change the ranking; `optbench run` trains them",
                if *there == 1 { "is" } else { "are" }
            ),
            Self::Edge { key, arms, highest } => f.write_str(&said(key, arms, *highest)),
            Self::OneRate { optimizers } => write!(
                f,
                "{} ran at one learning rate only while others were tuned; give a list as `lr`",
                optimizers.join(", ")
            ),
            Self::FewSeeds { seeds: 1 } => {
                write!(f, "one seed cannot tell a difference from noise; set `seeds` to 3 or more")
            }
            Self::FewSeeds { seeds } => {
                write!(f, "{seeds} seeds can hardly tell a difference from noise; set `seeds` to 3 or more")
            }
            Self::UnequalTries { fewest, most } => write!(
                f,
                "{} was tuned with {} settings, {} with {}: more tries find a better best by chance; \
                 compare expected best after equal tries, or give their lists the same length",
                fewest.0, fewest.1, most.0, most.1
            ),
            Self::TargetNeverReached { target } => {
                let (metric, value) = (target.metric.name(), crate::settings::number(target.value));
                let easier = if target.metric.higher_is_better() { "lower" } else { "raise" };
                write!(
                    f,
                    "no run reached the target ({metric} {value}); {easier} `target`, or raise `epochs` or `steps`"
                )
            }
            Self::InsideNoise { others, detectable, seeds, metric } => {
                let arms = if *others == 1 { "one other arm".to_owned() } else { format!("{others} other arms") };
                write!(f, "the leader cannot be told from {arms}")?;
                if let Some(smallest) = detectable {
                    let smallest = match metric {
                        Metric::Accuracy => format!("{:.2} points", 100.0 * smallest),
                        _ => crate::settings::short(*smallest),
                    };
                    write!(f, "; {seeds} seeds see a difference of {smallest} or more with 80% power")?;
                }
                write!(f, "; raise `seeds` to see smaller ones")
            }
            Self::TestDisagrees { better } => write!(
                f,
                "{better} is better on test than the arm that validation chose as the leader; \
                 choose neither by test alone, and raise `seeds`"
            ),
            Self::Diverged { runs, of } => {
                write!(f, "{runs} of {of} runs diverged; if none should, lower the highest `lr` or set `clip_norm`")
            }
            Self::Failed { runs } => {
                let plural = if *runs == 1 { "" } else { "s" };
                write!(f, "{runs} run{plural} failed and count as lost; the same `optbench run` tries them again")
            }
        }
    }
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
    let seeds = ranks.iter().map(|rank| rank.best.runs.len()).min().unwrap_or(0);
    if let Some(progress) = progress.filter(|progress| !progress.is_complete()) {
        // The other seeds may be among what is missing.
        warnings.push(Warning::Incomplete(progress));
    } else if (1..3).contains(&seeds) && ranks.len() > 1 {
        warnings.push(Warning::FewSeeds { seeds });
    }
    if ranks.is_empty() {
        return warnings;
    }
    let tied = |verdict| matches!(verdict, Verdict::Tied);
    let others = comparisons.iter().flatten().filter(|comparison| tied(comparison.verdict)).count();
    if others > 0 {
        let detectable = super::comparison::detectable(comparisons);
        warnings.push(Warning::InsideNoise { others, detectable, seeds, metric: ranking.metric });
    }
    let better =
        |(_, comparison): &(_, &Option<Comparison>)| comparison.as_ref().is_some_and(|c| c.verdict == Verdict::Better);
    if let Some((rank, _)) = ranks.iter().zip(comparisons).find(better) {
        warnings.push(Warning::TestDisagrees { better: rank.name() });
    }
    warnings.extend(edges(ranking, experiment));
    tries(ranking, &mut warnings);
    let all = || ranks.iter().flat_map(|rank| &rank.tried);
    if let Some(target) = spec.and_then(|spec| spec.target)
        && !all().any(|arm| arm.runs.iter().any(|run| run.steps_to_target.is_some()))
    {
        warnings.push(Warning::TargetNeverReached { target });
    }
    let (diverged, failed): (usize, usize) =
        all().fold((0, 0), |(diverged, failed), arm| (diverged + arm.diverged, failed + arm.failed));
    if diverged > 0 {
        warnings.push(Warning::Diverged { runs: diverged, of: all().map(|arm| arm.runs.len()).sum() });
    }
    if failed > 0 {
        warnings.push(Warning::Failed { runs: failed });
    }
    warnings
}

fn tries(ranking: &Ranking, warnings: &mut Vec<Warning>) {
    let number_of_rates = |rank: &&Rank| rates(&rank.tried, ranking.metric).len();
    let (tuned, alone): (Vec<&Rank>, Vec<&Rank>) = ranking.ranks.iter().partition(|rank| number_of_rates(rank) > 1);
    let number = |rank: &&&Rank| rank.tried.len();
    if let (Some(fewest), Some(most)) = (tuned.iter().min_by_key(number), tuned.iter().max_by_key(number))
        && fewest.tried.len() < most.tried.len()
    {
        let pair = |rank: &Rank| (rank.name(), rank.tried.len());
        warnings.push(Warning::UnequalTries { fewest: pair(fewest), most: pair(most) });
    }
    let mut optimizers: Vec<String> = alone.iter().map(|rank| rank.optimizer.to_owned()).collect();
    optimizers.dedup();
    if !tuned.is_empty() && !optimizers.is_empty() {
        warnings.push(Warning::OneRate { optimizers });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};
    use crate::analysis::{Standard, comparisons, ranking};

    fn texts(arms: &[Arm]) -> Vec<String> {
        let records = records(arms);
        let ranking = ranking(&records, "task", Metric::Loss);
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
        let ranking = ranking(&records, "task", Metric::Loss);
        let said = |there| {
            let progress = Some(Progress { there, planned: 6 });
            warnings(&ranking, &comparisons(&ranking, Standard::FIXED), None, progress)
                .iter()
                .map(ToString::to_string)
                .collect::<String>()
        };
        assert!(said(2).starts_with("2 of 6 runs are there: ") && !said(2).contains("`seeds`"), "{}", said(2));
        assert!(said(6).starts_with("one seed cannot tell"), "{}", said(6));
    }

    #[test]
    fn an_easier_target_is_higher_for_what_is_minimised() {
        let said = |metric, value| Warning::TargetNeverReached { target: Target { metric, value } }.to_string();
        assert!(said(Metric::Loss, 1e-4).contains("(loss 0.0001); raise `target`"));
        assert!(said(Metric::Accuracy, 0.99).contains("(accuracy 0.99); lower `target`"));
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
            "2 seeds can hardly",
            "`seeds`",
            "cannot be told from",
            "a under constant (0.1)",
            "`optimizers.a.lr`",
            "lower rates",
            "b ran at one learning rate only",
            "was tuned with 2 settings, d+constant with 3",
            "1 of 16 runs diverged",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}
