//! The page: where heading, plot, axes and legend go, and all of them as one scene.

use super::axis::{Axis, Projection, Scale};
use super::curve::{Plot, WIDTH as LINE};
use super::failures::Lane;
use super::font;
use super::legend::{Legend, rule_dash};
use super::path::Frame;
use super::scene::{Anchor, FAINT, GREY, GRID, INK, Scene, Shape};
use super::ticks::{Tick, ticks};
use super::words::{shorten, wrap};
use super::{LineChart, Series, range};

const WIDTH: f64 = 900.0;
/// The height without a legend below the plot.
const HEIGHT: f64 = 550.0;
const MARGIN: f64 = 24.0;
const TITLE: f64 = 18.0;
const SUBTITLE: f64 = 12.5;
const LABEL: f64 = 13.0;
const TICK: f64 = 12.0;
/// From the plot to the lower end of the horizontal axis's words.
const BELOW: f64 = 48.0;

/// What else is drawn inside the axes.
pub(super) struct Ground<'a> {
    /// Under the lines.
    pub(super) below: &'a dyn Fn(&Plot) -> Vec<Shape>,
    /// Over them.
    pub(super) above: &'a dyn Fn(&Plot) -> Vec<Shape>,
    /// Whether lines are thin and have no other markers than those at their points.
    pub(super) bare: bool,
}

/// The whole chart.
pub(super) fn compose(chart: &LineChart) -> Scene {
    compose_on(chart, &Ground { below: &|_| Vec::new(), above: &|_| Vec::new(), bare: false })
}

/// The whole chart, with more than its lines inside the axes.
pub(super) fn compose_on(chart: &LineChart, ground: &Ground) -> Scene {
    let mut shapes = Vec::new();
    let under_heading = heading(chart, &mut shapes);
    let legend = Legend::of(chart);
    let bottom = crisp(HEIGHT - MARGIN - BELOW);
    let beside = legend.beside(bottom - under_heading);
    let right = crisp(match beside {
        // Half of the last tick's words stand out.
        None | Some(0.0) => WIDTH - MARGIN - 8.0,
        Some(width) => WIDTH - MARGIN - width - 18.0,
    });

    let (xs, ys) = (range::horizontal(chart), range::vertical(chart));
    let y_ticks = ys.map_or_else(Vec::new, |range| y_ticks(&chart.y, range));
    let words = y_ticks.iter().filter_map(|t| t.label.as_ref()).map(|l| font::width(l, TICK)).fold(0.0, f64::max);
    let failed = chart.series.iter().any(|s| !s.failures.is_empty());
    let left = crisp(MARGIN + LABEL + 14.0 + words.max(if failed { 56.0 } else { 24.0 }) + 8.0);

    let x = Projection { scale: chart.x.scale, range: xs.unwrap_or((0.0, 1.0)), page: (left, right) };
    let lane = Lane::new(chart, &x);
    let frame = Frame { left, top: crisp(under_heading + lane.height()), right, bottom };
    let y = Projection { scale: chart.y.scale, range: ys.unwrap_or((0.0, 1.0)), page: (bottom, frame.top) };
    let plot = Plot { frame, x, y };

    if xs.is_some() {
        plot.grid(&x_ticks(&chart.x, x.range, (frame.width() / 90.0) as usize), &y_ticks, &mut shapes);
    }
    shapes.extend(lane.draw(&frame));
    if xs.is_some() && ys.is_some() {
        shapes.extend((ground.below)(&plot));
        plot.content(chart, ground.bare, &mut shapes);
        shapes.extend((ground.above)(&plot));
    } else {
        let middle = (f64::midpoint(left, right), f64::midpoint(frame.top, bottom));
        shapes.push(Shape::text("no data", middle, 16.0, GREY, Anchor::Middle));
    }
    shapes.push(Shape::solid(vec![(left, frame.top), (left, bottom), (right, bottom)], INK, 1.0));
    plot.axis_labels(&chart.x, &chart.y, &mut shapes);

    let mut height = HEIGHT;
    if beside.is_some() {
        shapes.extend(legend.draw(right + 18.0, under_heading, 0.0));
    } else {
        let width = WIDTH - 2.0 * MARGIN;
        shapes.extend(legend.draw(MARGIN, HEIGHT - MARGIN + 14.0, width));
        height += legend.below(width) + 14.0;
    }
    Scene { width: WIDTH, height, title: chart.title.clone(), shapes }
}

/// Title and subtitle; returns where the rest may begin.
fn heading(chart: &LineChart, shapes: &mut Vec<Shape>) -> f64 {
    let room = WIDTH - 2.0 * MARGIN;
    let mut y = MARGIN;
    if !chart.title.is_empty() {
        y += 15.0;
        shapes.push(Shape::text(shorten(&chart.title, TITLE, room), (MARGIN, y), TITLE, INK, Anchor::Start));
        y += 5.0;
    }
    for line in wrap(chart.subtitle.as_deref().unwrap_or_default(), SUBTITLE, 0.94 * room, 2) {
        y += 16.0;
        shapes.push(Shape::text(line, (MARGIN, y), SUBTITLE, GREY, Anchor::Start));
    }
    y + 18.0
}

