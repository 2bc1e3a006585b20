//! An optimizer that only a program of the user's knows.

use crate::optim::definition::Definition;
use crate::registry::{About, Accepts, Bounds, Key};
use crate::settings::EXTERNAL;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: EXTERNAL,
        revision: 1,
        summary: "an optimizer of your own training program, which is given the keys as they are",
        equations: "\
kind = \"external\"
lr = [1e-3, 3e-3]        learning_rates of the run file follow it and the schedule; may stay absent
anything = [\"a\", \"b\"]    any further key, and a list is an axis",
        keys: &[
            Key::optional("lr", Accepts::Float(Bounds::NON_NEGATIVE), "peak learning rate"),
            Key::rest(Accepts::Anything, "passed on to the program"),
        ],
        source: "docs/programs.md",
    },
    memory: "what the program keeps",
    asks: &[],
    build: |_| panic!("`external` is computed by a program: the config gives it to no other task"),
};
