//! How often a claim about sensitivity is wrong: equal curves that lie at other places between the rates.

use super::around_best::{Costs, costs};
use super::simulated::{Arm, records};
use super::{Standard, ranking};
use crate::metric::Metric;
use crate::results::Record;
use crate::rng::Stream;

const TRIALS: usize = 1000;
/// How many seeds a comparison has.
const SEEDS: usize = 5;

/// How much worse a rate is than the best, by the power of ten that it lies above it; NaN diverges.
type Shape = fn(f64) -> f64;

const SHAPES: [(&str, Shape); 4] = [
    ("parabola", |x| x * x),
    ("four times steeper above", |x| if x < 0.0 { x * x } else { 4.0 * x * x }),
    ("kink above", |x| 0.5 * x * x + 6.0 * (x - 0.5).max(0.0)),
    ("diverges above", |x| if x > 0.7 { f64::NAN } else { 0.5 * x * x }),
];

/// The factor between two rates, and the width of the window.
const GRIDS: [(f64, f64); 4] = [(2.0, 10.0), (3.0, 10.0), (10.0, 10.0), (10.0, 100.0)];

/// The rates of a side whose best one lies `offset` powers of ten from 1, with the noise of each run.
fn side(
    name: &'static str,
    shape: Shape,
    scale: f64,
    grid: (f64, f64),
    offset: f64,
    noise: f64,
    stream: &mut Stream,
) -> Vec<Arm> {
    let (gap, reach) = (grid.0.log10(), 2.0 * grid.1.log10() + 1.6);
    let steps = (0.5 * reach / gap).ceil() as i32 + 1;
    let arm = |step: i32| {
        let (place, mut validation, mut test) = (f64::from(step) * gap, Vec::new(), Vec::new());
        for seed in 0..SEEDS {
            // The seed moves every rate of both sides; a run moves its validation and its test score alike.
            let height = 10.0 + 0.1 * seed as f64 + scale * shape(place - offset);
            let run = height + noise * stream.normal();
            validation.push(run + 0.5 * noise * stream.normal());
            test.push(run + 0.5 * noise * stream.normal());
        }
        Arm { test: Some(test), ..Arm::at(name, 10f64.powf(place), &validation) }
    };
    (-steps..=steps).map(arm).collect()
}

/// Compares two curves of one shape, the first `scale` times as high, each at a place of its own.
fn compare(shape: Shape, scale: f64, grid: (f64, f64), noise: f64, stream: &mut Stream) -> Result<Costs, String> {
    let [here, there] = [0, 1].map(|_| 1.5 * grid.0.log10().max(0.3) * (stream.uniform() - 0.5));
    let mut arms = side("a", shape, scale, grid, here, noise, stream);
    arms.extend(side("b", shape, 1.0, grid, there, noise, stream));
    costs_of(&records(&arms), grid.1)
}

fn costs_of(records: &[Record], width: f64) -> Result<Costs, String> {
    let ranking = ranking(records, "task", Metric::LOSS);
    let rank = |name: &str| ranking.ranks.iter().find(|rank| rank.optimizer == name).unwrap();
    costs([rank("a"), rank("b")], width, Metric::LOSS)
}

/// The shares of comparisons in which the first curve is found to cost less, and to cost more.
fn decided(shape: (&str, Shape), scale: f64, grid: (f64, f64), noise: f64) -> [f64; 2] {
    let mut stream = Stream::new(7, &format!("{} {grid:?} {noise} {scale}", shape.0));
    let mut counts = [0.0; 2];
    for _ in 0..TRIALS {
        let lead = compare(shape.1, scale, grid, noise, &mut stream).ok().and_then(|costs| costs.lead);
        let Some((low, high)) = lead.map(|lead| Standard::FIXED.interval(&lead)) else { continue };
        counts[0] += f64::from(low > 0.0) / TRIALS as f64;
        counts[1] += f64::from(high < 0.0) / TRIALS as f64;
    }
    counts
}

#[test]
fn equal_curves_at_other_places_between_the_rates_are_not_told_apart() {
    let slack = 4.0 * (0.025f64 * 0.975 / TRIALS as f64).sqrt();
    for shape in SHAPES {
        for grid in GRIDS {
            let rates = [0.003, 0.1].map(|noise| decided(shape, 1.0, grid, noise * grid.1.log10().powi(2)));
            println!("{}, a factor of {}, width {}: less, more {rates:.3?}", shape.0, grid.0, grid.1);
            assert!(rates.iter().flatten().all(|rate| *rate <= 0.025 + slack), "{} {grid:?}: {rates:?}", shape.0);
        }
    }
}

#[test]
fn a_curve_that_costs_half_as_much_is_found() {
    for (shape, grid, least) in [
        (SHAPES[0], GRIDS[0], 0.95),
        (SHAPES[0], GRIDS[1], 0.95),
        (SHAPES[1], GRIDS[1], 0.9),
        (SHAPES[2], GRIDS[0], 0.9),
    ] {
        let [less, more] = decided(shape, 0.5, grid, 0.02);
        println!("half the cost, {}, a factor of {}, width {}: {less:.3}", shape.0, grid.0, grid.1);
        assert!(less >= least && more == 0.0, "{} {grid:?}: {less} {more}", shape.0);
    }
}

/// Further shapes: what falls apart at a rate, at other distances from the best; an S on either side.
const ROUGH: [(&str, Shape); 4] = [
    ("cliff near", |x| if x > 0.3 { 5.0 } else { 0.5 * x * x }),
    ("cliff", |x| if x > 0.7 { 5.0 } else { 0.5 * x * x }),
    ("corner", f64::abs),
    ("S", |x| 1.0 - 1.0 / (1.0 + 0.2 * (2.5 * x).exp() + 0.2 * (-1.5 * x).exp())),
];

#[test]
fn equal_curves_differ_by_less_than_their_allowance() {
    const PLACES: u32 = 12;
    let mut stream = Stream::new(8, "no noise");
    for shape in SHAPES.into_iter().chain(ROUGH) {
        for grid in GRIDS {
            let place = |i: u32| grid.0.log10() * (f64::from(i) / f64::from(PLACES) - 0.5);
            let mut sides = |name| -> Vec<Vec<Arm>> {
                (0..PLACES).map(|i| side(name, shape.1, 1.0, grid, place(i), 0.0, &mut stream)).collect()
            };
            let (ours, theirs) = (sides("a"), sides("b"));
            for (a, b) in ours.iter().enumerate().flat_map(|(i, a)| theirs[..i].iter().map(move |b| (a, b))) {
                let records = records(&[&a[..], &b[..]].concat());
                let Ok(costs) = costs_of(&records, grid.1) else { continue };
                let lead = costs.lead.unwrap();
                assert!(lead.mean.abs() <= lead.allowance + 1e-9, "{} {grid:?}: {lead:?}", shape.0);
            }
        }
    }
}
