//! Runs that were trained and recorded elsewhere.

use crate::registry::About;
use crate::task::model::{Definition, Kind, measured};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "imported",
        revision: 1,
        summary: "what others trained and recorded: `optbench import` writes it, and `run` refuses it",
        equations: "\
optbench import metrics.csv --out results/theirs   writes the folder with its config
optbench report results/theirs                     and `plot`, `check` read it",
        keys: &[measured::KEY, measured::COMMON_RANDOM_NUMBERS],
        source: "docs/import.md",
    },
    kind: Kind::Imported,
};
