//! What the tests of the schedules share.

use crate::length::Timeline;
use crate::metric::Scores;
use crate::registry::{Described, Kinds};
use crate::schedule::{self, SCHEDULES, Schedule};
use crate::settings::Settings;

/// A schedule with its keys at their defaults.
pub(super) fn settings(kind: &str) -> Settings {
    Kinds::new(SCHEDULES).find(kind).expect("a registered schedule").defaults()
}

/// A run without epochs.
pub(super) fn run_of(steps: u64) -> Timeline {
    Timeline { steps, steps_per_epoch: None, beta2: None }
}

/// The schedule for a run of so many steps.
pub(super) fn build(settings: &Settings, steps: u64) -> Box<dyn Schedule> {
    schedule::build(settings, &run_of(steps)).expect("settings that fit")
}

/// Why the schedule cannot be built for a run of so many steps.
pub(super) fn refusal(settings: &Settings, steps: u64) -> String {
    schedule::build(settings, &run_of(steps)).err().expect("settings that do not fit")
}

/// Asserts the rates from the first update on, at a peak of 0.1; the expected ones have eight digits.
pub(super) fn assert_rates(settings: &Settings, steps: u64, expected: &[f64]) {
    let schedule = build(settings, steps);
    for (t, &rate) in expected.iter().enumerate() {
        let actual = 0.1 * schedule.at(t as u64).factor;
        assert!((actual - rate).abs() <= 5e-8 * rate.max(1e-8), "step {t}: {actual} instead of {rate}");
    }
}

/// Asserts the factors at some steps.
pub(super) fn assert_factors<const N: usize>(schedule: &dyn Schedule, at: [u64; N], expected: [f64; N]) {
    for (t, factor) in at.into_iter().zip(expected) {
        let actual = schedule.at(t).factor;
        assert!((actual - factor).abs() < 1e-15, "step {t}: {actual} instead of {factor}");
    }
}

/// An evaluation of which nothing is known but the loss.
pub(super) fn loss(loss: f64) -> Scores {
    Scores::of_loss(loss)
}
