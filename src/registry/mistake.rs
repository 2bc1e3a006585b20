//! What is wrong with a text that a key takes, and where.

use std::ops::Range;

/// A mistake in a text, such as a formula, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it is.
    pub place: Place,
    /// What was found.
    pub title: String,
    /// What was expected there.
    pub expected: Option<String>,
    /// The next thing to do.
    pub help: Option<String>,
}

/// Where a mistake is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// These bytes of the text.
    Text(Range<usize>),
    /// Where this name is declared, outside of the text.
    Name(String),
}

impl Mistake {
    /// A mistake at these bytes of the text.
    pub fn at(span: Range<usize>, title: impl Into<String>) -> Self {
        Self { place: Place::Text(span), title: title.into(), expected: None, help: None }
    }

    /// A mistake about a declared name.
    pub fn about(name: &str, title: impl Into<String>) -> Self {
        Self { place: Place::Name(name.to_owned()), ..Self::at(0..0, title) }
    }

    /// The same with what was expected.
    #[must_use]
    pub fn expected(self, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    /// The same with the next thing to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The same with the next thing to do, where there is one.
    #[must_use]
    pub fn maybe_help(self, help: Option<String>) -> Self {
        Self { help: help.or(self.help), ..self }
    }
}
