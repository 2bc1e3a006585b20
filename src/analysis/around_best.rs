//! What a learning rate off the best one costs: sensitivity as a number with an interval.
//!
//! The best rate of a side lies somewhere between the rates that were tried, and its place among them differs from
//! side to side. Two sides whose curves are the same but for that place have to cost the same:
//!
//! * Each side is a smooth curve through its scores, not a line with corners (`Curve`).
//! * The window has a fixed width and lies where its own mean is best. There, moving it changes nothing to first
//!   order, so that an error in its place hardly counts; nor does a cliff that it can keep clear of. A window that
//!   starts or ends at the best rate has no such place.
//! * The cost is counted from the lowest point of the curve, not from the best rate that was tried.
//! * What is left depends on where the curve was sampled. It is measured: the curve is sampled at other places, and
//!   the largest change of the cost, times `SAFETY`, widens the interval ([`Difference::allowance`]).
//!
//! Window and lowest point are found on validation, costs are measured on what is reported. `error_rates_of_sensitivity.rs`
//! measures how often equal curves are called different.

use std::collections::BTreeSet;

use crate::analysis::by_seed::{BySeed, Seed};
use crate::analysis::rate_curve::Curve;
use crate::analysis::{Difference, Rank, Sample, Summary, order, rates};
use crate::metric::Metric;
use crate::settings::short;

/// By what the largest change of the cost at other places between the rates is multiplied. Pairs of equal curves
/// (parabolas, parabolas steeper above, kinks, cliffs, S shapes) at all places on grids of factors of 2, 3 and 10
/// differ by at most 1.5 times the sum of both sides' largest changes, smooth ones by half of it: see the test
/// `equal_curves_differ_by_less_than_their_allowance`.
const SAFETY: f64 = 1.5;

/// By which shares of the distance to a neighbour the rates are moved.
const SHARES: [f64; 8] = [-0.5, -0.375, -0.25, -0.125, 0.125, 0.25, 0.375, 0.5];

/// What rates off the best one cost two sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    /// The cost on each side, in the metric, seed by seed; more is worse.
    pub sides: [BySeed; 2],
    /// The lowest and the highest rate of each side's window.
    pub windows: [(f64, f64); 2],
    /// The second side's cost minus the first's: more is better for the first.
    pub lead: Option<Difference>,
    /// Runs in the window that diverged, on each side.
    pub diverged: [usize; 2],
}

impl Costs {
    /// Whether the interval is wide rather because of the distance between the rates than because of the seeds.
    pub fn grid_is_coarse(&self, interval: (f64, f64)) -> bool {
        self.lead.as_ref().is_some_and(|lead| 4.0 * lead.allowance > interval.1 - interval.0)
    }
}

/// The mean cost of a rate within a factor of `width` around a side's best ones: how much worse the reported score
/// is over the best window of a factor of `width * width` than at the best rate, averaged over the logarithm of the
/// rate. Other keys are at their best for each rate.
///
/// A run that diverged has the worst score that any setting of the two sides has: it costs that much at
/// least, which is only said where that score is worse than those at the best rate.
///
/// # Errors
/// In words for the user, where a side was not tried over more than the window, where its best rate lost
/// seeds, or where nothing tells what a diverged run costs.
pub fn costs(sides: [&Rank; 2], width: f64, metric: Metric) -> Result<Costs, String> {
    let all = || sides.iter().flat_map(|rank| &rank.tried);
    let worse = |a: f64, b: f64| if metric.better(a, b) { b } else { a };
    let reported = all().flat_map(|arm| arm.by_seed(metric)).map(|(_, x)| x).reduce(worse);
    let validation = all().flat_map(|arm| arm.validation_by_seed(metric)).map(|(_, x)| x).reduce(worse);
    let Some(worst) = reported.zip(validation) else { return Err("every run diverged".into()) };
    let courses = [course(sides[0], width, metric, worst)?, course(sides[1], width, metric, worst)?];
    for (course, rank) in courses.iter().zip(sides) {
        let priced = |&(_, top): &(Seed, f64)| metric.better(top, worst.0);
        if course.diverged > 0 && !rank.best.by_seed(metric).iter().all(priced) {
            return Err(format!(
                "runs of {} diverged, and no run of either side ended worse than those at its best rate: what a \
                 diverged run costs is not known",
                rank.name()
            ));
        }
    }
    let allowance = SAFETY * courses.iter().map(|course| course.placement).sum::<f64>();
    let lead = Difference::between(&courses[1].costs, &courses[0].costs).map(|lead| {
        let is_deterministic = courses.iter().all(|course| course.is_deterministic);
        let are_twins = lead.is_exact() && lead.mean == 0.0 && sides[0].best.repeats(&sides[1].best);
        // As of scores: an accuracy is known to one prediction, and equal costs of a few seeds are no proof.
        let step = courses[0].step.zip(courses[1].step).map(|(one, other)| one.max(other));
        if is_deterministic || are_twins { lead } else { lead.in_steps_of(step) }
    });
    Ok(Costs {
        lead: lead.map(|lead| lead.allowing(allowance)),
        diverged: courses.each_ref().map(|course| course.diverged),
        windows: courses.each_ref().map(|course| course.window),
        sides: courses.map(|course| course.costs),
    })
}

