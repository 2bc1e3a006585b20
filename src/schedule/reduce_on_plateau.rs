//! A drop whenever the evaluations have stopped getting better.

use crate::metric::{Metric, Scores};
use crate::registry::{About, Bounds, Key};
use crate::schedule::watch::{self, Watch};
use crate::schedule::{Definition, Point, Schedule};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "reduce_on_plateau",
        revision: 2,
        summary: "multiply by factor when evaluations have not become better for longer than patience",
        equations: "\
at each evaluation of updates after a warmup, with its value m:
better: m < best (1 - threshold)  or  m < best - threshold     min, rel or abs
        m > best (1 + threshold)  or  m > best + threshold     max, rel or abs
if better: best = m, bad = 0;  else bad += 1           NaN is not better
if cooling > 0: cooling -= 1, bad = 0
if bad > patience: lower the factor, cooling = cooldown, bad = 0
lower:  to max(now factor, min_factor), if that is lower by more than 1e-8 of the peak
        (torch: by more than eps = 1e-8, whatever the peak is)",
        keys: &[
            Key::float("factor", 0.1, Bounds::DECAY, "what each drop multiplies by"),
            Key::integer("patience", 10, Bounds::NON_NEGATIVE, "evaluations without progress that pass before a drop"),
            watch::threshold(1e-4),
            watch::threshold_mode("rel"),
            Key::integer("cooldown", 0, Bounds::NON_NEGATIVE, "evaluations after a drop that do not count"),
            Key::float("min_factor", 0.0, Bounds::UNIT, "no drop goes below this multiple of the peak"),
            watch::METRIC,
            watch::MODE,
        ],
        source: "torch.optim.lr_scheduler.ReduceLROnPlateau",
    },
    build: |settings, _| {
        let watch = Watch::new(settings);
        Ok(Box::new(Plateau {
            now: Now { factor: 1.0, best: watch.worst(), bad: 0, cooling: 0 },
            watch,
            drop: settings.float("factor"),
            patience: settings.count("patience") as u64,
            cooldown: settings.count("cooldown") as u64,
            min: settings.float("min_factor"),
        }))
    },
};

/// The least drop that is worth making, as a share of the peak.
const EPS: f64 = 1e-8;

struct Plateau {
    watch: Watch,
    drop: f64,
    patience: u64,
    cooldown: u64,
    min: f64,
    now: Now,
}

/// What the evaluations so far have led to.
struct Now {
    factor: f64,
    /// The best value; before the first one the worst that there is, finite as it may be stored.
    best: f64,
    /// Evaluations in a row without progress.
    bad: u64,
    /// Evaluations still to pass before they count again.
    cooling: u64,
}

impl Schedule for Plateau {
    fn at(&self, _t: u64) -> Point {
        self.now.factor.into()
    }

    fn observe(&mut self, _t: u64, scores: &Scores) {
        let Some(value) = scores.get(self.watch.metric) else { return };
        if self.watch.is_better(value, self.now.best) {
            (self.now.best, self.now.bad) = (value, 0);
        } else {
            self.now.bad += 1;
        }
        if self.now.cooling > 0 {
            (self.now.cooling, self.now.bad) = (self.now.cooling - 1, 0);
        }
        if self.now.bad > self.patience {
            let lower = (self.now.factor * self.drop).max(self.min);
            if self.now.factor - lower > EPS {
                self.now.factor = lower;
            }
            (self.now.cooling, self.now.bad) = (self.cooldown, 0);
        }
    }

    fn watches(&self) -> Vec<Metric> {
        vec![self.watch.metric]
    }

    fn state(&self) -> Vec<f64> {
        let Now { factor, best, bad, cooling } = self.now;
        vec![factor, best, bad as f64, cooling as f64]
    }

    fn restore(&mut self, state: &[f64]) {
        let &[factor, best, bad, cooling] = state else { panic!("{state:?} is not the state of a plateau schedule") };
        self.now = Now { factor, best, bad: bad as u64, cooling: cooling as u64 };
    }
}

#[cfg(test)]
mod tests {
    use crate::metric::{Metric, Scores};
    use crate::schedule::Schedule;
    use crate::schedule::testing::{build, loss, settings};
    use crate::settings::Settings;

    fn plateau() -> Settings {
        settings("reduce_on_plateau").with("patience", 2)
    }

    /// The factor after each of some evaluations.
    fn listen(schedule: &mut dyn Schedule, losses: &[f64]) -> Vec<f64> {
        let heard = losses.iter().map(|&value| {
            schedule.observe(1, &loss(value));
            schedule.at(1).factor
        });
        heard.collect()
    }

    fn assert_close(actual: &[f64], expected: &[f64]) {
        assert_eq!(actual.len(), expected.len());
        assert!(actual.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{actual:?} instead of {expected:?}");
    }

    #[test]
    fn it_is_torch_s() {
        // ReduceLROnPlateau(patience=2, cooldown=0 and 1) with a metric that never moves, as in pytorch issue 2545.
        let never = [1.0; 10];
        let cooldown = |evaluations| plateau().with("cooldown", evaluations);
        assert_close(
            &listen(&mut *build(&cooldown(0), 100), &never),
            &[1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001],
        );
        assert_close(
            &listen(&mut *build(&cooldown(1), 100), &never),
            &[1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01],
        );
    }

    #[test]
    fn the_metric_says_which_way_is_better_unless_the_mode_does() {
        let stays = |settings: &Settings| {
            let mut schedule = build(&settings.clone().with("patience", 0), 100);
            for accuracy in [0.5, 0.6, 0.7] {
                schedule.observe(1, &Scores::of_loss(1.0).with(Metric::ACCURACY, accuracy));
            }
            schedule.at(1).factor > 0.5
        };
        let accuracy = plateau().with("metric", "accuracy");
        assert!(stays(&accuracy));
        assert!(!stays(&accuracy.with("mode", "min")));
        assert!(!stays(&plateau()));
        assert!(stays(&plateau().with("metric", "perplexity")), "this task has none");
    }

    #[test]
    fn a_continued_training_knows_everything_that_it_knew() {
        let settings = plateau().with("cooldown", 2);
        let losses = [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.4, 0.5, 0.5, 0.5, 0.5];
        let whole = listen(&mut *build(&settings, 100), &losses);
        for cut in 0..losses.len() {
            let mut first = build(&settings, 100);
            let mut factors = listen(&mut *first, &losses[..cut]);
            assert!(first.state().iter().all(|value| value.is_finite()));
            let mut second = build(&settings, 100);
            second.restore(&first.state());
            factors.extend(listen(&mut *second, &losses[cut..]));
            assert_eq!(factors, whole, "cut after {cut}");
        }
    }

    #[test]
    #[should_panic(expected = "is not the state of a plateau schedule")]
    fn the_state_of_another_schedule_is_not_taken() {
        build(&plateau(), 100).restore(&[1.0]);
    }
}
