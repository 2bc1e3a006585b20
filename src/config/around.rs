//! The window around the best learning rate that a claim is about.

use crate::config::diagnostics::Diagnostics;
use crate::config::source::{Item, Node, Table};
use crate::settings::short;

/// How far around the best rate a claim with `at = "around_best"` goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Around {
    /// A window of this factor to both sides of its centre, which lies where the mean score over it is best.
    Width(f64),
    /// Between two multiples of the best rate that are not one above the other: stored experiments of before may
    /// say so, and nothing can be decided of it.
    Lopsided(f64, f64),
}

/// What is expected of `width`.
pub(super) const WIDTH: &str = "a number above 1, such as `width = 10` (from a tenth of the best rate to ten times it)";

/// Reads `width = 10`, or `lr = [0.1, 10]`, which means the same.
pub(super) fn read(table: &Table, owner: &str, diagnostics: &mut Diagnostics) -> Option<Around> {
    match (table.get("width"), table.get("lr")) {
        (Some(_), Some(lr)) => {
            let added = diagnostics.add(&lr.key_place, format!("{owner} has both `width` and `lr`"));
            added.expected("`width` alone: `lr = [0.1, 10]` is an older form of `width = 10`");
            None
        }
        (Some(width), None) => factor(&width.value, diagnostics),
        (None, Some(lr)) => multiples(&lr.value, diagnostics),
        (None, None) => None,
    }
}

fn number(node: &Node) -> Option<f64> {
    match node.item {
        Item::Integer(n) => Some(n as f64),
        Item::Float(x) => Some(x),
        _ => None,
    }
}

fn factor(node: &Node, diagnostics: &mut Diagnostics) -> Option<Around> {
    let width = number(node).filter(|width| *width > 1.0 && width.is_finite());
    if width.is_none() {
        diagnostics.add(&node.place, "`width` is not a number above 1").expected(WIDTH);
    }
    width.map(Around::Width)
}

fn multiples(node: &Node, diagnostics: &mut Diagnostics) -> Option<Around> {
    const ROUNDING: f64 = 1e-6;
    let read = match &node.item {
        Item::Array(list) => list.iter().map(number).collect::<Option<Vec<f64>>>(),
        _ => None,
    };
    let Some([low, high]) =
        read.as_deref().filter(|read| matches!(read, [low, high] if 0.0 < *low && low < high && high.is_finite()))
    else {
        diagnostics.add(&node.place, "`lr` is not an interval around the best rate").expected(WIDTH);
        return None;
    };
    if *high > 1.0 && (low * high - 1.0).abs() <= ROUNDING {
        return Some(Around::Width(*high));
    }
    if !diagnostics.stored {
        let width = short(high.max(1.0 / low));
        let added = diagnostics.add(
            &node.place,
            format!("`lr = [{low}, {high}]` does not reach equally far below and above the best rate"),
        );
        added.expected(format!("`width = {width}` instead of `lr`")).help(
            "the best rate lies between the rates that are tried, at another place for each side: on one side of it, equal \
             curves would seem to differ",
        );
    }
    Some(Around::Lopsided(*low, *high))
}
