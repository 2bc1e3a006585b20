//! What a format is.

use crate::error::Result;

/// A form in which a document is written.
#[derive(Debug)]
pub struct Format<D> {
    /// The word of `--format`.
    pub name: &'static str,
    /// The document in that form.
    pub render: fn(&D) -> Result<String>,
    /// Whether charts are a part of it.
    pub is_illustrated: bool,
}
