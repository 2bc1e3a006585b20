//! How an optimizer is built from settings.

use crate::optim::average;
use crate::optim::common::Common;
use crate::optim::definition::Definition;
use crate::optim::grouped::{Grouped, Member};
use crate::optim::groups::{self, Group};
use crate::optim::kinded::Kinded;
use crate::optim::optimizer::Optimizer;
use crate::settings::Settings;

/// Builds an optimizer from checked settings whose durations are measured in steps.
///
/// # Panics
/// When they are those of no optimizer, or a key is missing: the config checks both.
pub fn build(settings: &Settings) -> Box<dyn Optimizer> {
    let groups = groups::of(settings);
    let inner = if groups.is_empty() {
        rule(settings)
    } else {
        let rest = Group::rest(settings);
        let member = |group: Group| Member { optimizer: rule(&group.settings), group };
        Grouped::boxed(groups.into_iter().chain([rest]).map(member).collect())
    };
    average::around(inner, Common::of(settings).average)
}

/// The rule itself, for all parameters alike.
fn rule(settings: &Settings) -> Box<dyn Optimizer> {
    let definition = settings.definition::<Definition>();
    Box::new(Kinded { kind: definition.about.name, inner: (definition.build)(settings) })
}
