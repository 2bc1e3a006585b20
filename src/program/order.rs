//! What a program may say when: steps rise, and the last evaluation is at the end.

use crate::metric::Metric;
use crate::program::line::Line;
use crate::registry::choices;
use crate::task::Split;
use crate::train::Course;

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The last update that was told.
    update: Option<u64>,
    /// The last evaluation on each split.
    evaluations: Vec<(Split, u64)>,
    /// The step of the last evaluation on validation.
    validated: Option<u64>,
    /// The metrics of the last evaluation on validation.
    measured: Vec<Metric>,
}

impl Order {
    /// Takes note of a measurement.
    ///
    /// # Errors
    /// In words for the user, where it cannot come here.
    pub(super) fn check(&mut self, line: &Line, course: &Course) -> Result<(), String> {
        let steps = course.steps;
        match line {
            Line::Update { step, .. } => {
                let evaluated = self.evaluations.iter().map(|(_, step)| *step).max();
                if *step == 0 {
                    return Err("an update is at step 0; expected 1 for the first update".into());
                }
                if *step > steps {
                    return Err(format!("an update is at step {step}; the run ends at step {steps}"));
                }
                if let Some(before) = self.update.filter(|before| step <= before).or(evaluated.filter(|at| step < at)) {
                    return Err(format!(
                        "an update at step {step} comes after step {before}; expected steps that rise"
                    ));
                }
                self.update = Some(*step);
            }
            Line::Evaluation { step, split, scores } => {
                let (step, name) = (step.unwrap_or(steps), split.name());
                if step > steps {
                    return Err(format!("an evaluation on `{name}` is at step {step}; the run ends at step {steps}"));
                }
                let known = self.evaluations.iter_mut().find(|(known, _)| known == split);
                let before = known.as_ref().map(|(_, before)| *before).filter(|before| step <= *before);
                if let Some(before) = before.or(self.update.filter(|update| step < *update)) {
                    return Err(format!(
                        "an evaluation on `{name}` at step {step} comes after step {before}; expected steps that rise"
                    ));
                }
                match known {
                    Some(known) => known.1 = step,
                    None => self.evaluations.push((*split, step)),
                }
                if *split == Split::Validation {
                    self.validated = Some(step);
                    self.measured = scores.iter().map(|(metric, _)| metric).collect();
                }
            }
        }
        Ok(())
    }

    /// What is missing at the end of a run, in words for the user.
    ///
    /// # Errors
    /// Where something is.
    pub(super) fn complete(&self, course: &Course, metrics: &[Metric]) -> Result<(), String> {
        let steps = course.steps;
        match self.validated {
            Some(last) if last == steps => {}
            last => {
                let found = match last {
                    Some(last) => format!("the last evaluation on validation is at step {last}"),
                    None => "it printed no evaluation on validation".into(),
                };
                return Err(format!(
                    "{found}; expected one at the last step, {steps}, such as {{\"step\": {steps}, \"split\": \"val\", \"{}\": 0.5}}",
                    metrics.first().map_or("loss", |metric| metric.name())
                ));
            }
        }
        let missing: Vec<&str> =
            metrics.iter().filter(|metric| !self.measured.contains(metric)).map(|metric| metric.name()).collect();
        if !missing.is_empty() {
            return Err(format!(
                "the last evaluation on validation has no {}",
                choices(&missing).replace(" or ", " and ")
            ));
        }
        Ok(())
    }

    /// The last step that was heard of.
    pub(super) fn reached(&self) -> u64 {
        self.evaluations.iter().map(|(_, step)| *step).chain(self.update).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Scores;

    fn course() -> Course {
        Course { steps: 10, eval_every: 5, horizons: Vec::new() }
    }

    fn update(step: u64) -> Line {
        Line::Update { step, loss: Some(1.0), lr: None, grad_norm: None }
    }

    fn evaluation(split: Split, step: u64) -> Line {
        Line::Evaluation { step: Some(step), split, scores: Scores::of_loss(1.0) }
    }

    #[test]
    fn steps_rise_and_the_end_is_evaluated() {
        let mut order = Order::default();
        let mut check = |line: Line| order.check(&line, &course());
        check(evaluation(Split::Validation, 0)).unwrap();
        check(update(1)).unwrap();
        check(update(5)).unwrap();
        check(evaluation(Split::Validation, 5)).unwrap();
        check(evaluation(Split::Test, 5)).unwrap();
        for line in [update(5), update(4), evaluation(Split::Validation, 5), evaluation(Split::Test, 4)] {
            assert!(check(line.clone()).unwrap_err().contains("expected steps that rise"), "{line:?}");
        }
        assert!(check(update(11)).unwrap_err().contains("the run ends at step 10"));
        assert!(check(update(0)).unwrap_err().contains("expected 1"));
        let complete = |order: &Order| order.complete(&course(), &[Metric::LOSS]);
        assert!(complete(&order).unwrap_err().contains("is at step 5; expected one at the last step, 10"));
        order.check(&evaluation(Split::Validation, 10), &course()).unwrap();
        assert_eq!((complete(&order), order.reached()), (Ok(()), 10));
        let said = order.complete(&course(), &[Metric::ACCURACY, Metric::LOSS]).unwrap_err();
        assert!(said.ends_with("has no `accuracy`"), "{said}");
        assert!(complete(&Order::default()).unwrap_err().contains("printed no evaluation"));
    }
}