/// Ticks beside the plot, round in the unit that they are written in.
fn y_ticks(axis: &Axis, (low, high): (f64, f64)) -> Vec<Tick> {
    if axis.percent && axis.scale == Scale::Linear {
        let marks = ticks(axis.scale, (100.0 * low, 100.0 * high), 8);
        return marks.into_iter().map(|tick| Tick { at: tick.at / 100.0, ..tick }).collect();
    }
    ticks(axis.scale, (low, high), 8)
}

/// Ticks below the plot: fewer of them where they would not be whole and should be.
fn x_ticks(axis: &Axis, range: (f64, f64), wanted: usize) -> Vec<Tick> {
    let marks = ticks(axis.scale, range, wanted);
    let broken = axis.whole && axis.scale == Scale::Linear && marks.iter().any(|tick| tick.at.fract() != 0.0);
    if broken && wanted > 1 { x_ticks(axis, range, wanted - 1) } else { marks }
}

impl Plot {
    /// The grid and the words at its lines; minor lines first, so that the others lie on top.
    fn grid(&self, xs: &[Tick], ys: &[Tick], shapes: &mut Vec<Shape>) {
        let Frame { left, top, right, bottom } = self.frame;
        let place =
            |p: &Projection, t: &Tick| p.page.0 + (t.at - p.range.0) / (p.range.1 - p.range.0) * (p.page.1 - p.page.0);
        for labelled in [false, true] {
            let color = if labelled { GRID } else { FAINT };
            for tick in xs.iter().filter(|t| t.label.is_some() == labelled) {
                let x = place(&self.x, tick);
                shapes.push(Shape::solid(vec![(x, top), (x, bottom)], color, 1.0));
            }
            for tick in ys.iter().filter(|t| t.label.is_some() == labelled) {
                let y = place(&self.y, tick);
                shapes.push(Shape::solid(vec![(left, y), (right, y)], color, 1.0));
            }
        }
        for tick in xs {
            let x = place(&self.x, tick);
            shapes.push(Shape::solid(vec![(x, bottom), (x, bottom + tick_length(tick))], INK, 1.0));
            if let Some(words) = &tick.label {
                shapes.push(Shape::text(words, (x, bottom + 19.0), TICK, INK, Anchor::Middle));
            }
        }
        for tick in ys {
            let y = place(&self.y, tick);
            shapes.push(Shape::solid(vec![(left - tick_length(tick), y), (left, y)], INK, 1.0));
            if let Some(words) = &tick.label {
                shapes.push(Shape::text(words, (left - 8.0, y + 0.36 * TICK), TICK, INK, Anchor::End));
            }
        }
    }

    /// All series, the later ones and all markers on top.
    fn content(&self, chart: &LineChart, bare: bool, shapes: &mut Vec<Shape>) {
        let beside: Vec<Self> = (0..chart.series.len()).map(|i| self.beside(chart, i)).collect();
        let add = |series: &Series, own: Vec<Shape>, shapes: &mut Vec<Shape>| {
            if !own.is_empty() {
                shapes.push(Shape::group(&series.label, own));
            }
        };
        let places = || beside.iter().zip(&chart.series);
        for (place, series) in places() {
            add(series, place.band(series), shapes);
        }
        for (i, (value, _)) in chart.rules.iter().enumerate() {
            let inside = self.y.at(*value).filter(|y| self.frame.contains((self.frame.left, *y)));
            if let Some(y) = inside {
                let points = vec![(self.frame.left, y), (self.frame.right, y)];
                shapes.push(Shape::Line { points, color: GREY, width: 1.3, dash: rule_dash(i) });
            }
        }
        for (place, series) in places() {
            add(series, place.line(series, if bare { 1.0 } else { LINE }), shapes);
        }
        let marked = |series: &Series| !series.muted && (series.markers || !bare);
        for (i, (place, series)) in places().enumerate().filter(|(_, (_, series))| marked(series)) {
            add(series, place.markers(series, i), shapes);
        }
        for (place, series) in places() {
            add(series, place.hints(series, (&chart.x, &chart.y)), shapes);
        }
    }

    fn axis_labels(&self, x: &Axis, y: &Axis, shapes: &mut Vec<Shape>) {
        let Frame { left, top, right, bottom } = self.frame;
        let across = (f64::midpoint(left, right), bottom + BELOW - 4.0);
        let words = shorten(&x.label, LABEL, right - left);
        shapes.push(Shape::text(words, across, LABEL, INK, Anchor::Middle));
        shapes.push(Shape::Text {
            words: shorten(&y.label, LABEL, bottom - top),
            at: (MARGIN + 0.8 * LABEL, f64::midpoint(top, bottom)),
            size: LABEL,
            color: INK,
            anchor: Anchor::Middle,
            upward: true,
        });
    }
}

/// The middle of a pixel, where a straight line of width 1 stays sharp.
fn crisp(place: f64) -> f64 {
    place.floor() + 0.5
}

fn tick_length(tick: &Tick) -> f64 {
    if tick.label.is_some() { 4.5 } else { 2.5 }
}
