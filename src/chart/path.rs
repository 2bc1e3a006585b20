//! Lines on the page: cut at the frame, thinned to what can be seen, and split into dashes.

use super::scene::Point;

/// The inside of the plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Frame {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn contains(&self, (x, y): Point) -> bool {
        (self.left - 1e-6..=self.right + 1e-6).contains(&x) && (self.top - 1e-6..=self.bottom + 1e-6).contains(&y)
    }

    /// The part of a segment that lies inside (Liang and Barsky).
    fn segment(&self, a: Point, b: Point) -> Option<(Point, Point)> {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        let walls = [(-dx, a.0 - self.left), (dx, self.right - a.0), (-dy, a.1 - self.top), (dy, self.bottom - a.1)];
        for (toward, distance) in walls {
            if toward == 0.0 {
                if distance < 0.0 {
                    return None;
                }
            } else if toward < 0.0 {
                enter = enter.max(distance / toward);
            } else {
                leave = leave.min(distance / toward);
            }
        }
        let on = |t: f64| (a.0 + t * dx, a.1 + t * dy);
        (enter <= leave).then(|| (on(enter), on(leave)))
    }

    /// The pieces of a line that lie inside.
    pub(super) fn clip(&self, line: &[Point]) -> Vec<Vec<Point>> {
        let mut pieces: Vec<Vec<Point>> = Vec::new();
        for pair in line.windows(2) {
            let Some((from, to)) = self.segment(pair[0], pair[1]) else { continue };
            match pieces.last_mut() {
                Some(piece) if piece.last().is_some_and(|p| near(*p, from)) => piece.push(to),
                _ => pieces.push(vec![from, to]),
            }
        }
        pieces
    }

    /// The part of an outline that lies between the upper and the lower edge, and between left and right.
    pub(super) fn clip_area(&self, outline: &[Point]) -> Vec<Point> {
        let swap = |p: &Point| (p.1, p.0);
        let wide = below(&below(outline, self.bottom, 1.0), self.top, -1.0);
        let turned: Vec<Point> = wide.iter().map(swap).collect();
        below(&below(&turned, self.right, 1.0), self.left, -1.0).iter().map(swap).collect()
    }
}

/// The part of an outline where `sign * y <= sign * limit` (one step of Sutherland and Hodgman).
fn below(outline: &[Point], limit: f64, sign: f64) -> Vec<Point> {
    let mut kept = Vec::with_capacity(outline.len());
    let Some(mut a) = outline.last().copied() else { return kept };
    for &b in outline {
        let (inside_a, inside_b) = (sign * a.1 <= sign * limit, sign * b.1 <= sign * limit);
        if inside_a != inside_b {
            let t = (limit - a.1) / (b.1 - a.1);
            kept.push((a.0 + t * (b.0 - a.0), limit));
        }
        if inside_b {
            kept.push(b);
        }
        a = b;
    }
    kept
}

fn near(a: Point, b: Point) -> bool {
    (a.0 - b.0).abs() < 1e-6 && (a.1 - b.1).abs() < 1e-6
}

/// The same line with at most four points (first, lowest, highest, last) in each half unit of width.
///
/// A run of a million steps looks the same with 2,000 points, and its file stays small.
pub(super) fn thin(line: &[Point]) -> Vec<Point> {
    let column = |p: &Point| (p.0 * 2.0).floor() as i64;
    let mut kept: Vec<Point> = Vec::new();
    for run in line.chunk_by(|a, b| column(a) == column(b)) {
        if run.len() <= 4 {
            kept.extend_from_slice(run);
            continue;
        }
        let by_height = |a: &usize, b: &usize| run[*a].1.total_cmp(&run[*b].1);
        let last = run.len() - 1;
        let low = (0..=last).min_by(by_height).unwrap_or(0);
        let high = (0..=last).max_by(by_height).unwrap_or(last);
        let mut places = vec![0, low.min(high), low.max(high), last];
        places.dedup();
        kept.extend(places.into_iter().map(|i| run[i]));
    }
    kept
}

/// The strokes of a line under a pattern of strokes and gaps.
pub(super) fn dashes(line: &[Point], pattern: &[f64]) -> Vec<Vec<Point>> {
    if pattern.is_empty() || line.len() < 2 {
        return vec![line.to_vec()];
    }
    let mut strokes = Vec::new();
    let (mut place, mut left) = (0, pattern[0]);
    let mut stroke = vec![line[0]];
    for pair in line.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        let mut rest = (to.0 - from.0).hypot(to.1 - from.1);
        while rest > left {
            let t = left / rest;
            from = (from.0 + t * (to.0 - from.0), from.1 + t * (to.1 - from.1));
            rest -= left;
            if place % 2 == 0 {
                stroke.push(from);
                strokes.push(std::mem::take(&mut stroke));
            } else {
                stroke = vec![from];
            }
            place = (place + 1) % pattern.len();
            left = pattern[place];
        }
        left -= rest;
        if place % 2 == 0 {
            stroke.push(to);
        }
    }
    if stroke.len() > 1 {
        strokes.push(stroke);
    }
    strokes
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };

    #[test]
    fn lines_are_cut_where_they_leave() {
        let pieces = FRAME.clip(&[(0.0, 5.0), (5.0, 5.0), (5.0, -5.0), (8.0, -5.0), (8.0, 5.0)]);
        assert_eq!(pieces, [vec![(0.0, 5.0), (5.0, 5.0), (5.0, 0.0)], vec![(8.0, 0.0), (8.0, 5.0)]]);
        assert!(FRAME.clip(&[(1.0, -1.0), (9.0, -3.0)]).is_empty());
        assert!(FRAME.clip(&[(1.0, 1.0)]).is_empty());
    }

    #[test]
    fn areas_are_cut_on_all_sides() {
        let cut = FRAME.clip_area(&[(-5.0, -5.0), (15.0, -5.0), (15.0, 15.0), (-5.0, 15.0)]);
        assert!(cut.iter().all(|p| FRAME.contains(*p)));
        assert!(cut.len() >= 4);
        assert!(FRAME.clip_area(&[]).is_empty());
    }

    #[test]
    fn thinning_keeps_peaks() {
        let line: Vec<Point> =
            (0..10_000).map(|i| (f64::from(i) / 1000.0, if i == 5003 { 9.0 } else { 1.0 })).collect();
        let thin = thin(&line);
        assert!(thin.len() <= 80, "{}", thin.len());
        assert!(thin.contains(&(5.003, 9.0)));
        assert_eq!((thin.first(), thin.last()), (line.first(), line.last()));
    }

    #[test]
    fn dashes_go_round_corners() {
        let strokes = dashes(&[(0.0, 0.0), (4.0, 0.0), (4.0, 6.0)], &[3.0, 2.0]);
        assert_eq!(strokes, [vec![(0.0, 0.0), (3.0, 0.0)], vec![(4.0, 1.0), (4.0, 4.0)]]);
        assert_eq!(dashes(&[(0.0, 0.0), (4.0, 0.0)], &[]).len(), 1);
    }
}
