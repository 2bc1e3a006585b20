//! What a reader should know before believing a ranking.

use crate::analysis::Progress;
use crate::metric::Metric;
use crate::settings::{number, short};
use crate::task::Target;
use crate::words::{count, listed};

/// How to have more seeds, and what each way costs.
pub const MORE_SEEDS: &str = "plan them before the first run (`seeds = { looks = [3, 5, 8, 12, 20] }`), or add them \
                              with `--extend` for a verdict that needs more evidence";

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
    /// An optimizer was tried at a learning rate of 0, which has no place on a logarithmic axis.
    RateOfZero {
        /// The optimizers.
        optimizers: Vec<String>,
    },
    /// So few seeds that noise can hardly be told from a difference.
    FewSeeds {
        /// How many.
        seeds: usize,
        /// The key to set, and to what.
        set: &'static str,
    },
    /// Settings are reported under the only seed, which they were searched with.
    SearchedSeed,
    /// The settings that a search chose are worse on what is reported than its second choice.
    RunnerUp {
        /// The arm.
        arm: String,
        /// Where the second choice differs.
        settings: String,
        /// By how much it is better, and in what.
        by: (f64, Metric),
        /// Whether that is significant.
        significant: bool,
    },
    /// Arms were tuned with different numbers of tries.
    UnequalTries {
        /// The arm with the fewest and its number.
        fewest: (String, usize),
        /// The arm with the most and its number.
        most: (String, usize),
        /// By how much the best of `most` may look better than the best of `fewest` by chance alone, and in what.
        by: Option<(f64, Metric)>,
    },
    /// Validation chose the leader among several by the scores that are compared.
    SameScores,
    /// Runs of one seed share nothing, so that arms are compared as independent.
    Unpaired,
    /// Nothing reached the target.
    TargetNeverReached {
        /// The target.
        target: Target,
    },
    /// Several arms may be the best.
    Open {
        /// How many, the leader among them.
        arms: usize,
        /// The smallest difference that can be detected.
        detectable: Option<f64>,
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
                write!(f, "none of {} has finished; `optbench run` trains them", count(*planned, "run"))
            }
            Self::Incomplete(Progress { there, planned }) => write!(
                f,
                "{there} of {} {} finished: the others may change the ranking; `optbench run` trains them",
                count(*planned, "run"),
                if *there == 1 { "has" } else { "have" }
            ),
            Self::Edge { key, arms, highest } => f.write_str(&edge(key, arms, *highest)),
            Self::OneRate { optimizers } => write!(
                f,
                "the rate of {} was not tuned while others were: another may be better; give a list as `lr`",
                listed(optimizers, ", ")
            ),
            Self::RateOfZero { optimizers } => write!(
                f,
                "a learning rate of 0 was also tried, for {}: it leaves the weights unchanged and cannot be shown on a \
                 logarithmic axis; remove 0 from `lr`",
                listed(optimizers, ", ")
            ),
            Self::FewSeeds { seeds: 1, set } => write!(f, "with one seed, noise cannot be estimated; set {set}"),
            Self::FewSeeds { seeds, set } => {
                write!(f, "with {seeds} seeds, only very large differences are significant; set {set}")
            }
            Self::SearchedSeed => f.write_str(
                "the settings were searched under the seed that is reported, so their scores look better than they are; \
                 set `seeds` to 4 or more",
            ),
            Self::RunnerUp { arm, settings, by, significant } => write!(
                f,
                "the runner-up of the search for {arm} ({settings}) is better than the chosen settings on the reported \
                 scores, by {} ({}significant): validation may have chosen by luck; set `judge_seeds`, or more `seeds` and `finalists`",
                difference(by.0, by.1),
                if *significant { "" } else { "not " }
            ),
            Self::UnequalTries { fewest, most, by } => {
                let chance = by.map_or_else(String::new, |(by, metric)| {
                    format!(", by up to about {} by chance alone", difference(by, metric))
                });
                write!(
                    f,
                    "numbers of settings differ: {} was tuned over {} settings, {} over {}: the best of more settings tends to look better{chance}; \
                     compare `expected best after k tries`, or give their lists the same length",
                    fewest.0, fewest.1, most.0, most.1
                )
            }
            Self::SameScores => write!(
                f,
                "the leader was chosen by the same scores that are compared, as this task has no test split: an arm that \
                 is as good as the leader is ruled out more often than in 5% of cases; set `judge_seeds`"
            ),
            Self::Unpaired => write!(
                f,
                "seeds are not common to the arms (`common_random_numbers = false`): arms are compared as independent \
                 (Welch's test), which needs more seeds to detect the same difference"
            ),
            Self::TargetNeverReached { target } => {
                let (metric, value) = (target.metric.name(), number(target.value));
                let easier = if target.metric.higher_is_better() { "lower" } else { "raise" };
                write!(
                    f,
                    "no run reached the target ({metric} {value}); {easier} `target`, or raise `epochs` or `steps`"
                )
            }
            Self::Open { arms, detectable: Some(smallest), metric } if *smallest > 0.0 => write!(
                f,
                "{arms} arms may be the best; differences smaller than {} take more seeds: {MORE_SEEDS}",
                difference(*smallest, *metric)
            ),
            Self::Open { arms, .. } => {
                write!(f, "{arms} arms may be the best; smaller differences take more seeds: {MORE_SEEDS}")
            }
            Self::TestDisagrees { better } => write!(
                f,
                "{better} is better on test than the arm that validation chose as the leader; \
                 do not choose by test alone: use more seeds"
            ),
            Self::Diverged { runs, of } => {
                let of = count(*of, "run");
                write!(f, "{runs} of {of} diverged; if none should, lower the highest `lr` or set `clip_norm`")
            }
            Self::Failed { runs } => {
                let plural = if *runs == 1 { "" } else { "s" };
                write!(f, "{runs} run{plural} failed and count as lost; `optbench run` tries them again")
            }
        }
    }
}

