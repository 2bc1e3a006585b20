//! The values of a hyper-parameter that an arm was tried with, and what each costs beside the chosen one.

use std::collections::BTreeSet;

use crate::analysis::by_seed::Seed;
use crate::analysis::{Difference, Rank, Sample, Summary, order};
use crate::metric::Metric;
use crate::results::{Record, Setting};

/// A value of a numeric key of one arm, the other keys at their best for it on validation.
#[derive(Debug, Clone)]
pub struct Tried<'a> {
    /// The value.
    pub value: f64,
    /// Whether it is that of the chosen settings.
    pub is_chosen: bool,
    /// The best settings with it; `None` where every setting lost a seed.
    pub best: Option<Summary<'a>>,
    /// How much worse its mean validation score is than that of the chosen settings, over the seeds of both; negative where
    /// it is better. The choice is made over all seeds, so no value that has them all is better.
    pub behind: Option<f64>,
    /// How much better the chosen settings are on the reported score: what the value costs. `None` for the chosen one.
    pub cost: Option<Difference>,
}

impl Tried<'_> {
    /// The mean validation score over the seeds.
    pub fn score(&self, metric: Metric) -> Option<f64> {
        self.best.as_ref()?.validation(metric).mean()
    }
}

impl<'a> Rank<'a> {
    /// The values of a numeric key in order, each beside the chosen settings. Of settings with the same value, those under
    /// the most seeds are preferred, as they are where settings are chosen.
    pub fn tried_with(&self, key: &str) -> Vec<Tried<'a>> {
        let metric = self.metric;
        let chosen = self.selection.number(key);
        let of = |value: f64| {
            let is_chosen = chosen == Some(value);
            let sound = self.tried.iter().filter(|arm| arm.number(key) == Some(value) && arm.lost_in(metric) == 0);
            let best = if is_chosen {
                Some(&self.selection).filter(|_| self.is_ranked())
            } else {
                let more_seeds = |a: &Summary, b: &Summary| b.runs.len().cmp(&a.runs.len());
                sound.min_by(|a, b| more_seeds(a, b).then_with(|| order(a, b, metric)))
            };
            Tried {
                value,
                is_chosen,
                behind: best.and_then(|best| behind(&self.selection, best, metric)),
                cost: best.filter(|_| !is_chosen).and_then(|best| Difference::lead(&self.selection, best, metric)),
                best: best.cloned(),
            }
        };
        self.numbers_tried(key).into_iter().map(of).collect()
    }

    /// The numbers that a key was tried with to the end, in order.
    pub fn numbers_tried(&self, key: &str) -> Vec<f64> {
        let mut values: Vec<f64> = self.tried.iter().filter_map(|arm| arm.number(key)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    }

    /// Whether the values of a key were tried with the same values of all others, more than half of the
    /// pairs: only then do two of them differ in nothing else.
    pub fn is_grid(&self, key: &str) -> bool {
        let values: BTreeSet<Option<&Setting>> =
            self.tried.iter().map(|arm| arm.runs[0].hyper_parameter(key)).collect();
        let others = |run: &'a Record| run.hyper_parameters.iter().filter(|(name, _)| name != key).collect();
        let others: BTreeSet<Vec<&(String, Setting)>> = self.tried.iter().map(|arm| others(arm.runs[0])).collect();
        2 * self.tried.len() > values.len() * others.len()
    }
}

/// How much worse an arm's mean validation score is than the chosen one's, over the seeds of both.
fn behind(chosen: &Summary, arm: &Summary, metric: Metric) -> Option<f64> {
    let chosen = chosen.validation_by_seed(metric);
    let of = |seed: Seed| chosen.iter().find(|(other, _)| other.pairs_with(seed)).map(|(_, score)| *score);
    let pairs = arm.validation_by_seed(metric).into_iter().filter_map(|(seed, score)| Some(of(seed)? - score));
    let better = pairs.collect::<Sample>().mean()?;
    // Not negated, so that zero stays zero.
    Some(if metric.higher_is_better() { better } else { 0.0 - better })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::results::Record;

    #[test]
    fn values_of_a_grid_differ_in_nothing_else() {
        let tried = |settings: &[(&str, &str)]| {
            let runs = settings.iter().flat_map(|(lr, beta)| {
                let mut runs = records(&[Arm::new("a", &[1.0])]);
                runs[0].hyper_parameters = vec![("lr".into(), (*lr).into()), ("beta".into(), (*beta).into())];
                runs
            });
            let runs: Vec<Record> = runs.collect();
            ["lr", "beta"].map(|key| ranking(&runs, "task", Metric::LOSS).ranks[0].is_grid(key))
        };
        assert_eq!(tried(&[("0.1", "0.5"), ("0.1", "0.9"), ("1", "0.5"), ("1", "0.9")]), [true, true]);
        assert_eq!(tried(&[("0.1", "0.5"), ("0.2", "0.6"), ("0.3", "0.7"), ("0.4", "0.8")]), [false, false]);
        assert_eq!(tried(&[("0.1", "0.5"), ("1", "0.9")]), [false, false]);
        assert_eq!(tried(&[("0.1", "0.9"), ("0.2", "0.9"), ("0.3", "0.9")]), [true, true], "one axis");
    }

    #[test]
    fn each_value_is_compared_with_the_chosen_one_on_the_scores_that_are_reported() {
        let at =
            |lr, validation: &[f64], test: &[f64]| Arm { test: Some(test.to_vec()), ..Arm::at("a", lr, validation) };
        // A search chose 0.1 over all seeds; under the first, the only one of 1, that is better.
        let runs = records(&[
            at(0.01, &[3.0, 3.0, 3.0], &[4.0, 4.5, 4.6]),
            at(0.1, &[1.0, 1.2, 1.1], &[2.0, 2.1, 2.2]),
            at(1.0, &[0.9], &[1.9]),
            at(10.0, &[f64::NAN, 1.0, 1.0], &[1.0; 3]),
        ]);
        let ranking = ranking(&runs, "task", Metric::LOSS);
        let tried = ranking.ranks[0].tried_with("lr");
        assert_eq!(tried.iter().map(|one| one.value).collect::<Vec<_>>(), [0.01, 0.1, 1.0, 10.0]);
        assert_eq!(tried.iter().map(|one| one.is_chosen).collect::<Vec<_>>(), [false, true, false, false]);
        let behind: Vec<Option<f64>> = tried.iter().map(|one| one.behind.map(|x| (1e9 * x).round() / 1e9)).collect();
        assert_eq!(behind, [Some(1.9), Some(0.0), Some(-0.1), None]);
        assert!((tried[0].cost.as_ref().unwrap().mean - 2.266_666_666_7).abs() < 1e-9);
        assert!(tried[1].cost.is_none() && tried[2].cost.as_ref().unwrap().error.is_none());
    }
}
