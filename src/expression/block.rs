//! A pass over the memory of the CPU, block by block: the registers stay in the first-level cache, and every
//! instruction is a vectorised loop over one block.

use std::mem;
use std::ops::Range;

use crate::expression::fuse::Fused;
use crate::expression::kernel::{Number, Value, compute};
use crate::expression::lanes::{Lanes, join, reduce, start};
use crate::expression::plan::{Operand, Pass};
use crate::nn::simd::vectorized;

/// Bytes of a register.
const BYTES: usize = 2048;

/// The registers, kept from pass to pass.
#[derive(Debug, Default)]
pub(super) struct Registers<T> {
    blocks: Vec<Vec<T>>,
    numbers: Vec<T>,
    lanes: Vec<Lanes>,
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
    steps: &[Fused],
    numbers: impl Iterator<Item = f64>,
    registers: &mut Registers<T>,
    written: &mut [&mut [T]],
    read: &[&[T]],
) -> Vec<f64> {
    let size = BYTES / size_of::<T>();
    let Registers { blocks: registers, numbers: narrowed, lanes } = registers;
    if registers.len() < pass.registers {
        registers.resize_with(pass.registers, || vec![T::of(0.0); size]);
    }
    narrowed.clear();
    narrowed.extend(numbers.map(T::of));
    lanes.clear();
    lanes.extend(pass.reductions.iter().map(|(_, reduction, _)| start(*reduction)));
    let length = written.first().map(|slice| slice.len()).or(read.first().map(|slice| slice.len())).unwrap_or(0);
    vectorized(
        #[inline(always)]
        || {
            for start in (0..length).step_by(size) {
                let block = start..length.min(start + size);
                for &(step, to) in steps {
                    // Taken out meanwhile: what is written to is none of what is read.
                    let mut out = mem::take(&mut registers[to]);
                    let view = View { written, read, registers, numbers: narrowed, block: block.clone() };
                    compute(
                        step,
                        &mut out[..block.len()],
                        #[inline(always)]
                        |operand| view.value(operand),
                    );
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
                written[i][block.clone()].copy_from_slice(&registers[register][..block.len()]);
            }
            Operand::Memory(_) => unreachable!("what is copied takes a register between"),
        }
    }
}
