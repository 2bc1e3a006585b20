//! One schedule after another.

use crate::metric::{Metric, Scores};
use crate::registry::{About, Accepts, Key};
use crate::schedule::parts::{self, Part};
use crate::schedule::{Definition, Point, Schedule, Span, misfit};
use crate::settings::Settings;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "sequential",
        revision: 1,
        summary: "one schedule after another, each from its own start",
        equations: "\
factor(t) = factor_i(t - start_i)      i: the last part with start_i <= t
start_i   = length_1 + .. + length_(i-1)
momentum: that of part i, or the optimizer's own where it moves none",
        keys: &[Key::required(
            "parts",
            Accepts::Schedules,
            "the schedules in order, each with its `length`; the last takes the rest of the run if it has none",
        )],
        source: "torch.optim.lr_scheduler.SequentialLR",
    },
    build,
};

fn build(settings: &Settings, span: &Span) -> Result<Box<dyn Schedule>, String> {
    let listed = parts::settings(settings)?;
    let (mut built, mut start): (Vec<Part>, u64) = (Vec::new(), 0);
    for (place, part) in listed.iter().enumerate() {
        let rest = Span { steps: span.steps.saturating_sub(start), ..*span };
        let named = |problem| format!("{}: {problem}", parts::name(part, place));
        let steps = if part.get("length").is_some() {
            rest.stretch(part, "length").map_err(named)?
        } else if place + 1 == listed.len() {
            rest.steps
        } else {
            return Err(named("it has no `length`, which only the last part may leave out".into()));
        };
        built.push(Part::build(part, place, start, &Span { steps, ..*span })?);
        start = start.saturating_add(steps);
    }
    Ok(Box::new(Sequential { parts: built }))
}

struct Sequential {
    parts: Vec<Part>,
}

impl Sequential {
    /// The place of the part that holds for the update after `t` updates.
    fn place(&self, t: u64) -> usize {
        self.parts.partition_point(|part| part.start <= t) - 1
    }
}

impl Schedule for Sequential {
    fn at(&self, t: u64) -> Point {
        self.parts[self.place(t)].at(t)
    }

    /// Only the part that made the last update listens: none hears of what was before it.
    fn observe(&mut self, t: u64, scores: &Scores) {
        let place = self.place(t.saturating_sub(1));
        self.parts[place].observe(t, scores);
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
        let mut warnings = Vec::new();
        for (place, part) in self.parts.iter().enumerate() {
            let left = steps.saturating_sub(part.start);
            if left == 0 {
                warnings.push(format!("{} never starts; make the parts before it shorter", part.name));
                continue;
            }
            let last = place + 1 == self.parts.len();
            if last && part.steps < left {
                let so = "it goes on past its length; leave that out to fill the run";
                warnings.push(format!("{}: {}", part.name, misfit("length", part.steps, left, so)));
            }
            warnings.extend(part.warnings(if last { left } else { left.min(part.steps) }));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_factors, build, loss, refusal, settings};
    use crate::settings::{Settings, Value};

    fn sequential(parts: Vec<Settings>) -> Settings {
        settings("sequential").with("parts", parts.into_iter().map(Value::from).collect::<Vec<_>>())
    }

    fn lasting(kind: &str, length: Length) -> Settings {
        settings(kind).with("length", length)
    }

    #[test]
    fn each_part_starts_at_its_own_step_0_and_the_last_takes_the_rest() {
        let rise = lasting("linear", Length::Percent(10.0)).with("start", 0.0).with("end", 1.0);
        let whole = build(&sequential(vec![rise, settings("cosine")]), 100);
        assert_factors(&*whole, [0, 5, 9, 10, 55, 100], [0.0, 0.5, 0.9, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn a_part_may_have_a_warmup_and_parts_of_its_own() {
        let warm = lasting("constant", Length::Steps(8)).with("warmup", Length::Steps(4));
        let inner = sequential(vec![lasting("constant", Length::Steps(2)), settings("linear")]);
        let whole = build(&sequential(vec![warm, inner]), 20);
        assert_factors(&*whole, [0, 3, 7, 8, 10, 15, 20], [0.25, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn what_is_wrong_with_a_part_is_said_with_its_place() {
        assert_eq!(
            refusal(&sequential(vec![settings("linear"), settings("cosine")]), 10),
            "part 1 (`linear`): it has no `length`, which only the last part may leave out"
        );
        assert_eq!(refusal(&sequential(vec![]), 10), "`parts` is empty; expected at least one schedule");
        let flat = settings("step").with("every", Length::ZERO);
        assert_eq!(
            refusal(&sequential(vec![lasting("constant", Length::Steps(1)), flat]), 10),
            "part 2 (`step`): `every` is 0 steps; expected at least 1"
        );
        let epochs = lasting("constant", Length::Epochs(1.0));
        assert!(
            refusal(&sequential(vec![epochs]), 10).starts_with("part 1 (`constant`): `length`: there are no epochs")
        );
    }

    #[test]
    fn a_plateau_listens_while_it_is_its_turn() {
        let plateau = || settings("reduce_on_plateau").with("patience", 0).with("factor", 0.5);
        let parts = vec![plateau().with("length", Length::Steps(10)), plateau()];
        let mut whole = build(&sequential(parts.clone()), 20);
        for t in [2, 4, 6, 8, 10, 12] {
            whole.observe(t, &loss(1.0));
        }
        // The first evaluation sets the mark: four drops, then the second part has but heard its first.
        assert_factors(&*whole, [9, 10], [0.0625, 1.0]);

        let mut continued = build(&sequential(parts), 20);
        continued.restore(&whole.state());
        for schedule in [&mut whole, &mut continued] {
            schedule.observe(14, &loss(1.0));
            assert_factors(&**schedule, [9, 19], [0.0625, 0.5]);
        }
    }

    #[test]
    fn parts_that_do_not_fit_the_run_are_pointed_out() {
        let warned = |lengths: [u64; 3]| {
            let parts = lengths.map(|length| lasting("linear", Length::Steps(length)));
            build(&sequential(parts.to_vec()), 10).warnings(10)
        };
        assert!(warned([3, 3, 4]).is_empty());
        assert_eq!(
            warned([5, 6, 4]),
            [
                "part 2 (`linear`): `over` is 6 steps and the schedule lasts 5 steps: it is cut short on its way; \
                 make it at most as long",
                "part 3 (`linear`) never starts; make the parts before it shorter",
            ]
        );
        assert_eq!(
            warned([3, 3, 3]),
            ["part 3 (`linear`): `length` is 3 steps and the schedule lasts 4 steps: \
              it goes on past its length; leave that out to fill the run"]
        );
    }
}
