//! Instructions joined into loops over a block: what lies between them is never written down.
//!
//! A loop is bound by what it loads and stores. So a loop computes as much as fits a few forms: sums of products and of a
//! quotient, each with a factor. Factors that are numbers are multiplied with each other beforehand, in double precision:
//! `lr * (m / c)` is `m` times one number. Sums and products are never contracted. An AdamW takes four loops.

use crate::expression::graph::{Binary, Unary};
use crate::expression::plan::{Operand, Operation, Pass};
use crate::expression::step::{Divisor, Factor, FactorId, Root, Step, Term};

/// The loops of a pass over a block.
#[derive(Debug, Clone)]
pub(super) struct Loops {
    /// What each computes, and the register or the memory that it writes to.
    pub(super) steps: Vec<(Step, Operand)>,
    pub(super) registers: usize,
    pub(super) factors: Vec<Factor>,
    /// What is copied to memory at the end, and from where.
    pub(super) writes: Vec<(usize, Operand)>,
    /// What the reductions of the pass are of.
    pub(super) reductions: Vec<[Operand; 2]>,
}

impl Loops {
    /// The loops of a pass, one for each instruction unless they are to be joined.
    pub(super) fn new(pass: &Pass, joined: bool) -> Self {
        let mut values = Values::of(pass);
        let mut steps: Vec<(Step, usize)> = Vec::new();
        // From the last to the first: whatever reads a value decides whether it is computed within.
        for at in (0..values.operations.len()).rev() {
            if values.reads[at] > 0 && !values.is_within[at] {
                let step = if joined { values.step(at) } else { Step::One(values.operations[at]) };
                steps.push((step, at));
            }
        }
        steps.reverse();
        values.place(pass, steps)
    }
}

fn is_number(operand: Operand) -> bool {
    matches!(operand, Operand::Number(_))
}

/// The values that instructions compute: operands that are registers are the numbers of instructions in here.
struct Values {
    operations: Vec<Operation>,
    /// How often each is read.
    reads: Vec<usize>,
    /// Whether the loop of another one computes it.
    is_within: Vec<bool>,
    factors: Vec<Factor>,
    writes: Vec<Operand>,
    reductions: Vec<[Operand; 2]>,
}

/// Something and the values that are computed within it.
type Within<T> = (T, Vec<usize>);

impl Values {
    fn of(pass: &Pass) -> Self {
        let mut writer: Vec<usize> = vec![0; pass.registers];
        let mut operations: Vec<Operation> = Vec::new();
        let value = |writer: &[usize], operand| match operand {
            Operand::Register(register) => Operand::Register(writer[register]),
            other => other,
        };
        for (at, instruction) in pass.instructions.iter().enumerate() {
            operations.push(instruction.operation.map(|operand| value(&writer, operand)));
            writer[instruction.to] = at;
        }
        let writes: Vec<Operand> = pass.writes.iter().map(|&operand| value(&writer, operand)).collect();
        let reductions: Vec<[Operand; 2]> =
            pass.reductions.iter().map(|(.., of)| of.map(|operand| value(&writer, operand))).collect();
        let mut reads = vec![0; operations.len()];
        let read = operations.iter().flat_map(|operation| operation.operands());
        for operand in read.chain(writes.iter().copied()).chain(reductions.iter().copied().flatten()) {
            if let Operand::Register(value) = operand {
                reads[value] += 1;
            }
        }
        let is_within = vec![false; operations.len()];
        Self { operations, reads, is_within, factors: Vec::new(), writes, reductions }
    }

    /// The operation of a value that nothing reads but the loop at hand, whose own is that of `root`.
    fn inner(&self, operand: Operand, root: usize) -> Option<(usize, Operation)> {
        match operand {
            Operand::Register(value) if value == root || self.reads[value] == 1 => {
                Some((value, self.operations[value]))
            }
            _ => None,
        }
    }

    fn factor(&mut self, factor: Factor) -> FactorId {
        self.factors.iter().position(|known| *known == factor).unwrap_or_else(|| {
            self.factors.push(factor);
            self.factors.len() - 1
        })
    }

    /// A value without the numbers that it is multiplied with.
    fn peel(&self, mut x: Operand, root: usize) -> Within<(Operand, Factor)> {
        let (mut factor, mut within) = (Factor::default(), Vec::new());
        while let Some((value, operation)) = self.inner(x, root) {
            x = match operation {
                Operation::Binary(Binary::Mul, [x, Operand::Number(s)] | [Operand::Number(s), x]) if !is_number(x) => {
                    factor.parts.push((s, false));
                    x
                }
                Operation::Binary(Binary::Div, [x, Operand::Number(s)]) if !is_number(x) => {
                    factor.parts.push((s, true));
                    x
                }
                Operation::Unary(Unary::Neg, x) if !is_number(x) => {
                    factor.is_negative = !factor.is_negative;
                    x
                }
                _ => break,
            };
            within.push(value);
        }
        ((x, factor), within)
    }

