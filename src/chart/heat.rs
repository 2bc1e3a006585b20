//! A heat map: one number for each pair of two settings.

use super::font;
use super::scene::{Anchor, GREY, GRID, INK, Scene, Shape, WHITE};
use super::shade::{Cell, Shade, cross};
use super::words::{number, shorten};

/// A table of numbers in colour, stronger where they are better.
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
    /// What is known of each pair, row by row.
    pub cells: Vec<Vec<Cell>>,
    /// Whether more is better.
    pub higher_is_better: bool,
}

const WIDTH: f64 = 900.0;
const MARGIN: f64 = 24.0;
const TOP: f64 = 74.0;
const HEIGHT: f64 = 46.0;

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
    let shade = Shade::of(map.cells.iter().flatten().copied(), map.higher_is_better);
    for (row, (label, cells)) in map.rows.iter().zip(&map.cells).enumerate() {
        let top = bottom - HEIGHT * (row + 1) as f64;
        let middle = top + 0.5 * HEIGHT + 4.3;
        shapes.push(Shape::text(label, (left - 8.0, middle), 12.0, INK, Anchor::End));
        for (column, cell) in cells.iter().enumerate() {
            let x = left + width * column as f64;
            let center = (x + 0.5 * width, top + 0.5 * HEIGHT);
            let corners =
                vec![(x, top), (x + width - 2.0, top), (x + width - 2.0, top + HEIGHT - 2.0), (x, top + HEIGHT - 2.0)];
            match *cell {
                Cell::Blank => {}
                Cell::Diverged => {
                    shapes.push(Shape::Area { points: corners, color: GRID, opacity: 0.6 });
                    shapes.extend(cross(center));
                }
                Cell::Score(score) => {
                    let ink = if shade.share(score) > 0.55 { WHITE } else { INK };
                    shapes.push(Shape::Area { points: corners, color: shade.color(score), opacity: 1.0 });
                    shapes.push(Shape::text(number(score), (center.0, middle), 12.0, ink, Anchor::Middle));
                }
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_divergence_is_a_cross_and_what_was_not_tried_is_blank() {
        let map = HeatMap {
            title: "t".into(),
            subtitle: String::new(),
            labels: ("lr".into(), "beta1".into()),
            columns: vec!["0.1".into(), "1".into(), "10".into()],
            rows: vec!["0.9".into()],
            cells: vec![vec![Cell::Score(0.5), Cell::Diverged, Cell::Blank]],
            higher_is_better: false,
        };
        let scene = compose(&map);
        let count = |is: fn(&Shape) -> bool| scene.shapes.iter().filter(|shape| is(shape)).count();
        assert_eq!(count(|shape| matches!(shape, Shape::Line { .. })), 2, "one cross");
        assert_eq!(count(|shape| matches!(shape, Shape::Area { .. })), 2, "a score and a cross have a ground");
        compose(&HeatMap { cells: vec![vec![Cell::Blank, Cell::Score(f64::INFINITY)]], ..map });
    }
}
