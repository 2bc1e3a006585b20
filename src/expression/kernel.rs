//! The instructions of a pass, each a loop over one block that the compiler turns into vectors.

use crate::expression::fuse::Step;
use crate::expression::graph::{Binary, Power, Powers, Unary};
use crate::expression::plan::{Operand, Operation};
use crate::nn::float::Float;

/// What a pass computes with: a model's number type.
pub(super) trait Number: Float + Powers {}

impl<T: Float + Powers> Number for T {}

/// A value in a block: one number, or one for each element.
#[derive(Clone, Copy)]
pub(super) enum Value<'a, T> {
    One(T),
    Each(&'a [T]),
}

/// Computes one step on a block.
#[inline(always)]
pub(super) fn compute<'a, T: Number>(step: Step, out: &mut [T], value: impl Fn(Operand) -> Value<'a, T>) {
    let one = |operand| match value(operand) {
        Value::One(x) => x,
        Value::Each(_) => unreachable!("a number"),
    };
    match step {
        Step::One(operation) => single(operation, out, value),
        Step::Mix([x, s, y, t]) => {
            let (s, t) = (one(s), one(t));
            zip(out, value(x), value(y), |x, y| x * s + y * t);
        }
        Step::AddScaled([a, b, s]) => {
            let s = one(s);
            zip(out, value(a), value(b), |a, b| a + b * s);
        }
        Step::SubScaled([a, b, s]) => {
            let s = one(s);
            zip(out, value(a), value(b), |a, b| a - b * s);
        }
        Step::RootPlus([x, e]) => {
            let e = one(e);
            map(out, value(x), |x| x.root() + e);
        }
        Step::SubQuotient([a, b, c]) => match (value(a), value(b), value(c)) {
            (Value::Each(a), Value::Each(b), Value::Each(c)) => {
                out.iter_mut().zip(a.iter().zip(b.iter().zip(c))).for_each(|(out, (&a, (&b, &c)))| *out = a - b / c);
            }
            (a, b, c) => {
                zip(out, b, c, |b, c| b / c);
                // What was just written is read once more, block by block.
                match a {
                    Value::One(a) => out.iter_mut().for_each(|out| *out = a - *out),
                    Value::Each(a) => out.iter_mut().zip(a).for_each(|(out, &a)| *out = a - *out),
                }
            }
        },
    }
}

#[inline(always)]
fn single<'a, T: Number>(operation: Operation, out: &mut [T], value: impl Fn(Operand) -> Value<'a, T>) {
    match operation {
        Operation::Copy(a) => map(out, value(a), |x| x),
        Operation::Unary(of, a) => unary(of, out, value(a)),
        Operation::Binary(of, [a, b]) => binary(of, out, value(a), value(b)),
        Operation::Select([c, a, b]) => select(out, value(c), value(a), value(b)),
    }
}

#[inline(always)]
fn truth<T: Number>(holds: bool) -> T {
    if holds { T::ONE } else { T::of(0.0) }
}

#[inline(always)]
fn unary<T: Number>(of: Unary, out: &mut [T], a: Value<T>) {
    match of {
        Unary::Neg => map(out, a, |x| -x),
        Unary::Abs => map(out, a, Float::abs),
        Unary::Sign => map(out, a, |x| truth::<T>(x > T::of(0.0)) - truth(x < T::of(0.0))),
        Unary::Sqrt => map(out, a, Powers::root),
        Unary::Exp => map(out, a, |x| T::of(x.to_f64().exp())),
        Unary::Log => map(out, a, |x| T::of(x.to_f64().ln())),
        Unary::Sin => map(out, a, |x| T::of(x.to_f64().sin())),
        Unary::Cos => map(out, a, |x| T::of(x.to_f64().cos())),
        Unary::Tanh => map(out, a, Float::tanh),
    }
}

