//! Numbers as they are written: a value with the digits and the unit that it is read with.

use std::fmt;

/// A number that is read: `97.22%`, `< 0.001`, `≥ 2.00`, `12.6 kB`.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// The number, by which it is sorted; of sizes in the smallest unit, so that all compare.
    pub value: f64,
    /// On which side of what is written the number lies: `< `, `≥ `; empty where it is that.
    pub relation: &'static str,
    /// Its digits, as many as are worth reading.
    pub digits: String,
    /// What follows the digits, with the space before it where there is one: `%`, ` points`; empty where it has no unit.
    pub unit: &'static str,
}

impl Number {
    /// A number without a unit.
    pub fn new(value: f64, digits: impl Into<String>) -> Self {
        Self { value, relation: "", digits: digits.into(), unit: "" }
    }

    /// A number with so many digits after the point.
    pub fn fixed(value: f64, decimals: usize) -> Self {
        Self::new(value, format!("{value:.decimals$}"))
    }

    /// A number of things.
    pub fn count(n: impl TryInto<u64>) -> Self {
        let n = n.try_into().unwrap_or(u64::MAX);
        Self::new(n as f64, n.to_string())
    }

    /// The same with a unit.
    #[must_use]
    pub fn with(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// The same on one side of what is written.
    #[must_use]
    pub fn related(self, relation: &'static str) -> Self {
        Self { relation, ..self }
    }

    /// The number as the right side of an equation: `= 0.012`, `< 0.001`.
    pub fn equation(&self) -> String {
        if self.relation.is_empty() { format!("= {self}") } else { self.to_string() }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.relation, self.digits, self.unit)
    }
}
