//! How an optimizer is built from settings.

use crate::optim::average;
use crate::optim::common::Common;
use crate::optim::definition::Definition;
use crate::optim::kinded::Kinded;
use crate::optim::optimizer::Optimizer;
use crate::settings::Settings;

/// Builds an optimizer from checked settings whose durations are measured in steps.
///
/// # Panics
/// When they are those of no optimizer, or a key is missing: the config checks both.
pub fn build(settings: &Settings) -> Box<dyn Optimizer> {
    let definition = settings.definition::<Definition>();
    let kinded = Kinded { kind: definition.about.name, inner: (definition.build)(settings) };
    average::around(Box::new(kinded), Common::of(settings).average)
}
