//! A heat map: one number for each pair of two settings.

use super::axis::Scale;
use super::font;
use super::palette::Color;
use super::scene::{Anchor, GREY, GRID, INK, Point, Scene, Shape, WHITE};
use super::words::{number, shorten};

/// A table of numbers in colour, darker where they are better.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// The heading, one line.
    pub title: String,
    /// What a reader needs to know besides, one line.
    pub subtitle: String,
    /// What the columns and the rows vary.
    pub labels: (String, String),
    /// The settings of the columns, from left to right.
    pub columns: Vec<String>,
    /// The settings of the rows, from bottom to top.
    pub rows: Vec<String>,
    /// The numbers row by row; `None` where a run diverged, drawn as a cross.
    pub cells: Vec<Vec<Option<f64>>>,
    /// Whether more is better.
    pub higher_is_better: bool,
}

const WIDTH: f64 = 900.0;
const MARGIN: f64 = 24.0;
const TOP: f64 = 74.0;
const HEIGHT: f64 = 46.0;
const PALE: Color = Color(0xee, 0xf4, 0xf9);
const DARK: Color = Color(0x00, 0x5a, 0x8e);

/// The whole chart.
pub(super) fn compose(map: &HeatMap) -> Scene {
    let room = WIDTH - 2.0 * MARGIN;
    let mut shapes = vec![
        Shape::text(shorten(&map.title, 18.0, room), (MARGIN, MARGIN + 15.0), 18.0, INK, Anchor::Start),
        Shape::text(shorten(&map.subtitle, 12.5, room), (MARGIN, MARGIN + 36.0), 12.5, GREY, Anchor::Start),
    ];
    let words = map.rows.iter().map(|row| font::width(row, 12.0)).fold(24.0, f64::max);
    let left = MARGIN + 30.0 + words;
    let width = ((WIDTH - MARGIN - left) / map.columns.len().max(1) as f64).min(200.0);
    let bottom = TOP + HEIGHT * map.rows.len() as f64;
    let scale = Scale::auto(map.cells.iter().flatten().flatten().copied());
    let shade = Shade::of(map, scale);
    for (row, (label, cells)) in map.rows.iter().zip(&map.cells).enumerate() {
        let top = bottom - HEIGHT * (row + 1) as f64;
        let middle = top + 0.5 * HEIGHT + 4.3;
        shapes.push(Shape::text(label, (left - 8.0, middle), 12.0, INK, Anchor::End));
        for (column, cell) in cells.iter().enumerate() {
            let x = left + width * column as f64;
            let center = (x + 0.5 * width, top + 0.5 * HEIGHT);
            let corners =
                vec![(x, top), (x + width - 2.0, top), (x + width - 2.0, top + HEIGHT - 2.0), (x, top + HEIGHT - 2.0)];
            let Some(value) = cell else {
                shapes.push(Shape::Area { points: corners, color: GRID, opacity: 0.6 });
                shapes.extend(cross(center));
                continue;
            };
            let share = shade.share(*value);
            let (color, ink) = (mix(share), if share > 0.55 { WHITE } else { INK });
            shapes.push(Shape::Area { points: corners, color, opacity: 1.0 });
            shapes.push(Shape::text(number(*value), (center.0, middle), 12.0, ink, Anchor::Middle));
        }
    }
    for (column, label) in map.columns.iter().enumerate() {
        let at = (left + width * (column as f64 + 0.5), bottom + 17.0);
        shapes.push(Shape::text(label, at, 12.0, INK, Anchor::Middle));
    }
    let across = left + 0.5 * width * map.columns.len() as f64;
    shapes.push(Shape::text(&map.labels.0, (across, bottom + 40.0), 13.0, INK, Anchor::Middle));
    shapes.push(Shape::Text {
        words: map.labels.1.clone(),
        at: (MARGIN + 10.0, f64::midpoint(TOP, bottom)),
        size: 13.0,
        color: INK,
        anchor: Anchor::Middle,
        upward: true,
    });
    Scene { width: WIDTH, height: bottom + 40.0 + MARGIN, title: map.title.clone(), shapes }
}

/// How good a value is among the others.
struct Shade {
    scale: Scale,
    worst: f64,
    best: f64,
}

impl Shade {
    fn of(map: &HeatMap, scale: Scale) -> Self {
        let values = || map.cells.iter().flatten().flatten().filter_map(|x| scale.forward(*x));
        let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let (worst, best) = if map.higher_is_better { (low, high) } else { (high, low) };
        Self { scale, worst, best }
    }

    /// 0 is the worst, 1 the best; what cannot be shown is the worst.
    fn share(&self, value: f64) -> f64 {
        let place = self.scale.forward(value).unwrap_or(self.worst);
        let share = (place - self.worst) / (self.best - self.worst);
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }
}

fn mix(share: f64) -> Color {
    let part = |from: u8, to: u8| (f64::from(from) + share * (f64::from(to) - f64::from(from))).round() as u8;
    Color(part(PALE.0, DARK.0), part(PALE.1, DARK.1), part(PALE.2, DARK.2))
}

fn cross((x, y): Point) -> [Shape; 2] {
    let line = |dx: f64| Shape::solid(vec![(x - dx, y - 6.0), (x + dx, y + 6.0)], INK, 2.0);
    [line(6.0), line(-6.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_dark_and_a_divergence_is_a_cross() {
        let map = HeatMap {
            title: "t".into(),
            subtitle: String::new(),
            labels: ("lr".into(), "beta1".into()),
            columns: vec!["0.1".into(), "1".into()],
            rows: vec!["0.9".into()],
            cells: vec![vec![Some(0.5), None]],
            higher_is_better: false,
        };
        let scene = compose(&map);
        let lines = scene.shapes.iter().filter(|shape| matches!(shape, Shape::Line { .. })).count();
        assert_eq!(lines, 2, "one cross");
        let shade = Shade { scale: Scale::Linear, worst: 2.0, best: 1.0 };
        assert_eq!([shade.share(1.0), shade.share(2.0), shade.share(f64::NAN)], [1.0, 0.0, 0.0]);
        assert_eq!((mix(0.0), mix(1.0)), (PALE, DARK));
        compose(&HeatMap { cells: vec![vec![None, Some(f64::INFINITY)]], ..map });
    }
}
