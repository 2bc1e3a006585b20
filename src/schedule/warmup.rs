//! A linear rise before any schedule.

use crate::metric::Scores;
use crate::schedule::{Point, Schedule};

/// Rises over `steps` updates from `1 / steps` to 1; then the schedule proper starts from its step 0.
pub(super) fn before(schedule: Box<dyn Schedule>, steps: u64) -> Box<dyn Schedule> {
    if steps == 0 { schedule } else { Box::new(Warmup { steps, schedule }) }
}

struct Warmup {
    steps: u64,
    schedule: Box<dyn Schedule>,
}

impl Schedule for Warmup {
    fn at(&self, t: u64) -> Point {
        match t.checked_sub(self.steps) {
            Some(t) => self.schedule.at(t),
            None => Point { factor: (t + 1) as f64 / self.steps as f64, momentum: self.schedule.at(0).momentum },
        }
    }

    fn observe(&mut self, scores: &Scores) {
        self.schedule.observe(scores);
    }

    fn state(&self) -> Vec<f64> {
        self.schedule.state()
    }

    fn restore(&mut self, state: &[f64]) {
        self.schedule.restore(state);
    }
}

#[cfg(test)]
mod tests {
    use crate::duration::{Duration, Timeline};
    use crate::schedule::{build, find};
    use crate::settings::Settings;

    #[test]
    fn the_schedule_proper_starts_after_the_warmup_and_ends_with_the_run() {
        let timeline = Timeline { steps: 100, steps_per_epoch: None, beta2: None };
        let cosine =
            Settings::defaults("cosine", find("cosine").unwrap().about.keys).with("warmup", Duration::Percent(5.0));
        let schedule = build(&cosine, &timeline).unwrap();
        let factors: Vec<f64> = [0, 3, 4, 5, 100].iter().map(|&t| schedule.at(t).factor).collect();
        assert_eq!(factors, [0.2, 0.8, 1.0, 1.0, 0.0]);
    }
}
