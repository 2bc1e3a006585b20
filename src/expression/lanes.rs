//! Reductions of blocks, in a fixed order whatever the machine.

use crate::expression::graph::Reduction;
use crate::expression::kernel::{Number, Value};

/// Sums are taken in this many lanes, so that none waits for the one before.
const LANES: usize = 16;

/// What a reduction has come to, lane by lane.
pub(super) type Lanes = [f64; LANES];

/// Of nothing so far.
pub(super) fn start(reduction: Reduction) -> Lanes {
    [if reduction == Reduction::Maximum { f64::NEG_INFINITY } else { 0.0 }; LANES]
}

/// Joins the lanes, or what several tensors gave.
pub(super) fn join(reduction: Reduction, values: &[f64]) -> f64 {
    match reduction {
        // What is not a number stays so: a training that diverged must show.
        Reduction::Maximum => {
            values.iter().fold(f64::NEG_INFINITY, |most, &x| if x > most || x.is_nan() { x } else { most })
        }
        Reduction::Sum | Reduction::Dot => values.iter().sum(),
    }
}

/// Takes a block in.
#[inline(always)]
pub(super) fn reduce<T: Number>(reduction: Reduction, lanes: &mut Lanes, a: Value<T>, b: Value<T>, length: usize) {
    match (reduction, a, b) {
        (Reduction::Sum, Value::Each(a), _) => fold(lanes, a, a, |lane, a, _| lane + a),
        (Reduction::Maximum, Value::Each(a), _) => {
            fold(lanes, a, a, |lane, a, _| if a > lane || a.is_nan() { a } else { lane });
        }
        (Reduction::Dot, Value::Each(a), Value::Each(b)) => fold(lanes, a, b, |lane, a, b| lane + a * b),
        // A branch that was chosen beforehand may be one number.
        (Reduction::Dot, Value::Each(a), Value::One(b)) | (Reduction::Dot, Value::One(b), Value::Each(a)) => {
            let b = b.to_f64();
            fold(lanes, a, a, |lane, a, _| lane + a * b);
        }
        (Reduction::Sum, Value::One(a), _) => lanes[0] += a.to_f64() * length as f64,
        (Reduction::Maximum, Value::One(a), _) => {
            lanes[0] = join(reduction, &[lanes[0], a.to_f64()]);
        }
        (Reduction::Dot, Value::One(a), Value::One(b)) => lanes[0] += a.to_f64() * b.to_f64() * length as f64,
    }
}

/// Each lane folds its own elements, so that none waits for the one before.
#[inline(always)]
fn fold<T: Number>(lanes: &mut Lanes, a: &[T], b: &[T], step: impl Fn(f64, f64, f64) -> f64) {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut own = *lanes;
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            own[i] = step(own[i], a[i].to_f64(), b[i].to_f64());
        }
    }
    for ((lane, a), b) in own.iter_mut().zip(a_rest).zip(b_rest) {
        *lane = step(*lane, a.to_f64(), b.to_f64());
    }
    *lanes = own;
}
