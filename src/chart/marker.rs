//! The shapes of markers and crosses.

use super::palette::{Color, Marker};
use super::scene::{Point, Shape, WHITE};

/// The usual radius of a marker.
pub(super) const RADIUS: f64 = 3.8;

/// A marker, on a thin white rim that keeps it apart from the lines below.
pub(super) fn shapes(marker: Marker, at: Point, radius: f64, color: Color) -> Vec<Shape> {
    let rim = radius + 1.0;
    let heart = 0.5 * radius;
    match marker {
        Marker::Circle => vec![disc(at, rim, WHITE), disc(at, radius, color)],
        Marker::Ring => vec![disc(at, rim, WHITE), disc(at, radius, color), disc(at, heart, WHITE)],
        Marker::Square => vec![square(at, rim, WHITE), square(at, radius, color)],
        Marker::Box => vec![square(at, rim, WHITE), square(at, radius, color), square(at, heart, WHITE)],
        Marker::Triangle => vec![triangle(at, 1.2 * rim, -1.0, WHITE), triangle(at, 1.2 * radius, -1.0, color)],
        Marker::Wedge => vec![triangle(at, 1.2 * rim, 1.0, WHITE), triangle(at, 1.2 * radius, 1.0, color)],
        Marker::Diamond => vec![diamond(at, rim + 0.7, WHITE), diamond(at, radius + 0.7, color)],
        Marker::Plus => {
            vec![plus(at, rim + 0.3, 0.34 * rim + 0.9, WHITE), plus(at, radius + 0.5, 0.34 * radius, color)]
        }
    }
}

/// The cross of a diverged run.
pub(super) fn cross((x, y): Point, radius: f64, color: Color) -> [Shape; 2] {
    let stroke = |s: f64| Shape::solid(vec![(x - radius, y - s * radius), (x + radius, y + s * radius)], color, 2.0);
    [stroke(1.0), stroke(-1.0)]
}

/// The head of an arrow whose tip touches `tip`; `direction` is 1 downward and -1 upward.
pub(super) fn arrow((x, y): Point, direction: f64, color: Color) -> Shape {
    let back = y - direction * 8.0;
    Shape::Area { points: vec![(x, y), (x - 4.5, back), (x + 4.5, back)], color, opacity: 1.0 }
}

fn disc(center: Point, radius: f64, color: Color) -> Shape {
    Shape::Disc { center, radius, color }
}

fn area(color: Color, points: Vec<Point>) -> Shape {
    Shape::Area { points, color, opacity: 1.0 }
}

fn square((x, y): Point, radius: f64, color: Color) -> Shape {
    let r = 0.9 * radius;
    area(color, vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)])
}

fn diamond((x, y): Point, r: f64, color: Color) -> Shape {
    area(color, vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)])
}

/// A triangle about its centre of mass; its tip points down for `direction` 1 and up for -1.
fn triangle((x, y): Point, r: f64, direction: f64, color: Color) -> Shape {
    let (half, base) = (0.866 * r, y - direction * 0.5 * r);
    area(color, vec![(x, y + direction * r), (x + half, base), (x - half, base)])
}

fn plus((x, y): Point, r: f64, half: f64, color: Color) -> Shape {
    let corner = [(-half, -r), (half, -r), (half, -half)];
    // Three corners, turned by a quarter four times.
    let turn = |(a, b): Point, times: usize| (0..times).fold((a, b), |(a, b), _| (-b, a));
    let corners = (0..4).flat_map(|times| corner.map(|c| turn(c, times)));
    area(color, corners.map(|(a, b)| (x + a, y + b)).collect())
}
