//! The `[anytime]` table of a config: earlier stopping times at which arms are compared, too.

use crate::config::diagnostics::Diagnostics;
use crate::config::names::refuse_unknown;
use crate::config::source::{Item, Node, Table};
use crate::config::value::length_of;
use crate::length::Length;

/// The horizons of the anytime comparison, each before the end of the run.
///
/// Whatever depends on the length of its run is also trained with the run ending at each horizon;
/// what does not is read there from its one long run.
#[derive(Debug, Clone, PartialEq)]
pub struct Anytime {
    /// The horizons in the order of the config.
    pub horizons: Vec<Length>,
}

const EXAMPLE: &str = "horizons = [\"12.5%\", \"25%\", \"50%\"]";

/// Reads the table; `length` is that of a whole run.
pub(super) fn read(node: &Node, length: Length, diagnostics: &mut Diagnostics) -> Option<Anytime> {
    let Item::Table(table) = &node.item else {
        let added = diagnostics.add(&node.place, format!("`anytime` is {}", node.item.describe()));
        added.expected(format!("a table: [anytime] with {EXAMPLE}"));
        return None;
    };
    refuse_unknown(table, &["horizons"], "`anytime`", diagnostics);
    horizons(table, node, length, diagnostics).map(|horizons| Anytime { horizons })
}

fn horizons(table: &Table, node: &Node, length: Length, diagnostics: &mut Diagnostics) -> Option<Vec<Length>> {
    let Some(entry) = table.get("horizons") else {
        diagnostics.add(&node.place, "`anytime` lacks the key `horizons`").expected(EXAMPLE);
        return None;
    };
    let Item::Array(list) = &entry.value.item else {
        let found = entry.value.item.describe();
        diagnostics.add(&entry.value.place, format!("`horizons` is {found}")).expected(EXAMPLE);
        return None;
    };
    if list.is_empty() {
        diagnostics.add(&entry.value.place, "`horizons` is an empty list").expected(EXAMPLE);
        return None;
    }
    let read = list.iter().map(|node| {
        let horizon = length_of(node, "horizons", diagnostics)?;
        if !lies_within(horizon, length) {
            let added = diagnostics.add(&node.place, format!("the horizon {horizon} does not lie within the run"));
            let added = added.expected(format!("a time after its start and before its end at {length}"));
            added.help("the end of the run is always compared; it needs no horizon");
            return None;
        }
        Some(horizon)
    });
    let read: Vec<Option<Length>> = read.collect();
    read.into_iter().collect()
}

/// Whether a horizon can lie within a run, as far as that can be told without the task.
fn lies_within(horizon: Length, length: Length) -> bool {
    match (horizon, length) {
        (Length::Percent(percent), _) => percent > 0.0 && percent < 100.0,
        (Length::Steps(steps), Length::Steps(all)) => steps > 0 && steps < all,
        (Length::Epochs(epochs), Length::Epochs(all)) => epochs > 0.0 && epochs < all,
        (Length::Steps(steps), _) => steps > 0,
        (Length::Epochs(epochs), _) => epochs > 0.0,
        (Length::Untuned, _) => false,
    }
}
