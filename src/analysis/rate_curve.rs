//! A smooth curve through the scores at the learning rates that were tried.

/// How many places are looked at between two points before a minimum is refined.
const LOOKS: usize = 8;

/// By how much the bend at a point may exceed that at a neighbour.
const MOST_BEND: f64 = 4.0;

/// A curve through points: between two of them, the parabolas through each and its neighbours, blended from the
/// one to the other (Overhauser 1968). It is a parabola where the points lie on one.
///
/// Beside a cliff (a rate at which training falls apart) a parabola would dip far below the points: the second
/// derivative at a point is limited to four times that at each neighbour.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    x: Vec<f64>,
    y: Vec<f64>,
    /// The second derivative of the parabola at each point.
    bend: Vec<f64>,
    /// The area from the first point to each.
    area: Vec<f64>,
}

impl Curve {
    /// Through three points or more; `x` rises.
    pub(super) fn new(x: Vec<f64>, y: Vec<f64>) -> Self {
        let slope = |i: usize| (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
        let inner: Vec<f64> =
            (1..x.len() - 1).map(|i| 2.0 * (slope(i) - slope(i - 1)) / (x[i + 1] - x[i - 1])).collect();
        let limited = |i: usize| {
            let neighbours = [i.checked_sub(1), Some(i + 1)].into_iter().flatten().filter_map(|j| inner.get(j));
            let most = neighbours.map(|bend| MOST_BEND * bend.abs()).fold(f64::INFINITY, f64::min);
            inner[i].clamp(-most, most)
        };
        let bend: Vec<f64> = (0..x.len()).map(|i| limited(i.saturating_sub(1).min(inner.len() - 1))).collect();
        let mut curve = Self { x, y, bend, area: vec![0.0] };
        for i in 1..curve.x.len() {
            curve.area.push(curve.area[i - 1] + curve.piece(i - 1, 1.0));
        }
        curve
    }

    /// The first and the last x.
    pub(super) fn range(&self) -> (f64, f64) {
        (self.x[0], self.x[self.x.len() - 1])
    }

    /// The height at a place in the range.
    pub(super) fn at(&self, x: f64) -> f64 {
        let (i, s) = self.place(x);
        let gap = self.x[i + 1] - self.x[i];
        let bend = (1.0 - s) * self.bend[i] + s * self.bend[i + 1];
        (1.0 - s) * self.y[i] + s * self.y[i + 1] - 0.5 * gap * gap * s * (1.0 - s) * bend
    }

    /// The mean height between two places in the range.
    pub(super) fn mean(&self, low: f64, high: f64) -> f64 {
        let area = |x: f64| {
            let (i, s) = self.place(x);
            self.area[i] + self.piece(i, s)
        };
        (area(high) - area(low)) / (high - low)
    }

    /// Where the curve is lowest.
    pub(super) fn lowest(&self) -> f64 {
        self.minimum(self.range().1, |x| self.at(x))
    }

    /// Where the window of a width starts over which the mean height is lowest.
    pub(super) fn best_window(&self, width: f64) -> f64 {
        self.minimum(self.range().1 - width, |low| self.mean(low, low + width))
    }

    /// The curve through points of this one: each but the ends moved by a share of the gap to a neighbour, up
    /// where it is positive.
    pub(super) fn resampled(&self, share: f64) -> Self {
        let last = self.x.len() - 1;
        let moved = |i: usize| match i {
            0 => self.x[0],
            _ if i == last => self.x[last],
            _ if share > 0.0 => self.x[i] + share * (self.x[i + 1] - self.x[i]),
            _ => self.x[i] + share * (self.x[i] - self.x[i - 1]),
        };
        let x: Vec<f64> = (0..=last).map(moved).collect();
        let y = x.iter().map(|x| self.at(*x)).collect();
        Self::new(x, y)
    }

    /// The interval that holds a place, and how far into it that is.
    fn place(&self, x: f64) -> (usize, f64) {
        let i = self.x.partition_point(|point| *point <= x).clamp(1, self.x.len() - 1) - 1;
        (i, ((x - self.x[i]) / (self.x[i + 1] - self.x[i])).clamp(0.0, 1.0))
    }

    /// The area over the first share of an interval: the integral of [`Curve::at`].
    fn piece(&self, i: usize, s: f64) -> f64 {
        let gap = self.x[i + 1] - self.x[i];
        let [s2, s3, s4] = [s * s / 2.0, s.powi(3) / 3.0, s.powi(4) / 4.0];
        let line = self.y[i] * (s - s2) + self.y[i + 1] * s2;
        let bend = self.bend[i] * (s2 - 2.0 * s3 + s4) + self.bend[i + 1] * (s3 - s4);
        gap * (line - 0.5 * gap * gap * bend)
    }

    /// The place of the minimum of a function between the first point and `last`.
    fn minimum(&self, last: f64, height: impl Fn(f64) -> f64) -> f64 {
        let first = self.x[0];
        let steps = LOOKS * self.x.len();
        let step = (last - first) / steps as f64;
        if step <= 0.0 {
            return first;
        }
        let looked: Vec<f64> = (0..=steps).map(|i| height(first + step * i as f64)).collect();
        let best = (0..=steps).fold(0, |best, i| if looked[i] < looked[best] { i } else { best });
        let (mut low, mut high) =
            (first + step * best.saturating_sub(1) as f64, first + step * (best + 1).min(steps) as f64);
        // Golden section; the ends stay, so that a minimum at an end is found there.
        let golden = 0.5 * (5.0f64.sqrt() - 1.0);
        for _ in 0..24 {
            let (a, b) = (high - golden * (high - low), low + golden * (high - low));
            if height(a) <= height(b) { high = b } else { low = a }
        }
        [0.5 * (low + high), first, last].into_iter().min_by(|a, b| height(*a).total_cmp(&height(*b))).unwrap_or(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[f64], f: impl Fn(f64) -> f64) -> Curve {
        Curve::new(points.to_vec(), points.iter().map(|x| f(*x)).collect())
    }

    #[test]
    fn a_parabola_stays_one_whatever_its_points() {
        let parabola = |x: f64| 2.0 * (x - 0.3).powi(2) + 1.0;
        for points in [[-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0], [-3.0, -2.5, -0.7, 0.1, 1.9, 2.0, 3.0]] {
            let curve = curve(&points, parabola);
            for x in [-3.0, -1.6, 0.0, 0.4, 2.2, 3.0] {
                assert!((curve.at(x) - parabola(x)).abs() < 1e-12, "{x}");
            }
            assert!((curve.lowest() - 0.3).abs() < 1e-6);
            // The mean of 2 x^2 over -2 to 2 is 8 / 3.
            let low = curve.best_window(4.0);
            assert!((low + 1.7).abs() < 1e-4 && (curve.mean(low, low + 4.0) - 11.0 / 3.0).abs() < 1e-8, "{low}");
            let again = curve.resampled(0.4).resampled(-0.3);
            assert!((again.at(0.9) - parabola(0.9)).abs() < 1e-12);
        }
    }

    #[test]
    fn the_mean_is_that_of_the_heights() {
        let curve = curve(&[0.0, 1.0, 1.5, 3.0, 4.0], |x| (2.0 * x).sin() + x);
        let steps = 20_000;
        let (low, high) = (0.2, 3.7);
        let heights = (0..steps).map(|i| curve.at(low + (high - low) * (f64::from(i) + 0.5) / f64::from(steps)));
        let mean = heights.sum::<f64>() / f64::from(steps);
        assert!((curve.mean(low, high) - mean).abs() < 1e-8, "{mean}");
    }

    #[test]
    fn a_cliff_digs_no_hole() {
        let curve = curve(&[0.0, 1.0, 2.0, 3.0, 4.0], |x| if x > 2.5 { 1000.0 } else { 0.1 * (x - 1.5).powi(2) });
        assert!(curve.at(curve.lowest()) > -0.1, "{}", curve.at(curve.lowest()));
    }
}
