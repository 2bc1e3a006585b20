//! Which values a key takes.

use std::fmt;

use crate::registry::names::choices;
use crate::settings::Value;

/// Which values a key takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Accepts {
    /// `true` or `false`.
    Bool,
    /// A whole number within the range.
    Integer(Bounds),
    /// A number within the range.
    Float(Bounds),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any text, such as a path.
    Text,
    /// A length of time.
    Length,
    /// A length of time above 0: something is repeated at it, or divided by it.
    Interval,
    /// A list of whole numbers within the range.
    Integers(Bounds),
    /// A list of numbers within the range.
    Floats(Bounds),
    /// A list of lengths of time.
    Lengths,
    /// A list of these words.
    Choices(&'static [&'static str]),
    /// A table of names, each with a finite number or one of these words.
    Table(&'static [&'static str]),
    /// A list of pairs, each of a length of time and a number, 0 or more.
    Points,
    /// One of those pairs.
    Point,
    /// A list of texts, at least one.
    Texts,
    /// A table of names, each with one of these words, at least one.
    WordTable(&'static [&'static str]),
    /// A table of names, each with a text.
    TextTable,
    /// A number, a text, `true` or `false`, or a list of such: what is passed on as it is.
    Anything,
    /// A table that names an optimizer by `kind` and gives its keys.
    Optimizer,
    /// A list of schedules: labels, kinds, or tables with `schedule` or `kind`, and a `length`.
    Schedules,
}

impl Accepts {
    /// Whether it takes a value.
    pub fn takes(&self, value: &Value) -> bool {
        let all = |one: Self| matches!(value, Value::List(values) if values.iter().all(|value| one.takes(value)));
        match (*self, value) {
            (Self::Bool, Value::Bool(_))
            | (Self::Text, Value::Text(_))
            | (Self::Length, Value::Length(_))
            | (Self::Optimizer, Value::Nested(_))
            | (Self::Anything, Value::Bool(_) | Value::Integer(_) | Value::Text(_)) => true,
            (Self::Integer(bounds), Value::Integer(n)) => bounds.contains(*n as f64),
            (Self::Float(bounds), Value::Float(x)) => bounds.contains(*x),
            (Self::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Self::Interval, Value::Length(length)) => !length.is_zero(),
            (Self::Integers(bounds), _) => all(Self::Integer(bounds)),
            (Self::Floats(bounds), _) => all(Self::Float(bounds)),
            (Self::Lengths, _) => all(Self::Length),
            (Self::Choices(words), _) => all(Self::Choice(words)),
            (Self::Table(words), Value::Table(entries)) => entries.iter().all(|(_, value)| match value {
                Value::Text(text) => words.contains(&text.as_str()),
                value => value.as_float().is_some_and(f64::is_finite),
            }),
            (Self::Schedules, _) => all(Self::Optimizer),
            (Self::Points, _) => all(Self::Point),
            (Self::Point, Value::List(pair)) => match &pair[..] {
                [Value::Length(_), factor] => Self::Float(Bounds::NON_NEGATIVE).takes(factor),
                _ => false,
            },
            (Self::Texts, Value::List(texts)) => !texts.is_empty() && all(Self::Text),
            (Self::WordTable(words), Value::Table(entries)) => {
                !entries.is_empty() && entries.iter().all(|(_, value)| Self::Choice(words).takes(value))
            }
            (Self::TextTable, Value::Table(entries)) => entries.iter().all(|(_, value)| Self::Text.takes(value)),
            (Self::Anything, Value::Float(x)) => x.is_finite(),
            (Self::Anything, _) => all(Self::Anything),
            _ => false,
        }
    }

    /// Whether one value of it may be a list, so that only a list of lists is an axis.
    pub fn is_list(&self) -> bool {
        matches!(
            self,
            Self::Integers(_)
                | Self::Floats(_)
                | Self::Lengths
                | Self::Choices(_)
                | Self::Schedules
                | Self::Points
                | Self::Point
                | Self::Texts
        )
    }
}

/// The numbers that a key takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    low: f64,
    high: f64,
    low_open: bool,
    high_open: bool,
}

