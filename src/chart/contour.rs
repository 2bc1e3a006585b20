//! Lines of equal height over a plane, and paths across them.

use std::collections::{BTreeMap, BTreeSet};

use super::LineChart;
use super::curve::Plot;
use super::font;
use super::frame::{self, Ground};
use super::marker;
use super::palette::{Color, Dash};
use super::scene::{Anchor, INK, Scene, Shape, WHITE};

const LINE: Color = Color(0xc4, 0xca, 0xd0);
/// Lines of equal height, at even shares of the plane.
const LEVELS: usize = 14;

/// Heights on an even grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heights {
    /// The first and the last column's place.
    pub x: (f64, f64),
    /// The first and the last row's place.
    pub y: (f64, f64),
    /// The heights row by row, from the least `y`; all rows have the same length.
    pub rows: Vec<Vec<f64>>,
}

/// Lines over lines of equal height.
#[derive(Clone, Debug, PartialEq)]
pub struct ContourChart {
    /// The lines, their words and axes; both axes are linear.
    pub paths: LineChart,
    /// What they cross.
    pub heights: Heights,
    /// Places of note, with their words.
    pub marks: Vec<(f64, f64, String)>,
    /// Where lines ended because they diverged: drawn as crosses.
    pub crosses: Vec<(f64, f64, Color)>,
}

/// The whole chart.
pub(super) fn compose(chart: &ContourChart) -> Scene {
    let below = |plot: &Plot| {
        let place = |(x, y): &(f64, f64)| Some((plot.x.at(*x)?, plot.y.at(*y)?));
        let levels = chart.heights.levels();
        let lines = levels.iter().flat_map(|level| chart.heights.lines(*level));
        let placed = lines.map(|line| line.iter().filter_map(place).collect::<Vec<_>>());
        let visible = placed.flat_map(|line| plot.frame.clip(&line));
        visible.map(|points| Shape::Line { points, color: LINE, width: 1.0, dash: Dash::Solid }).collect()
    };
    let above = |plot: &Plot| {
        let mut shapes = Vec::new();
        for (x, y, words) in &chart.marks {
            let Some(at) = plot.x.at(*x).zip(plot.y.at(*y)).filter(|at| plot.frame.contains(*at)) else { continue };
            shapes.push(Shape::Disc { center: at, radius: 3.2, color: INK });
            // Towards the middle, where there is room.
            let middle = f64::midpoint(plot.frame.left, plot.frame.right);
            let (dx, anchor) = if at.0 > middle { (-8.0, Anchor::End) } else { (8.0, Anchor::Start) };
            let (width, base) = (font::width(words, 12.0), at.1 - 7.0);
            let left = if at.0 > middle { at.0 + dx - width } else { at.0 + dx } - 2.0;
            let corners = [(0.0, 3.0), (width + 4.0, 3.0), (width + 4.0, -11.0), (0.0, -11.0)];
            let ground = corners.map(|(x, y)| (left + x, base + y)).into();
            shapes.push(Shape::Area { points: ground, color: WHITE, opacity: 0.8 });
            shapes.push(Shape::text(words, (at.0 + dx, base), 12.0, INK, anchor));
        }
        for (x, y, color) in &chart.crosses {
            let at = plot.x.at(*x).zip(plot.y.at(*y)).filter(|at| plot.frame.contains(*at));
            shapes.extend(at.into_iter().flat_map(|at| marker::cross(at, 5.0, *color)));
        }
        shapes
    };
    frame::compose_on(&chart.paths, &Ground { below: &below, above: &above, bare: true })
}

impl Heights {
    /// Heights that each have about as much of the plane between them.
    fn levels(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.rows.iter().flatten().copied().filter(|height| height.is_finite()).collect();
        all.sort_by(f64::total_cmp);
        let Some(last) = all.len().checked_sub(1) else { return Vec::new() };
        // Closer together at the bottom, where paths end.
        let share = |i: usize| ((i + 1) as f64 / (LEVELS + 1) as f64).powf(1.4);
        let mut levels: Vec<f64> = (0..LEVELS).map(|i| all[(share(i) * last as f64) as usize]).collect();
        levels.dedup();
        levels
    }

