//! A drop at each of some milestones.

use crate::length::Length;
use crate::registry::{About, Accepts, Bounds, Key};
use crate::schedule::{Definition, Point, Schedule, Span};
use crate::settings::{Settings, Value};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "multi_step",
        revision: 1,
        summary: "multiply by gamma at each milestone",
        equations: "factor(t) = gamma^(number of milestones <= t)",
        keys: &[
            Key::required(
                "milestones",
                Accepts::Lengths,
                "when the drops come, counted from the end of a warmup (as by torch's SequentialLR; its MultiStepLR alone \
                 counts from the start); one that is listed twice drops twice",
            ),
            Key::float("gamma", 0.1, Bounds::POSITIVE, "what each drop multiplies by"),
        ],
        source: "torch.optim.lr_scheduler.MultiStepLR",
    },
    build: |settings, span| {
        Ok(Box::new(MultiStep { milestones: milestones(settings, span)?, gamma: settings.float("gamma") }))
    },
};

fn milestones(settings: &Settings, span: &Span) -> Result<Vec<u64>, String> {
    let durations = settings.list("milestones").iter().filter_map(Value::as_length);
    let steps = durations.map(|duration| duration.in_steps(&span.timeline));
    steps.collect::<Result<_, _>>().map_err(|problem| format!("`milestones`: {problem}"))
}

struct MultiStep {
    milestones: Vec<u64>,
    gamma: f64,
}

impl Schedule for MultiStep {
    fn at(&self, t: u64) -> Point {
        let passed = self.milestones.iter().filter(|&&milestone| milestone <= t).count();
        self.gamma.powf(passed as f64).into()
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        let late = self.milestones.iter().filter(|&&milestone| milestone >= steps);
        let warning = |&milestone: &u64| {
            format!(
                "`milestones`: the drop after {} never comes, as the schedule lasts {}; make it earlier",
                Length::Steps(milestone),
                Length::Steps(steps)
            )
        };
        late.map(warning).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_rates, build, refusal, settings};
    use crate::settings::{Settings, Value};

    fn with_milestones(milestones: &[Length]) -> Settings {
        let list: Vec<Value> = milestones.iter().map(|&milestone| milestone.into()).collect();
        settings("multi_step").with("milestones", list)
    }

    #[test]
    fn it_is_torch_s() {
        // MultiStepLR([2, 5], .5)
        let settings = with_milestones(&[Length::Steps(2), Length::Steps(5)]).with("gamma", 0.5);
        assert_rates(&settings, 8, &[0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025]);
    }

    #[test]
    fn milestones_may_be_shares_of_the_run_but_not_epochs_of_a_function() {
        assert_rates(&with_milestones(&[Length::Percent(50.0)]), 4, &[0.1, 0.1, 0.01, 0.01]);
        let refused = refusal(&with_milestones(&[Length::Epochs(1.0)]), 4);
        assert!(refused.starts_with("`milestones`: there are no epochs here"), "{refused}");
    }

    #[test]
    fn a_milestone_past_the_end_is_pointed_out() {
        let schedule = build(&with_milestones(&[Length::Steps(5), Length::Steps(8)]), 8);
        assert_eq!(
            schedule.warnings(8),
            ["`milestones`: the drop after 8 steps never comes, as the schedule lasts 8 steps; make it earlier"]
        );
    }
}
