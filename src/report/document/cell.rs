//! The cells of a table: what stands in them, and by what they are sorted.

use std::fmt;

use crate::report::document::number::Number;

/// What a word of ours says of an arm or a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// To be looked at.
    Doubtful,
    /// Not as it should be.
    Bad,
    /// Neither.
    Plain,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Nothing, where nothing belongs.
    Blank,
    /// Something that is not known, or that there is none of.
    Missing,
    /// Words of ours.
    Text(String),
    /// A name that the config or its author chose.
    Label(String),
    /// One of a few words that say what was found.
    Word(&'static str, Tone),
    /// A number.
    Number(Number),
    /// A mean and the standard deviation around it, where that is known; both in the unit of the mean.
    Spread(Number, Option<Number>),
    /// The two ends of an interval.
    Interval(Number, Number),
    /// A number and the interval that it is known to; `None` where nothing bounds it.
    Estimate(Number, Option<(Number, Number)>),
    /// So many of so many.
    Share(usize, usize),
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What stands in it.
    pub content: Content,
    /// What is to be known of it, in brackets behind it: of how many seeds it is.
    pub note: Option<String>,
}

impl Cell {
    /// A name.
    pub fn label(name: impl Into<String>) -> Self {
        Content::Label(name.into()).into()
    }

    /// One of a few words.
    pub fn word(word: &'static str, tone: Tone) -> Self {
        Content::Word(word, tone).into()
    }

    /// Nothing where there is nothing, not even a dash.
    pub fn or_blank(cell: Option<impl Into<Self>>) -> Self {
        cell.map_or_else(|| Content::Blank.into(), Into::into)
    }

    /// The same with something in brackets.
    #[must_use]
    pub fn noted(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// The number by which the cell is sorted; `None` where it is sorted by its text, and where there is none.
    pub fn sort_value(&self) -> Option<f64> {
        match &self.content {
            Content::Number(number)
            | Content::Spread(number, _)
            | Content::Interval(number, _)
            | Content::Estimate(number, _) => Some(number.value).filter(|value| !value.is_nan()),
            Content::Share(count, _) => Some(*count as f64),
            // A name that is a number sorts as one: `10` after `2`.
            Content::Label(name) => name.parse().ok(),
            Content::Blank | Content::Missing | Content::Text(_) | Content::Word(..) => None,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Blank => Ok(()),
            Content::Missing => f.write_str("-"),
            Content::Text(text) | Content::Label(text) => f.write_str(text),
            Content::Word(word, _) => f.write_str(word),
            Content::Number(number) | Content::Spread(number, None) => number.fmt(f),
            Content::Spread(mean, Some(deviation)) => write!(f, "{} ± {}{}", mean.digits, deviation.digits, mean.unit),
            Content::Interval(low, high) => write!(f, "{low} to {high}"),
            Content::Estimate(number, None) => write!(f, "{number} [unknown]"),
            Content::Estimate(number, Some((low, high))) => write!(f, "{number} [{low}, {high}]"),
            Content::Share(count, of) => write!(f, "{count}/{of}"),
        }?;
        self.note.as_ref().map_or(Ok(()), |note| write!(f, " ({note})"))
    }
}

impl From<Content> for Cell {
    fn from(content: Content) -> Self {
        Self { content, note: None }
    }
}

impl From<Number> for Cell {
    fn from(number: Number) -> Self {
        Content::Number(number).into()
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Content::Text(text).into()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Content::Text(text.to_owned()).into()
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or_else(|| Content::Missing.into(), Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_sorted_by_what_they_mean_and_say_it_with_their_digits() {
        let percent = |x: f64| Number::fixed(x, 2).with("%");
        let cells: [(Cell, &str, Option<f64>); 9] = [
            (Content::Spread(percent(97.2222), Some(percent(0.3111))).into(), "97.22 ± 0.31%", Some(97.2222)),
            (Cell::from(percent(97.2222)).noted("2 of 3"), "97.22% (2 of 3)", Some(97.2222)),
            (Number::new(1e-9, "0.001").related("< ").into(), "< 0.001", Some(1e-9)),
            (Content::Interval(Number::fixed(-0.5, 1), Number::fixed(2.0, 1)).into(), "-0.5 to 2.0", Some(-0.5)),
            (Content::Estimate(percent(1.0), None).into(), "1.00% [unknown]", Some(1.0)),
            (Content::Share(3, 5).into(), "3/5", Some(3.0)),
            (Cell::label("10"), "10", Some(10.0)),
            (Cell::from(None::<Number>), "-", None),
            (Cell::or_blank(None::<Number>), "", None),
        ];
        for (cell, text, value) in cells {
            assert_eq!((cell.to_string().as_str(), cell.sort_value()), (text, value));
        }
    }
}
