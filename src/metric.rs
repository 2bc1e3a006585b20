//! What an evaluation measures.
//!
//! A metric is a value: its name, its direction, its unit. Those that the models here yield are entries of
//! [`Metric::BUILT_IN`]; others come with a model or a config, and are handled like these.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use serde::de::{Deserialize, Deserializer};
use serde::{Serialize, Serializer};

/// Whether more of a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// What a metric is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number without a unit.
    Number,
    /// Nats, but for a function, whose value has no unit.
    Nats,
    /// Choices per token.
    PerToken,
    /// A share of all predictions, 0 to 1: said in percent, so that shares differ in points.
    Share,
}

impl Unit {
    /// The unit beside a number; empty where there is none.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "",
            Self::Nats => "nats",
            Self::PerToken => "per token",
            Self::Share => "%",
        }
    }
}

/// What there is to know of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// The name in configs and columns.
    pub name: &'static str,
    /// Whether more is better.
    pub direction: Direction,
    /// What it is measured in.
    pub unit: Unit,
    /// The metric of a mean loss in nats, where it is a function of that: no score passes what the loss's floor gives.
    pub of_loss: Option<fn(f64) -> f64>,
    /// One line for `optbench list metrics`.
    pub summary: &'static str,
}

/// A number that an evaluation yields. Metrics are equal where their names are: they are columns of a table.
#[derive(Clone, Copy)]
pub struct Metric(&'static Definition);

/// Those that came while the program runs, each kept for good: a config names a few.
static OTHERS: RwLock<Vec<Metric>> = RwLock::new(Vec::new());

impl Metric {
    /// Mean loss: cross-entropy in nats, the squared error of standardised numbers, or the value of a function.
    pub const LOSS: Self = Self(&Definition {
        name: "loss",
        direction: Direction::Lower,
        unit: Unit::Nats,
        of_loss: Some(|loss| loss),
        summary: "mean cross-entropy in nats, or the function's value; lower is better",
    });
    /// The share of right answers.
    pub const ACCURACY: Self = Self(&Definition {
        name: "accuracy",
        direction: Direction::Higher,
        unit: Unit::Share,
        of_loss: None,
        summary: "share of right answers, 0 to 1; higher is better",
    });
    /// `exp(loss)`: how many equally likely choices the model is torn between.
    pub const PERPLEXITY: Self = Self(&Definition {
        name: "perplexity",
        direction: Direction::Lower,
        unit: Unit::PerToken,
        of_loss: Some(f64::exp),
        summary: "exp(loss), per token; lower is better",
    });

    /// What a text takes by the model's predictions, in bits for each byte.
    pub const BITS_PER_BYTE: Self = Self(&Definition {
        name: "bits_per_byte",
        direction: Direction::Lower,
        unit: Unit::Number,
        of_loss: None,
        summary: "loss in bits over the bytes of UTF-8 that the tokens stand for, so that levels compare; lower is better",
    });
    /// The mean squared error of numbers that a model predicts.
    pub const MSE: Self = Self(&Definition {
        name: "mse",
        direction: Direction::Lower,
        unit: Unit::Number,
        of_loss: None,
        summary: "mean squared error, in the squared units of the label; lower is better",
    });
    /// The mean absolute error.
    pub const MAE: Self = Self(&Definition {
        name: "mae",
        direction: Direction::Lower,
        unit: Unit::Number,
        of_loss: None,
        summary: "mean absolute error, in the units of the label; lower is better",
    });
    /// The share of the labels' variance that is explained.
    pub const R2: Self = Self(&Definition {
        name: "r2",
        direction: Direction::Higher,
        unit: Unit::Number,
        of_loss: None,
        summary: "share of the label's variance that is explained, at most 1; higher is better",
    });

    /// The metrics that models here yield, in the order of the first columns of `evals.csv`, which every run has.
    pub const BUILT_IN: &'static [Self] = &[Self::LOSS, Self::ACCURACY, Self::PERPLEXITY];

    /// The metrics that have a meaning of their own, whoever yields them.
    pub const KNOWN: &'static [Self] =
        &[Self::LOSS, Self::ACCURACY, Self::PERPLEXITY, Self::BITS_PER_BYTE, Self::MAE, Self::R2, Self::MSE];

    /// The metric of a definition.
    pub const fn new(definition: &'static Definition) -> Self {
        Self(definition)
    }

    /// The metric that a config declares: a built-in one, or a number without a unit.
    ///
    /// # Errors
    /// In words for the user, where the name is that of a built-in one with the other direction, or no name.
    pub fn declared(name: &str, direction: Direction) -> Result<Self, String> {
        if let Some(known) = Self::built_in(name) {
            let is = known.0.direction;
            return if is == direction { Ok(known) } else { Err(format!("of `{name}`, {} is better", is.word())) };
        }
        if !is_name(name) {
            return Err(format!(
                "`{name}` is not a valid name of a metric; expected letters, digits, `_`, `-`, `.`, `/`"
            ));
        }
        Ok(Self::kept(name, direction))
    }

    /// The metric of a column, in results that may be older than the config: where nothing is known but the name, less
    /// counts as better, and whoever compares asks the task for its own.
    pub fn named(name: &str) -> Self {
        let known = || others(|others| others.iter().rev().copied().find(|metric| metric.name() == name));
        Self::built_in(name).or_else(known).unwrap_or_else(|| Self::kept(name, Direction::Lower))
    }

    /// Makes a metric known by its name: what reads the name later, such as a schedule's key, finds its direction.
    pub fn introduce(self) {
        let is_new = others(|others| others.iter().all(|metric| metric.place() != self.place()));
        if Self::built_in(self.name()).is_none() && is_new {
            OTHERS.write().unwrap_or_else(PoisonError::into_inner).push(self);
        }
    }

    fn built_in(name: &str) -> Option<Self> {
        Self::find(name, Self::KNOWN)
    }

    fn kept(name: &str, direction: Direction) -> Self {
        let same = |metric: &&Self| (metric.name(), metric.0.direction) == (name, direction);
        if let Some(known) = others(|others| others.iter().find(same).copied()) {
            return known;
        }
        let name = Box::leak(name.to_owned().into_boxed_str());
        let definition = Definition { name, direction, unit: Unit::Number, of_loss: None, summary: "" };
        let metric = Self(Box::leak(Box::new(definition)));
        OTHERS.write().unwrap_or_else(PoisonError::into_inner).push(metric);
        metric
    }

    /// The metric of that name among some.
    pub fn find(name: &str, among: &[Self]) -> Option<Self> {
        among.iter().copied().find(|metric| metric.name() == name)
    }

    /// The name in configs and columns.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// What it is measured in.
    pub fn unit(self) -> Unit {
        self.0.unit
    }

    /// Whether it is a share of all predictions.
    pub fn is_share(self) -> bool {
        self.0.unit == Unit::Share
    }

    /// One line for `optbench list metrics`.
    pub fn summary(self) -> &'static str {
        self.0.summary
    }

    /// Whether more is better.
    pub fn higher_is_better(self) -> bool {
        self.0.direction == Direction::Higher
    }

    /// Whether `a` is strictly better than `b`. Nothing is better than, or worse than, NaN by accident:
    /// a number beats NaN, NaN beats nothing.
    pub fn better(self, a: f64, b: f64) -> bool {
        if a.is_nan() || b.is_nan() {
            return b.is_nan() && !a.is_nan();
        }
        if self.higher_is_better() { a > b } else { a < b }
    }

    /// The score below which no model comes but by luck, by the floor of the task's loss in nats.
    pub fn floor(self, loss_floor: Option<f64>) -> Option<f64> {
        Some(self.0.of_loss?(loss_floor?))
    }

    /// What a score leaves to be gained: of a share the error, and what is the better the lower it is itself; `None`
    /// where the best score is not known.
    pub fn left(self, score: f64) -> Option<f64> {
        match (self.0.unit, self.0.direction) {
            (_, Direction::Lower) => Some(score),
            (Unit::Share, Direction::Higher) => Some(1.0 - score),
            (_, Direction::Higher) => None,
        }
    }

    /// The place among all metrics: the built-in ones as listed, others by name.
    fn place(self) -> (usize, &'static str) {
        let known = Self::KNOWN.iter().position(|metric| metric.name() == self.name());
        (known.unwrap_or(Self::KNOWN.len()), self.name())
    }
}

