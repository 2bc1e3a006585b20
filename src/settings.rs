//! Concrete values of keys: what an optimizer, schedule, model or dataset is built from.

use std::any::Any;
use std::fmt;

use crate::choice::Choice;
use crate::length::{Length, Timeline};

/// What a kind is a kind of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// An update rule.
    Optimizer,
    /// A multiple of the learning rate for each step.
    Schedule,
    /// What learns.
    Model,
    /// What is learned from.
    Dataset,
}

impl Sort {
    /// The word for one of them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Optimizer => "optimizer",
            Self::Schedule => "schedule",
            Self::Model => "model",
            Self::Dataset => "dataset",
        }
    }
}

/// The name of the optimizer and of the schedule that only a program of the user's knows.
pub const EXTERNAL: &str = "external";

/// What settings are of: a definition, which builds a thing from them.
pub trait Kind: Any + Sync {
    /// What it is a kind of.
    fn sort(&self) -> Sort;

    /// The name in a config, alone of its sort.
    fn name(&self) -> &'static str;

    /// See [`About::revision`](crate::registry::About::revision).
    fn revision(&self) -> u32;

    /// Whether the value of a key decides the numbers of a run.
    fn decides(&self, key: &str) -> bool;

    /// Whether a key takes anything, a list among it, so that a single list has to be told from an axis.
    fn takes_anything(&self, key: &str) -> bool;
}

impl dyn Kind {
    /// The definition itself, where it is one of that type.
    pub fn definition<D: Kind>(&self) -> Option<&D> {
        (self as &dyn Any).downcast_ref()
    }
}

impl PartialEq for dyn Kind {
    fn eq(&self, other: &Self) -> bool {
        (self.sort(), self.name()) == (other.sort(), other.name())
    }
}

impl fmt::Debug for dyn Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.sort().name(), self.name())
    }
}

/// The value of one key.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// A name or a path.
    Text(String),
    /// A length of time.
    Length(Length),
    /// Several values, such as the widths of the hidden layers.
    List(Vec<Value>),
    /// Names with values of their own, such as the states of a formula.
    Table(Vec<(String, Value)>),
    /// A thing with keys of its own, such as the base of the Schedule-Free wrapper.
    Nested(Settings),
}

/// A kind with a value for each of its keys, in the order in which the kind lists them.
///
/// Optional keys that were not given are absent.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    kind: &'static dyn Kind,
    values: Vec<(String, Value)>,
}

impl Settings {
    /// No values yet.
    pub fn new(kind: &'static dyn Kind) -> Self {
        Self { kind, values: Vec::new() }
    }

