//! The instructions of a pass, each a loop over one block that the compiler turns into vectors.

use crate::expression::graph::{Binary, Power, Powers, Unary};
use crate::expression::plan::{Operand, Operation};
use crate::expression::step::{Divisor, FactorId, Root, Step, Term};
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

/// Elements that a loop reads before it writes any: what it writes to may be what it reads.
pub(super) const TILE: usize = 32;
/// Elements that are computed at once.
const VECTOR: usize = 16;

/// What a loop reads.
#[derive(Clone, Copy)]
pub(super) struct Input<'a, T> {
    /// As many values as it writes.
    pub(super) values: &'a [T],
    /// Whether it reads what it writes to instead, as it was before.
    pub(super) is_own: bool,
}

impl<'a, T> Input<'a, T> {
    #[inline(always)]
    fn tiles(self) -> &'a [[[T; VECTOR]; TILE / VECTOR]] {
        self.values.as_chunks().0.as_chunks().0
    }
}

/// What a step finds in a block, whole tiles of it.
pub(super) trait Block<T> {
    fn input(&self, operand: Operand) -> Input<'_, T>;
    /// Values of no meaning, for a loop that reads less than others.
    fn nothing(&self) -> Input<'_, T>;
    fn value(&self, operand: Operand) -> Value<'_, T>;
    fn factor(&self, id: FactorId) -> T;
}

/// A term becomes what it reads and how it computes; what follows is compiled for each form of it.
macro_rules! with_term {
    ($block:ident, $term:expr, |$reads:ident, $form:ident| $body:expr) => {
        match $term {
            Term::Scaled(x, s) => {
                let s = $block.factor(s);
                let ($reads, $form) = (
                    [$block.input(x); 2],
                    #[inline(always)]
                    move |x: T, _: T| x * s,
                );
                $body
            }
            Term::Product([x, y], s) => {
                let s = $block.factor(s);
                let ($reads, $form) = (
                    [$block.input(x), $block.input(y)],
                    #[inline(always)]
                    move |x: T, y: T| x * y * s,
                );
                $body
            }
            Term::Constant(s) => {
                let s = $block.factor(s);
                let ($reads, $form) = (
                    [$block.nothing(); 2],
                    #[inline(always)]
                    move |_: T, _: T| s,
                );
                $body
            }
        }
    };
}

/// The same for what is divided by.
macro_rules! with_divisor {
    ($block:ident, $divisor:expr, |$read:ident, $form:ident| $body:expr) => {
        match $divisor {
            Divisor::Scaled(x, s) => {
                let s = $block.factor(s);
                let ($read, $form) = (
                    $block.input(x),
                    #[inline(always)]
                    move |x: T| x * s,
                );
                $body
            }
            Divisor::Root(Root { x, s, r, e }) => {
                let (s, r, e) = ($block.factor(s), $block.factor(r), $block.factor(e));
                let ($read, $form) = (
                    $block.input(x),
                    #[inline(always)]
                    move |x: T| (x * s).root() * r + e,
                );
                $body
            }
        }
    };
}

/// Computes one step on a block.
#[inline(always)]
pub(super) fn compute<T: Number>(step: Step, out: &mut [T], block: &impl Block<T>) {
    let none = block.nothing();
    match step {
        Step::One(operation) => single(operation, out, |operand| block.value(operand)),
        Step::Term(term) => with_term!(block, term, |p, f| each(
            out,
            [p[0], p[1], none, none],
            #[inline(always)]
            |[x, y, _, _]: [T; 4]| f(x, y)
        )),
        Step::Root(root) => with_divisor!(block, Divisor::Root(root), |p, f| each(
            out,
            [p, none, none, none],
            #[inline(always)]
            |[x, _, _, _]: [T; 4]| f(x)
        )),
        Step::Sum(a, Term::Constant(s)) => {
            let s = block.factor(s);
            with_term!(block, a, |p, f| each(
                out,
                [p[0], p[1], none, none],
                #[inline(always)]
                |[x, y, _, _]: [T; 4]| f(x, y) + s
            ));
        }
        Step::Sum(a, b) => with_term!(block, a, |p, f| with_term!(block, b, |q, g| each(
            out,
            [p[0], p[1], q[0], q[1]],
            #[inline(always)]
            |[x, y, z, w]: [T; 4]| f(x, y) + g(z, w)
        ))),
        Step::Quotient(a, b) => with_term!(block, a, |p, f| with_divisor!(block, b, |q, g| each(
            out,
            [p[0], p[1], q, none],
            #[inline(always)]
            |[x, y, z, _]: [T; 4]| f(x, y) / g(z)
        ))),
        Step::PlusQuotient(a, s, b, c) => {
            let (own, s) = (block.input(a), block.factor(s));
            with_term!(block, b, |p, f| with_divisor!(block, c, |q, g| each(
                out,
                [own, p[0], p[1], q],
                #[inline(always)]
                |[a, x, y, z]: [T; 4]| a * s + f(x, y) / g(z)
            )));
        }
    }
}

/// A loop that reads a tile of each input, then writes one.
#[inline(always)]
fn each<T: Number>(out: &mut [T], inputs: [Input<'_, T>; 4], f: impl Fn([T; 4]) -> T) {
    let [a, b, c, d] = inputs;
    let (out, _) = out.as_chunks_mut::<VECTOR>().0.as_chunks_mut::<{ TILE / VECTOR }>();
    let [x, y, z, w] = [a.tiles(), b.tiles(), c.tiles(), d.tiles()];
    for ((((tile, x), y), z), w) in out.iter_mut().zip(x).zip(y).zip(z).zip(w) {
        for k in 0..TILE / VECTOR {
            let mut result = [T::ONE; VECTOR];
            {
                let own = &tile[k];
                let x = if a.is_own { own } else { &x[k] };
                let y = if b.is_own { own } else { &y[k] };
                let z = if c.is_own { own } else { &z[k] };
                let w = if d.is_own { own } else { &w[k] };
                for i in 0..VECTOR {
                    result[i] = f([x[i], y[i], z[i], w[i]]);
                }
            }
            tile[k] = result;
        }
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
