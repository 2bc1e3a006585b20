//! Colours for scores: pale where they are bad, dark where they are good.

use super::axis::Scale;
use super::marker;
use super::palette::Color;
use super::scene::{INK, Point, Shape};

const PALE: Color = Color(0xee, 0xf4, 0xf9);
const DARK: Color = Color(0x00, 0x5a, 0x8e);

/// What is known of a pair of settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// Nothing: it was not tried, or failed. Drawn as nothing.
    Blank,
    /// A run diverged. Drawn as a cross.
    Diverged,
    /// The score.
    Score(f64),
}

impl Cell {
    pub(super) fn score(self) -> Option<f64> {
        if let Self::Score(score) = self { Some(score) } else { None }
    }
}

/// How good a score is among the others.
pub(super) struct Shade {
    scale: Scale,
    worst: f64,
    best: f64,
}

impl Shade {
    pub(super) fn of(cells: impl Iterator<Item = Cell> + Clone, higher_is_better: bool) -> Self {
        let scores = cells.filter_map(Cell::score);
        let scale = Scale::auto(scores.clone());
        let places = || scores.clone().filter_map(|x| scale.forward(x));
        let (low, high) = (places().fold(f64::INFINITY, f64::min), places().fold(f64::NEG_INFINITY, f64::max));
        let (worst, best) = if higher_is_better { (low, high) } else { (high, low) };
        Self { scale, worst, best }
    }

    /// 0 is the worst, 1 the best; what cannot be shown is the worst.
    pub(super) fn share(&self, value: f64) -> f64 {
        let place = self.scale.forward(value).unwrap_or(self.worst);
        let share = (place - self.worst) / (self.best - self.worst);
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }

    pub(super) fn color(&self, value: f64) -> Color {
        let share = self.share(value);
        let part = |from: u8, to: u8| (f64::from(from) + share * (f64::from(to) - f64::from(from))).round() as u8;
        Color(part(PALE.0, DARK.0), part(PALE.1, DARK.1), part(PALE.2, DARK.2))
    }
}

/// The cross of settings at which a run diverged.
pub(super) fn cross(at: Point) -> [Shape; 2] {
    marker::cross(at, 6.0, INK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_dark() {
        let cells = [Cell::Score(2.0), Cell::Blank, Cell::Score(1.0), Cell::Diverged];
        let shade = Shade::of(cells.into_iter(), false);
        assert_eq!([shade.share(1.0), shade.share(2.0), shade.share(f64::NAN)], [1.0, 0.0, 0.0]);
        assert_eq!((shade.color(2.0), shade.color(1.0)), (PALE, DARK));
        assert_eq!(Shade::of(cells.into_iter(), true).color(2.0), DARK);
        assert_eq!(Shade::of([Cell::Blank].into_iter(), true).share(1.0), 0.0);
    }
}
