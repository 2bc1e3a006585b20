//! The peak rate throughout.

use crate::registry::About;
use crate::schedule::{Definition, Point, Schedule};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "constant",
        revision: 1,
        summary: "the peak rate throughout",
        equations: "factor(t) = 1",
        keys: &[],
        source: "",
    },
    build: |_, _| Ok(Box::new(Constant)),
};

struct Constant;

impl Schedule for Constant {
    fn at(&self, _t: u64) -> Point {
        1.0.into()
    }
}
