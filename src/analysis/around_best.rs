//! What a learning rate off the best one costs: sensitivity as a number with an interval.

use std::collections::BTreeSet;

use crate::analysis::difference::BySeed;
use crate::analysis::{Difference, Rank, Sample, Summary, order, rates};
use crate::metric::Metric;
use crate::settings::short;

/// What rates off the best one cost two sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    /// The cost on each side, in the metric, seed by seed; more is worse.
    pub sides: [BySeed; 2],
    /// The second side's cost minus the first's: more is better for the first.
    pub lead: Option<Difference>,
    /// Runs in the interval that diverged, on each side.
    pub diverged: [usize; 2],
}

/// The mean cost of a rate between `factors.0` and `factors.1` times a side's own best rate: how much
/// worse the reported score is there than at the best rate, averaged over the logarithm of the rate
/// (straight lines between the rates that were tried). Other keys are at their best for each rate.
///
/// A run that diverged has the worst score that any setting of the two sides has: it costs that much at
/// least, which is only said where that score is worse than those at the best rate.
///
/// # Errors
/// In words for the user, where a side was not tried over the whole interval, where its best rate lost
/// seeds, or where nothing tells what a diverged run costs.
pub fn costs(sides: [&Rank; 2], factors: (f64, f64), metric: Metric) -> Result<Costs, String> {
    let all = || sides.iter().flat_map(|rank| &rank.tried).flat_map(|arm| arm.by_seed(metric)).map(|(_, x)| x);
    let worst = all().reduce(|a, b| if metric.better(a, b) { b } else { a });
    let Some(worst) = worst else { return Err("every run diverged".into()) };
    let courses = [course(sides[0], factors, metric)?, course(sides[1], factors, metric)?];
    for (course, rank) in courses.iter().zip(sides) {
        let priced = |&(_, top): &(u64, f64)| metric.better(top, worst);
        if course.diverged(factors) > 0 && !course.best.by_seed(metric).iter().all(priced) {
            return Err(format!(
                "runs of {} diverged, and no run of either side ended worse than those at its best rate: what a \
                 diverged run costs is not known",
                rank.name()
            ));
        }
    }
    let both = courses.each_ref().map(|course| course.costs(worst, metric));
    let deterministic = courses.iter().all(Course::is_deterministic);
    let lead = Difference::between(&both[1], &both[0]).map(|lead| lead.unless_by_chance(deterministic));
    Ok(Costs { lead, diverged: courses.each_ref().map(|course| course.diverged(factors)), sides: both })
}

/// The mean cost of a side over its seeds.
pub fn mean(costs: &BySeed) -> Option<f64> {
    costs.iter().map(|(_, cost)| *cost).collect::<Sample>().mean()
}

/// A side over the rates that surround the interval, with the logarithm of each over the best one.
struct Course<'a, 'b> {
    best: &'b Summary<'a>,
    arms: Vec<(f64, &'b Summary<'a>)>,
    ends: (f64, f64),
}

fn course<'a, 'b>(rank: &'b Rank<'a>, factors: (f64, f64), metric: Metric) -> Result<Course<'a, 'b>, String> {
    /// Rates are printed to six digits.
    const ROUNDING: f64 = 1e-4;
    let Some(best) = rank.best.lr() else { return Err(format!("{} has no learning rate", rank.name())) };
    let lost = rank.best.diverged_in(metric);
    if lost > 0 {
        return Err(format!(
            "{} diverged in {lost} of {} seeds at its best rate ({})",
            rank.name(),
            rank.best.runs.len(),
            short(best)
        ));
    }
    let at = |lr: f64| rank.tried.iter().filter(|arm| arm.lr() == Some(lr)).min_by(|a, b| order(a, b, metric));
    let arms: Vec<(f64, &Summary)> =
        rates(rank).iter().filter_map(|rate| Some(((rate.lr / best).ln(), at(rate.lr)?))).collect();
    let (first, last) = (arms.first().map_or(0.0, |arm| arm.0), arms.last().map_or(0.0, |arm| arm.0));
    let ends = (factors.0.ln(), factors.1.ln());
    for (missing, end, reached, direction, towards) in [
        (ends.0 < first - ROUNDING, ends.0, first, "lower", "down"),
        (ends.1 > last + ROUNDING, ends.1, last, "higher", "up"),
    ] {
        if missing {
            let (name, best, end) = (rank.name(), short(best), short(end.exp()));
            let tried = match reached {
                0.0 => format!("no rate of {name} {direction} than its best ({best}) was tried"),
                _ => format!("{name} was tried {towards} to {} times its best rate ({best})", short(reached.exp())),
            };
            return Err(format!("{tried}, but the claim is about {end} times: add {direction} rates to `lr`"));
        }
    }
    Ok(Course { best: &rank.best, arms, ends: (ends.0.max(first), ends.1.min(last)) })
}