impl Direction {
    /// The word in a config.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
        }
    }
}

fn others<T>(look: impl FnOnce(&[Metric]) -> T) -> T {
    look(&OTHERS.read().unwrap_or_else(PoisonError::into_inner))
}

/// Whether a text can be the name of a column of scores.
fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    !text.is_empty() && text.chars().all(is_plain) && !["step", "epoch", "split"].contains(&text)
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metric({})", self.name())
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Metric {}

impl Hash for Metric {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl Ord for Metric {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Metric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::named(&String::deserialize(deserializer)?))
    }
}

/// The metrics of one evaluation, in the order of their columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Scores(BTreeMap<Metric, f64>);

impl Scores {
    /// A loss alone.
    pub fn of_loss(loss: f64) -> Self {
        Self::default().with(Metric::LOSS, loss)
    }

    /// The same with one more metric, or another value of one.
    #[must_use]
    pub fn with(mut self, metric: Metric, value: f64) -> Self {
        self.set(metric, value);
        self
    }

    /// Sets the value of one metric.
    pub fn set(&mut self, metric: Metric, value: f64) {
        self.0.insert(metric, value);
    }

    /// The value of one metric, where the task has it.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.0.get(&metric).copied()
    }

    /// The metrics and their values in order.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, f64)> {
        self.0.iter().map(|(metric, value)| (*metric, *value))
    }

    /// Whether every metric that was measured is a finite number.
    pub fn are_finite(&self) -> bool {
        self.0.values().all(|value| value.is_finite())
    }

    /// Takes over what is better in other scores, each metric for itself.
    pub fn improve(&mut self, others: &Self) {
        for (metric, new) in others.iter() {
            if self.get(metric).is_none_or(|old| metric.better(new, old)) {
                self.set(metric, new);
            }
        }
    }
}

