//! Paths over a function of two numbers.

use super::canvas::Canvas;
use crate::chart::{Axis, ContourChart, Heights, LineChart, Scale, Series};
use crate::error::Result;
use crate::results::{PathRow, Status};
use crate::task::Spec;
use crate::task::model::Function;

/// Columns and rows of the grid that heights are taken on.
const GRID: usize = 161;

impl Canvas<'_, '_> {
    /// The way of the first seed of each optimizer and schedule at its chosen hyper-parameters;
    /// `None` where the task is no function of two numbers.
    pub(super) fn paths(&self) -> Result<Option<ContourChart>> {
        let Some(function) = self.spec().and_then(Spec::function).filter(|f| f.start().len() == 2) else {
            return Ok(None);
        };
        let mut paths = Vec::new();
        for rank in &self.ranking.ranks {
            let record = rank.best.runs[0];
            let rows = self.results.store.path(&record.run)?;
            if !rows.is_empty() {
                paths.push((rank, record.status, rows));
            }
        }
        if paths.is_empty() {
            return Ok(None);
        }
        let ways: Vec<&[PathRow]> = paths.iter().map(|(.., rows)| rows.as_slice()).collect();
        let window = Window::of(&*function, &ways);
        let (mut series, mut marked, mut crosses) = (Vec::new(), Vec::new(), Vec::new());
        for (rank, status, rows) in &paths {
            let points: Vec<(f64, f64)> = rows.iter().map(|row| (row.x, row.y)).collect();
            let mut line = self.series(rank, points);
            if *status == Status::Diverged {
                line.label = format!("{} (diverged)", rank.name());
                crosses.extend(window.last_seen(rows).map(|(x, y)| (x, y, line.style.color)));
            }
            let mut markers = Series { points: marks(rows), ..line.clone() };
            markers.markers = true;
            markers.joined = false;
            series.push(line);
            marked.push(markers);
        }
        // A path that swings to and fro covers much of the plane: it lies below the others, not on them.
        series.sort_by(|a, b| window.length(&b.points).total_cmp(&window.length(&a.points)));
        series.extend(marked);
        let names = function.names();
        let axis = |label: &str, range| Axis { range: Some(range), ..Axis::new(label, Scale::Linear) };
        let place = |at: &[f64], words: &str| (at[0], at[1], words.to_owned());
        let minimum = function.minimum().map(|at| place(&at, "minimum"));
        Ok(Some(ContourChart {
            heights: window.heights(&*function),
            marks: minimum.into_iter().chain([place(function.start(), "start")]).collect(),
            crosses,
            paths: LineChart {
                title: format!("{}: paths to the minimum", self.ranking.task),
                subtitle: Some(
                    "the weights that an evaluation would be of, each optimizer and schedule at its best \
                     hyper-parameters; markers after 3, 10, 30, 100, ... steps and at the end, a cross where a path diverged"
                        .into(),
                ),
                x: axis(names.first().map_or("first weight", String::as_str), window.x),
                y: axis(names.get(1).map_or("second weight", String::as_str), window.y),
                series,
                rules: Vec::new(),
            },
        }))
    }
}

/// The points after 3, 10, 30, 100, ... steps and the last.
fn marks(rows: &[PathRow]) -> Vec<(f64, f64)> {
    let last = rows.last().map_or(0, |row| row.step);
    let is_round = |step: u64| {
        step > 2 && matches!(step / 10u64.pow(step.ilog10()), 1 | 3) && step.is_multiple_of(10u64.pow(step.ilog10()))
    };
    let marked = rows.iter().filter(|row| row.step == last || is_round(row.step));
    marked.map(|row| (row.x, row.y)).collect()
}

/// Of the places where paths end, the lowest.
fn lowest_end(function: &dyn Function, paths: &[&[PathRow]]) -> Option<Vec<f64>> {
    let ends = paths.iter().filter_map(|rows| rows.last()).map(|row| vec![row.x, row.y]);
    let finite = ends.filter(|end| function.value(end).is_finite());
    finite.min_by(|a, b| function.value(a).total_cmp(&function.value(b)))
}

/// The part of the plane that is drawn.
struct Window {
    x: (f64, f64),
    y: (f64, f64),
}

impl Window {
    /// Start and minimum, and of the paths what lies no further from them than they from each other. Where the minimum
    /// is not known, the lowest end of a path stands for it.
    fn of(function: &dyn Function, paths: &[&[PathRow]]) -> Self {
        let start = function.start();
        let end = function.minimum().or_else(|| lowest_end(function, paths)).unwrap_or_else(|| vec![0.0; 2]);
        let size = (0..2).map(|i| f64::abs(start[i] - end[i])).fold(0.0, f64::max);
        let size = if size > 0.0 && size.is_finite() { size } else { 1.0 };
        let range = |i: usize| {
            let (low, high) = (start[i].min(end[i]), start[i].max(end[i]));
            let reach = (low - 0.7 * size, high + 0.7 * size);
            let places = paths.iter().copied().flatten().map(|row| if i == 0 { row.x } else { row.y });
            let within = places.filter(|place| place.is_finite()).map(|place| place.clamp(reach.0, reach.1));
            let (low, high) = within.fold((low, high), |(low, high), place| (low.min(place), high.max(place)));
            (low - 0.12 * size, high + 0.12 * size)
        };
        Self { x: range(0), y: range(1) }
    }

