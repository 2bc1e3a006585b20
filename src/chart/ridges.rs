//! Distributions one below the other, in a panel for each arm.

use super::axis::Scale;
use super::font;
use super::palette::Style;
use super::scene::{Anchor, FAINT, GREY, GRID, INK, Point, Scene, Shape, WHITE};
use super::ticks::{Tick, ticks};
use super::words::{number, shorten, wrap};

/// How distributions over magnitudes change from step to step: all panels share both axes.
#[derive(Clone, Debug, PartialEq)]
pub struct RidgeChart {
    /// The heading, one line.
    pub title: String,
    /// What a reader needs to know besides. At most two lines.
    pub subtitle: String,
    /// What is distributed, along the horizontal, logarithmic axis.
    pub x: String,
    /// What tells one distribution from the next.
    pub y: String,
    /// One panel for each arm.
    pub panels: Vec<RidgePanel>,
}

/// The distributions of one arm.
#[derive(Clone, Debug, PartialEq)]
pub struct RidgePanel {
    /// The arm.
    pub label: String,
    /// The arm's colour.
    pub style: Style,
    /// From top to bottom.
    pub ridges: Vec<Ridge>,
}

/// One distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    /// The words at its left. Ridges of the same words lie at the same height in all panels.
    pub label: String,
    /// The share of each bin, by the bin's middle as log10, at even distances.
    pub shares: Vec<(f64, f64)>,
    /// The median, as log10.
    pub median: Option<f64>,
}

const WIDTH: f64 = 900.0;
const MARGIN: f64 = 24.0;
const GAP: f64 = 22.0;
/// The words of an arm above its panel, and the ticks and their words below.
const HEAD: f64 = 38.0;
const FOOT: f64 = 30.0;
const PITCH: f64 = 21.0;
/// How high a ridge rises, in distances to the next: they overlap.
const RISE: f64 = 1.9;
const COLUMNS: usize = 4;
/// The share at either end of all distributions together that may lie beyond the edge.
const BEYOND: f64 = 0.002;

/// The whole chart.
pub(super) fn compose(chart: &RidgeChart) -> Scene {
    let room = WIDTH - 2.0 * MARGIN;
    let title = shorten(&chart.title, 18.0, room);
    let mut shapes = vec![Shape::text(title, (MARGIN, MARGIN + 15.0), 18.0, INK, Anchor::Start)];
    let mut top = MARGIN + 20.0;
    for line in wrap(&chart.subtitle, 12.5, 0.94 * room, 2) {
        top += 16.0;
        shapes.push(Shape::text(line, (MARGIN, top), 12.5, GREY, Anchor::Start));
    }
    top += 12.0;
    let mut rows: Vec<&str> = Vec::new();
    for ridge in chart.panels.iter().flat_map(|panel| &panel.ridges) {
        if !rows.contains(&ridge.label.as_str()) {
            rows.push(&ridge.label);
        }
    }
    let Some(range) = range(chart) else {
        shapes.push(Shape::text("no data", (0.5 * WIDTH, top + 60.0), 16.0, GREY, Anchor::Middle));
        return Scene { width: WIDTH, height: top + 120.0, title: chart.title.clone(), shapes };
    };
    let words = rows.iter().map(|row| font::width(row, 11.5)).fold(16.0, f64::max);
    let left = MARGIN + 24.0 + words + 8.0;
    let count = chart.panels.len();
    let columns = count.clamp(1, if count == 5 || count == 6 { 3 } else { COLUMNS });
    let width = (WIDTH - MARGIN - left - GAP * (columns - 1) as f64) / columns as f64;
    let height = HEAD + PITCH * (rows.len() as f64 + RISE - 1.0) + 8.0;
    for (i, panel) in chart.panels.iter().enumerate() {
        let (column, row) = (i % columns, i / columns);
        let left = left + column as f64 * (width + GAP);
        let top = top + row as f64 * (height + FOOT);
        let place = Panel { left, right: left + width, top: top + HEAD, bottom: top + height, range };
        place.draw(panel, &rows, column == 0, &mut shapes);
    }
    let lines = count.div_ceil(columns) as f64;
    let bottom = top + lines * (height + FOOT);
    let across = f64::midpoint(left, WIDTH - MARGIN);
    shapes.push(Shape::text(&chart.x, (across, bottom + 10.0), 13.0, INK, Anchor::Middle));
    shapes.push(Shape::Text {
        words: chart.y.clone(),
        at: (MARGIN + 10.0, f64::midpoint(top + HEAD, bottom - FOOT)),
        size: 13.0,
        color: INK,
        anchor: Anchor::Middle,
        upward: true,
    });
    Scene { width: WIDTH, height: bottom + 14.0 + MARGIN, title: chart.title.clone(), shapes }
}

