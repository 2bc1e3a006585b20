//! A pass over the memory of the CPU, block by block: the registers stay in the first-level cache, and every
//! instruction is a vectorised loop over one block.

use std::mem;
use std::ops::Range;

use crate::expression::graph::{Binary, Power, Powers, Reduction, Unary};
use crate::expression::plan::{Instruction, Operand, Operation, Pass};
use crate::nn::float::Float;
use crate::nn::simd::vectorized;

/// Bytes of a register.
const BYTES: usize = 2048;
/// Sums are taken in a fixed order of this many lanes, whatever the machine.
const LANES: usize = 16;

/// What a pass computes with: a model's number type.
pub(super) trait Number: Float + Powers {}

impl<T: Float + Powers> Number for T {}

/// The registers, kept from pass to pass.
#[derive(Debug, Default)]
pub(super) struct Registers<T> {
    registers: Vec<Vec<T>>,
    numbers: Vec<T>,
    lanes: Vec<[f64; LANES]>,
}

/// A value in a block: one number, or one for each element.
#[derive(Clone, Copy)]
enum Value<'a, T> {
    One(T),
    Each(&'a [T]),
}

/// The tensors that a pass opens, and its registers, as instructions read them.
struct View<'a, T> {
    written: &'a [&'a mut [T]],
    read: &'a [&'a [T]],
    registers: &'a [Vec<T>],
    numbers: &'a [T],
    block: Range<usize>,
}

impl<T: Number> View<'_, T> {
    #[inline(always)]
    fn value(&self, operand: Operand) -> Value<'_, T> {
        match operand {
            Operand::Number(i) => Value::One(self.numbers[i]),
            Operand::Register(i) => Value::Each(&self.registers[i][..self.block.len()]),
            Operand::Memory(i) => match i.checked_sub(self.written.len()) {
                None => Value::Each(&self.written[i][self.block.clone()]),
                Some(i) => Value::Each(&self.read[i][self.block.clone()]),
            },
        }
    }
}

/// Runs a pass over tensors of one length, and gives the reductions in order.
pub(super) fn run<T: Number>(
    pass: &Pass,
    numbers: impl Iterator<Item = f64>,
    registers: &mut Registers<T>,
    written: &mut [&mut [T]],
    read: &[&[T]],
) -> Vec<f64> {
    let size = BYTES / size_of::<T>();
    let Registers { registers, numbers: narrowed, lanes } = registers;
    if registers.len() < pass.registers {
        registers.resize_with(pass.registers, || vec![T::of(0.0); size]);
    }
    narrowed.clear();
    narrowed.extend(numbers.map(T::of));
    lanes.clear();
    lanes.extend(pass.reductions.iter().map(|(_, reduction, _)| [start(*reduction); LANES]));
    let length = written.first().map(|slice| slice.len()).or(read.first().map(|slice| slice.len())).unwrap_or(0);
    vectorized(
        #[inline(always)]
        || {
            for start in (0..length).step_by(size) {
                let block = start..length.min(start + size);
                for &Instruction { operation, to } in &pass.instructions {
                    // Taken out meanwhile: what is written to is none of what is read.
                    let mut out = mem::take(&mut registers[to]);
                    let view = View { written, read, registers, numbers: narrowed, block: block.clone() };
                    instruction(operation, &mut out[..block.len()], &view);
                    registers[to] = out;
                }
                let view = View { written, read, registers, numbers: narrowed, block: block.clone() };
                for (lanes, (_, reduction, [a, b])) in lanes.iter_mut().zip(&pass.reductions) {
                    reduce(*reduction, lanes, view.value(*a), view.value(*b), block.len());
                }
                write_back(pass, written, registers, narrowed, &block);
            }
        },
    );
    pass.reductions.iter().zip(lanes).map(|((_, reduction, _), lanes)| join(*reduction, lanes)).collect()
}

