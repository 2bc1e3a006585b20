//! What a config can name: kinds with documented keys, defaults and bounds.
//!
//! Optimizers, schedules, models and datasets are each described by an [`About`]. Everything that
//! lists, checks or explains them (the config, `optbench list`, the tests) reads that description,
//! so that a new kind appears everywhere by being registered once.

use std::fmt;

use crate::length::Length;
use crate::settings::{Settings, Value};

/// A kind as it is explained to the user.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The name in a config.
    pub name: &'static str,
    /// 1 at first, and 1 more with every change of its numbers: results of different revisions are not mixed.
    pub revision: u32,
    /// One line.
    pub summary: &'static str,
    /// The definition, in plain text, as in the source.
    pub equations: &'static str,
    /// The keys with their defaults.
    pub keys: &'static [Key],
    /// The paper or the reference implementation that this follows.
    pub source: &'static str,
}

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
}

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
    /// A table that names an optimizer by `kind` and gives its keys.
    Optimizer,
    /// A list of schedules: labels, kinds, or tables with `schedule` or `kind`, and a `length`.
    Schedules,
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
    const fn new(name: &'static str, accepts: Accepts, default: Fallback, help: &'static str) -> Self {
        Self { name, accepts, default, help, beside: None, needs: None, second_moment: None }
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

impl Settings {
    /// Every key at its default. Required keys stay absent.
    pub fn defaults(kind: &str, keys: &[Key]) -> Self {
        let mut settings = Self::new(kind);
        for key in keys.iter().filter(|key| key.beside.is_none()) {
            if let Some(value) = key.default.value() {
                settings.set(key.name, value);
            }
        }
        settings
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
            Self::Optimizer => f.write_str("an optimizer, such as { kind = \"sgd\", momentum = 0.9 }"),
            Self::Schedules => f.write_str("a list of schedules, such as [\"linear\", { kind = \"cosine\" }]"),
        }
    }
}

/// The words in backticks, as a sentence lists them: `` `a`, `b` or `c` ``.
pub fn choices<T: fmt::Display>(words: &[T]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// The candidate that a misspelt word most likely means, if one is close enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    // Names that differ in length by more than may be mistyped need no comparison letter by letter.
    let length = word.chars().count();
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= 3)
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 3 && *distance * 2 <= candidate.len().max(2))
        // Of equally near names, the one of the same length: a letter is mistyped more often than left out.
        .min_by_key(|(distance, candidate)| (*distance, candidate.len().abs_diff(word.len())))
        .map(|(_, candidate)| candidate)
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

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["adamw", "adam", "schedule_free_adamw", "sgd"];
        assert_eq!(nearest("adamv", names), Some("adamw"));
        assert_eq!(nearest("ScheduleFree-AdamW", names), Some("schedule_free_adamw"));
        assert_eq!(nearest("learning_rate", names), None);
        assert_eq!(nearest("rumpelstiltskin", names), None);
        assert_eq!(nearest("x", names), None);
    }
}