/// A difference of two scores; percentages differ in points.
pub(super) fn difference(x: f64, metric: Metric) -> String {
    if metric.is_share() { format!("{:.2} points", 100.0 * x) } else { short(x) }
}

/// The warning in words: where the best value lies at the end, and which keys of the config to widen.
fn edge(key: &str, arms: &[(String, Vec<String>, f64)], highest: bool) -> String {
    let (end, towards) = if highest { ("highest", "higher") } else { ("lowest", "lower") };
    let values = if key == "lr" { "rates" } else { "values" };
    let place = |(optimizer, under, best): &(String, Vec<String>, f64)| {
        format!("{optimizer} under {} ({})", listed(under, ", "), number(*best))
    };
    let places: Vec<String> = arms.iter().map(place).collect();
    let (name, tables): (&str, Vec<String>) = match key.strip_prefix("schedule.") {
        Some(name) => (name, arms.iter().flat_map(|arm| &arm.1).map(|label| format!("schedules.{label}")).collect()),
        None => (key, arms.iter().map(|arm| format!("optimizers.{}", arm.0)).collect()),
    };
    let mut keys: Vec<String> = Vec::new();
    for key in tables.iter().map(|table| format!("`{table}.{name}`")) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    format!(
        "the best `{name}` is the {end} that was tried, for {}: {towards} {values} may be better; add some to {}",
        listed(&places, "; "),
        listed(&keys, ", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_easier_target_is_higher_for_what_is_minimised() {
        let said = |metric, value| Warning::TargetNeverReached { target: Target { metric, value } }.to_string();
        assert!(said(Metric::LOSS, 1e-4).contains("(loss 0.0001); raise `target`"));
        assert!(said(Metric::ACCURACY, 0.99).contains("(accuracy 0.99); lower `target`"));
    }
}