impl Course<'_, '_> {
    fn costs(&self, worst: f64, metric: Metric) -> BySeed {
        let seeds: BTreeSet<u64> = self.best.runs.iter().map(|run| run.seed).collect();
        let cost = |seed: u64| {
            let score = |arm: &Summary| {
                let run = arm.runs.iter().any(|run| run.seed == seed);
                let found = arm.by_seed(metric).into_iter().find(|(other, _)| *other == seed).map(|(_, x)| x);
                run.then(|| found.unwrap_or(worst))
            };
            let top = score(self.best)?;
            let lost = |x: f64| if metric.higher_is_better() { top - x } else { x - top };
            let points: Vec<(f64, f64)> =
                self.arms.iter().filter_map(|(at, arm)| Some((*at, lost(score(arm)?)))).collect();
            Some((seed, average(&points, self.ends)?))
        };
        seeds.into_iter().filter_map(cost).collect()
    }

    /// Whether the seed changes nothing at any rate that trained to the end.
    fn is_deterministic(&self) -> bool {
        self.arms.iter().filter(|(_, arm)| arm.finished > 0).all(|(_, arm)| arm.is_deterministic())
    }

    fn diverged(&self, factors: (f64, f64)) -> usize {
        let inside = |at: f64| at >= factors.0.ln() - 1e-4 && at <= factors.1.ln() + 1e-4;
        self.arms.iter().filter(|(at, _)| inside(*at)).map(|(_, arm)| arm.diverged).sum()
    }
}