    /// How far a path goes within the window, as a multiple of the window's size.
    fn length(&self, path: &[(f64, f64)]) -> f64 {
        let share = |place: f64, (low, high): (f64, f64)| ((place - low) / (high - low)).clamp(0.0, 1.0);
        let places: Vec<(f64, f64)> = path.iter().map(|(x, y)| (share(*x, self.x), share(*y, self.y))).collect();
        let pieces = places.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1));
        pieces.filter(|piece| piece.is_finite()).sum()
    }

    fn contains(&self, row: &PathRow) -> bool {
        (self.x.0..=self.x.1).contains(&row.x) && (self.y.0..=self.y.1).contains(&row.y)
    }

    /// Where a path that goes astray leaves the window first, or its last point.
    fn last_seen(&self, rows: &[PathRow]) -> Option<(f64, f64)> {
        let inside = rows.iter().take_while(|row| self.contains(row)).count();
        let from = rows[..inside].last()?;
        let Some(to) = rows.get(inside).filter(|row| row.x.is_finite() && row.y.is_finite()) else {
            return Some((from.x, from.y));
        };
        // Just inside the edge, where all of a cross can be seen.
        let share = |from: f64, to: f64, (low, high): (f64, f64)| {
            let air = 0.012 * (high - low);
            ((if to > from { high - air } else { low + air }) - from) / (to - from)
        };
        let shares = [share(from.x, to.x, self.x), share(from.y, to.y, self.y)];
        let t = shares.into_iter().filter(|t| t.is_finite()).fold(1.0, f64::min).max(0.0);
        Some((from.x + t * (to.x - from.x), from.y + t * (to.y - from.y)))
    }

    fn heights(&self, function: &dyn Function) -> Heights {
        let place = |(low, high): (f64, f64), i: usize| low + (high - low) * i as f64 / (GRID - 1) as f64;
        let row = |j: usize| (0..GRID).map(|i| function.value(&[place(self.x, i), place(self.y, j)])).collect();
        Heights { x: self.x, y: self.y, rows: (0..GRID).map(row).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: u64, x: f64, y: f64) -> PathRow {
        PathRow { step, x, y }
    }

    #[test]
    fn markers_thin_out_with_the_steps() {
        let rows: Vec<PathRow> = (0..=45).map(|step| row(step, step as f64, 0.0)).collect();
        let marked: Vec<f64> = marks(&rows).into_iter().map(|point| point.0).collect();
        assert_eq!(marked, [3.0, 10.0, 30.0, 45.0]);
    }

    #[test]
    fn a_minimum_that_is_not_known_is_looked_for_where_paths_end() {
        struct Bowl;
        impl Function for Bowl {
            fn start(&self) -> &[f64] {
                &[0.0, 0.0]
            }
            fn value(&self, x: &[f64]) -> f64 {
                (x[0] - 30.0).abs()
            }
            fn gradient(&self, _: &[f64]) -> Vec<f64> {
                Vec::new()
            }
            fn minimum(&self) -> Option<Vec<f64>> {
                None
            }
        }
        let (short, whole, astray) = ([row(9, 1.0, 0.0)], [row(9, 29.0, 2.0)], [row(9, f64::NAN, 0.0)]);
        let window = Window::of(&Bowl, &[&short, &whole, &astray]);
        assert!(window.contains(&whole[0]) && window.contains(&short[0]), "{:?} {:?}", window.x, window.y);
    }

    #[test]
    fn a_path_that_swings_is_longer() {
        let window = Window { x: (0.0, 10.0), y: (0.0, 10.0) };
        assert_eq!(window.length(&[(0.0, 0.0), (10.0, 0.0)]), 1.0);
        assert_eq!(window.length(&[(0.0, -90.0), (0.0, 90.0), (0.0, f64::NAN), (0.0, -90.0), (0.0, 5.0)]), 1.5);
    }

    #[test]
    fn a_path_that_goes_astray_is_last_seen_at_the_edge() {
        let window = Window { x: (0.0, 10.0), y: (0.0, 10.0) };
        let seen = window.last_seen(&[row(0, 5.0, 5.0), row(1, 5.0, 6.0), row(2, 105.0, 6.0), row(3, 5.0, 5.0)]);
        assert!(seen.is_some_and(|(x, y)| (x - 9.88).abs() < 1e-9 && (y - 6.0).abs() < 1e-9), "{seen:?}");
        assert_eq!(window.last_seen(&[row(0, 5.0, 5.0), row(1, f64::NAN, 1.0)]), Some((5.0, 5.0)));
        assert_eq!(window.last_seen(&[row(0, -5.0, 5.0)]), None);
    }
}
