//! A steady decay by a constant ratio.

use crate::length::Length;
use crate::registry::{About, Accepts, Bounds, Key};
use crate::schedule::{Definition, Point, Schedule, misfit};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "exponential",
        revision: 1,
        summary: "multiply by gamma every so often, at once or smoothly",
        equations: "\
factor(t) = gamma^floor(t / every)
factor(t) = gamma^(t / every)                smooth = true
from `end` on, it stays there",
        keys: &[
            Key::required("gamma", Accepts::Float(Bounds::POSITIVE), "what each interval multiplies by"),
            Key::interval(
                "every",
                Length::Epochs(1.0),
                "the interval; 1 step is torch's scheduler stepped each update",
            ),
            Key::flag("smooth", false, "spread each drop evenly over its interval"),
            Key::optional(
                "end",
                Accepts::Float(Bounds::NON_NEGATIVE),
                "the factor that it stops at; none where absent",
            ),
        ],
        source: "torch.optim.lr_scheduler.ExponentialLR; optax.exponential_decay for `end`",
    },
    build: |settings, span| {
        let (gamma, end) = (settings.float("gamma"), settings.optional_float("end"));
        if let Some(end) = end.filter(|end| (gamma - 1.0) * (end - 1.0) < 0.0) {
            let side = if gamma < 1.0 { "at most" } else { "at least" };
            return Err(format!(
                "`end` is {end} and `gamma` {gamma}; expected an end of {side} 1, which is on the way"
            ));
        }
        Ok(Box::new(Exponential {
            gamma,
            every: span.interval(settings, "every")?,
            smooth: settings.flag("smooth"),
            end,
        }))
    },
};

struct Exponential {
    gamma: f64,
    every: u64,
    smooth: bool,
    end: Option<f64>,
}

impl Schedule for Exponential {
    fn at(&self, t: u64) -> Point {
        let intervals = if self.smooth { t as f64 / self.every as f64 } else { (t / self.every) as f64 };
        let factor = self.gamma.powf(intervals);
        match self.end {
            Some(end) if self.gamma < 1.0 => factor.max(end).into(),
            Some(end) if self.gamma > 1.0 => factor.min(end).into(),
            _ => factor.into(),
        }
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        let so = "the first drop never comes; make it shorter, or set `smooth = true`";
        (!self.smooth && self.every >= steps).then(|| misfit("every", self.every, steps, so)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_rates, build, refusal, settings};

    #[test]
    #[expect(clippy::unreadable_literal, reason = "as torch prints them")]
    fn it_is_torch_s_and_may_be_smooth() {
        // ExponentialLR(.9)
        let each_step = settings("exponential").with("gamma", 0.9).with("every", Length::Steps(1));
        let expected = [0.1, 0.09, 0.081, 0.0729, 0.06561, 0.059049, 0.0531441, 0.04782969];
        assert_rates(&each_step, 8, &expected);
        let smooth = each_step.with("gamma", 0.9 * 0.9).with("every", Length::Steps(2)).with("smooth", true);
        assert_rates(&smooth, 8, &expected);
        assert_rates(&smooth.with("smooth", false), 8, &[0.1, 0.1, 0.081, 0.081, 0.06561, 0.06561]);
    }

    #[test]
    fn intervals_that_cannot_be_measured_or_divided_by_are_refused_in_words() {
        let by_epoch = settings("exponential").with("gamma", 0.9);
        assert_eq!(
            refusal(&by_epoch, 100),
            "`every`: there are no epochs here; give steps or a percentage, or say `steps_per_epoch` of a task with `command`"
        );
        assert_eq!(
            refusal(&by_epoch.with("every", Length::Percent(0.1)), 100),
            "`every` is 0 steps; expected at least 1"
        );
    }

    #[test]
    fn an_end_that_is_not_on_the_way_is_refused() {
        let exponential = settings("exponential").with("gamma", 0.9).with("every", Length::Steps(1));
        assert!(refusal(&exponential.with("end", 1.5), 10).contains("expected an end of at most 1"));
    }

    #[test]
    fn growth_without_end_stays_finite() {
        let growth = settings("exponential").with("gamma", 10.0).with("every", Length::Steps(1));
        assert!(build(&growth, 1000).at(999).factor.is_finite());
    }

    #[test]
    fn only_a_drop_that_never_comes_is_pointed_out() {
        let long = settings("exponential").with("gamma", 0.9).with("every", Length::Steps(100));
        assert_eq!(build(&long, 100).warnings(100).len(), 1);
        assert!(build(&long.with("smooth", true), 100).warnings(100).is_empty());
    }
}
