//! Absolute claims: an arm reaches a score within so many steps.

use crate::config::diagnostics::Diagnostics;
use crate::config::source::{Entry, Item, Table};
use crate::config::value::interval;
use crate::length::Length;
use crate::metric::Metric;
use crate::registry::choices;
use crate::task::Target;

const EXAMPLE: &str = "a metric with a number, such as reaches = { loss = 3.28 }";

/// That the arm of a claim reaches a score on validation at a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reaches {
    /// The score.
    pub score: Target,
    /// When: a step at which runs are evaluated.
    pub within: Length,
}

/// Reads `reaches` and `within` of a claim that has one of them.
pub(super) fn read(table: &Table, claim: &Entry, metrics: &[Metric], diagnostics: &mut Diagnostics) -> Option<Reaches> {
    let mut required = |key: &str, example: &str| {
        let entry = table.get(key);
        if entry.is_none() {
            let added = diagnostics.add(&claim.key_place, format!("claim `{}` lacks the key `{key}`", claim.key));
            added.expected(example);
        }
        entry
    };
    let (reaches, within) = (required("reaches", EXAMPLE), required("within", "within = \"3000 steps\""));
    for key in ["than", "better", "margin", "not_worse_than", "by", "at", "lr", "width", "metric"] {
        if let Some(entry) = table.get(key) {
            let added = diagnostics.add(&entry.key_place, format!("`{key}` is not used by a claim with `reaches`"));
            added.expected("`arm`, `reaches`, `within` and, unless it is about every task, `task`");
        }
    }
    let within = within.and_then(|entry| interval(&entry.value, "within", diagnostics));
    Some(Reaches { score: score(reaches?, metrics, diagnostics)?, within: within? })
}

/// Reads `{ loss = 3.28 }`.
fn score(entry: &Entry, metrics: &[Metric], diagnostics: &mut Diagnostics) -> Option<Target> {
    let only = match &entry.value.item {
        Item::Table(table) if table.0.len() == 1 => &table.0[0],
        item => {
            let found = match item {
                Item::Table(table) => format!("`reaches` has {} metrics", table.0.len()),
                item => format!("`reaches` is {}", item.describe()),
            };
            let added = diagnostics.add(&entry.value.place, found);
            added.expected(EXAMPLE);
            return None;
        }
    };
    let Some(metric) = Metric::find(&only.key, metrics) else {
        let names: Vec<&str> = metrics.iter().map(|metric| metric.name()).collect();
        diagnostics.add(&only.key_place, format!("there is no metric `{}`", only.key)).expected(choices(&names));
        return None;
    };
    let value = match only.value.item {
        Item::Integer(n) => n as f64,
        Item::Float(x) if x.is_finite() => x,
        _ => {
            diagnostics.add(&only.value.place, format!("`{}` is not a finite number", only.key)).expected(EXAMPLE);
            return None;
        }
    };
    Some(Target { metric, value })
}