impl Bounds {
    /// Any finite number.
    pub const ANY: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY, low_open: true, high_open: true };
    /// Above 0.
    pub const POSITIVE: Self = Self { low: 0.0, low_open: true, ..Self::ANY };
    /// 0 or more.
    pub const NON_NEGATIVE: Self = Self { low: 0.0, low_open: false, ..Self::ANY };
    /// From 0 up to, not including, 1: the decay of an average.
    pub const DECAY: Self = Self { low: 0.0, high: 1.0, low_open: false, high_open: true };
    /// Above 0, at most 1.
    pub const SHARE: Self = Self { low: 0.0, high: 1.0, low_open: true, high_open: false };
    /// From 0 to 1.
    pub const UNIT: Self = Self { low: 0.0, high: 1.0, low_open: false, high_open: false };

    /// From `low` to `high`, both included.
    pub const fn within(low: f64, high: f64) -> Self {
        Self { low, high, low_open: false, high_open: false }
    }

    /// `low` or more.
    pub const fn at_least(low: f64) -> Self {
        Self { low, low_open: false, ..Self::ANY }
    }

    /// Whether the number lies within.
    pub fn contains(&self, x: f64) -> bool {
        let above = if self.low_open { x > self.low } else { x >= self.low };
        let below = if self.high_open { x < self.high } else { x <= self.high };
        x.is_finite() && above && below
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let low = if self.low_open { "above" } else { "at least" };
        let high = if self.high_open { "below" } else { "at most" };
        match (self.low.is_finite(), self.high.is_finite()) {
            (true, true) => write!(f, "{low} {} and {high} {}", self.low, self.high),
            (true, false) => write!(f, "{low} {}", self.low),
            (false, true) => write!(f, "{high} {}", self.high),
            (false, false) => f.write_str("finite"),
        }
    }
}

impl fmt::Display for Accepts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("`true` or `false`"),
            Self::Integer(range) => write!(f, "a whole number, {range}"),
            Self::Float(range) if *range == Bounds::ANY => f.write_str("a finite number"),
            Self::Float(range) => write!(f, "a number, {range}"),
            Self::Choice(words) => write!(f, "{}", choices(words)),
            Self::Text => f.write_str("text"),
            Self::Length => f.write_str("a duration: steps as an integer, or text such as \"10 epochs\" or \"30%\""),
            Self::Interval => write!(f, "{}; above 0", Self::Length),
            Self::Integers(range) => write!(f, "a list of whole numbers, each {range}"),
            Self::Floats(range) => write!(f, "a list of numbers, each {range}"),
            Self::Lengths => f.write_str("a list of durations, such as [\"30%\", \"60%\"]"),
            Self::Choices(words) => write!(f, "a list of words, each {}", choices(words)),
            Self::Table([]) => f.write_str("a table of names and numbers, such as { x = 1, y = -2.5 }"),
            Self::Table(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                write!(f, "a table of names, each with a number or {}, such as {{ m = 0 }}", choices(&words))
            }
            Self::Points => f.write_str("a list of points, such as [[0, 0], [\"5%\", 1], [\"100%\", 0]]"),
            Self::Point => f.write_str("a time and a number, such as [\"5%\", 1]"),
            Self::Texts => f.write_str("a list of texts, such as [\"python\", \"train.py\"]"),
            Self::WordTable(words) => {
                write!(f, "a table of names, each with {}, such as {{ loss = \"lower\" }}", choices(words))
            }
            Self::TextTable => f.write_str("a table of names, each with a text"),
            Self::Anything => f.write_str("a finite number, a text, `true`, `false`, or a list of such"),
            Self::Optimizer => f.write_str("an optimizer, such as { kind = \"sgd\", momentum = 0.9 }"),
            Self::Schedules => f.write_str("a list of schedules, such as [\"linear\", { kind = \"cosine\" }]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_knows_its_edges() {
        assert!(Bounds::SHARE.contains(1.0) && !Bounds::SHARE.contains(0.0));
        assert!(Bounds::DECAY.contains(0.0) && !Bounds::DECAY.contains(1.0));
        assert!(!Bounds::ANY.contains(f64::NAN) && !Bounds::POSITIVE.contains(f64::INFINITY));
        assert_eq!(Bounds::DECAY.to_string(), "at least 0 and below 1");
    }
}