    /// The lines at one height, by marching squares: each side of a cell that the height lies on
    /// belongs to at most two pieces, which join there.
    fn lines(&self, level: f64) -> Vec<Vec<(f64, f64)>> {
        let mut joints: BTreeMap<Side, Vec<Side>> = BTreeMap::new();
        let columns = self.rows.first().map_or(0, Vec::len);
        for row in 0..self.rows.len().saturating_sub(1) {
            for column in 0..columns.saturating_sub(1) {
                let sides = self.crossed(row, column, level);
                for piece in sides.chunks_exact(2) {
                    joints.entry(piece[0]).or_default().push(piece[1]);
                    joints.entry(piece[1]).or_default().push(piece[0]);
                }
            }
        }
        let mut left: BTreeSet<Side> = joints.keys().copied().collect();
        let mut lines = Vec::new();
        // Open lines from their ends first; what is left then are rings.
        let ends = joints.iter().filter(|(_, next)| next.len() == 1).map(|(side, _)| *side);
        for start in ends.chain(joints.keys().copied()).collect::<Vec<_>>() {
            if !left.contains(&start) {
                continue;
            }
            let mut line = Vec::new();
            let mut at = Some(start);
            let mut last = start;
            while let Some(side) = at {
                left.remove(&side);
                line.push(self.place(side, level));
                last = side;
                at = joints[&side].iter().copied().find(|next| left.contains(next));
            }
            if joints[&last].contains(&start) && line.len() > 2 {
                line.push(line[0]);
            }
            lines.push(line);
        }
        lines
    }

    /// The sides of a cell that the height lies on, in pairs that belong together.
    fn crossed(&self, row: usize, column: usize, level: f64) -> Vec<Side> {
        let height = |(row, column): (usize, usize)| self.rows[row].get(column).copied().unwrap_or(f64::NAN);
        let sides = [
            Side { row, column, upward: false },
            Side { row, column: column + 1, upward: true },
            Side { row: row + 1, column, upward: false },
            Side { row, column, upward: true },
        ];
        let corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)].map(height);
        if corners.iter().any(|height| !height.is_finite()) {
            return Vec::new();
        }
        let mut crossed: Vec<Side> =
            sides.into_iter().filter(|side| (height(side.from()) < level) != (height(side.to()) < level)).collect();
        // On a saddle all four are: the middle says which corners are connected.
        let middle = corners.iter().sum::<f64>() / 4.0;
        if crossed.len() == 4 && (middle < level) != (corners[0] < level) {
            crossed.swap(1, 3);
        }
        crossed
    }

    /// Where on a side the height lies.
    fn place(&self, side: Side, level: f64) -> (f64, f64) {
        let ((row, column), (next_row, next_column)) = (side.from(), side.to());
        let (a, b) = (self.rows[row][column], self.rows[next_row][next_column]);
        let share = (level - a) / (b - a);
        let along = |(low, high): (f64, f64), place: f64, count: usize| low + (high - low) * place / (count - 1) as f64;
        let (dx, dy) = if side.upward { (0.0, share) } else { (share, 0.0) };
        (along(self.x, column as f64 + dx, self.rows[row].len()), along(self.y, row as f64 + dy, self.rows.len()))
    }
}

/// A side of a cell, from a corner of the grid to the next, to the right or upward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Side {
    row: usize,
    column: usize,
    upward: bool,
}

impl Side {
    fn from(self) -> (usize, usize) {
        (self.row, self.column)
    }

    fn to(self) -> (usize, usize) {
        if self.upward { (self.row + 1, self.column) } else { (self.row, self.column + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heights(size: usize, height: impl Fn(f64, f64) -> f64) -> Heights {
        let place = |i: usize| -1.0 + 2.0 * i as f64 / (size - 1) as f64;
        let row = |y: usize| (0..size).map(|x| height(place(x), place(y))).collect();
        Heights { x: (-1.0, 1.0), y: (-1.0, 1.0), rows: (0..size).map(row).collect() }
    }

    #[test]
    fn a_bowl_has_closed_rings_at_the_right_distance() {
        let lines = heights(101, |x, y| x * x + y * y).lines(0.25);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        assert!(lines[0].iter().all(|(x, y)| (x.hypot(*y) - 0.5).abs() < 1e-3));
        assert!(lines[0].len() > 100);
    }

    #[test]
    fn a_slope_has_one_open_line_and_a_saddle_two() {
        let slope = heights(11, |x, _| x).lines(0.11);
        assert_eq!(slope.len(), 1);
        assert!(slope[0].len() == 11 && slope[0].iter().all(|(x, _)| (x - 0.11).abs() < 1e-12));
        for size in [10, 11] {
            for level in [-0.3, 0.002, 0.3] {
                let saddle = heights(size, |x, y| x * y).lines(level);
                assert_eq!(saddle.len(), 2, "{size} {level}");
                assert!(saddle.iter().flatten().all(|(x, y)| (x * y - level).abs() < 0.02), "{saddle:?}");
            }
        }
    }

    #[test]
    fn no_heights_whatever_break_a_map() {
        for rows in [vec![], vec![vec![]], vec![vec![1.0]], vec![vec![f64::NAN; 3]; 3], vec![vec![2.0; 3]; 3]] {
            let heights = Heights { x: (0.0, 1.0), y: (0.0, 1.0), rows };
            for level in heights.levels() {
                assert!(heights.lines(level).is_empty());
            }
        }
    }
}