    /// A value times a factor, as far as one loop computes it.
    fn term(&mut self, x: Operand, by: Factor, root: usize) -> Within<Term> {
        if let Operand::Number(s) = x {
            return (Term::Constant(self.factor(by.times(Factor::of(s)))), Vec::new());
        }
        let ((x, factor), mut within) = self.peel(x, root);
        let factor = by.times(factor);
        if let Some((value, Operation::Binary(Binary::Mul, [a, b]))) = self.inner(x, root)
            && !is_number(a)
            && !is_number(b)
        {
            let (((a, s), of_a), ((b, t), of_b)) = (self.peel(a, root), self.peel(b, root));
            within.extend([value].into_iter().chain(of_a).chain(of_b));
            return (Term::Product([a, b], self.factor(factor.times(s).times(t))), within);
        }
        (Term::Scaled(x, self.factor(factor)), within)
    }

    fn quotient(&mut self, x: Operand, by: Factor, root: usize) -> Option<Within<(Term, Divisor)>> {
        let ((x, factor), mut within) = self.peel(x, root);
        let (value, Operation::Binary(Binary::Div, [a, b])) = self.inner(x, root)? else { return None };
        if is_number(b) {
            return None;
        }
        let ((a, of_a), (b, of_b)) = (self.term(a, by.times(factor), root), self.divisor(b, root));
        within.extend([value].into_iter().chain(of_a).chain(of_b));
        Some(((a, b), within))
    }

    fn divisor(&mut self, x: Operand, root: usize) -> Within<Divisor> {
        if let Some((found, within)) = self.root(x, root) {
            return (Divisor::Root(found), within);
        }
        let ((x, factor), within) = self.peel(x, root);
        (Divisor::Scaled(x, self.factor(factor)), within)
    }

    fn root(&mut self, x: Operand, root: usize) -> Option<Within<Root>> {
        let (value, operation) = self.inner(x, root)?;
        let Operation::Binary(Binary::Add, [x, Operand::Number(e)] | [Operand::Number(e), x]) = operation else {
            return None;
        };
        let ((x, r), mut within) = self.peel(x, root);
        let (of_root, Operation::Unary(Unary::Sqrt, x)) = self.inner(x, root)? else { return None };
        if is_number(x) {
            return None;
        }
        let ((x, s), inside) = self.peel(x, root);
        within.extend([value, of_root].into_iter().chain(inside));
        let (s, r, e) = (self.factor(s), self.factor(r), self.factor(Factor::of(e)));
        Some((Root { x, s, r, e }, within))
    }

    /// The loop that computes a value, with as much as it takes in.
    fn step(&mut self, at: usize) -> Step {
        let (operation, own) = (self.operations[at], Operand::Register(at));
        let (step, within) = self.form(at, own, operation).unwrap_or((Step::One(operation), Vec::new()));
        within.into_iter().filter(|&value| value != at).for_each(|value| self.is_within[value] = true);
        step
    }

    fn form(&mut self, at: usize, own: Operand, operation: Operation) -> Option<Within<Step>> {
        if operation.operands().all(is_number) {
            return None;
        }
        if let Some(((a, b), within)) = self.quotient(own, Factor::default(), at) {
            return Some((Step::Quotient(a, b), within));
        }
        let (a, b, of_b) = match operation {
            Operation::Binary(Binary::Mul | Binary::Div, _) | Operation::Unary(Unary::Neg, _) => {
                let (term, within) = self.term(own, Factor::default(), at);
                return Some((Step::Term(term), within));
            }
            Operation::Binary(Binary::Add, [a, b]) => (a, b, Factor::default()),
            Operation::Binary(Binary::Sub, [a, b]) => (a, b, Factor { is_negative: true, ..Factor::default() }),
            _ => return None,
        };
        if let Some((root, within)) = self.root(own, at) {
            return Some((Step::Root(root), within));
        }
        // A difference is the sum with what is negative: the same to the last digit.
        let pairs = [((a, Factor::default()), (b, of_b.clone())), ((b, of_b), (a, Factor::default()))];
        for ((x, by), (y, of_y)) in pairs.clone() {
            if let (Term::Scaled(x, s), mut within) = self.term(x, by, at)
                && let Some(((n, d), of_quotient)) = self.quotient(y, of_y, at)
            {
                within.extend(of_quotient);
                return Some((Step::PlusQuotient(x, s, n, d), within));
            }
        }
        let [((a, s), (b, t)), _] = pairs;
        let ((a, mut within), (b, of_b)) = (self.term(a, s, at), self.term(b, t, at));
        within.extend(of_b);
        let is_first = matches!((a, b), (Term::Constant(_), _) | (Term::Scaled(..), Term::Product(..)));
        Some((if is_first { Step::Sum(b, a) } else { Step::Sum(a, b) }, within))
    }

