//! A pass over the memory of the CPU, block by block: the registers stay in the first-level cache, and every
//! instruction is a vectorised loop over one block.

use std::mem;
use std::ops::Range;

use crate::expression::fuse::Loops;
use crate::expression::graph::Reduction;
use crate::expression::kernel::{Block, Input, Number, TILE, Value, compute};
use crate::expression::lanes::{Lanes, join, reduce, start};
use crate::expression::plan::Operand;
use crate::expression::step::FactorId;
use crate::nn::simd::vectorized;

/// Bytes of a register.
const BYTES: usize = 4096;

/// The registers, kept from pass to pass.
#[derive(Debug, Default)]
pub(super) struct Registers<T> {
    blocks: Vec<Vec<T>>,
    /// The last elements of the tensors, which do not make a whole tile.
    edges: Vec<Vec<T>>,
    /// Values that are read and not used.
    nothing: Vec<T>,
    numbers: Vec<T>,
    factors: Vec<T>,
    lanes: Vec<Lanes>,
}

/// A block of the tensors that a pass opens, and its registers.
struct View<'v, 'm, T> {
    written: &'v mut [&'m mut [T]],
    read: &'v [&'v [T]],
    registers: &'v mut Registers<T>,
    /// The elements of the block.
    block: Range<usize>,
    /// Whether they are in [`Registers::edges`].
    is_edge: bool,
    /// What is written to at the moment.
    to: Operand,
}

/// What was taken out of a view to be written to.
enum Taken<'m, T> {
    Own(Vec<T>),
    Memory(&'m mut [T]),
}

impl<T: Number> Block<T> for View<'_, '_, T> {
    #[inline(always)]
    fn input(&self, operand: Operand) -> Input<'_, T> {
        if operand == self.to {
            Input { is_own: true, ..self.nothing() }
        } else {
            Input { values: self.slice(operand), is_own: false }
        }
    }

    #[inline(always)]
    fn nothing(&self) -> Input<'_, T> {
        Input { values: &self.registers.nothing[..self.size()], is_own: false }
    }

    #[inline(always)]
    fn value(&self, operand: Operand) -> Value<'_, T> {
        match operand {
            Operand::Number(i) => Value::One(self.registers.numbers[i]),
            _ => Value::Each(self.slice(operand)),
        }
    }

    #[inline(always)]
    fn factor(&self, id: FactorId) -> T {
        self.registers.factors[id]
    }
}