    /// What these are the settings of.
    pub fn kind(&self) -> &'static dyn Kind {
        self.kind
    }

    /// The name of the kind, such as `adamw`.
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Whether only a program of the user's knows what the kind is: its keys are passed on as they are.
    pub fn is_external(&self) -> bool {
        self.name() == EXTERNAL
    }

    /// The definition of the kind.
    ///
    /// # Panics
    /// Where the kind is of another sort: the config checks what stands where.
    pub fn definition<D: Kind>(&self) -> &'static D {
        self.kind.definition().unwrap_or_else(|| panic!("{:?} stands where another sort is needed", self.kind))
    }

    /// The same settings with one more value, or with another value for a key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.set(key, value.into());
        self
    }

    /// Sets a value; a key that is there keeps its place.
    pub fn set(&mut self, key: &str, value: Value) {
        match self.values.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.values.push((key.to_owned(), value)),
        }
    }

    /// Takes a value away.
    pub fn remove(&mut self, key: &str) {
        self.values.retain(|(name, _)| name != key);
    }

    /// The value of a key, if it has one.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The keys and their values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    fn expect<T>(&self, key: &str, what: &str, read: impl Fn(&Value) -> Option<T>) -> T {
        self.get(key)
            .and_then(read)
            .unwrap_or_else(|| panic!("`{}` asks for {what} `{key}`, which its keys do not declare", self.name()))
    }

    /// A number.
    ///
    /// # Panics
    /// This and the other readers panic where the kind reads a key that it does not declare: the
    /// config checks everything else before anything is built.
    pub fn float(&self, key: &str) -> f64 {
        self.expect(key, "the number", Value::as_float)
    }

    /// A number that may be absent.
    pub fn optional_float(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(Value::as_float)
    }

    /// A whole number, 0 or more.
    ///
    /// # Panics
    /// See [`Settings::float`].
    pub fn count(&self, key: &str) -> usize {
        self.expect(key, "the whole number", |value| match value {
            Value::Integer(n) => usize::try_from(*n).ok(),
            _ => None,
        })
    }

    /// `true` or `false`.
    ///
    /// # Panics
    /// See [`Settings::float`].
    pub fn flag(&self, key: &str) -> bool {
        self.expect(key, "the flag", |value| match value {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        })
    }

    /// A name or a path.
    ///
    /// # Panics
    /// See [`Settings::float`].
    pub fn text(&self, key: &str) -> &str {
        match self.get(key) {
            Some(Value::Text(text)) => text,
            _ => panic!("`{}` asks for the text `{key}`, which its keys do not declare", self.name()),
        }
    }

    /// What a word stands for.
    ///
    /// # Panics
    /// See [`Settings::float`].
    pub fn choice<T: Choice>(&self, key: &str) -> T {
        self.expect(key, "the choice", Value::as_choice)
    }

    /// What a word stands for that may be absent.
    pub fn optional_choice<T: Choice>(&self, key: &str) -> Option<T> {
        self.get(key).and_then(Value::as_choice)
    }

    /// A list of choices; empty where the key is absent.
    pub fn choices<T: Choice>(&self, key: &str) -> Vec<T> {
        self.list(key).iter().filter_map(Value::as_choice).collect()
    }

    /// A length of time.
    ///
    /// # Panics
    /// See [`Settings::float`].
    pub fn length(&self, key: &str) -> Length {
        self.expect(key, "the duration", Value::as_length)
    }

    /// A length of time in steps, once [`Settings::in_steps`] has measured it.
    ///
    /// # Panics
    /// See [`Settings::float`]; also where the duration was not measured.
    pub fn steps(&self, key: &str) -> u64 {
        match self.length(key) {
            Length::Steps(steps) => steps,
            other => panic!("`{key}` of `{}` is still {other}", self.name()),
        }
    }

    /// The same settings with every duration measured in steps.
    ///
    /// # Errors
    /// In words for the user, where the timeline lacks what a duration is measured in.
    pub fn in_steps(&self, timeline: &Timeline) -> Result<Self, String> {
        let measure = |value: &Value| {
            Ok::<_, String>(match value {
                Value::Length(length) => Value::Length(Length::Steps(length.in_steps(timeline)?)),
                Value::Nested(settings) => Value::Nested(settings.in_steps(timeline)?),
                other => other.clone(),
            })
        };
        let values = self.values.iter().map(|(key, value)| {
            let value = measure(value).map_err(|problem| format!("`{key}`: {problem}"))?;
            Ok((key.clone(), value))
        });
        Ok(Self { kind: self.kind, values: values.collect::<Result<_, String>>()? })
    }

    /// The elements of a list; empty where the key is absent.
    pub fn list(&self, key: &str) -> &[Value] {
        match self.get(key) {
            Some(Value::List(values)) => values,
            _ => &[],
        }
    }

    /// The entries of a table; none where the key is absent.
    pub fn table(&self, key: &str) -> &[(String, Value)] {
        match self.get(key) {
            Some(Value::Table(entries)) => entries,
            _ => &[],
        }
    }

    /// A list of numbers.
    pub fn floats(&self, key: &str) -> Vec<f64> {
        self.list(key).iter().filter_map(Value::as_float).collect()
    }

    /// A list of whole numbers.
    pub fn counts(&self, key: &str) -> Vec<usize> {
        self.floats(key).into_iter().map(|n| n as usize).collect()
    }

    /// A thing with keys of its own.
    ///
    /// # Panics
    /// See [`Settings::float`].
    pub fn nested(&self, key: &str) -> &Settings {
        match self.get(key) {
            Some(Value::Nested(settings)) => settings,
            _ => panic!("`{}` asks for the table `{key}`, which its keys do not declare", self.name()),
        }
    }
}

impl Value {
    /// The value as a number, if it is one.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(x) => Some(*x),
            Self::Integer(n) => Some(*n as f64),
            _ => None,
        }
    }

    /// What the value stands for, if it is a word of that choice.
    pub fn as_choice<T: Choice>(&self) -> Option<T> {
        match self {
            Self::Text(word) => T::named(word),
            _ => None,
        }
    }

    /// The value as a text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as a length of time, if it is one.
    pub fn as_length(&self) -> Option<Length> {
        match self {
            Self::Length(length) => Some(*length),
            _ => None,
        }
    }
}

macro_rules! into_value {
    ($($from:ty => $variant:ident),+) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        })+
    };
}
into_value!(bool => Bool, i64 => Integer, i32 => Integer, f64 => Float, &str => Text, String => Text,
            Length => Length, Vec<Value> => List, Settings => Nested);

/// The shortest text that reads back as the same number: `0.001`, `1e-5`, `3`.
pub fn number(x: f64) -> String {
    let text = format!("{x:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A number to three digits, such as a learning rate of a logarithmic grid.
pub fn short(x: f64) -> String {
    let rounded: f64 = format!("{x:.2e}").parse().unwrap_or(x);
    number(rounded)
}

impl fmt::Display for Value {
    /// The value as one cell of a table: lists in brackets, nested things by kind and keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(flag) => write!(f, "{flag}"),
            Self::Integer(n) => write!(f, "{n}"),
            Self::Float(x) => f.write_str(&number(*x)),
            Self::Text(text) => f.write_str(text),
            Self::Length(Length::Steps(n)) => write!(f, "{n}"),
            Self::Length(length) => write!(f, "{length}"),
            Self::List(values) => {
                let cells: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", cells.join(" "))
            }
            Self::Table(entries) => {
                let cells: Vec<String> = entries.iter().map(|(name, value)| format!("{name}={value}")).collect();
                write!(f, "{{{}}}", cells.join(" "))
            }
            Self::Nested(settings) => {
                let cells: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
                write!(f, "{}({})", settings.name(), cells.join(" "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_read_back() {
        for (x, text) in [(1e-5, "1e-5"), (0.003, "0.003"), (3.0, "3"), (0.1 + 0.2, "0.30000000000000004")] {
            assert_eq!(number(x), text);
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), x.to_bits());
        }
    }
}
