//! Half a cosine down, again and again, each perhaps longer than the last.

use crate::length::Length;
use crate::registry::{About, Accepts, Bounds, Key};
use crate::schedule::{Definition, Point, Schedule, curve};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "cosine_warm_restarts",
        revision: 1,
        summary: "half a cosine down to min_factor, then back to the peak at once, again and again",
        equations: "\
factor(t) = min_factor + (1 - min_factor) (1 + cos(pi u / U)) / 2
u: steps since the last restart; U = period mult^(restarts so far)",
        keys: &[
            Key::required("period", Accepts::Interval, "from the start to the first restart"),
            Key::integer("mult", 1, Bounds::at_least(1.0), "how many times longer each period is than the last"),
            Key::float("min_factor", 0.0, Bounds::UNIT, "the factor that each period falls towards"),
        ],
        source: "Loshchilov and Hutter 2016, arXiv 1608.03983; torch.optim.lr_scheduler.CosineAnnealingWarmRestarts",
    },
    build: |settings, span| {
        Ok(Box::new(WarmRestarts {
            period: span.interval(settings, "period")?,
            mult: settings.count("mult") as u64,
            min: settings.float("min_factor"),
        }))
    },
};

struct WarmRestarts {
    period: u64,
    mult: u64,
    min: f64,
}

/// Where a step lies among the periods.
struct Place {
    /// Steps since the last restart.
    since: u64,
    /// How long this period is.
    period: u64,
    /// How many first periods all periods up to this one, it included, would make.
    first_periods: u64,
}

impl WarmRestarts {
    fn place(&self, t: u64) -> Place {
        if self.mult == 1 {
            return Place { since: t % self.period, period: self.period, first_periods: t / self.period + 1 };
        }
        let mut place = Place { since: t, period: self.period, first_periods: 1 };
        let mut longer: u64 = 1;
        while place.since >= place.period {
            place.since -= place.period;
            place.period = place.period.saturating_mul(self.mult);
            longer = longer.saturating_mul(self.mult);
            place.first_periods = place.first_periods.saturating_add(longer);
        }
        place
    }
}

impl Schedule for WarmRestarts {
    fn at(&self, t: u64) -> Point {
        let Place { since, period, .. } = self.place(t);
        curve::cosine(1.0, self.min, since as f64 / period as f64).into()
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        let Some(last) = steps.checked_sub(1) else { return Vec::new() };
        let Place { since, period, first_periods } = self.place(last);
        let (done, missing) = (since + 1, period - 1 - since);
        // In the last tenth of a period the factor is within 0.025 of its floor.
        if missing <= period / 10 {
            return Vec::new();
        }
        let shorter = if steps > done { format!("{} or ", steps - done) } else { String::new() };
        vec![format!(
            "`period` does not fit: the schedule lasts {} and ends {done} into a period of {period}, far from its low \
             end; {shorter}{} would fit, or `period = {}`",
            Length::Steps(steps),
            Length::Steps(steps.saturating_add(missing)),
            steps.div_ceil(first_periods),
        )]
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_rates, build, refusal, settings};
    use crate::settings::Settings;

    fn restarts(period: u64, mult: i64) -> Settings {
        settings("cosine_warm_restarts").with("period", Length::Steps(period)).with("mult", mult)
    }

    #[test]
    #[expect(clippy::unreadable_literal, reason = "as torch prints them")]
    fn it_is_torch_s() {
        // CosineAnnealingWarmRestarts(T_0=3, T_mult=2, eta_min=0)
        let second = [0.1, 0.09330127, 0.075, 0.05, 0.025, 0.0066987298];
        assert_rates(
            &restarts(3, 2),
            12,
            &[&[0.1, 0.075, 0.025], &second[..], &[0.1, 0.098296291, 0.09330127]].concat(),
        );
    }

    #[test]
    fn a_period_of_no_steps_is_refused_and_the_longest_run_has_an_answer() {
        assert!(refusal(&restarts(0, 1), 100).starts_with("`period` is 0 steps"));
        for mult in [1, 2, i64::MAX] {
            assert!(build(&restarts(1, mult), 100).at(u64::MAX).factor.is_finite());
        }
    }

    #[test]
    fn a_run_that_ends_far_from_a_low_end_is_pointed_out_with_what_would_fit() {
        let warned = |period, mult, steps| build(&restarts(period, mult), steps).warnings(steps);
        assert_eq!(
            warned(30, 1, 100),
            ["`period` does not fit: the schedule lasts 100 steps and ends 10 into a period of 30, far from its low \
             end; 90 or 120 steps would fit, or `period = 25`"]
        );
        for (period, mult, steps) in [(30, 1, 90), (30, 1, 120), (25, 1, 100), (30, 1, 88), (10, 2, 70)] {
            assert!(warned(period, mult, steps).is_empty(), "{period} {mult} {steps}");
        }
        assert_eq!(
            warned(10, 2, 40),
            ["`period` does not fit: the schedule lasts 40 steps and ends 10 into a period of 40, far from its low \
             end; 30 or 70 steps would fit, or `period = 6`"]
        );
        assert!(warned(100, 1, 50)[0].contains("; 100 steps would fit, or `period = 50`"));
    }
}