impl<'m, T: Number> View<'_, 'm, T> {
    /// So many elements are worked on: whole tiles.
    #[inline(always)]
    fn size(&self) -> usize {
        if self.is_edge { TILE } else { self.block.len() }
    }

    #[inline(always)]
    fn slice(&self, operand: Operand) -> &[T] {
        match operand {
            Operand::Number(_) => unreachable!("one number is no slice"),
            Operand::Register(i) => &self.registers.blocks[i][..self.size()],
            Operand::Memory(i) if self.is_edge => &self.registers.edges[i],
            Operand::Memory(i) => match i.checked_sub(self.written.len()) {
                None => &self.written[i][self.block.clone()],
                Some(i) => &self.read[i][self.block.clone()],
            },
        }
    }

    #[inline(always)]
    fn take(&mut self, to: Operand) -> Taken<'m, T> {
        self.to = to;
        match to {
            Operand::Register(i) => Taken::Own(mem::take(&mut self.registers.blocks[i])),
            Operand::Memory(i) if self.is_edge => Taken::Own(mem::take(&mut self.registers.edges[i])),
            Operand::Memory(i) => Taken::Memory(mem::take(&mut self.written[i])),
            Operand::Number(_) => unreachable!("numbers are not written to"),
        }
    }

    #[inline(always)]
    fn put_back(&mut self, taken: Taken<'m, T>) {
        match (taken, self.to) {
            (Taken::Own(register), Operand::Register(i)) => self.registers.blocks[i] = register,
            (Taken::Own(edge), Operand::Memory(i)) => self.registers.edges[i] = edge,
            (Taken::Memory(memory), Operand::Memory(i)) => self.written[i] = memory,
            _ => unreachable!("what was taken"),
        }
    }

    /// The part of what was taken that belongs to the block.
    #[inline(always)]
    fn part<'t>(&self, taken: &'t mut Taken<'m, T>) -> &'t mut [T] {
        match taken {
            Taken::Own(values) => &mut values[..self.size()],
            Taken::Memory(memory) => &mut memory[self.block.clone()],
        }
    }

    /// Runs all loops over the block, takes it into the reductions, and copies to memory what is not there yet.
    #[inline(always)]
    fn run(&mut self, loops: &Loops, reductions: impl Iterator<Item = Reduction>, lanes: &mut [Lanes]) {
        for &(step, to) in &loops.steps {
            let mut taken = self.take(to);
            compute(step, self.part(&mut taken), self);
            self.put_back(taken);
        }
        let length = self.block.len();
        for ((lanes, reduction), of) in lanes.iter_mut().zip(reductions).zip(&loops.reductions) {
            let [a, b] = of.map(|operand| match self.value(operand) {
                Value::Each(values) => Value::Each(&values[..length]),
                one @ Value::One(_) => one,
            });
            reduce(reduction, lanes, a, b, length);
        }
        for &(memory, from) in &loops.writes {
            let mut taken = self.take(Operand::Memory(memory));
            let to = self.part(&mut taken);
            match self.value(from) {
                Value::One(x) => to.fill(x),
                Value::Each(values) => to.copy_from_slice(values),
            }
            self.put_back(taken);
        }
    }

    /// Goes on to the elements that do not make a whole tile.
    fn begin_edge(&mut self, block: Range<usize>) {
        let tensors = self.written.iter().map(|slice| &**slice).chain(self.read.iter().copied());
        let edges = &mut self.registers.edges;
        for (i, tensor) in tensors.enumerate() {
            if edges.len() <= i {
                edges.push(vec![T::ONE; TILE]);
            }
            edges[i][..block.len()].copy_from_slice(&tensor[block.clone()]);
            edges[i][block.len()..].fill(T::ONE);
        }
        (self.block, self.is_edge) = (block, true);
    }

    fn end_edge(&mut self) {
        for (tensor, edge) in self.written.iter_mut().zip(&self.registers.edges) {
            tensor[self.block.clone()].copy_from_slice(&edge[..self.block.len()]);
        }
    }
}

/// Runs a pass over tensors of one length; the results of its reductions are added to `results` in order.
pub(super) fn run<T: Number>(
    loops: &Loops,
    reductions: impl Iterator<Item = Reduction> + Clone,
    (numbers, factors): (&[f64], &[f64]),
    registers: &mut Registers<T>,
    written: &mut [&mut [T]],
    read: &[&[T]],
    results: &mut Vec<f64>,
) {
    let size = BYTES / size_of::<T>();
    if registers.blocks.len() < loops.registers {
        registers.blocks.resize_with(loops.registers, || vec![T::of(0.0); size]);
    }
    registers.nothing.resize(size, T::ONE);
    for (narrow, wide) in [(&mut registers.numbers, numbers), (&mut registers.factors, factors)] {
        narrow.clear();
        narrow.extend(wide.iter().map(|&x| T::of(x)));
    }
    let mut lanes = mem::take(&mut registers.lanes);
    lanes.clear();
    lanes.extend(reductions.clone().map(start));
    let length = written.first().map(|slice| slice.len()).or(read.first().map(|slice| slice.len())).unwrap_or(0);
    let whole = length - length % TILE;
    let mut view = View { written, read, registers, block: 0..0, is_edge: false, to: Operand::Number(0) };
    vectorized(
        #[inline(always)]
        || {
            while view.block.end < length {
                let start = view.block.end;
                if start < whole {
                    view.block = start..whole.min(start + size);
                } else {
                    view.begin_edge(start..length);
                }
                view.run(loops, reductions.clone(), &mut lanes);
            }
        },
    );
    if view.is_edge {
        view.end_edge();
    }
    results.extend(reductions.zip(&lanes).map(|(reduction, lanes)| join(reduction, lanes)));
    registers.lanes = lanes;
}