/// The mean cost of a side over its seeds.
pub fn mean(costs: &BySeed) -> Option<f64> {
    costs.iter().map(|(_, cost)| *cost).collect::<Sample>().mean()
}

/// A side over its rates.
struct Course {
    costs: BySeed,
    window: (f64, f64),
    /// Runs in the window that diverged.
    diverged: usize,
    /// By how much the cost changes at most where the same curve is sampled at other places.
    placement: f64,
    /// The step that its scores move in, where it is known.
    step: Option<f64>,
    /// Whether the seed changes nothing at any rate that trained to the end.
    is_deterministic: bool,
}

/// `worst` is the worst score as reported and on validation, which stands for those of diverged runs.
fn course(rank: &Rank, width: f64, metric: Metric, worst: (f64, f64)) -> Result<Course, String> {
    let name = rank.name();
    if rank.best.lr().is_none() {
        return Err(format!("{name} has no learning rate"));
    }
    let at = |lr: f64| rank.tried.iter().filter(|arm| arm.lr() == Some(lr)).min_by(|a, b| order(a, b, metric));
    let arms: Vec<(f64, &Summary)> =
        rates(rank).iter().filter(|rate| rate.lr > 0.0).filter_map(|rate| Some((rate.lr.ln(), at(rate.lr)?))).collect();
    let place: Vec<f64> = arms.iter().map(|arm| arm.0).collect();
    let wide = 2.0 * width.ln();
    let (first, last) = (place.first().copied().unwrap_or_default(), place.last().copied().unwrap_or_default());
    if place.len() < 3 || wide > last - first {
        return Err(format!(
            "{name} was tried at {} learning rates from {} to {}, but `width` needs at least three that span more than a \
             factor of {}: add lower and higher rates to `lr`",
            place.len(),
            short(first.exp()),
            short(last.exp()),
            short(width * width)
        ));
    }
    let ran = |arm: &Summary| arm.runs.iter().map(|run| Seed::of(run)).collect::<BTreeSet<Seed>>();
    let seeds = arms[1..].iter().fold(ran(arms[0].1), |seeds, arm| &seeds & &ran(arm.1));
    if seeds.is_empty() {
        return Err(format!("no seed has run at every learning rate of {name}"));
    }
    // More is worse, whatever the metric.
    let sign = if metric.higher_is_better() { -1.0 } else { 1.0 };
    let heights = |scores: &dyn Fn(&Summary) -> BySeed, worst: f64| -> Vec<Vec<f64>> {
        let by_rate: Vec<BySeed> = arms.iter().map(|arm| scores(arm.1)).collect();
        let of =
            |scores: &BySeed, seed: Seed| scores.iter().find(|(other, _)| *other == seed).map_or(worst, |(_, x)| *x);
        seeds.iter().map(|seed| by_rate.iter().map(|scores| sign * of(scores, *seed)).collect()).collect()
    };
    let through = |heights: &[f64]| Curve::new(place.clone(), heights.to_vec());
    let mean = |heights: &[Vec<f64>]| -> Vec<f64> {
        (0..place.len()).map(|i| heights.iter().map(|seed| seed[i]).sum::<f64>() / heights.len() as f64).collect()
    };
    let reported = heights(&|arm| arm.by_seed(metric), worst.0);
    let chosen = through(&mean(&heights(&|arm| arm.validation_by_seed(metric), worst.1)));
    let (low, top) = (chosen.best_window(wide), chosen.lowest());
    let nearest = arms.iter().min_by(|a, b| (a.0 - top).abs().total_cmp(&(b.0 - top).abs())).map(|arm| arm.1);
    for arm in nearest.into_iter().chain([&rank.best]) {
        let (lost, seeds) = (arm.diverged_in(metric), arm.runs.len());
        if lost > 0 {
            let lr = short(arm.lr().unwrap_or_default());
            return Err(format!("{name} diverged in {lost} of {seeds} seeds at its best rate ({lr})"));
        }
    }
    let high = low + wide;
    // At an end of the rates it is not known whether the window would be better beyond it.
    let falls = chosen.at(low) - chosen.at(high);
    for (end, reached, at, direction) in [
        (low <= first && falls < 0.0, first, "lowest", "lower"),
        (high >= last && falls > 0.0, last, "highest", "higher"),
    ] {
        if end {
            return Err(format!(
                "the window of {name} that costs least reaches the {at} rate that was tried ({}); beyond it, the cost may be \
                 lower: add {direction} rates to `lr`",
                short(reached.exp())
            ));
        }
    }
    let cost = |curve: &Curve| curve.mean(low, high) - curve.at(top);
    let typical = through(&mean(&reported));
    let best_cost = |curve: &Curve| {
        let low = curve.best_window(wide);
        curve.mean(low, low + wide) - curve.at(curve.lowest())
    };
    let here = best_cost(&typical);
    let placement = SHARES.iter().map(|share| (best_cost(&typical.resampled(*share)) - here).abs()).fold(0.0, f64::max);
    let inside = arms.iter().filter(|arm| arm.0 >= low && arm.0 <= high);
    Ok(Course {
        costs: seeds.iter().zip(&reported).map(|(seed, heights)| (*seed, cost(&through(heights)))).collect(),
        window: (low.exp(), high.exp()),
        diverged: inside.map(|(_, arm)| arm.diverged).sum(),
        placement,
        step: rank.best.step(metric),
        is_deterministic: arms.iter().filter(|(_, arm)| arm.finished > 0).all(|(_, arm)| arm.is_deterministic()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::catalog::Catalog;

    const RATES: [f64; 7] = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0];

    /// One arm for each rate: 1 + `height(log10(lr))` with the noise of three seeds.
    fn arms(name: &'static str, height: impl Fn(f64) -> f64) -> Vec<Arm> {
        let at = |lr: f64| Arm::at(name, lr, &[0.0, 0.1, 0.2].map(|seed| 1.0 + seed + height(lr.log10())));
        RATES.into_iter().map(at).collect()
    }

    fn judged(calm: &[Arm], wild: &[Arm], width: f64) -> Result<Costs, String> {
        let records = records(&[calm, wild].concat());
        let ranking = ranking(&records, "task", Metric::LOSS);
        let side = |name: &str| ranking.ranks.iter().find(|rank| rank.optimizer == name).unwrap();
        costs([side("calm"), side("wild")], width, Metric::LOSS)
    }

    #[test]
    fn the_cost_of_a_parabola_by_hand_wherever_it_lies() {
        let (calm, wild) = (arms("calm", |x| (x - 0.3).powi(2)), arms("wild", |x| 3.0 * (x + 0.4).powi(2)));
        let found = judged(&calm, &wild, 100.0).unwrap();
        // The mean of k x^2 over -2 to 2 is 4 k / 3.
        for (side, expected) in found.sides.iter().zip([4.0 / 3.0, 4.0]) {
            assert!(side.iter().all(|(_, cost)| (cost - expected).abs() < 1e-6), "{side:?}");
        }
        let lead = found.lead.unwrap();
        assert!((lead.mean - 8.0 / 3.0).abs() < 1e-6 && lead.allowance < 1e-6, "{lead:?}");
        let low = found.windows[1].0.log10();
        assert!((low + 2.4).abs() < 1e-4, "{low}");
    }

    #[test]
    fn rates_that_do_not_reach_around_the_window_are_asked_for() {
        let (calm, wild) = (arms("calm", |x| x * x), arms("wild", |x| (x - 2.0).powi(2)));
        let reason = judged(&calm, &wild, 100.0).unwrap_err();
        assert_eq!(
            reason,
            "the window of wild+constant that costs least reaches the highest rate that was tried (1000); beyond it, the cost \
             may be lower: add higher rates to `lr`"
        );
        let reason = judged(&calm[..4], &wild, 100.0).unwrap_err();
        assert!(
            reason.starts_with("calm+constant was tried at 4 learning rates from 0.001 to 1, but `width` needs"),
            "{reason}"
        );
    }

    #[test]
    fn what_the_grid_leaves_open_widens_the_interval() {
        let kink = |x: f64| (x - 0.3).abs();
        let mut wild = arms("wild", |x| kink(x + 0.3));
        wild[3].validation[1] += 0.001;
        let found = judged(&arms("calm", kink), &wild, 10.0).unwrap();
        let lead = found.lead.as_ref().unwrap();
        assert!(lead.mean.abs() > 0.1 && lead.allowance > lead.mean.abs(), "{lead:?}");
        let (low, high) = lead.interval(0.95);
        assert!(low < 0.0 && high > 0.0 && found.grid_is_coarse((low, high)));
        assert!(lead.p_value().unwrap() > 0.9 && lead.p_above().unwrap() > 0.5);
    }

    #[test]
    fn divergence_at_the_best_rate_or_of_unknown_cost_is_said() {
        const NAN: f64 = f64::NAN;
        let calm = arms("calm", |x| x * x);
        let mut wild = arms("wild", |x| x * x);
        wild[5].validation = vec![NAN; 3];
        let found = judged(&calm, &wild, 10.0).unwrap();
        assert_eq!(found.diverged, [0, 0], "the window lies below it");
        wild[3].validation[1] = NAN;
        wild[2].validation[1] = NAN;
        wild[4].validation[1] = NAN;
        let reason = judged(&calm, &wild, 10.0).unwrap_err();
        assert!(reason.starts_with("wild+constant diverged in 1 of 3 seeds at its best rate (1"), "{reason}");
        let flat = |name| arms(name, |_| 0.0).into_iter().map(|arm| Arm { validation: vec![1.0; 3], ..arm });
        let mut wild: Vec<Arm> = flat("wild").collect();
        wild[2].validation[1] = NAN;
        wild[4].validation[1] = NAN;
        let hidden = judged(&flat("calm").collect::<Vec<_>>(), &wild, 10.0).unwrap_err();
        assert!(hidden.starts_with("runs of wild+constant diverged, and no run"), "{hidden}");
    }

    #[test]
    fn equal_costs_of_a_few_seeds_are_not_taken_for_exact() {
        let lead = |seeds: &[f64]| {
            let arms = |name, k: f64| {
                let at =
                    |lr: f64| Arm::at(name, lr, &seeds.iter().map(|x| x + k * lr.log10().powi(2)).collect::<Vec<_>>());
                RATES.into_iter().map(at).collect::<Vec<_>>()
            };
            judged(&arms("calm", 0.25), &arms("wild", 0.5), 10.0).unwrap().lead.unwrap()
        };
        // Powers of two, so that nothing is rounded.
        let noisy = lead(&[1.0, 1.25, 1.5]);
        assert!((noisy.mean - 0.25 / 3.0).abs() < 1e-6, "{noisy:?}");
        assert_ne!(noisy.p_value(), Some(0.0), "{noisy:?}");
        assert!(lead(&[1.0; 3]).is_exact(), "the seed changes nothing");
    }

    #[test]
    fn a_claim_about_sensitivity_is_judged_by_what_it_costs() {
        use crate::analysis::Standard;
        use crate::analysis::claim::{Finding, judge};
        let claim = |label: &str, better: &str, than: &str, window: &str| {
            format!(
                "[claims.{label}]\nbetter = \"{better}+constant\"\nthan = \"{than}+constant\"\nat = \"around_best\"\n{window}\n"
            )
        };
        let text = String::from("steps = 10\n[tasks.task]\nmodel = \"quadratic\"\n[optimizers.calm]\nkind = \"sgd\"\n")
            + "[optimizers.wild]\nkind = \"sgd\"\n"
            + &claim("holds", "calm", "wild", "width = 10")
            + &claim("fails", "wild", "calm", "lr = [0.1, 10]")
            + &claim("too_far", "calm", "wild", "width = 2000")
            + &claim("one_sided", "calm", "wild", "lr = [1, 10]");
        let experiment = crate::config::Experiment::stored(&Catalog::built_in(), "c.toml", &text).unwrap();
        let noise = |arms: Vec<Arm>| {
            let wobble = |(i, mut arm): (usize, Arm)| {
                arm.validation
                    .iter_mut()
                    .enumerate()
                    .for_each(|(seed, x)| *x += 0.01 * ((5 * i + 3 * seed) % 7) as f64);
                arm
            };
            arms.into_iter().enumerate().map(wobble).collect::<Vec<_>>()
        };
        let calm = noise(arms("calm", |x| (x - 0.3).powi(2)));
        let wild = noise(arms("wild", |x| 3.0 * (x + 0.3).powi(2)));
        let records = records(&[calm, wild].concat());
        let judged: Vec<_> =
            experiment.claims.iter().map(|claim| judge(claim, &experiment, &records, Standard::FIXED)).collect();
        let findings: Vec<Finding> = judged.iter().map(|judgement| judgement.finding).collect();
        assert_eq!(findings, [Finding::Supported, Finding::Refuted, Finding::Undecided, Finding::Undecided]);
        let reasons = [2, 3].map(|i| judged[i].parts[0].reason.clone().unwrap());
        assert!(
            reasons[0].starts_with("calm+constant was tried at 7 learning rates from 0.001 to 1000, but"),
            "{reasons:?}"
        );
        assert!(reasons[1].starts_with("`lr = [1, 10]` does not reach equally far"), "{reasons:?}");
        assert!(reasons[1].ends_with("write `width = 10` instead; more seeds would not help"), "{reasons:?}");
    }
}
