//! The values of hyper-parameters, as records keep them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::length::Length;
use crate::settings::{Settings, Value, number, short};

/// Up to here every whole number is a number of its own.
const WHOLE: f64 = (1u64 << 53) as f64;

/// The value of a hyper-parameter. Two are equal where they are printed alike: records from before values had types
/// are read as if they had them.
#[derive(Debug, Clone)]
pub enum Setting {
    /// `true` or `false`.
    Flag(bool),
    /// A number, be it a count of steps.
    Number(f64),
    /// A word, or what has no other form in a cell: lists, lengths in other units, things with keys of their own.
    Text(String),
}

impl Setting {
    /// What a run is trained with, as its record keeps it.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Float(x) => Self::Number(*x),
            Value::Integer(n) if (*n as f64).abs() < WHOLE => Self::Number(*n as f64),
            Value::Length(Length::Steps(n)) if (*n as f64) < WHOLE => Self::Number(*n as f64),
            other => Self::printed(&other.to_string()),
        }
    }

    /// What an optimizer and a schedule are built from: the keys of the one, then those of the other as `schedule.KEY`.
    pub fn all(optimizer: &Settings, schedule: &Settings) -> Vec<(String, Self)> {
        let optimizer = optimizer.iter().map(|(key, value)| (key.to_owned(), Self::of(value)));
        let schedule = schedule.iter().map(|(key, value)| (format!("schedule.{key}"), Self::of(value)));
        optimizer.chain(schedule).collect()
    }

    /// The value that a cell of a table says.
    pub fn printed(text: &str) -> Self {
        match text.parse::<f64>() {
            Ok(x) if x.abs() < WHOLE || number(x) == text => Self::Number(x),
            _ => text.parse().map_or_else(|_| Self::Text(text.to_owned()), Self::Flag),
        }
    }

    /// The number, where it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(x) => Some(*x),
            _ => None,
        }
    }

    /// The value as people read it: numbers to three digits.
    pub fn short(&self) -> String {
        self.as_number().map_or_else(|| self.to_string(), short)
    }
}

/// The cell of a table: numbers read back exactly.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(x) => f.write_str(&number(*x)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<&str> for Setting {
    fn from(text: &str) -> Self {
        Self::printed(text)
    }
}

impl From<f64> for Setting {
    fn from(x: f64) -> Self {
        Self::Number(x)
    }
}

impl Ord for Setting {
    fn cmp(&self, other: &Self) -> Ordering {
        let kind = |setting: &Self| match setting {
            Self::Flag(_) => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
        };
        match (self, other) {
            (Self::Flag(a), Self::Flag(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (a, b) => kind(a).cmp(&kind(b)),
        }
    }
}

impl PartialOrd for Setting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Setting {}

impl Hash for Setting {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Flag(flag) => flag.hash(state),
            Self::Number(x) => x.to_bits().hash(state),
            Self::Text(text) => text.hash(state),
        }
    }
}

/// With its type: whole numbers without a point.
impl Serialize for Setting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(x) if x.fract() == 0.0 && x.abs() < WHOLE && x.to_bits() != (-0.0f64).to_bits() => {
                serializer.serialize_i64(*x as i64)
            }
            Self::Number(x) => serializer.serialize_f64(*x),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a flag, a number or a text")
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Setting, E> {
                Ok(Setting::Flag(flag))
            }

            fn visit_i64<E>(self, n: i64) -> Result<Setting, E> {
                Ok(Setting::of(&Value::Integer(n)))
            }

            fn visit_f64<E>(self, x: f64) -> Result<Setting, E> {
                Ok(Setting::Number(x))
            }

            fn visit_str<E>(self, text: &str) -> Result<Setting, E> {
                Ok(Setting::printed(text))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::OPTIMIZERS;
    use crate::registry::Kinds;

    fn values() -> Vec<Value> {
        let length = |text: &str| Value::Length(text.parse().unwrap());
        let mut values = vec![Value::Bool(true), "cos".into(), "0.9".into(), "true".into(), "".into()];
        values.extend([0.1 + 0.2, 1e-300, 3.0, -0.0, 1e20, 5e15, f64::INFINITY].map(Value::Float));
        values.extend([0, -7, 2000, 1 << 53, i64::MAX, i64::MIN, 10i64.pow(16)].map(Value::Integer));
        values.extend(["5%", "10 epochs", "300 steps"].map(length));
        values.push(Value::Length(Length::Steps(u64::MAX)));
        values.push(Value::List(vec![Value::Integer(8), Value::Integer(8)]));
        let sgd = Kinds::new(OPTIMIZERS).find("sgd").unwrap();
        values.push(Value::Nested(Settings::new(sgd).with("momentum", 0.9)));
        values
    }

    #[test]
    fn old_texts_and_values_with_types_are_one() {
        for value in values() {
            let (typed, text) = (Setting::of(&value), value.to_string());
            assert_eq!(typed.to_string(), text, "{value:?}");
            assert_eq!(typed, Setting::printed(&text), "{value:?}");
        }
        assert_eq!(Setting::of(&Value::Float(3.0)), Setting::of(&Value::Integer(3)));
        assert_ne!(Setting::Number(-0.0), Setting::Number(0.0));
    }

    #[test]
    fn a_file_holds_types_and_reads_back_exactly() {
        let settings: Vec<Setting> = values().iter().map(Setting::of).collect();
        let pairs: Vec<(String, Setting)> = settings.into_iter().map(|setting| ("key".to_owned(), setting)).collect();
        let table = std::collections::BTreeMap::from([("all", &pairs)]);
        let text = toml::to_string(&table).unwrap();
        for written in ["[\"key\", true]", "[\"key\", 0.30000000000000004]", "[\"key\", 2000]", "[\"key\", \"5%\"]"] {
            assert!(text.contains(written), "{written}: {text}");
        }
        let read: std::collections::BTreeMap<String, Vec<(String, Setting)>> = toml::from_str(&text).unwrap();
        assert_eq!(read["all"], pairs);
    }
}
