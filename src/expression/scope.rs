//! The names that a formula finds.

use crate::expression::function::{FUNCTIONS, Function};
use crate::expression::graph::Extent;
use crate::registry::Mistake;

/// Words that no name can be.
const WORDS: [&str; 4] = ["pi", "and", "or", "not"];

/// A name that is declared outside of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// The name.
    pub name: String,
    /// What it is in words, such as "a hyper-parameter".
    pub what: &'static str,
    /// What the formula may do with it.
    pub role: Role,
}

/// What a formula may do with a declared name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Read a number.
    Number(Extent),
    /// Read whether something holds.
    Truth(Extent),
    /// Read it and assign it: the value is kept for the next time. The least extent that it has; it has a larger one where
    /// what is assigned has.
    Kept(Extent),
}

impl Declared {
    /// A number that the formula reads.
    pub fn number(name: impl Into<String>, what: &'static str, extent: Extent) -> Self {
        Self { name: name.into(), what, role: Role::Number(extent) }
    }

    /// A condition that the formula reads.
    pub fn truth(name: impl Into<String>, what: &'static str, extent: Extent) -> Self {
        Self { name: name.into(), what, role: Role::Truth(extent) }
    }

    /// What the formula assigns, and finds again the next time.
    pub fn kept(name: impl Into<String>, what: &'static str, least: Extent) -> Self {
        Self { name: name.into(), what, role: Role::Kept(least) }
    }
}

impl Role {
    pub(super) fn least(self) -> Extent {
        let (Self::Number(extent) | Self::Truth(extent) | Self::Kept(extent)) = self;
        extent
    }
}

/// What a name means in every formula, in words; nothing where it can be declared.
pub(super) fn reserved(name: &str) -> Option<&'static str> {
    let well_formed = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match name {
        _ if Function::find(name).is_some() => Some("a function"),
        _ if WORDS.contains(&name) => Some("a word of every formula"),
        _ if !well_formed => Some("not a name of letters, digits and `_`"),
        _ => None,
    }
}

/// The declared names that cannot be told from others: what means something in every formula, and what comes twice.
pub fn misnamed(names: &[Declared]) -> Vec<Mistake> {
    let mistake = |(i, declared): (usize, &Declared)| {
        let Declared { name, .. } = declared;
        let twice = names[..i].iter().find(|other| other.name == *name).map(|other| other.what);
        let what = reserved(name).or(twice)?;
        Some(Mistake::about(name, format!("`{name}` is {what}")).expected("another name"))
    };
    names.iter().enumerate().filter_map(mistake).collect()
}

/// Names that a formula, the text of a key, does not use.
pub fn idle<'a>(names: impl Iterator<Item = &'a str>, key: &str) -> Vec<Mistake> {
    let mistake = |name| {
        let mistake = Mistake::about(name, format!("the formula does not use `{name}`"));
        mistake.help(format!("use `{name}` in `{key}`, or remove it"))
    };
    names.map(mistake).collect()
}

/// The names of all functions.
pub(super) fn functions<'a>() -> impl Iterator<Item = &'a str> {
    FUNCTIONS.iter().map(|(name, _)| *name)
}
