//! The values of a hyper-parameter that an arm was tried with, and what was reached at each.

use std::collections::BTreeSet;

use crate::analysis::{Rank, Summary};
use crate::metric::Metric;

/// The values of a numeric key in order, each with the best mean validation score over the seeds that
/// was reached at it, the other keys at their best; `None` where every setting lost a seed.
pub fn values(tried: &[Summary], key: &str, metric: Metric) -> Vec<(f64, Option<f64>)> {
    let mut values: Vec<(f64, Option<f64>)> = Vec::new();
    for arm in tried {
        let Some(value) = arm.number(key) else { continue };
        let score = (arm.lost() == 0).then(|| arm.validation(metric).mean()).flatten().filter(|x| x.is_finite());
        match values.iter_mut().find(|(known, _)| *known == value) {
            Some((_, best)) => {
                *best = match (*best, score) {
                    (Some(a), Some(b)) => Some(if metric.better(b, a) { b } else { a }),
                    (a, b) => a.or(b),
                }
            }
            None => values.push((value, score)),
        }
    }
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    values
}

impl Rank<'_> {
    /// Whether the values of a key were tried with the same values of all others, more than half of the
    /// pairs: only then do two of them differ in nothing else.
    pub fn is_grid(&self, key: &str) -> bool {
        let values: BTreeSet<Option<&str>> = self.tried.iter().map(|arm| arm.runs[0].hyper_parameter(key)).collect();
        let others = |arm: &Summary| {
            let all = arm.runs[0].hyper_parameters.iter();
            all.filter(|(name, _)| name != key).cloned().collect::<Vec<_>>()
        };
        let others: BTreeSet<Vec<(String, String)>> = self.tried.iter().map(others).collect();
        2 * self.tried.len() > values.len() * others.len()
    }
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
            ["lr", "beta"].map(|key| ranking(&runs, "task", Metric::Loss).ranks[0].is_grid(key))
        };
        assert_eq!(tried(&[("0.1", "0.5"), ("0.1", "0.9"), ("1", "0.5"), ("1", "0.9")]), [true, true]);
        assert_eq!(tried(&[("0.1", "0.5"), ("0.2", "0.6"), ("0.3", "0.7"), ("0.4", "0.8")]), [false, false]);
        assert_eq!(tried(&[("0.1", "0.5"), ("1", "0.9")]), [false, false]);
        assert_eq!(tried(&[("0.1", "0.9"), ("0.2", "0.9"), ("0.3", "0.9")]), [true, true], "one axis");
    }
}