/// Writes the results of a block to memory.
#[inline(always)]
fn write_back<T: Number>(
    pass: &Pass,
    written: &mut [&mut [T]],
    registers: &[Vec<T>],
    numbers: &[T],
    block: &Range<usize>,
) {
    for (i, operand) in pass.writes.iter().enumerate() {
        match *operand {
            Operand::Number(number) => written[i][block.clone()].fill(numbers[number]),
            Operand::Register(register) => {
                written[i][block.clone()].copy_from_slice(&registers[register][..block.len()])
            }
            Operand::Memory(_) => unreachable!("what is copied takes a register between"),
        }
    }
}

#[inline(always)]
fn instruction<T: Number>(operation: Operation, out: &mut [T], view: &View<T>) {
    let truth = |holds: bool| if holds { T::ONE } else { T::of(0.0) };
    match operation {
        Operation::Copy(a) => map(
            out,
            view.value(a),
            #[inline(always)]
            |x| x,
        ),
        Operation::Unary(of, a) => {
            let a = view.value(a);
            match of {
                Unary::Neg => map(
                    out,
                    a,
                    #[inline(always)]
                    |x| -x,
                ),
                Unary::Abs => map(
                    out,
                    a,
                    #[inline(always)]
                    |x| Float::abs(x),
                ),
                Unary::Sign => map(
                    out,
                    a,
                    #[inline(always)]
                    |x| truth(x > T::of(0.0)) - truth(x < T::of(0.0)),
                ),
                Unary::Sqrt => map(
                    out,
                    a,
                    #[inline(always)]
                    |x| x.root(),
                ),
                Unary::Exp => map(out, a, |x| T::of(x.to_f64().exp())),
                Unary::Log => map(out, a, |x| T::of(x.to_f64().ln())),
                Unary::Sin => map(out, a, |x| T::of(x.to_f64().sin())),
                Unary::Cos => map(out, a, |x| T::of(x.to_f64().cos())),
                Unary::Tanh => map(
                    out,
                    a,
                    #[inline(always)]
                    |x| Float::tanh(x),
                ),
            }
        }
        Operation::Binary(of, operands) => {
            let [a, b] = operands.map(|operand| view.value(operand));
            match of {
                Binary::Add => zip(
                    out,
                    a,
                    b,
                    #[inline(always)]
                    |a, b| a + b,
                ),
                Binary::Sub => zip(
                    out,
                    a,
                    b,
                    #[inline(always)]
                    |a, b| a - b,
                ),
                Binary::Mul => zip(
                    out,
                    a,
                    b,
                    #[inline(always)]
                    |a, b| a * b,
                ),
                Binary::Div => zip(
                    out,
                    a,
                    b,
                    #[inline(always)]
                    |a, b| a / b,
                ),
                Binary::Min => zip(
                    out,
                    a,
                    b,
                    #[inline(always)]
                    |a, b| if a < b { a } else { b },
                ),
                Binary::Max => zip(
                    out,
                    a,
                    b,
                    #[inline(always)]
                    |a, b| if a > b { a } else { b },
                ),
                Binary::Less => zip(
                    out,
                    a,
                    b,
                    #[inline(always)]
                    |a, b| truth(a < b),
                ),
                Binary::LessEqual => zip(
                    out,
                    a,
                    b,
                    #[inline(always)]
                    |a, b| truth(a <= b),
                ),
                Binary::Equal => zip(
                    out,
                    a,
                    b,
                    #[inline(always)]
                    |a, b| truth(a == b),
                ),
                Binary::Pow => pow(out, a, b),
            }
        }
        Operation::Select(operands) => {
            let [c, a, b] = operands.map(|operand| view.value(operand));
            select(out, c, a, b);
        }
    }
}

#[inline(always)]
fn map<T: Copy>(out: &mut [T], a: Value<T>, f: impl Fn(T) -> T) {
    match a {
        Value::One(a) => out.fill(f(a)),
        Value::Each(a) => out.iter_mut().zip(a).for_each(
            #[inline(always)]
            |(out, &a)| *out = f(a),
        ),
    }
}