/// The magnitudes between which almost everything lies.
fn range(chart: &RidgeChart) -> Option<(f64, f64)> {
    let ridges = chart.panels.iter().flat_map(|panel| &panel.ridges);
    let mut all: Vec<(f64, f64)> = ridges.flat_map(|ridge| ridge.shares.iter().copied()).collect();
    all.retain(|(x, share)| x.is_finite() && share.is_finite());
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let whole: f64 = all.iter().map(|(_, share)| share).sum();
    let edge = |share: f64| {
        let mut below = 0.0;
        all.iter().find(|(_, part)| {
            below += part;
            below >= share * whole
        })
    };
    let (low, high) = (edge(BEYOND)?.0 - 0.2, edge(1.0 - BEYOND)?.0 + 0.2);
    let air = (0.5 * (1.0 - (high - low))).max(0.0);
    Some((low - air, high + air))
}

/// The words above a panel: the optimizer above its schedule where both are too long for one line.
fn title(label: &str, room: f64) -> Vec<String> {
    let parts = match label.rfind('+') {
        Some(plus) if font::width(label, 12.5) > room => vec![&label[..plus], &label[plus..]],
        _ => vec![label],
    };
    parts.into_iter().map(|part| shorten(part, 12.5, room)).collect()
}

struct Panel {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    range: (f64, f64),
}

impl Panel {
    fn x(&self, decades: f64) -> f64 {
        let (low, high) = self.range;
        self.left + (decades - low) / (high - low) * (self.right - self.left)
    }

    fn draw(&self, panel: &RidgePanel, rows: &[&str], outermost: bool, shapes: &mut Vec<Shape>) {
        let Self { left, right, top, bottom, .. } = *self;
        let lines = title(&panel.label, right - left);
        for (i, words) in lines.iter().rev().enumerate() {
            let at = (f64::midpoint(left, right), top - 8.0 - 15.0 * i as f64);
            shapes.push(Shape::text(words, at, 12.5, INK, Anchor::Middle));
        }
        let wanted = ((right - left) / 60.0) as usize;
        for Tick { at, label } in ticks(Scale::Log10, self.range, wanted) {
            let x = self.x(at);
            let color = if label.is_some() { GRID } else { FAINT };
            shapes.push(Shape::solid(vec![(x, top), (x, bottom)], color, 1.0));
            if let Some(words) = label {
                shapes.push(Shape::solid(vec![(x, bottom), (x, bottom + 4.0)], INK, 1.0));
                shapes.push(Shape::text(words, (x, bottom + 17.0), 11.5, INK, Anchor::Middle));
            }
        }
        shapes.push(Shape::solid(vec![(left, bottom), (right, bottom)], INK, 1.0));
        let base = |row: usize| bottom - 8.0 - PITCH * (rows.len() - 1 - row) as f64;
        if outermost {
            for (row, words) in rows.iter().enumerate() {
                shapes.push(Shape::text(*words, (left - 8.0, base(row)), 11.5, INK, Anchor::End));
            }
        }
        let mut hints = Vec::new();
        for ridge in &panel.ridges {
            if let Some(row) = rows.iter().position(|row| *row == ridge.label) {
                self.ridge(panel, ridge, base(row), shapes);
            }
        }
        for ridge in &panel.ridges {
            let row = rows.iter().position(|row| *row == ridge.label);
            if let (Some(row), Some(median)) = (row, ridge.median.filter(|median| self.shows(*median))) {
                let (x, base) = (self.x(median), base(row));
                shapes.push(Shape::solid(vec![(x, base), (x, base - 8.0)], INK, 1.6));
                let words = format!("{}, {}: median {}", panel.label, ridge.label, number(10f64.powf(median)));
                hints.push(Shape::Hint { at: (x, base - 4.0), words });
            }
        }
        // Where it began, to see what moves.
        let first = panel.ridges.first().and_then(|ridge| ridge.median).filter(|median| self.shows(*median));
        if let Some(median) = first {
            let points = vec![(self.x(median), top), (self.x(median), bottom)];
            shapes.push(Shape::Line { points, color: GREY, width: 1.2, dash: super::Dash::Dashed });
        }
        shapes.extend(hints);
    }

