//! A power of what is left of the way to 0.

use crate::length::Length;
use crate::registry::{About, Accepts, Bounds, Key};
use crate::schedule::{Definition, Point, Schedule, curve};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "polynomial",
        revision: 1,
        summary: "a power of what is left of the way, down to end",
        equations: "factor(t) = end + (1 - end) (1 - (min(t, over) / over)^k_decay)^power",
        keys: &[
            Key::float("power", 1.0, Bounds::POSITIVE, "1 is a straight line, 2 falls early, 0.5 late"),
            Key::interval("over", Length::Percent(100.0), "from the peak to the end"),
            Key::optional("end", Accepts::Float(Bounds::UNIT), "the factor at the end and after it; 0 where absent"),
            curve::K_DECAY,
        ],
        source: "torch.optim.lr_scheduler.PolynomialLR; timm's PolyLRScheduler for `end` and `k_decay`",
    },
    build: |settings, span| {
        Ok(Box::new(Polynomial {
            power: settings.float("power"),
            over: span.stretch(settings, "over")?,
            end: settings.optional_float("end").unwrap_or(0.0),
            k: curve::k_decay(settings),
        }))
    },
};

struct Polynomial {
    power: f64,
    over: u64,
    end: f64,
    k: f64,
}

impl Schedule for Polynomial {
    fn at(&self, t: u64) -> Point {
        let left = (1.0 - curve::progress(t, self.over).powf(self.k)).powf(self.power);
        curve::linear(self.end, 1.0, left).into()
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        curve::cut_short("over", self.over, steps)
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_rates, settings};

    #[test]
    fn it_is_torch_s() {
        // PolynomialLR(total_iters=5, power=2)
        let polynomial = settings("polynomial").with("power", 2.0).with("over", Length::Steps(5));
        assert_rates(&polynomial, 8, &[0.1, 0.064, 0.036, 0.016, 0.004, 0.0, 0.0, 0.0]);
    }
}
