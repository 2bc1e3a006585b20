//! What one loop over a block computes.

use crate::expression::plan::{Operand, Operation};

/// The number of a [`Factor`] among those of a pass.
pub(super) type FactorId = usize;

/// A number that a loop multiplies by: a product of numbers and of reciprocals.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Factor {
    pub(super) is_negative: bool,
    /// The places of numbers among those of a pass, and whether they are divided by.
    pub(super) parts: Vec<(usize, bool)>,
}

/// What is added, or divided.
#[derive(Debug, Clone, Copy)]
pub(super) enum Term {
    Constant(FactorId),
    Scaled(Operand, FactorId),
    /// The product of two values and a factor.
    Product([Operand; 2], FactorId),
}

/// `sqrt(x s) r + e`
#[derive(Debug, Clone, Copy)]
pub(super) struct Root {
    pub(super) x: Operand,
    pub(super) s: FactorId,
    pub(super) r: FactorId,
    pub(super) e: FactorId,
}

/// What is divided by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Divisor {
    Scaled(Operand, FactorId),
    Root(Root),
}

/// What one loop over a block computes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    One(Operation),
    Term(Term),
    Root(Root),
    /// In an order in which no constant is first.
    Sum(Term, Term),
    Quotient(Term, Divisor),
    /// A value times a factor, plus a quotient.
    PlusQuotient(Operand, FactorId, Term, Divisor),
}

impl Factor {
    /// One number.
    pub(super) fn of(number: usize) -> Self {
        Self { is_negative: false, parts: vec![(number, false)] }
    }

    pub(super) fn times(mut self, other: Self) -> Self {
        self.is_negative ^= other.is_negative;
        self.parts.extend(other.parts);
        self
    }

    /// The number, where all others are known; nothing where a part of it would be lost.
    pub(super) fn value(&self, numbers: &[f64]) -> Option<f64> {
        let mut value = if self.is_negative { -1.0 } else { 1.0 };
        let mut is_plain = true;
        for &(number, is_divided_by) in &self.parts {
            let part = numbers[number];
            is_plain &= part.is_finite() && part != 0.0;
            value = if is_divided_by { value / part } else { value * part };
        }
        let is_sound = match self.parts[..] {
            [] | [(_, false)] => true,
            // Far from the largest and least numbers, also of single precision.
            _ => !is_plain || (1e-30..1e30).contains(&value.abs()),
        };
        is_sound.then_some(value)
    }
}

impl Term {
    fn map(self, place: impl Fn(Operand) -> Operand) -> Self {
        match self {
            Self::Constant(s) => Self::Constant(s),
            Self::Scaled(x, s) => Self::Scaled(place(x), s),
            Self::Product(of, s) => Self::Product(of.map(place), s),
        }
    }
}

impl Divisor {
    fn map(self, place: impl Fn(Operand) -> Operand) -> Self {
        match self {
            Self::Scaled(x, s) => Self::Scaled(place(x), s),
            Self::Root(root) => Self::Root(Root { x: place(root.x), ..root }),
        }
    }
}

impl Step {
    /// The same of other operands.
    pub(super) fn map(self, place: impl Fn(Operand) -> Operand) -> Self {
        match self {
            Self::One(operation) => Self::One(operation.map(place)),
            Self::Term(term) => Self::Term(term.map(place)),
            Self::Root(root) => Self::Root(Root { x: place(root.x), ..root }),
            Self::Sum(a, b) => Self::Sum(a.map(&place), b.map(&place)),
            Self::Quotient(a, b) => Self::Quotient(a.map(&place), b.map(&place)),
            Self::PlusQuotient(x, s, a, b) => Self::PlusQuotient(place(x), s, a.map(&place), b.map(&place)),
        }
    }

    /// Calls with every operand.
    pub(super) fn for_each(&self, mut read: impl FnMut(Operand)) {
        let seen = std::cell::RefCell::new(&mut read);
        self.map(|operand| {
            (seen.borrow_mut())(operand);
            operand
        });
    }

    /// Whether it cannot write to a memory that it reads.
    pub(super) fn keeps_off(&self, memory: usize) -> bool {
        let mut reads = false;
        self.for_each(|operand| reads |= operand == Operand::Memory(memory));
        reads && matches!(self, Self::One(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_not_multiplied_where_that_would_lose_them() {
        let factor = Factor { is_negative: false, parts: vec![(0, false), (1, true)] };
        assert_eq!(factor.value(&[1e-20, 1e20]), None);
        assert_eq!(factor.value(&[1e-20, 1e-20]), Some(1.0));
        assert_eq!(factor.value(&[0.0, 1e20]), Some(0.0));
        assert_eq!(factor.value(&[1.0, 0.0]), Some(f64::INFINITY));
        assert_eq!(Factor::of(0).value(&[1e-300]), Some(1e-300));
    }
}
