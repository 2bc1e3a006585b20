//! Scores over two settings that follow no grid: a disc for each pair that was tried.

use super::curve::Plot;
use super::frame::{self, Ground};
use super::scene::{GREY, Point, Scene, Shape};
use super::shade::{Cell, Shade, cross};
use super::words::number;
use super::{Axis, LineChart};

/// Discs in colour, stronger where they are better.
#[derive(Clone, Debug, PartialEq)]
pub struct Scatter {
    /// The heading, one line.
    pub title: String,
    /// What a reader needs to know besides. At most two lines.
    pub subtitle: String,
    /// What is varied along both axes.
    pub axes: (Axis, Axis),
    /// Both settings of each try, and what came of it.
    pub tries: Vec<(f64, f64, Cell)>,
    /// Whether more is better.
    pub higher_is_better: bool,
}

const RADIUS: f64 = 7.0;

/// The whole chart.
pub(super) fn compose(chart: &Scatter) -> Scene {
    let shade = Shade::of(chart.tries.iter().map(|one| one.2), chart.higher_is_better);
    let mark = |at: Point, cell: Cell| match cell {
        Cell::Blank => Vec::new(),
        Cell::Diverged => cross(at).into(),
        Cell::Score(score) => vec![
            Shape::Disc { center: at, radius: RADIUS + 1.0, color: GREY },
            Shape::Disc { center: at, radius: RADIUS, color: shade.color(score) },
        ],
    };
    let above = |plot: &Plot| {
        let place = |(x, y, cell): &(f64, f64, Cell)| Some(((plot.x.at(*x)?, plot.y.at(*y)?), *cell, (*x, *y)));
        let placed: Vec<_> = chart.tries.iter().filter_map(place).filter(|(at, ..)| plot.frame.contains(*at)).collect();
        let hint = |(at, cell, (x, y)): &(Point, Cell, (f64, f64))| {
            let words = cell.score().map_or_else(|| "diverged".to_owned(), number);
            let place = format!("{} {}, {} {}", chart.axes.0.label, number(*x), chart.axes.1.label, number(*y));
            (*cell != Cell::Blank).then(|| Shape::Hint { at: *at, words: format!("{place}: {words}") })
        };
        let marks = placed.iter().flat_map(|(at, cell, _)| mark(*at, *cell));
        marks.chain(placed.iter().filter_map(hint)).collect()
    };
    let ends = |axis: &Axis, values: &dyn Fn(&(f64, f64, Cell)) -> f64| Axis {
        range: axis.scale.ends(chart.tries.iter().map(values), 0.06),
        ..axis.clone()
    };
    let plane = LineChart {
        title: chart.title.clone(),
        subtitle: Some(chart.subtitle.clone()),
        x: ends(&chart.axes.0, &|one| one.0),
        y: ends(&chart.axes.1, &|one| one.1),
        series: Vec::new(),
        rules: Vec::new(),
    };
    frame::compose_on(&plane, &Ground { below: &|_| Vec::new(), above: &above, bare: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Scale;

    #[test]
    fn every_try_has_its_mark() {
        let chart = Scatter {
            title: "t".into(),
            subtitle: String::new(),
            axes: (Axis::new("lr", Scale::Log10), Axis::new("beta", Scale::Linear)),
            tries: vec![
                (0.1, 0.9, Cell::Score(1.0)),
                (0.3, 0.8, Cell::Score(2.0)),
                (1.0, 0.5, Cell::Diverged),
                (0.01, 0.6, Cell::Blank),
            ],
            higher_is_better: false,
        };
        let scene = compose(&chart);
        let count = |is: fn(&Shape) -> bool| scene.shapes.iter().filter(|shape| is(shape)).count();
        assert_eq!(count(|shape| matches!(shape, Shape::Disc { .. })), 2 * 2);
        assert_eq!(count(|shape| matches!(shape, Shape::Line { width: 2.0, .. })), 2, "one cross");
        assert_eq!(count(|shape| matches!(shape, Shape::Hint { .. })), 3);
        compose(&Scatter { tries: vec![(f64::NAN, -1.0, Cell::Score(f64::INFINITY))], ..chart });
    }
}