    fn shows(&self, decades: f64) -> bool {
        (self.range.0..=self.range.1).contains(&decades)
    }

    /// A filled outline on its base.
    fn ridge(&self, panel: &RidgePanel, ridge: &Ridge, base: f64, shapes: &mut Vec<Shape>) {
        let highest = ridge.shares.iter().map(|(_, share)| *share).fold(0.0, f64::max);
        let shown = ridge.shares.iter().filter(|(x, share)| self.shows(*x) && share.is_finite());
        let height = |share: f64| base - RISE * PITCH * share / highest;
        let line: Vec<Point> = shown.map(|(x, share)| (self.x(*x), height(*share))).collect();
        let (Some(first), Some(last)) = (line.first(), line.last()) else { return };
        let mut outline = vec![(first.0, base)];
        outline.extend(&line);
        outline.push((last.0, base));
        let color = panel.style.color;
        // White first: a ridge hides the feet of those behind it.
        shapes.push(Shape::Area { points: outline.clone(), color: WHITE, opacity: 0.75 });
        shapes.push(Shape::Area { points: outline.clone(), color, opacity: 0.35 });
        shapes.push(Shape::solid(outline, color, 1.2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(shares: &[(f64, f64)], median: Option<f64>) -> RidgeChart {
        let ridge = |label: &str| Ridge { label: label.into(), shares: shares.to_vec(), median };
        let panel = |label: &str| RidgePanel {
            label: label.into(),
            style: Style::at(0, 0),
            ridges: vec![ridge("1"), ridge("10")],
        };
        RidgeChart {
            title: "t".into(),
            subtitle: String::new(),
            x: "|gradient|".into(),
            y: "step".into(),
            panels: ["a", "b", "c", "d", "e"].map(panel).into(),
        }
    }

    fn within(scene: &Scene) -> bool {
        let on_page = |p: &Point| (0.0..=scene.width).contains(&p.0) && (0.0..=scene.height).contains(&p.1);
        scene.shapes.iter().all(|shape| match shape {
            Shape::Line { points, .. } | Shape::Area { points, .. } => points.iter().all(on_page),
            Shape::Group { .. } => true,
            Shape::Disc { center: at, .. } | Shape::Hint { at, .. } | Shape::Text { at, .. } => on_page(at),
        })
    }

    #[test]
    fn every_panel_has_its_ridges_on_the_page() {
        let scene = compose(&chart(&[(-4.0, 0.2), (-3.9, 0.6), (-3.8, 0.2)], Some(-3.9)));
        assert!(within(&scene));
        let areas = scene.shapes.iter().filter(|shape| matches!(shape, Shape::Area { .. })).count();
        assert_eq!(areas, 5 * 2 * 2, "two fills for each ridge");
        let hints = scene.shapes.iter().filter(|shape| matches!(shape, Shape::Hint { .. })).count();
        assert_eq!(hints, 5 * 2);
    }

    #[test]
    fn long_titles_break_before_the_schedule() {
        assert_eq!(title("adamw+cosine", 190.0), ["adamw+cosine"]);
        assert_eq!(title("schedule_free_adamw+one_cycle", 190.0), ["schedule_free_adamw", "+one_cycle"]);
    }

    #[test]
    fn strange_distributions_are_drawn_or_left_out() {
        for x in [f64::NAN, f64::INFINITY, 300.0, -320.0] {
            for share in [0.0, 1.0, f64::NAN] {
                assert!(within(&compose(&chart(&[(x, share), (0.0, 1.0)], Some(x)))), "{x} {share}");
            }
        }
        let scene = compose(&chart(&[], None));
        assert!(scene.shapes.iter().any(|shape| matches!(shape, Shape::Text { words, .. } if words == "no data")));
    }
}
