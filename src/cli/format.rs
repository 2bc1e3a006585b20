//! `--format`: the words for the forms in which a report is written.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::report::render::Format;

/// Takes the name of one of these formats.
pub(super) fn one_of<D: 'static>(
    formats: &'static [&'static Format<D>],
) -> impl TypedValueParser<Value = &'static Format<D>> {
    let find = |name: String| formats.iter().copied().find(|format| format.name == name).ok_or("no such format");
    PossibleValuesParser::new(formats.iter().map(|format| format.name)).try_map(find)
}