#[inline(always)]
fn binary<T: Number>(of: Binary, out: &mut [T], a: Value<T>, b: Value<T>) {
    match of {
        Binary::Add => zip(out, a, b, |a, b| a + b),
        Binary::Sub => zip(out, a, b, |a, b| a - b),
        Binary::Mul => zip(out, a, b, |a, b| a * b),
        Binary::Div => match b {
            // A product is cheaper than a quotient, and as good far from the largest and least numbers.
            Value::One(b) if (1e-30..1e30).contains(&b.to_f64().abs()) => {
                let reciprocal = T::ONE / b;
                map(out, a, |a| a * reciprocal);
            }
            b => zip(out, a, b, |a, b| a / b),
        },
        Binary::Min => zip(out, a, b, |a, b| if a < b { a } else { b }),
        Binary::Max => zip(out, a, b, |a, b| if a > b { a } else { b }),
        Binary::Less => zip(out, a, b, |a, b| truth(a < b)),
        Binary::LessEqual => zip(out, a, b, |a, b| truth(a <= b)),
        Binary::Equal => zip(out, a, b, |a, b| truth(a == b)),
        Binary::Pow => pow(out, a, b),
    }
}

#[inline(always)]
fn map<T: Copy>(out: &mut [T], a: Value<T>, f: impl Fn(T) -> T) {
    match a {
        Value::One(a) => out.fill(f(a)),
        Value::Each(a) => out.iter_mut().zip(a).for_each(|(out, &a)| *out = f(a)),
    }
}

#[inline(always)]
fn zip<T: Copy>(out: &mut [T], a: Value<T>, b: Value<T>, f: impl Fn(T, T) -> T) {
    match (a, b) {
        (Value::One(a), Value::One(b)) => out.fill(f(a, b)),
        (Value::Each(a), Value::One(b)) => out.iter_mut().zip(a).for_each(|(out, &a)| *out = f(a, b)),
        (Value::One(a), Value::Each(b)) => out.iter_mut().zip(b).for_each(|(out, &b)| *out = f(a, b)),
        (Value::Each(a), Value::Each(b)) => {
            out.iter_mut().zip(a).zip(b).for_each(|((out, &a), &b)| *out = f(a, b));
        }
    }
}

#[inline(always)]
fn pow<T: Number>(out: &mut [T], a: Value<T>, b: Value<T>) {
    let power = |a: T, b: T| T::of(Binary::Pow.of(a.to_f64(), b.to_f64()));
    match b {
        // One loop for each power that needs no logarithm.
        Value::One(b) => match Power::of(b.to_f64()) {
            Some(Power::One) => map(out, a, |x| Power::One.apply(x)),
            Some(Power::Square) => map(out, a, |x| Power::Square.apply(x)),
            Some(Power::Cube) => map(out, a, |x| Power::Cube.apply(x)),
            Some(Power::Fourth) => map(out, a, |x| Power::Fourth.apply(x)),
            Some(Power::Root) => map(out, a, |x| Power::Root.apply(x)),
            Some(Power::Reciprocal) => map(out, a, |x| Power::Reciprocal.apply(x)),
            None => map(out, a, |x| power(x, b)),
        },
        b @ Value::Each(_) => zip(out, a, b, power),
    }
}

#[inline(always)]
fn select<T: Number>(out: &mut [T], c: Value<T>, a: Value<T>, b: Value<T>) {
    let zero = T::of(0.0);
    let c = match c {
        Value::One(c) => {
            return map(out, if c == zero { b } else { a }, |x| x);
        }
        Value::Each(c) => c,
    };
    match (a, b) {
        (Value::One(a), Value::One(b)) => map(out, Value::Each(c), |c| if c == zero { b } else { a }),
        (Value::Each(a), Value::One(b)) => {
            zip(out, Value::Each(c), Value::Each(a), |c, a| if c == zero { b } else { a });
        }
        (Value::One(a), Value::Each(b)) => {
            zip(out, Value::Each(c), Value::Each(b), |c, b| if c == zero { b } else { a });
        }
        (Value::Each(a), Value::Each(b)) => {
            let values = c.iter().zip(a).zip(b);
            out.iter_mut().zip(values).for_each(|(out, ((&c, &a), &b))| *out = if c == zero { b } else { a });
        }
    }
}
