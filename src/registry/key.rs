//! The keys of a kind: their names, what they take, and what they are where a config is silent.

use crate::length::Length;
use crate::registry::accepts::{Accepts, Bounds};
use crate::registry::mistake::Mistake;
use crate::settings::{Settings, Value};

/// One key of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The name in a config.
    pub name: &'static str,
    /// Which values it takes.
    pub accepts: Accepts,
    /// What it is when the config is silent.
    pub default: Fallback,
    /// One line, without a full stop.
    pub help: &'static str,
    /// The choice that must be made for this key to count; it counts always where there is none.
    pub beside: Option<Beside>,
    /// What its value asks of the other keys; nothing where there is none.
    pub needs: Option<Needs>,
    /// Whether, and for which settings, its value is the decay of an optimizer's mean of squared gradients.
    pub second_moment: Option<fn(&Settings) -> bool>,
    /// Finds what is mistaken in its text, or in each text of its table; texts are taken as they are where there is none.
    pub check: Option<Check>,
    /// Whether it decides the numbers of a run, as nearly every key does.
    pub decides: bool,
}

/// Finds what is mistaken in a text, given the settings that it stands in.
pub type Check = fn(&str, &Settings) -> Vec<Mistake>;

/// What the value of a key asks of the other keys.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    /// Whether settings have it.
    pub met: fn(&Settings) -> bool,
    /// The same in words, after "needs".
    pub words: &'static str,
}

/// A choice that another key depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beside {
    /// The key that chooses.
    pub key: &'static str,
    /// Any of these choices will do.
    pub choices: &'static [&'static str],
}

/// What a key is when the config is silent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fallback {
    /// The config must give it.
    Required,
    /// It may stay absent.
    Absent,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// A word.
    Text(&'static str),
    /// A length of time.
    Length(Length),
    /// A list of whole numbers.
    Integers(&'static [i64]),
    /// A list of numbers.
    Floats(&'static [f64]),
}

impl Fallback {
    /// The default as a value; `None` where the key is required or absent.
    pub fn value(&self) -> Option<Value> {
        Some(match *self {
            Self::Required | Self::Absent => return None,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Integer(n) => Value::Integer(n),
            Self::Float(x) => Value::Float(x),
            Self::Text(text) => Value::Text(text.to_owned()),
            Self::Length(length) => Value::Length(length),
            Self::Integers(list) => Value::List(list.iter().map(|&n| Value::Integer(n)).collect()),
            Self::Floats(list) => Value::List(list.iter().map(|&x| Value::Float(x)).collect()),
        })
    }
}

impl Key {
    /// The name of the key that stands for any further one; what it takes, all of these do.
    pub const REST: &'static str = "*";

    const fn new(name: &'static str, accepts: Accepts, default: Fallback, help: &'static str) -> Self {
        Self {
            name,
            accepts,
            default,
            help,
            beside: None,
            needs: None,
            second_moment: None,
            check: None,
            decides: true,
        }
    }

    /// A key that takes a number.
    pub const fn float(name: &'static str, default: f64, range: Bounds, help: &'static str) -> Self {
        Self::new(name, Accepts::Float(range), Fallback::Float(default), help)
    }

    /// A key that takes a whole number.
    pub const fn integer(name: &'static str, default: i64, range: Bounds, help: &'static str) -> Self {
        Self::new(name, Accepts::Integer(range), Fallback::Integer(default), help)
    }

    /// A key that takes `true` or `false`.
    pub const fn flag(name: &'static str, default: bool, help: &'static str) -> Self {
        Self::new(name, Accepts::Bool, Fallback::Bool(default), help)
    }

    /// A key that takes any text.
    pub const fn text(name: &'static str, default: &'static str, help: &'static str) -> Self {
        Self::new(name, Accepts::Text, Fallback::Text(default), help)
    }

    /// A key that takes one of some words.
    pub const fn choice(
        name: &'static str,
        choices: &'static [&'static str],
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self::new(name, Accepts::Choice(choices), Fallback::Text(default), help)
    }

    /// A key that takes a length of time.
    pub const fn length(name: &'static str, default: Length, help: &'static str) -> Self {
        Self::new(name, Accepts::Length, Fallback::Length(default), help)
    }

    /// A key that takes a length of time above 0.
    pub const fn interval(name: &'static str, default: Length, help: &'static str) -> Self {
        Self { accepts: Accepts::Interval, ..Self::length(name, default, help) }
    }

    /// A key that must be given.
    pub const fn required(name: &'static str, accepts: Accepts, help: &'static str) -> Self {
        Self::new(name, accepts, Fallback::Required, help)
    }

    /// A key that may stay absent.
    pub const fn optional(name: &'static str, accepts: Accepts, help: &'static str) -> Self {
        Self::new(name, accepts, Fallback::Absent, help)
    }

    /// Any further key that a config gives, for kinds whose keys users name.
    pub const fn rest(accepts: Accepts, help: &'static str) -> Self {
        Self::new(Self::REST, accepts, Fallback::Absent, help)
    }

    /// The same key, whose text is checked.
    #[must_use]
    pub const fn checked_by(self, check: Check) -> Self {
        Self { check: Some(check), ..self }
    }

    /// The same key, which says how runs are watched or judged, and changes none of their numbers.
    #[must_use]
    pub const fn that_decides_nothing(self) -> Self {
        Self { decides: false, ..self }
    }

    /// The same key, which counts only where another one makes one of these choices.
    #[must_use]
    pub const fn only_beside(self, key: &'static str, choices: &'static [&'static str]) -> Self {
        Self { beside: Some(Beside { key, choices }), ..self }
    }

    /// The same key, some of whose values have a meaning only where the other keys are as they need them.
    #[must_use]
    pub const fn that_needs(self, words: &'static str, met: fn(&Settings) -> bool) -> Self {
        Self { needs: Some(Needs { met, words }), ..self }
    }

    /// The same key, whose value is the decay of the mean of squared gradients that an optimizer divides by the root of:
    /// what `warmup = "untuned"` follows.
    #[must_use]
    pub const fn second_moment(self) -> Self {
        self.second_moment_where(|_| true)
    }

    /// As [`Key::second_moment`], for settings of which `counts` holds.
    #[must_use]
    pub const fn second_moment_where(self, counts: fn(&Settings) -> bool) -> Self {
        Self { second_moment: Some(counts), ..self }
    }

    /// A key that takes a list of whole numbers.
    pub const fn integers(name: &'static str, default: &'static [i64], range: Bounds, help: &'static str) -> Self {
        Self::new(name, Accepts::Integers(range), Fallback::Integers(default), help)
    }

    /// A key that takes a list of numbers.
    pub const fn floats(name: &'static str, default: &'static [f64], range: Bounds, help: &'static str) -> Self {
        Self::new(name, Accepts::Floats(range), Fallback::Floats(default), help)
    }
}
