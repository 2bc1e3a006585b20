//! Several schedules at once.

use crate::metric::{Metric, Scores};
use crate::registry::{About, Accepts, Key};
use crate::schedule::parts::{self, Part};
use crate::schedule::{Definition, Point, Schedule, Span};
use crate::settings::Settings;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "chained",
        revision: 1,
        summary: "the product of several schedules",
        equations: "\
factor(t) = factor_1(t) factor_2(t) ..
momentum: of the last part that moves it",
        keys: &[Key::required("parts", Accepts::Schedules, "the schedules whose factors are multiplied")],
        source: "torch.optim.lr_scheduler.ChainedScheduler",
    },
    build,
};

fn build(settings: &Settings, span: &Span) -> Result<Box<dyn Schedule>, String> {
    let build = |(place, part): (usize, &&Settings)| {
        if part.get("length").is_some() {
            return Err(format!(
                "{}: `length` has no meaning here, as chained parts all last to the end; leave it out",
                parts::name(part, place)
            ));
        }
        Part::build(part, place, 0, span)
    };
    let parts = parts::settings(settings)?.iter().enumerate().map(build).collect::<Result<_, _>>()?;
    Ok(Box::new(Chained { parts }))
}

struct Chained {
    parts: Vec<Part>,
}

impl Schedule for Chained {
    fn at(&self, t: u64) -> Point {
        self.parts.iter().map(|part| part.at(t)).fold(Point::from(1.0), |product, point| Point {
            momentum: point.momentum.or(product.momentum),
            ..Point::from(product.factor * point.factor)
        })
    }

    fn observe(&mut self, t: u64, scores: &Scores) {
        for part in &mut self.parts {
            part.observe(t, scores);
        }
    }

    fn watches(&self) -> Vec<Metric> {
        parts::watches(&self.parts)
    }

    fn state(&self) -> Vec<f64> {
        parts::state(&self.parts)
    }

    fn restore(&mut self, state: &[f64]) {
        parts::restore(&mut self.parts, state);
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        self.parts.iter().flat_map(|part| part.warnings(steps)).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_factors, build, loss, refusal, settings};
    use crate::settings::{Settings, Value};

    fn chained(parts: Vec<Settings>) -> Settings {
        settings("chained").with("parts", parts.into_iter().map(Value::from).collect::<Vec<_>>())
    }

    #[test]
    fn factors_multiply_and_the_last_momentum_holds() {
        let step = settings("step").with("every", Length::Steps(5)).with("gamma", 0.5);
        let whole = build(&chained(vec![settings("one_cycle"), settings("linear"), step]), 10);
        let cycle = build(&settings("one_cycle"), 10);
        for (t, factor) in [(0, 1.0), (4, 0.6), (5, 0.25), (9, 0.05)] {
            assert!((whole.at(t).factor - factor * cycle.at(t).factor).abs() < 1e-15, "{t}");
            assert_eq!(whole.at(t).momentum, cycle.at(t).momentum);
        }
    }

    #[test]
    fn plateaus_keep_apart_what_they_learn() {
        let plateau = |patience: i64, factor: f64| {
            settings("reduce_on_plateau").with("patience", patience).with("factor", factor)
        };
        let settings = chained(vec![plateau(0, 0.5), settings("linear"), chained(vec![plateau(1, 0.1)])]);
        let mut whole = build(&settings, 10);
        for t in 1..=3 {
            whole.observe(t, &loss(1.0));
        }
        let mut continued = build(&settings, 10);
        continued.restore(&whole.state());
        assert_eq!(continued.state().len(), 8);
        for schedule in [&whole, &continued] {
            assert_factors(&**schedule, [5], [0.25 * 0.5 * 0.1]);
        }
    }

    #[test]
    fn endless_growth_times_0_is_0() {
        let growth = settings("exponential").with("gamma", 1e9).with("every", Length::Steps(1));
        let whole = build(&chained(vec![growth.clone(), growth, settings("linear")]), 100);
        assert_factors(&*whole, [100], [0.0]);
    }

    #[test]
    fn what_is_wrong_with_a_part_is_said_with_its_place() {
        let long = settings("linear").with("length", Length::Steps(5));
        assert_eq!(
            refusal(&chained(vec![settings("cosine"), long]), 10),
            "part 2 (`linear`): `length` has no meaning here, as chained parts all last to the end; leave it out"
        );
        assert_eq!(refusal(&chained(vec![]), 10), "`parts` is empty; expected at least one schedule");
        let slow = settings("step").with("every", Length::Steps(20));
        assert!(build(&chained(vec![slow]), 10).warnings(10)[0].starts_with("part 1 (`step`): `every` is 20 steps"));
    }
}
