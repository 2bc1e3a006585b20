//! Whether a run depends on its own length, or may be read as if it had ended earlier.

use std::collections::HashMap;

use crate::length::Timeline;
use crate::optim::{Ask, needs};
use crate::schedule;
use crate::settings::Settings;

/// How many steps of two schedules are compared at most, at even distances.
const COMPARED: u64 = 1_000_000;

/// Finds out whether runs depend on their length, and remembers what it found of schedules: the same
/// ones come back for every learning rate.
///
/// Nothing is known of any kind here: an optimizer depends on the length where its durations come to
/// other numbers of steps, or where it asks to be told, a schedule where it says something else of any step that both runs have.
#[derive(Debug, Default)]
pub(super) struct Dependence {
    schedules: HashMap<String, bool>,
}

impl Dependence {
    /// Whether the updates of a run that ends after `steps` would differ from the first ones of a run
    /// over the timeline `long`.
    pub(super) fn on_length(&mut self, optimizer: &Settings, schedule: &Settings, long: &Timeline, steps: u64) -> bool {
        let short = Timeline { steps, ..*long };
        let key = format!("{schedule:?} {long:?} {steps}");
        let durations = |timeline: &Timeline| optimizer.in_steps(timeline).ok();
        needs(optimizer, Ask::Length)
            || durations(long) != durations(&short)
            || *self.schedules.entry(key).or_insert_with(|| schedule_depends(schedule, long, &short))
    }
}

fn schedule_depends(schedule: &Settings, long: &Timeline, short: &Timeline) -> bool {
    let (Ok(whole), Ok(part)) = (schedule::build(schedule, long), schedule::build(schedule, short)) else {
        // It is built again for the run, where the mistake is told.
        return true;
    };
    let stride = short.steps.div_ceil(COMPARED).max(1) as usize;
    (0..short.steps).step_by(stride).any(|t| whole.at(t) != part.at(t))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::length::Length;
    use crate::optim::{Definition, OPTIMIZERS};
    use crate::registry::{Described, Kinds};
    use crate::schedule::SCHEDULES;
    use crate::settings::Value;

    fn depends(optimizer: &Settings, schedule: &Settings) -> bool {
        let long = Timeline { steps: 1000, steps_per_epoch: Some(20), beta2: Some(0.999) };
        Dependence::default().on_length(optimizer, schedule, &long, 250)
    }

    fn length(text: &str) -> Value {
        Value::Length(text.parse::<Length>().unwrap())
    }

    /// As if it read how long the run is.
    static TOLD: Definition = Definition { asks: &[Ask::Length], ..OPTIMIZERS[0] };

    #[test]
    fn what_is_measured_in_shares_of_the_run_depends_on_its_length() {
        let sgd = OPTIMIZERS[0].defaults().with("lr", 0.1);
        let schedule = |name| Settings::new(Kinds::new(SCHEDULES).find(name).unwrap());
        let constant = schedule("constant");
        let cosine = schedule("cosine").with("min_factor", 0.0);
        let warm = |text| constant.clone().with("warmup", length(text));
        assert!(!depends(&sgd, &constant));
        assert!(depends(&TOLD.defaults(), &constant));
        assert!(!depends(&sgd, &warm("50 steps")) && !depends(&sgd, &warm("untuned")));
        assert!(depends(&sgd, &warm("5%")));
        assert!(depends(&sgd, &cosine.clone().with("period", length("100%"))));
        assert!(!depends(&sgd, &cosine.with("period", length("10 epochs"))), "a period of its own");
        // A drop after the shorter run's end is none of its business.
        let drop = |text| schedule("step").with("every", length(text)).with("gamma", 0.1);
        assert!(!depends(&sgd, &drop("600 steps")) && depends(&sgd, &drop("60%")));
        let warming = |text| sgd.clone().with("warmup", length(text));
        assert!(depends(&warming("5%"), &constant) && !depends(&warming("50 steps"), &constant));
    }
}
