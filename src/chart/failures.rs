//! The lane above the plot with a cross for each place at which a run diverged, so that no chart hides one.

use super::LineChart;
use super::axis::Projection;
use super::marker;
use super::palette::Style;
use super::path::Frame;
use super::scene::{Anchor, FAINT, GREY, Shape};

/// Crosses that are closer than this are one, with their number.
const APART: f64 = 7.0;
/// The greatest height of the lane, however many rows it has.
const HIGHEST: f64 = 110.0;

/// A row of crosses for each look; its marker stands before it, so that colour alone need not tell whose they are.
pub(super) struct Lane {
    rows: Vec<(Style, Vec<(f64, usize)>)>,
}

impl Lane {
    pub(super) fn new(chart: &LineChart, x: &Projection) -> Self {
        let (left, right) = x.page;
        let mut rows: Vec<(Style, Vec<(f64, usize)>)> = Vec::new();
        for series in &chart.series {
            let places = series.failures.iter().filter_map(|f| x.at(*f));
            for place in places.filter(|p| (left - 1e-6..=right + 1e-6).contains(p)) {
                let row = rows.iter().position(|(style, _)| *style == series.style).unwrap_or_else(|| {
                    rows.push((series.style, Vec::new()));
                    rows.len() - 1
                });
                let crosses = &mut rows[row].1;
                match crosses.iter_mut().find(|(other, _)| (other - place).abs() < APART) {
                    Some((_, count)) => *count += 1,
                    None => crosses.push((place, 1)),
                }
            }
        }
        Self { rows }
    }

    fn pitch(&self) -> f64 {
        ((HIGHEST - 6.0) / self.rows.len().max(1) as f64).min(11.0)
    }

    /// The height that the lane takes; none without failures.
    pub(super) fn height(&self) -> f64 {
        if self.rows.is_empty() { 0.0 } else { self.rows.len() as f64 * self.pitch() + 6.0 }
    }

    /// The lane, right above the plot.
    pub(super) fn draw(&self, frame: &Frame) -> Vec<Shape> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let (left, right, top, bottom) = (frame.left, frame.right, frame.top - self.height(), frame.top);
        let ground = vec![(left, top), (right, top), (right, bottom), (left, bottom)];
        let words = (left - 17.0, f64::midpoint(top, bottom) + 4.0);
        let mut shapes = vec![
            Shape::Area { points: ground, color: FAINT, opacity: 1.0 },
            Shape::text("diverged", words, 11.0, GREY, Anchor::End),
        ];
        let radius = marker::RADIUS.min(0.36 * self.pitch());
        for (row, (style, crosses)) in self.rows.iter().enumerate() {
            let y = bottom - 3.0 - (row as f64 + 0.5) * self.pitch();
            for (x, count) in crosses {
                shapes.extend(marker::cross((*x, y), radius.min(3.4), style.color));
                if *count > 1 {
                    shapes.push(Shape::text(format!("{count}"), (x + 6.0, y + 3.2), 9.0, GREY, Anchor::Start));
                }
            }
            shapes.extend(marker::shapes(style.marker, (left - 8.0, y), radius, style.color));
        }
        shapes
    }
}
