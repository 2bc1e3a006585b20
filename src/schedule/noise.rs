//! Noise on the rate, the same for the same seed.

use crate::metric::{Metric, Scores};
use crate::rng::Stream;
use crate::schedule::{Point, Schedule};
use crate::settings::{Settings, Value};

/// The keys that put it on a schedule.
pub(super) const KEYS: [&str; 2] = ["noise", "noise_seed"];

/// Multiplies every factor by `1 + noise u(t)`, with `u(t)` uniform in [-1, 1) and independent from step to step; the
/// schedule itself where there is no noise.
///
/// # Errors
/// In words for the user, where a seed is given without noise.
pub(super) fn on(schedule: Box<dyn Schedule>, settings: &Settings) -> Result<Box<dyn Schedule>, String> {
    let [noise, seed] = KEYS.map(|key| settings.get(key).and_then(Value::as_float));
    match (noise, seed) {
        (None, Some(_)) => Err(format!("`{}` needs `{}`", KEYS[1], KEYS[0])),
        (Some(noise), seed) if noise > 0.0 => {
            Ok(Box::new(Noise { amount: noise, seed: seed.unwrap_or_default() as u64, schedule }))
        }
        _ => Ok(schedule),
    }
}

struct Noise {
    amount: f64,
    seed: u64,
    schedule: Box<dyn Schedule>,
}

impl Schedule for Noise {
    fn at(&self, t: u64) -> Point {
        let Point { factor, momentum } = self.schedule.at(t);
        let drawn = Stream::new(self.seed, &format!("rate noise {t}")).between(-1.0, 1.0);
        Point { momentum, ..Point::from(factor * (1.0 + self.amount * drawn)) }
    }

    fn observe(&mut self, t: u64, scores: &Scores) {
        self.schedule.observe(t, scores);
    }

    fn watches(&self) -> Vec<Metric> {
        self.schedule.watches()
    }

    fn state(&self) -> Vec<f64> {
        self.schedule.state()
    }

    fn restore(&mut self, state: &[f64]) {
        self.schedule.restore(state);
    }

    fn warnings(&self, steps: u64) -> Vec<String> {
        self.schedule.warnings(steps)
    }
}

#[cfg(test)]
mod tests {
    use crate::schedule::testing::{build, refusal, settings};

    #[test]
    fn noise_is_as_large_as_asked_for_and_repeats() {
        let noisy = |seed: i64| build(&settings("constant").with("noise", 0.2).with("noise_seed", seed), 1000);
        let factors: Vec<f64> = (0..1000).map(|t| noisy(1).at(t).factor).collect();
        assert!(factors.iter().all(|factor| (0.8..1.2).contains(factor)));
        assert!(factors.iter().any(|factor| *factor < 0.81) && factors.iter().any(|factor| *factor > 1.19));
        let mean = factors.iter().sum::<f64>() / 1000.0;
        // The standard error of the mean is 0.2 / sqrt(3) / sqrt(1000) = 0.0037.
        assert!((mean - 1.0).abs() < 0.015, "{mean}");
        assert_eq!(factors[7], noisy(1).at(7).factor);
        assert_ne!(factors[7], noisy(2).at(7).factor);
        assert_eq!(refusal(&settings("constant").with("noise_seed", 1), 10), "`noise_seed` needs `noise`");
    }
}
