//! Half a cosine from the peak to the floor.

use crate::length::Length;
use crate::registry::{About, Bounds, Key};
use crate::schedule::{Definition, Point, Schedule, curve, misfit};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "cosine",
        revision: 1,
        summary: "half a cosine down to min_factor; rises again past its period",
        equations: "factor(t) = min_factor + (1 - min_factor) (1 + cos(pi (t / period)^k_decay)) / 2    without k_decay past the period",
        keys: &[
            Key::float("min_factor", 0.0, Bounds::UNIT, "the factor at the end of the period"),
            Key::interval("period", Length::Percent(100.0), "from the peak to the floor"),
            curve::K_DECAY,
        ],
        source: "Loshchilov and Hutter 2016, arXiv 1608.03983; torch.optim.lr_scheduler.CosineAnnealingLR; Zhang and Li 2020, arXiv 2004.05909, for `k_decay`",
    },
    build: |settings, span| {
        let (min, k) = (settings.float("min_factor"), curve::k_decay(settings));
        Ok(Box::new(Cosine { min, period: span.stretch(settings, "period")?, k }))
    },
};

struct Cosine {
    min: f64,
    period: u64,
    k: f64,
}

impl Schedule for Cosine {
    fn at(&self, t: u64) -> Point {
        let p = t as f64 / self.period as f64;
        // Past its period it rises as the plain one does: a power would run away.
        curve::cosine(1.0, self.min, if p < 1.0 { p.powf(self.k) } else { p }).into()
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        // The last update is at `steps - 1`, and the floor itself at `period`.
        if self.period < steps.saturating_sub(1) {
            let so = "past its period the rate rises again; make it longer, or restart with `cosine_warm_restarts`";
            return vec![misfit("period", self.period, steps, so)];
        }
        curve::cut_short("period", self.period, steps)
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_rates, build, settings};

    #[test]
    #[expect(clippy::unreadable_literal, reason = "as torch prints them")]
    fn it_is_torch_s() {
        // CosineAnnealingLR(T_max=6, eta_min=.01)
        let cosine = settings("cosine").with("min_factor", 0.1).with("period", Length::Steps(6));
        let down = [0.1, 0.093971143, 0.0775, 0.055, 0.0325, 0.016028857];
        let up = [0.01, 0.016028857, 0.0325, 0.055, 0.0775, 0.093971143, 0.1];
        assert_rates(&cosine, 13, &[&down[..], &up].concat());
    }

    #[test]
    fn a_period_that_does_not_fit_is_pointed_out() {
        let warned = |period: u64| build(&settings("cosine").with("period", Length::Steps(period)), 100).warnings(100);
        assert!(warned(99).is_empty() && warned(100).is_empty());
        assert!(warned(98)[0].starts_with("`period` is 98 steps and the schedule lasts 100 steps: past its period"));
        assert!(warned(101)[0].starts_with("`period` is 101 steps and the schedule lasts 100 steps: it is cut short"));
    }
}
