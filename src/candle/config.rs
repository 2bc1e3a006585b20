//! An optimizer and its hyper-parameters.

use crate::catalog::Catalog;
use crate::config::Single;
use crate::error::Result;
use crate::settings::Settings;

/// A kind of optimizer with a value for each of its keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Config(pub(super) Single);

impl Config {
    /// One of the built-in kinds, with keys as they stand in a config: `lr = 1e-2, beta = 0.95`, or one a line. Keys that
    /// are not given have the defaults that `optbench list optimizers KIND` shows; `clip_norm` and `average` are keys of
    /// every kind.
    ///
    /// Durations are steps. To give shares of the training, such as `average_start = "75%"`, say how many updates it has:
    /// `steps = 10000`.
    ///
    /// # Errors
    /// With every mistake in the keys: what was found, what was expected, and the nearest name.
    pub fn parse(kind: &str, keys: &str) -> Result<Self> {
        Self::of(&Catalog::built_in(), kind, keys)
    }

    /// One of the kinds of a catalog: an optimizer of your own, once it was added to `catalog.optimizers`.
    ///
    /// # Errors
    /// See [`Config::parse`].
    pub fn of(catalog: &Catalog, kind: &str, keys: &str) -> Result<Self> {
        Single::read(catalog, kind, keys).map(Self)
    }

    /// The kind and the value of each of its keys, durations in steps.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }
}
