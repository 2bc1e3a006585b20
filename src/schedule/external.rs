//! A schedule that only a program of the user's knows.

use crate::registry::{About, Accepts, Key};
use crate::schedule::Definition;
use crate::settings::EXTERNAL;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: EXTERNAL,
        revision: 1,
        summary: "a schedule of your own training program, which is given the keys as they are",
        equations: "\
kind = \"external\"
anything = [\"a\", \"b\"]    any further key, and a list is an axis; the run file has no learning_rates then",
        keys: &[Key::rest(Accepts::Anything, "passed on to the program")],
        source: "docs/programs.md",
    },
    build: |_, _| Err("the rates of an `external` schedule are known to its program alone".into()),
};
