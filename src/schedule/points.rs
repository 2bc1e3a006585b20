//! A curve through points of one's own.

use crate::choice::Choice;
use crate::length::Length;
use crate::registry::{About, Accepts, Key};
use crate::schedule::{Definition, Point, Schedule, Span, curve};
use crate::settings::{Settings, Value};

const POINTS: &str = "points";

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "points",
        revision: 1,
        summary: "through points of your own, by lines, half cosines or steps",
        equations: "\
points = [[0, 0], [\"5%\", 1], [\"100%\", 0]]      each a time and the factor there; flat before the first and after the last
between (a, u) and (b, v), with p = (t - a) / (b - a):
factor(t) = u + (v - u) p                        interpolation = \"linear\"
          = v + (u - v) (1 + cos(pi p)) / 2      interpolation = \"cosine\"
          = u                                    interpolation = \"step\"",
        keys: &[
            Key::required(POINTS, Accepts::Points, "times, rising, each with the factor there"),
            Key::choice("interpolation", Between::WORDS, "linear", "the curve between two points"),
        ],
        source: "optax.piecewise_interpolate_schedule, which multiplies where this states the factors",
    },
    build: |settings, span| Ok(Box::new(Points::new(settings, span)?)),
};

crate::choice! {
    /// The curve between two points.
    enum Between { Linear = "linear", Cosine = "cosine", Step = "step" }
}

struct Points {
    points: Vec<(u64, f64)>,
    between: Between,
}

impl Points {
    fn new(settings: &Settings, span: &Span) -> Result<Self, String> {
        let mut points: Vec<(u64, f64)> = Vec::new();
        for point in settings.list(POINTS) {
            let Value::List(pair) = point else { continue };
            let (Some(time), Some(factor)) =
                (pair.first().and_then(Value::as_length), pair.get(1).and_then(Value::as_float))
            else {
                continue;
            };
            let mut at = time.in_steps(&span.timeline).map_err(|problem| format!("`{POINTS}`: {problem}"))?;
            if matches!(time, Length::Percent(_)) {
                // As other curves do, it ends with the run where a warmup comes first.
                at = at.min(span.steps);
            }
            if let Some((before, _)) = points.last().filter(|(before, _)| at <= *before) {
                return Err(format!(
                    "`{POINTS}`: the point at {time} is step {at}, after one at step {before}; expected times that rise"
                ));
            }
            points.push((at, factor));
        }
        if points.is_empty() {
            return Err(format!("`{POINTS}` is empty; expected at least one point"));
        }
        Ok(Self { points, between: settings.choice("interpolation") })
    }
}

impl Schedule for Points {
    fn at(&self, t: u64) -> Point {
        let after = self.points.partition_point(|(at, _)| *at <= t);
        let (before, next) = (after.checked_sub(1).map(|place| self.points[place]), self.points.get(after));
        let factor = match (before, next) {
            (None, Some(&(_, factor))) | (Some((_, factor)), None) => factor,
            (Some((a, u)), Some(&(b, v))) => {
                let p = (t - a) as f64 / (b - a) as f64;
                match self.between {
                    Between::Linear => curve::linear(u, v, p),
                    Between::Cosine => curve::cosine(u, v, p),
                    Between::Step => u,
                }
            }
            (None, None) => 1.0,
        };
        factor.into()
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        self.points.last().map_or_else(Vec::new, |(last, _)| curve::cut_short(POINTS, *last, steps))
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_factors, build, refusal, settings};
    use crate::settings::{Settings, Value};

    fn points(points: &[(Length, f64)]) -> Settings {
        let points = points.iter().map(|(time, factor)| Value::List(vec![Value::Length(*time), Value::Float(*factor)]));
        settings("points").with("points", Value::List(points.collect()))
    }

    #[test]
    fn it_passes_through_its_points_and_is_flat_outside() {
        let trapezoid = points(&[(Length::Steps(2), 0.5), (Length::Steps(4), 1.0), (Length::Percent(100.0), 0.0)]);
        assert_factors(&*build(&trapezoid, 8), [0, 2, 3, 4, 6, 8, 80], [0.5, 0.5, 0.75, 1.0, 0.5, 0.0, 0.0]);
        let steps = trapezoid.clone().with("interpolation", "step");
        assert_factors(&*build(&steps, 8), [0, 3, 4, 7, 8], [0.5, 0.5, 1.0, 1.0, 0.0]);
        let cosine = trapezoid.with("interpolation", "cosine");
        assert_factors(&*build(&cosine, 8), [3, 6], [0.75, 0.5]);
        // After a warmup the last point is still the end of the run.
        let warm = points(&[(Length::Steps(0), 1.0), (Length::Percent(100.0), 0.0)]).with("warmup", Length::Steps(4));
        assert_factors(&*build(&warm, 8), [3, 4, 6, 8], [1.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn times_that_do_not_rise_are_refused() {
        let twice = points(&[(Length::Steps(2), 0.5), (Length::Percent(20.0), 1.0)]);
        assert!(
            refusal(&twice, 10).contains("the point at 20% is step 2, after one at step 2"),
            "{}",
            refusal(&twice, 10)
        );
        assert!(refusal(&points(&[]), 10).contains("is empty"));
    }
}