    /// Gives each value its place: the memory that it is for where nothing needs what is there, otherwise a register.
    fn place(self, pass: &Pass, steps: Vec<(Step, usize)>) -> Loops {
        let end = steps.len();
        let mut last = vec![0; self.operations.len()];
        let mut last_of_memory = vec![0; pass.memory.len()];
        for (i, (step, _)) in steps.iter().enumerate() {
            step.for_each(|operand| match operand {
                Operand::Register(value) => last[value] = i,
                Operand::Memory(memory) => last_of_memory[memory] = i,
                Operand::Number(_) => {}
            });
        }
        for operand in self.reductions.iter().copied().flatten() {
            match operand {
                Operand::Register(value) => last[value] = end,
                Operand::Memory(memory) => last_of_memory[memory] = end,
                Operand::Number(_) => {}
            }
        }
        let mut places: Vec<Option<Operand>> = vec![None; self.operations.len()];
        let mut writes = Vec::new();
        for (memory, &operand) in self.writes.iter().enumerate() {
            if let Operand::Register(value) = operand
                && places[value].is_none()
                && let Some(i) = steps.iter().position(|(_, made)| *made == value)
                && (last_of_memory[memory] < i || last_of_memory[memory] == i && !steps[i].0.keeps_off(memory))
            {
                places[value] = Some(Operand::Memory(memory));
            } else {
                if let Operand::Register(value) = operand {
                    last[value] = end;
                }
                writes.push((memory, operand));
            }
        }
        let (mut registers, mut free) = (0, Vec::new());
        let mut placed = Vec::with_capacity(steps.len());
        for (i, (step, value)) in steps.into_iter().enumerate() {
            // One of its own: none that is read.
            let to = *places[value].get_or_insert_with(|| {
                Operand::Register(free.pop().unwrap_or_else(|| {
                    registers += 1;
                    registers - 1
                }))
            });
            let mut done = Vec::new();
            step.for_each(|operand| match operand {
                Operand::Register(read) if last[read] == i => done.push(read),
                _ => {}
            });
            done.sort_unstable();
            done.dedup();
            free.extend(done.into_iter().filter_map(|read| match places[read] {
                Some(Operand::Register(register)) => Some(register),
                _ => None,
            }));
            placed.push((step, to));
        }
        let place = |operand| match operand {
            Operand::Register(value) => places[value].expect("every value that is read has a place"),
            other => other,
        };
        Loops {
            steps: placed.into_iter().map(|(step, to)| (step.map(place), to)).collect(),
            registers,
            factors: self.factors,
            writes: writes.into_iter().map(|(memory, operand)| (memory, place(operand))).collect(),
            reductions: self.reductions.into_iter().map(|of| of.map(place)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::plan::{Instruction, Source};

    /// `m = 0.9 m + 0.1 g`, `v = max(v, m)`, `p = p - lr (m / c) / (sqrt(v) + eps)` of memory p, m, v, g.
    fn pass() -> Pass {
        let (number, memory, register) = (Operand::Number, Operand::Memory, Operand::Register);
        let operations = [
            Operation::Binary(Binary::Mul, [number(0), memory(1)]),
            Operation::Binary(Binary::Mul, [memory(3), number(1)]),
            Operation::Binary(Binary::Add, [register(0), register(1)]),
            Operation::Binary(Binary::Max, [memory(2), register(2)]),
            Operation::Binary(Binary::Div, [register(2), number(2)]),
            Operation::Binary(Binary::Mul, [number(3), register(4)]),
            Operation::Unary(Unary::Sqrt, register(3)),
            Operation::Binary(Binary::Add, [register(6), number(4)]),
            Operation::Binary(Binary::Div, [register(5), register(7)]),
            Operation::Binary(Binary::Sub, [memory(0), register(8)]),
        ];
        let instruction = |(to, operation): (usize, Operation)| Instruction { operation, to };
        Pass {
            memory: (0..4).map(Source::Name).collect(),
            instructions: operations.into_iter().enumerate().map(instruction).collect(),
            registers: 10,
            writes: vec![register(9), register(2), register(3)],
            reductions: Vec::new(),
            numbers: (0..5).collect(),
        }
    }

    #[test]
    fn what_lies_between_is_not_written_down() {
        let joined = Loops::new(&pass(), true);
        let places: Vec<Operand> = joined.steps.iter().map(|(_, to)| *to).collect();
        // The largest is taken of what it would write to: it takes a register, and is copied.
        assert_eq!(places, [Operand::Memory(1), Operand::Register(0), Operand::Memory(0)]);
        assert_eq!(joined.writes, [(2, Operand::Register(0))]);
        assert!(matches!(joined.steps[2].0, Step::PlusQuotient(Operand::Memory(0), ..)), "{:?}", joined.steps);
        let Step::PlusQuotient(_, _, Term::Scaled(Operand::Memory(1), factor), _) = joined.steps[2].0 else { panic!() };
        assert_eq!(joined.factors[factor].value(&[0.9, 0.1, 0.5, 3.0, 1e-8]), Some(-6.0));
        assert_eq!(Loops::new(&pass(), false).steps.len(), 10);
    }
}
