//! The lane above the plot with a cross for each run that diverged, so that no chart hides one.

use super::LineChart;
use super::axis::Projection;
use super::marker;
use super::palette::Color;
use super::path::Frame;
use super::scene::{Anchor, FAINT, GREY, Shape};

/// The least distance between two crosses in a row.
const APART: f64 = 10.0;
/// The greatest height of the lane, however many runs diverged at one place.
const HIGHEST: f64 = 84.0;

/// Crosses in rows: each at its place, in the first row that is free there.
pub(super) struct Lane {
    crosses: Vec<(f64, usize, Color)>,
    rows: usize,
}

impl Lane {
    pub(super) fn new(chart: &LineChart, x: &Projection) -> Self {
        let (left, right) = x.page;
        let mut rows: Vec<Vec<f64>> = Vec::new();
        let mut crosses = Vec::new();
        for series in &chart.series {
            let places = series.failures.iter().filter_map(|f| x.at(*f));
            for place in places.filter(|p| (left - 1e-6..=right + 1e-6).contains(p)) {
                let free = |row: &Vec<f64>| row.iter().all(|other| (other - place).abs() >= APART);
                let row = rows.iter().position(free).unwrap_or(rows.len());
                if row == rows.len() {
                    rows.push(Vec::new());
                }
                rows[row].push(place);
                crosses.push((place, row, series.style.color));
            }
        }
        Self { crosses, rows: rows.len() }
    }

    fn pitch(&self) -> f64 {
        ((HIGHEST - 6.0) / self.rows.max(1) as f64).min(11.0)
    }

    /// The height that the lane takes; none without failures.
    pub(super) fn height(&self) -> f64 {
        if self.rows == 0 { 0.0 } else { self.rows as f64 * self.pitch() + 6.0 }
    }

    /// The lane, right above the plot.
    pub(super) fn draw(&self, frame: &Frame) -> Vec<Shape> {
        if self.rows == 0 {
            return Vec::new();
        }
        let (left, right, top, bottom) = (frame.left, frame.right, frame.top - self.height(), frame.top);
        let ground = vec![(left, top), (right, top), (right, bottom), (left, bottom)];
        let words = (left - 8.0, f64::midpoint(top, bottom) + 4.0);
        let mut shapes = vec![
            Shape::Area { points: ground, color: FAINT, opacity: 1.0 },
            Shape::text("diverged", words, 11.0, GREY, Anchor::End),
        ];
        for (x, row, color) in &self.crosses {
            let y = bottom - 3.0 - (*row as f64 + 0.5) * self.pitch();
            shapes.extend(marker::cross((*x, y), 3.4, *color));
        }
        shapes
    }
}