impl FromIterator<(Metric, f64)> for Scores {
    fn from_iter<I: IntoIterator<Item = (Metric, f64)>>(scores: I) -> Self {
        Self(scores.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_may_be_finite_where_its_exponential_is_not() {
        let scores = |loss: f64| Scores::of_loss(loss).with(Metric::PERPLEXITY, loss.exp());
        assert!(scores(709.0).are_finite());
        assert!(!scores(710.0).are_finite() && !scores(f64::NAN).are_finite());
    }

    #[test]
    fn better_has_a_direction_and_survives_nan() {
        assert!(Metric::ACCURACY.better(0.9, 0.8) && Metric::LOSS.better(0.1, 0.2));
        assert!(!Metric::LOSS.better(0.1, 0.1));
        assert!(Metric::LOSS.better(0.1, f64::NAN) && !Metric::LOSS.better(f64::NAN, 0.1));
        let mut best = Scores::of_loss(f64::NAN).with(Metric::ACCURACY, 0.9);
        best.improve(&Scores::of_loss(2.0).with(Metric::ACCURACY, 0.8).with(Metric::PERPLEXITY, 7.0));
        assert_eq!(best, Scores::of_loss(2.0).with(Metric::ACCURACY, 0.9).with(Metric::PERPLEXITY, 7.0));
    }

    #[test]
    fn any_metric_may_join_and_keeps_its_direction() {
        let f1 = Metric::declared("f1 of metric.rs", Direction::Higher);
        assert!(f1.unwrap_err().contains("not a valid name"));
        let f1 = Metric::declared("metric_rs/f1", Direction::Higher).unwrap();
        assert!(f1.better(0.2, 0.1) && Metric::named("metric_rs/f1").higher_is_better());
        assert_eq!(Metric::declared("metric_rs/f1", Direction::Lower).unwrap(), f1, "one column");
        assert_eq!(Metric::declared("accuracy", Direction::Higher).map(Metric::unit), Ok(Unit::Share));
        let refused = Metric::declared("accuracy", Direction::Lower).unwrap_err();
        assert_eq!(refused, "of `accuracy`, higher is better");
        assert!(Metric::declared("split", Direction::Lower).is_err());
        let scores: Scores = toml::from_str("metric_rs_b = 2\nmetric_rs/f1 = 1").unwrap_or_default();
        assert_eq!(scores, Scores::default(), "a slash wants quotes");
        let scores: Scores =
            toml::from_str("metric_rs_b = 2\n\"metric_rs/f1\" = 1\nperplexity = 3.5\nloss = 0.25").unwrap();
        let names: Vec<&str> = scores.iter().map(|(metric, _)| metric.name()).collect();
        assert_eq!(names, ["loss", "perplexity", "metric_rs/f1", "metric_rs_b"]);
        assert_eq!(
            toml::to_string(&scores).unwrap(),
            "loss = 0.25\nperplexity = 3.5\n\"metric_rs/f1\" = 1.0\nmetric_rs_b = 2.0\n"
        );
    }

    #[test]
    fn what_is_left_to_be_gained_is_known_of_shares_and_of_what_is_better_lower() {
        assert_eq!((Metric::ACCURACY.left(0.75), Metric::LOSS.left(0.5)), (Some(0.25), Some(0.5)));
        let reward = Metric::declared("metric_rs_reward", Direction::Higher).unwrap();
        assert_eq!((reward.left(3.0), reward.floor(Some(1.0))), (None, None));
        assert_eq!((Metric::PERPLEXITY.floor(Some(0.0)), Metric::LOSS.floor(None)), (Some(1.0), None));
    }
}
