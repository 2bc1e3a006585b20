//! How the better side of a claim must stand to the other: `margin`, or `by`.

use crate::config::diagnostics::Diagnostics;
use crate::config::source::{Entry, Item, Table};
use crate::margin::{EXPECTED, Margin};

/// The keys that state it; `not_worse_than` is another name of `margin`.
pub(super) const KEYS: [&str; 3] = ["margin", "not_worse_than", "by"];

/// How the better side of a claim must stand to the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bar {
    /// At most so much worse.
    Margin(Margin),
    /// More than so much better: where it is nothing, equal is still not better.
    By(Margin),
}

impl Bar {
    /// Its size.
    pub fn size(self) -> Margin {
        let (Self::Margin(size) | Self::By(size)) = self;
        size
    }

    /// The lead that it takes over a score of the other side; below zero where a margin is granted.
    pub fn needed(self, other: f64) -> f64 {
        match self {
            Self::Margin(size) => 0.0 - size.size(other),
            Self::By(size) => size.size(other),
        }
    }

    /// Whether a lead clears what is needed by this excess over it.
    pub fn is_cleared(self, excess: f64) -> bool {
        match self {
            Self::Margin(_) => excess >= 0.0,
            Self::By(_) => excess > 0.0,
        }
    }

    /// Whether a lead with this excess falls short of what is needed.
    pub fn is_missed(self, excess: f64) -> bool {
        match self {
            Self::Margin(_) => excess < 0.0,
            Self::By(_) => excess <= 0.0,
        }
    }
}

/// Reads the bar of a claim; no worse where it states none.
pub(super) fn read(table: &Table, owner: &str, diagnostics: &mut Diagnostics) -> Bar {
    let given: Vec<&Entry> = KEYS.iter().filter_map(|key| table.get(key)).collect();
    if let [first, second, ..] = given[..] {
        let title = format!("{owner} has both `{}` and `{}`", first.key, second.key);
        let expected = match second.key.as_str() {
            "by" => "`margin`, how much worse it may be, or `by`, how much better it must be",
            _ => "one of the two: `not_worse_than` is another name of `margin`",
        };
        diagnostics.add(&second.key_place, title).expected(expected);
    }
    let Some(entry) = given.first() else { return Bar::Margin(Margin::NONE) };
    let size = margin(entry, diagnostics);
    if entry.key == "by" { Bar::By(size) } else { Bar::Margin(size) }
}

/// Reads `"1%"`, `0.01`, `"0.5 points"`, `"5% of the error"` or `{ absolute = 0.01 }`.
fn margin(entry: &Entry, diagnostics: &mut Diagnostics) -> Margin {
    let number = |item: &Item| match item {
        Item::Integer(n) => Some(*n as f64),
        Item::Float(x) => Some(*x),
        _ => None,
    };
    let read = match &entry.value.item {
        Item::Text(text) => text.parse().ok(),
        Item::Table(table) => match &table.0[..] {
            [only] if only.key == "absolute" => number(&only.value.item).and_then(Margin::absolute),
            _ => None,
        },
        item => number(item).and_then(Margin::share),
    };
    read.unwrap_or_else(|| {
        let added = diagnostics.add(&entry.value.place, format!("`{}` is not a valid margin", entry.key));
        added.expected(EXPECTED);
        Margin::NONE
    })
}
