//! What a chart looks like, as a list of shapes in page units (at 1x, one CSS pixel each).

use super::palette::{Color, Dash};

/// A place on the page: right and down from the upper left corner.
pub(super) type Point = (f64, f64);

/// One thing to draw; later ones lie on top.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// A line through points.
    Line { points: Vec<Point>, color: Color, width: f64, dash: Dash },
    /// A filled outline.
    Area { points: Vec<Point>, color: Color, opacity: f64 },
    /// A filled disc.
    Disc { center: Point, radius: f64, color: Color },
    /// Words that appear where the pointer rests; nothing on paper.
    Hint { at: Point, words: String },
    /// What belongs to one series, by its label, so that a page can set it apart.
    Group { of: String, shapes: Vec<Shape> },
    /// Words on a baseline.
    Text { words: String, at: Point, size: f64, color: Color, anchor: Anchor, upward: bool },
}

/// Which end of the words lies at their point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A page with everything on it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) title: String,
    pub(super) shapes: Vec<Shape>,
}

/// Text.
pub(super) const INK: Color = Color(0x22, 0x22, 0x22);
/// Text and lines of second rank.
pub(super) const GREY: Color = Color(0x5f, 0x5f, 0x5f);
/// Grid lines at labelled ticks.
pub(super) const GRID: Color = Color(0xe3, 0xe3, 0xe3);
/// Grid lines at minor ticks.
pub(super) const FAINT: Color = Color(0xf3, 0xf3, 0xf3);
/// The page.
pub(super) const WHITE: Color = Color(0xff, 0xff, 0xff);

impl Shape {
    /// An uninterrupted line.
    pub(super) fn solid(points: Vec<Point>, color: Color, width: f64) -> Self {
        Self::Line { points, color, width, dash: Dash::Solid }
    }

    /// What belongs to the series of that label.
    pub(super) fn group(of: &str, shapes: Vec<Self>) -> Self {
        Self::Group { of: of.to_owned(), shapes }
    }

    /// Words that read from left to right.
    pub(super) fn text(words: impl Into<String>, at: Point, size: f64, color: Color, anchor: Anchor) -> Self {
        Self::Text { words: words.into(), at, size, color, anchor, upward: false }
    }
}
