//! What an optimizer is registered by.

use crate::optim::common;
use crate::optim::groups;
use crate::optim::optimizer::Optimizer;
use crate::registry::{About, Described, Key};
use crate::settings::{EXTERNAL, Settings, Sort, Value};

/// An optimizer as it is registered.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Name, equations, keys and source.
    pub about: About,
    /// What it remembers for each parameter, in words.
    pub memory: &'static str,
    /// What it needs beside the gradient.
    pub asks: &'static [Ask],
    /// Builds it from checked settings whose durations are measured in steps.
    pub build: fn(&Settings) -> Box<dyn Optimizer>,
}

/// What an update may need beside the gradient at the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// To be told the loss there: [`Step::loss`](crate::optim::Step::loss).
    Loss,
    /// To be told how long the run is, [`Step::steps`](crate::optim::Step::steps): its first updates are then not those of
    /// a shorter run.
    Length,
    /// The loss and gradients at other weights: [`Oracle`](crate::optim::Oracle).
    Gradients,
}

impl Ask {
    /// The same in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Loss => "the loss where the gradient was taken",
            Self::Length => "the length of the run",
            Self::Gradients => "gradients at other weights, which a run counts as `gradient_evaluations`",
        }
    }
}

impl Described for Definition {
    const SORT: Sort = Sort::Optimizer;
    const RESERVED: &'static [&'static str] = &["kind", "schedules", "tasks", groups::GROUPS];

    fn about(&self) -> &About {
        &self.about
    }

    fn common_keys(&self) -> &'static [Key] {
        if self.about.name == EXTERNAL { &[] } else { common::KEYS }
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        groups::key(name).or_else(|| self.keys().find(|key| key.name == name))
    }
}

/// Whether an optimizer of these settings, or one within it, needs this beside the gradient.
pub fn needs(settings: &Settings, ask: Ask) -> bool {
    let within = |(_, value): (&str, &Value)| matches!(value, Value::Nested(within) if needs(within, ask));
    settings.definition::<Definition>().asks.contains(&ask) || settings.iter().any(within)
}

/// The decay of the mean of squared gradients, by whose root an optimizer of these settings divides; that of the base
/// of a wrapper, and `None` where there is no such mean.
pub fn second_moment_decay(settings: &Settings) -> Option<f64> {
    settings.definition::<Definition>().about.keys.iter().find_map(|key| {
        match (settings.get(key.name), key.second_moment) {
            (Some(Value::Nested(base)), _) => second_moment_decay(base),
            (Some(value), Some(counts)) if counts(settings) => value.as_float(),
            _ => None,
        }
    })
}