#[inline(always)]
fn zip<T: Copy>(out: &mut [T], a: Value<T>, b: Value<T>, f: impl Fn(T, T) -> T) {
    match (a, b) {
        (Value::One(a), Value::One(b)) => out.fill(f(a, b)),
        (Value::Each(a), Value::One(b)) => out.iter_mut().zip(a).for_each(
            #[inline(always)]
            |(out, &a)| *out = f(a, b),
        ),
        (Value::One(a), Value::Each(b)) => out.iter_mut().zip(b).for_each(
            #[inline(always)]
            |(out, &b)| *out = f(a, b),
        ),
        (Value::Each(a), Value::Each(b)) => {
            out.iter_mut().zip(a).zip(b).for_each(
                #[inline(always)]
                |((out, &a), &b)| *out = f(a, b),
            );
        }
    }
}

#[inline(always)]
fn pow<T: Number>(out: &mut [T], a: Value<T>, b: Value<T>) {
    let power = |a: T, b: T| T::of(Binary::Pow.of(a.to_f64(), b.to_f64()));
    match b {
        // One loop for each power that needs no logarithm.
        Value::One(b) => match Power::of(b.to_f64()) {
            Some(Power::One) => map(
                out,
                a,
                #[inline(always)]
                |x| Power::One.apply(x),
            ),
            Some(Power::Square) => map(
                out,
                a,
                #[inline(always)]
                |x| Power::Square.apply(x),
            ),
            Some(Power::Cube) => map(
                out,
                a,
                #[inline(always)]
                |x| Power::Cube.apply(x),
            ),
            Some(Power::Fourth) => map(
                out,
                a,
                #[inline(always)]
                |x| Power::Fourth.apply(x),
            ),
            Some(Power::Root) => map(
                out,
                a,
                #[inline(always)]
                |x| Power::Root.apply(x),
            ),
            Some(Power::Reciprocal) => map(
                out,
                a,
                #[inline(always)]
                |x| Power::Reciprocal.apply(x),
            ),
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
            return map(
                out,
                if c == zero { b } else { a },
                #[inline(always)]
                |x| x,
            );
        }
        Value::Each(c) => c,
    };
    match (a, b) {
        (Value::One(a), Value::One(b)) => map(
            out,
            Value::Each(c),
            #[inline(always)]
            |c| if c == zero { b } else { a },
        ),
        (Value::Each(a), Value::One(b)) => {
            zip(
                out,
                Value::Each(c),
                Value::Each(a),
                #[inline(always)]
                |c, a| if c == zero { b } else { a },
            );
        }
        (Value::One(a), Value::Each(b)) => {
            zip(
                out,
                Value::Each(c),
                Value::Each(b),
                #[inline(always)]
                |c, b| if c == zero { b } else { a },
            );
        }
        (Value::Each(a), Value::Each(b)) => {
            let values = c.iter().zip(a).zip(b);
            out.iter_mut().zip(values).for_each(
                #[inline(always)]
                |(out, ((&c, &a), &b))| *out = if c == zero { b } else { a },
            );
        }
    }
}

fn start(reduction: Reduction) -> f64 {
    if reduction == Reduction::Maximum { f64::NEG_INFINITY } else { 0.0 }
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

#[inline(always)]
fn reduce<T: Number>(reduction: Reduction, lanes: &mut [f64; LANES], a: Value<T>, b: Value<T>, length: usize) {
    match (reduction, a, b) {
        (Reduction::Sum, Value::Each(a), _) => fold(
            lanes,
            a,
            a,
            #[inline(always)]
            |lane, a, _| lane + a,
        ),
        (Reduction::Maximum, Value::Each(a), _) => fold(
            lanes,
            a,
            a,
            #[inline(always)]
            |lane, a, _| if a > lane || a.is_nan() { a } else { lane },
        ),
        (Reduction::Dot, Value::Each(a), Value::Each(b)) => fold(
            lanes,
            a,
            b,
            #[inline(always)]
            |lane, a, b| lane + a * b,
        ),
        // A branch that was chosen beforehand may be one number.
        (Reduction::Dot, Value::Each(a), Value::One(b)) | (Reduction::Dot, Value::One(b), Value::Each(a)) => {
            let b = b.to_f64();
            fold(
                lanes,
                a,
                a,
                #[inline(always)]
                |lane, a, _| lane + a * b,
            );
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
fn fold<T: Number>(lanes: &mut [f64; LANES], a: &[T], b: &[T], step: impl Fn(f64, f64, f64) -> f64) {
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
