//! One series inside the frame: its band, its line, its markers, and the arrows where it leaves.

use super::axis::{Axis, Projection};
use super::marker;
use super::path::{Frame, thin};
use super::scene::{Point, Shape};
use super::{LineChart, Series};

/// The place where all series of a chart are drawn.
pub(super) struct Plot {
    pub(super) frame: Frame,
    pub(super) x: Projection,
    pub(super) y: Projection,
}

pub(super) const WIDTH: f64 = 1.8;
/// Of lines that are there for comparison only.
pub(super) const MUTED_WIDTH: f64 = 1.0;
/// Markers along a line whose points are not marked one by one.
const ALONG: f64 = 5.0;
/// How far apart error bars at one place are drawn, and how far apart the outermost may be.
const BESIDE: f64 = 4.0;
const WIDEST: f64 = 20.0;
/// The most values of a line that can be pointed at.
const HINTS: usize = 40;

impl Plot {
    /// The same plot, moved aside for the series at place `index`, so that error bars of several do not hide each other.
    pub(super) fn beside(&self, chart: &LineChart, index: usize) -> Self {
        let has_bars = |series: &&Series| series.markers && !series.muted && series.band.is_some();
        let bars = chart.series.iter().filter(has_bars).count();
        if !has_bars(&&chart.series[index]) || bars < 2 {
            return Self { ..*self };
        }
        let place = chart.series[..index].iter().filter(has_bars).count();
        let places = chart.series.iter().flat_map(|series| &series.points).filter_map(|point| self.x.at(point.0));
        let mut places: Vec<f64> = places.collect();
        places.sort_by(f64::total_cmp);
        let gaps = places.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.5);
        let room = gaps.fold(WIDEST, |room, gap| room.min(0.5 * gap));
        let apart = BESIDE.min(room / (bars - 1) as f64);
        let aside = apart * (place as f64 - 0.5 * (bars - 1) as f64);
        let (left, right) = self.x.page;
        Self { x: Projection { page: (left + aside, right + aside), ..self.x }, ..*self }
    }

    /// The spread around a line: a shade, or an error bar for each marked point.
    pub(super) fn band(&self, series: &Series) -> Vec<Shape> {
        let band = series.band.iter().flatten();
        if series.markers { band.flat_map(|b| self.error_bar(series, *b)).collect() } else { self.shade(series) }
    }

    fn shade(&self, series: &Series) -> Vec<Shape> {
        // A bound that the axis cannot show (a low of zero under a logarithm, say) lies beyond the edge.
        let corner = |&(x, low, high): &(f64, f64, f64)| {
            if low.is_nan() || high.is_nan() {
                return None;
            }
            let beyond = 2.0 * self.frame.bottom - self.frame.top;
            let bottom = self.y.at(low).unwrap_or(beyond);
            let top = self.y.at(high).unwrap_or(if high > 0.0 { -beyond } else { beyond });
            Some((self.x.at(x)?, bottom, top))
        };
        let corners: Vec<Option<(f64, f64, f64)>> = series.band.iter().flatten().map(corner).collect();
        let runs = corners.split(Option::is_none).map(|run| run.iter().flatten());
        let outline = runs.map(|run| {
            let upper: Vec<Point> = run.clone().map(|c| (c.0, c.2)).collect();
            let lower: Vec<Point> = run.map(|c| (c.0, c.1)).collect();
            let back = thin(&lower).into_iter().rev();
            self.frame.clip_area(&thin(&upper).into_iter().chain(back).collect::<Vec<_>>())
        });
        let filled = outline.filter(|points| points.len() > 2);
        filled.map(|points| Shape::Area { points, color: series.style.color, opacity: 0.14 }).collect()
    }

    fn error_bar(&self, series: &Series, (x, low, high): (f64, f64, f64)) -> Vec<Shape> {
        let (Some(x), Some(top)) = (self.x.at(x), self.y.at(high)) else { return Vec::new() };
        let bottom = self.y.at(low).unwrap_or(self.frame.bottom + 1.0);
        let line = |a, b| self.frame.clip(&[a, b]).into_iter();
        let cap = |y| line((x - 3.5, y), (x + 3.5, y));
        let pieces = line((x, bottom), (x, top)).chain(cap(top)).chain(cap(bottom));
        pieces.map(|points| Shape::solid(points, series.style.color, 1.1)).collect()
    }

    /// The line without markers.
    pub(super) fn line(&self, series: &Series, width: f64) -> Vec<Shape> {
        if !series.joined {
            return Vec::new();
        }
        let style = series.style;
        let pieces = self.runs(series).into_iter().flat_map(|run| self.frame.clip(&run));
        let line = |piece: Vec<Point>| Shape::Line {
            points: thin(&piece),
            color: style.color,
            width: if series.muted { MUTED_WIDTH } else { width },
            dash: style.dash,
        };
        pieces.map(line).collect()
    }

    /// The markers of the series at place `index` of the chart, and arrows at the edges that it leaves through.
    pub(super) fn markers(&self, series: &Series, index: usize) -> Vec<Shape> {
        let runs = self.runs(series);
        let mut places: Vec<Point> = if series.markers {
            runs.iter().flatten().copied().collect()
        } else {
            // A point without neighbours has no line to be seen by.
            let alone = runs.iter().filter(|run| run.len() == 1).map(|run| run[0]);
            alone.chain(self.along(&runs, index)).collect()
        };
        let style = series.style;
        let edges = [(self.frame.top, -1.0), (self.frame.bottom, 1.0)];
        let mut exits: Vec<Shape> = Vec::new();
        for (edge, direction) in edges {
            let beyond = |p: &&Point| (p.1 - edge) * direction > 1e-6;
            // Every measurement has its arrow; of a line one is enough.
            let xs: Vec<f64> = if series.markers {
                places.iter().filter(beyond).map(|p| p.0).collect()
            } else {
                self.exit(&runs, edge, direction).into_iter().collect()
            };
            let inside = xs.into_iter().filter(|x| self.frame.contains((*x, edge)));
            exits.extend(inside.map(|x| marker::arrow((x, edge), direction, style.color)));
        }
        places.retain(|p| self.frame.contains(*p));
        let mut shapes: Vec<Shape> =
            places.into_iter().flat_map(|p| marker::shapes(style.marker, p, marker::RADIUS, style.color)).collect();
        shapes.extend(exits);
        shapes
    }

    /// The values at some of the points, for whoever points there; at the edge for what lies above or below.
    pub(super) fn hints(&self, series: &Series, (x_axis, y_axis): (&Axis, &Axis)) -> Vec<Shape> {
        let every = series.points.len().div_ceil(HINTS).max(1);
        let last = series.points.len().saturating_sub(1);
        let chosen = series.points.iter().enumerate().filter(|(i, _)| i % every == 0 || *i == last);
        let hint = |(_, (x, y)): (usize, &(f64, f64))| {
            let at = (self.x.at(*x)?, self.y.at(*y)?.clamp(self.frame.top, self.frame.bottom));
            let range = series.band.iter().flatten().find(|band| band.0 == *x && band.1 < band.2);
            let range = range.map_or_else(String::new, |(_, low, high)| {
                format!(" ({} to {})", y_axis.write(*low), y_axis.write(*high))
            });
            let (over, of) = (x_axis.word(), y_axis.word());
            let words = format!("{}: {over} {}, {of} {}{range}", series.label, x_axis.write(*x), y_axis.write(*y));
            self.frame.contains(at).then_some(Shape::Hint { at, words })
        };
        chosen.filter_map(hint).collect()
    }

    /// The points on the page, split where one cannot be shown.
    fn runs(&self, series: &Series) -> Vec<Vec<Point>> {
        let places: Vec<Option<Point>> =
            series.points.iter().map(|(x, y)| Some((self.x.at(*x)?, self.y.at(*y)?))).collect();
        let runs = places.split(Option::is_none).map(|run| run.iter().flatten().copied().collect::<Vec<_>>());
        runs.filter(|run| !run.is_empty()).collect()
    }

    /// A few places along a line, not the same ones for neighbouring series.
    fn along(&self, runs: &[Vec<Point>], index: usize) -> Vec<Point> {
        let phase = (0.2 + 0.382 * index as f64).fract();
        let on = |x: f64| {
            let mut pairs = runs.iter().flat_map(|run| run.windows(2));
            let pair = pairs.find(|p| p[0].0 <= x && x < p[1].0)?;
            let (a, b) = (pair[0], pair[1]);
            Some((x, a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0)))
        };
        let xs = (0..ALONG as usize).map(|i| self.frame.left + (i as f64 + phase) / ALONG * self.frame.width());
        xs.filter_map(on).collect()
    }

    /// Where a line first is beyond an edge.
    fn exit(&self, runs: &[Vec<Point>], edge: f64, direction: f64) -> Option<f64> {
        let beyond = |p: &Point| (p.1 - edge) * direction > 1e-6;
        let (run, place) = runs.iter().find_map(|run| Some((run, run.iter().position(beyond)?)))?;
        let b = run[place];
        let x = match place.checked_sub(1).map(|before| run[before]) {
            Some(a) => a.0 + (b.0 - a.0) * (edge - a.1) / (b.1 - a.1),
            None => b.0,
        };
        (self.frame.left..=self.frame.right).contains(&x).then_some(x)
    }
}