/// The mean height of the line through `points`, which rise in x, between two ends that it reaches.
fn average(points: &[(f64, f64)], (low, high): (f64, f64)) -> Option<f64> {
    let at = |x: f64| {
        let right = points.iter().position(|point| point.0 >= x - 1e-12)?;
        let (x1, y1) = points[right];
        let Some((x0, y0)) = right.checked_sub(1).map(|left| points[left]) else { return Some(y1) };
        Some(y0 + (y1 - y0) * ((x - x0) / (x1 - x0)).min(1.0))
    };
    let inside = points.iter().filter(|point| point.0 > low && point.0 < high).copied();
    let line: Vec<(f64, f64)> = std::iter::once((low, at(low)?)).chain(inside).chain([(high, at(high)?)]).collect();
    let area: f64 = line.windows(2).map(|pair| 0.5 * (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1)).sum();
    Some(area / (high - low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};

    #[test]
    fn the_area_under_a_line_by_hand() {
        let points = [(0.0, 0.0), (1.0, 2.0), (3.0, 4.0)];
        assert_eq!(average(&points, (0.0, 1.0)), Some(1.0));
        assert_eq!(average(&points, (0.5, 2.0)), Some((0.5 * 1.5 + 2.5) / 1.5));
        assert_eq!(average(&points, (0.0, 3.0)), Some((1.0 + 6.0) / 3.0));
    }

    #[test]
    fn a_side_is_measured_from_its_own_best_rate_over_the_same_factors() {
        let arms = [
            Arm::at("calm", 1.0, &[1.0, 1.1, 1.2]),
            Arm::at("calm", 10.0, &[1.2, 1.31, 1.39]),
            Arm::at("wild", 0.1, &[1.0, 1.1, 1.2]),
            Arm::at("wild", 1.0, &[3.0, 3.11, f64::NAN]),
        ];
        let records = records(&arms);
        let ranking = ranking(&records, "task", Metric::Loss);
        let side = |name: &str| ranking.ranks.iter().find(|rank| rank.optimizer == name).unwrap();
        let found = costs([side("calm"), side("wild")], (1.0, 10.0), Metric::Loss).unwrap();
        // Half of the loss at ten times the rate; the diverged seed counts as the worst, 3.11.
        let expected = [[0.1, 0.105, 0.095], [1.0, 1.005, 0.955]];
        for (side, expected) in found.sides.iter().zip(expected) {
            for ((_, cost), expected) in side.iter().zip(expected) {
                assert!((cost - expected).abs() < 1e-12, "{cost} {expected}");
            }
        }
        assert_eq!(found.diverged, [0, 1]);
        assert!((found.lead.unwrap().mean - (2.96 - 0.3) / 3.0).abs() < 1e-12);
        let short = costs([side("calm"), side("wild")], (1.0, 30.0), Metric::Loss).unwrap_err();
        assert!(
            short.contains("calm+constant was tried up to 10 times its best rate (1), but the claim is about 30 times"),
            "{short}"
        );
        assert!(short.contains("add higher rates"), "{short}");
    }

    #[test]
    fn equal_costs_of_a_few_seeds_are_not_taken_for_exact() {
        let lead = |seeds: &[f64]| {
            let at = |name, lr, cost: f64| Arm::at(name, lr, &seeds.iter().map(|x| x + cost).collect::<Vec<_>>());
            let arms = [at("calm", 1.0, 0.0), at("calm", 10.0, 0.25), at("wild", 1.0, 0.0), at("wild", 10.0, 0.5)];
            let records = records(&arms);
            let ranking = ranking(&records, "task", Metric::Loss);
            let side = |name: &str| ranking.ranks.iter().find(|rank| rank.optimizer == name).unwrap();
            costs([side("calm"), side("wild")], (1.0, 10.0), Metric::Loss).unwrap().lead.unwrap()
        };
        let noisy = lead(&[1.0, 1.25, 1.5]);
        assert_eq!((noisy.mean, noisy.same_step(), noisy.p_value()), (0.125, Some(3), Some(0.25)));
        assert!(lead(&[1.0; 3]).is_exact(), "the seed changes nothing");
    }

    #[test]
    fn what_divergence_hides_is_not_called_free() {
        const NAN: f64 = f64::NAN;
        let err = |wild: [[f64; 2]; 2]| {
            let calm = [Arm::at("calm", 1.0, &[1.0, 1.0]), Arm::at("calm", 10.0, &[1.0, 1.0])];
            let wild = [Arm::at("wild", 1.0, &wild[0]), Arm::at("wild", 10.0, &wild[1])];
            let records = records(&[calm, wild].concat());
            let ranking = ranking(&records, "task", Metric::Loss);
            let side = |name: &str| ranking.ranks.iter().find(|rank| rank.optimizer == name).unwrap();
            costs([side("calm"), side("wild")], (1.0, 10.0), Metric::Loss).map(|_| ())
        };
        let hidden = err([[1.0, 1.0], [NAN, NAN]]).unwrap_err();
        assert!(hidden.starts_with("runs of wild+constant diverged, and no run"), "{hidden}");
        let lost = err([[1.0, NAN], [NAN, NAN]]).unwrap_err();
        assert_eq!(lost, "wild+constant diverged in 1 of 2 seeds at its best rate (1)");
        assert_eq!(err([[1.0, 1.0], [2.0, NAN]]), Ok(()));
    }

    #[test]
    fn a_claim_about_sensitivity_is_judged_by_what_it_costs() {
        use crate::analysis::Standard;
        use crate::analysis::claim::{Finding, judge};
        let claim = |label: &str, better: &str, than: &str, lr: &str| {
            format!(
                "[claims.{label}]\nbetter = \"{better}+constant\"\nthan = \"{than}+constant\"\nat = \"around_best\"\nlr = {lr}\n"
            )
        };
        let text = String::from("steps = 10\n[tasks.task]\nmodel = \"quadratic\"\n[optimizers.calm]\nkind = \"sgd\"\n")
            + "[optimizers.wild]\nkind = \"sgd\"\n"
            + &claim("holds", "calm", "wild", "[1, 10]")
            + &claim("fails", "wild", "calm", "[1, 10]")
            + &claim("too_far", "calm", "wild", "[0.5, 10]");
        let experiment = crate::config::Experiment::parse("c.toml", &text, "c", &[]).unwrap();
        let records = records(&[
            Arm::at("calm", 1.0, &[1.0, 1.1, 1.2]),
            Arm::at("calm", 10.0, &[1.2, 1.31, 1.39]),
            Arm::at("wild", 0.1, &[0.9, 1.0, 1.1]),
            Arm::at("wild", 1.0, &[3.0, 3.11, 3.25]),
        ]);
        let judged: Vec<_> =
            experiment.claims.iter().map(|claim| judge(claim, &experiment, &records, Standard::FIXED)).collect();
        let findings: Vec<Finding> = judged.iter().map(|judgement| judgement.finding).collect();
        assert_eq!(findings, [Finding::Supported, Finding::Refuted, Finding::Undecided]);
        let sides = judged[0].parts[0].costs.as_ref().unwrap().sides.each_ref().map(|side| mean(side).unwrap());
        assert!((sides[0] - 0.1).abs() < 1e-12 && (sides[1] - 1.06).abs() < 1e-12, "{sides:?}");
        let reason = judged[2].parts[0].reason.as_deref().unwrap();
        assert!(reason.starts_with("no rate of calm+constant lower than its best (1) was tried"), "{reason}");
        assert!(reason.ends_with("add lower rates to `lr`; more seeds would not help"), "{reason}");
    }
}
