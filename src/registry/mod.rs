//! What a config can name: kinds with documented keys, defaults and bounds.
//!
//! Optimizers, schedules, models and datasets are each described by an [`About`]. Everything that
//! lists, checks or explains them (the config, `optbench list`, the tests) reads that description,
//! so that a new kind appears everywhere by joining the [`Kinds`] of its sort once.

use crate::settings::{Kind, Settings, Sort};

mod accepts;
mod key;
mod kinds;
mod mistake;
mod names;

pub use accepts::{Accepts, Bounds};
pub use key::{Beside, Check, Fallback, Key, Needs};
pub use kinds::{Kinds, flaw};
pub use mistake::{Mistake, Place};
pub use names::{choices, nearest};

/// A kind as it is explained to the user.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The name in a config.
    pub name: &'static str,
    /// 1 at first, and 1 more with every change of its numbers: results of different revisions are not mixed.
    pub revision: u32,
    /// One line.
    pub summary: &'static str,
    /// The definition, in plain text, as in the source.
    pub equations: &'static str,
    /// The keys with their defaults.
    pub keys: &'static [Key],
    /// The paper or the reference implementation that this follows.
    pub source: &'static str,
}

/// A definition with its description: what optimizers, schedules, models and datasets have in common.
pub trait Described: Sized + Sync + 'static {
    /// What its kinds are kinds of.
    const SORT: Sort;

    /// Names that mean something of their own beside the keys.
    const RESERVED: &'static [&'static str] = &["kind"];

    /// The description.
    fn about(&self) -> &About;

    /// The keys that kinds of the sort take beside their own.
    fn common_keys(&self) -> &'static [Key] {
        &[]
    }

    /// All keys: its own, then the common ones.
    fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.about().keys.iter().chain(self.common_keys())
    }

    /// Every name that a table of this kind may give.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys().map(|key| key.name).chain(Self::RESERVED.iter().copied())
    }

    /// The key of that name.
    fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }

    /// Every key at its default. Required keys stay absent.
    fn defaults(&'static self) -> Settings {
        let counting = self.keys().filter(|key| key.beside.is_none());
        let values = counting.filter_map(|key| Some((key.name, key.default.value()?)));
        values.fold(Settings::new(self), |settings, (name, value)| settings.with(name, value))
    }
}

impl<D: Described> Kind for D {
    fn sort(&self) -> Sort {
        D::SORT
    }

    fn name(&self) -> &'static str {
        self.about().name
    }

    fn revision(&self) -> u32 {
        self.about().revision
    }

    fn takes_anything(&self, key: &str) -> bool {
        let key = self.key(key).or_else(|| self.key(Key::REST));
        key.is_some_and(|key| key.accepts == Accepts::Anything)
    }

    fn decides(&self, key: &str) -> bool {
        self.key(key).is_none_or(|key| key.decides)
    }
}
