//! The legend, always outside the plot: to its right, or below where the entries are many or long.

use super::curve::MUTED_WIDTH;
use super::font;
use super::marker;
use super::palette::{Color, Dash, Style};
use super::scene::{Anchor, GREY, INK, Shape};
use super::words::shorten;
use super::{LineChart, Series};

const SIZE: f64 = 12.0;
const ROW: f64 = 19.0;
const SWATCH: f64 = 44.0;
const SWATCH_GAP: f64 = 8.0;
const COLUMN_GAP: f64 = 20.0;
/// The widest words beside the plot; longer ones go below it.
const WIDEST_BESIDE: f64 = 190.0;
/// The widest words below the plot, so that two columns fit; longer ones are shortened.
const WIDEST_BELOW: f64 = 370.0;
/// The most entries; what is beyond is only counted.
const MOST: usize = 60;

/// What stands for an entry, before its words.
#[derive(Clone, Copy)]
enum Swatch {
    Series(Style),
    Points(Style),
    Rule(Dash),
    Muted(Color),
    Nothing,
}

/// All entries of a chart.
pub(super) struct Legend {
    entries: Vec<(String, Swatch)>,
}

/// The dash of the reference line at a place of the chart.
pub(super) fn rule_dash(index: usize) -> Dash {
    [Dash::Dashed, Dash::Dotted, Dash::LongDash, Dash::DashDot][index % 4]
}

impl Legend {
    pub(super) fn of(chart: &LineChart) -> Self {
        let mut entries: Vec<(String, Swatch)> = Vec::new();
        for series in chart.series.iter().filter(|s| !s.label.is_empty() && !s.muted) {
            if !entries.iter().any(|(label, _)| *label == series.label) {
                let swatch = if series.joined { Swatch::Series } else { Swatch::Points };
                entries.push((series.label.clone(), swatch(series.style)));
            }
        }
        let muted: Vec<&Series> = chart.series.iter().filter(|series| series.muted).collect();
        entries
            .extend(muted.first().map(|first| (format!("{} others", muted.len()), Swatch::Muted(first.style.color))));
        let rules = chart.rules.iter().enumerate().filter(|(_, rule)| !rule.1.is_empty());
        entries.extend(rules.map(|(i, rule)| (rule.1.clone(), Swatch::Rule(rule_dash(i)))));
        if entries.len() > MOST {
            let more = format!("and {} more", entries.len() - MOST + 1);
            entries.truncate(MOST - 1);
            entries.push((more, Swatch::Nothing));
        }
        Self { entries }
    }

    /// The width of the words, with a reserve: a viewer of the SVG may have a wider typeface.
    fn words(&self) -> f64 {
        1.06 * self.entries.iter().map(|(label, _)| font::width(label, SIZE)).fold(0.0, f64::max)
    }

    /// The width to the right of the plot, if all entries fit there over `height`; 0 for an empty legend.
    pub(super) fn beside(&self, height: f64) -> Option<f64> {
        if self.entries.is_empty() {
            return Some(0.0);
        }
        let fits = self.words() <= WIDEST_BESIDE && self.entries.len() as f64 * ROW <= height;
        fits.then(|| SWATCH + SWATCH_GAP + self.words())
    }

    /// The height below the plot over `width`.
    pub(super) fn below(&self, width: f64) -> f64 {
        self.entries.len().div_ceil(self.columns(width)) as f64 * ROW
    }

    fn column(&self) -> f64 {
        SWATCH + SWATCH_GAP + self.words().min(WIDEST_BELOW) + COLUMN_GAP
    }

    fn columns(&self, width: f64) -> usize {
        (((width + COLUMN_GAP) / self.column()) as usize).clamp(1, self.entries.len().max(1))
    }

    /// The entries, from their upper left corner, in as many columns as `width` has room for; down, then right.
    pub(super) fn draw(&self, left: f64, top: f64, width: f64) -> Vec<Shape> {
        let columns = self.columns(width);
        let rows = self.entries.len().div_ceil(columns);
        let mut shapes = Vec::new();
        for (i, (label, swatch)) in self.entries.iter().enumerate() {
            let x = left + (i / rows) as f64 * self.column();
            let y = top + ((i % rows) as f64 + 0.5) * ROW;
            let mut entry = swatch.shapes(x, y);
            let at = (x + SWATCH + SWATCH_GAP, y + 0.36 * SIZE);
            entry.push(Shape::text(shorten(label, SIZE, WIDEST_BELOW), at, SIZE, INK, Anchor::Start));
            if matches!(swatch, Swatch::Series(_) | Swatch::Points(_)) {
                shapes.push(Shape::group(label, entry));
            } else {
                shapes.extend(entry);
            }
        }
        shapes
    }
}

impl Swatch {
    fn shapes(self, x: f64, y: f64) -> Vec<Shape> {
        let points = vec![(x, y), (x + SWATCH, y)];
        match self {
            Self::Series(Style { color, dash, marker }) => {
                let mut shapes = vec![Shape::Line { points, color, width: 1.8, dash }];
                shapes.extend(marker::shapes(marker, (x + 0.5 * SWATCH, y), marker::RADIUS, color));
                shapes
            }
            Self::Points(style) => marker::shapes(style.marker, (x + 0.5 * SWATCH, y), marker::RADIUS, style.color),
            Self::Rule(dash) => vec![Shape::Line { points, color: GREY, width: 1.3, dash }],
            Self::Muted(color) => vec![Shape::solid(points, color, MUTED_WIDTH)],
            Self::Nothing => Vec::new(),
        }
    }
}
