//! Instructions that follow each other, joined so that what lies between them is never written down.
//!
//! Every loop over a block is bound by what it stores: the moments of an Adam take one loop instead of three. The numbers
//! come out the same, for products and sums are never contracted.

use crate::expression::graph::{Binary, Unary};
use crate::expression::plan::{Instruction, Operand, Operation};

/// What one loop over a block computes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    One(Operation),
    /// `x s + y t`, with two numbers.
    Mix([Operand; 4]),
    /// `a + b s`, with a number.
    AddScaled([Operand; 3]),
    /// `a - b s`, with a number.
    SubScaled([Operand; 3]),
    /// `a - b / c`
    SubQuotient([Operand; 3]),
    /// `sqrt(x) + e`, with a number.
    RootPlus([Operand; 2]),
}

/// A step and the register that it writes to.
pub(super) type Fused = (Step, usize);

/// Joins instructions; `kept` are the operands that are read after all of them.
pub(super) fn fuse(instructions: &[Instruction], kept: &[Operand]) -> Vec<Fused> {
    let uses = Uses::of(instructions, kept);
    let mut absorbed = vec![false; instructions.len()];
    let mut steps: Vec<(Option<Step>, usize)> = Vec::with_capacity(instructions.len());
    for (at, instruction) in instructions.iter().enumerate() {
        let (step, taken) = uses.step(instructions, at, &absorbed);
        taken.into_iter().flatten().for_each(|taken| absorbed[taken] = true);
        steps.push((Some(step), instruction.to));
    }
    let left = steps.into_iter().zip(absorbed).filter(|(_, absorbed)| !absorbed);
    left.filter_map(|((step, to), _)| Some((step?, to))).collect()
}

/// Which instruction made what each instruction reads, and how often it is read.
struct Uses {
    /// For each instruction, the maker of its first and second operand.
    makers: Vec<[Option<usize>; 2]>,
    reads: Vec<usize>,
}

fn operands(operation: Operation) -> impl Iterator<Item = Operand> {
    let list = match operation {
        Operation::Copy(a) | Operation::Unary(_, a) => [Some(a), None, None],
        Operation::Binary(_, [a, b]) => [Some(a), Some(b), None],
        Operation::Select([c, a, b]) => [Some(c), Some(a), Some(b)],
    };
    list.into_iter().flatten()
}

impl Uses {
    fn of(instructions: &[Instruction], kept: &[Operand]) -> Self {
        let mut writer: Vec<Option<usize>> = Vec::new();
        let mut uses = Self { makers: Vec::new(), reads: vec![0; instructions.len()] };
        let maker = |writer: &[Option<usize>], operand| match operand {
            Operand::Register(register) => writer.get(register).copied().flatten(),
            _ => None,
        };
        for (at, instruction) in instructions.iter().enumerate() {
            let makers: Vec<Option<usize>> = operands(instruction.operation).map(|read| maker(&writer, read)).collect();
            makers.iter().flatten().for_each(|&made| uses.reads[made] += 1);
            let of = |i: usize| makers.get(i).copied().flatten();
            uses.makers.push([of(0), of(1)]);
            if writer.len() <= instruction.to {
                writer.resize(instruction.to + 1, None);
            }
            writer[instruction.to] = Some(at);
        }
        for &operand in kept {
            if let Some(made) = maker(&writer, operand) {
                uses.reads[made] += 1;
            }
        }
        uses
    }

    /// The instruction at a place, joined with those that it takes in.
    fn step(&self, instructions: &[Instruction], at: usize, absorbed: &[bool]) -> (Step, [Option<usize>; 2]) {
        let operation = instructions[at].operation;
        let alone = (Step::One(operation), [None; 2]);
        let Operation::Binary(of, [a, b]) = operation else { return alone };
        // What only this instruction reads can be computed here, unless its own operands are written to before.
        let inner = |i: usize| {
            let made = self.makers[at][i].filter(|&made| self.reads[made] == 1 && !absorbed[made])?;
            let read: Vec<Operand> = operands(instructions[made].operation).collect();
            let is_written = |instruction: &Instruction| read.contains(&Operand::Register(instruction.to));
            let is_own = self.makers[made].iter().flatten().all(|&maker| !absorbed[maker]);
            (is_own && !instructions[made + 1..=at].iter().any(is_written)).then_some(made)
        };
        let scaled = |made: Option<usize>| match instructions[made?].operation {
            Operation::Binary(Binary::Mul, [x, s @ Operand::Number(_)] | [s @ Operand::Number(_), x]) => Some([x, s]),
            _ => None,
        };
        let (first, second) = (inner(0), inner(1));
        match (of, scaled(first), scaled(second)) {
            (Binary::Add, Some([x, s]), Some([y, t])) if first != second => (Step::Mix([x, s, y, t]), [first, second]),
            (Binary::Add, _, Some([y, s])) => (Step::AddScaled([a, y, s]), [second, None]),
            (Binary::Add, Some([x, s]), _) => (Step::AddScaled([b, x, s]), [first, None]),
            (Binary::Sub, _, Some([y, s])) => (Step::SubScaled([a, y, s]), [second, None]),
            (Binary::Sub, ..) => match second.map(|made| instructions[made].operation) {
                Some(Operation::Binary(Binary::Div, [x, y])) => (Step::SubQuotient([a, x, y]), [second, None]),
                _ => alone,
            },
            (Binary::Add, ..) => match (first.map(|made| instructions[made].operation), b) {
                (Some(Operation::Unary(Unary::Sqrt, x)), Operand::Number(_)) => (Step::RootPlus([x, b]), [first, None]),
                _ => alone,
            },
            _ => alone,
        }
    }
}
