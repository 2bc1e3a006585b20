//! Lengths of time in a training: steps, epochs, or a share of the run.

use std::fmt;
use std::str::FromStr;

/// A length of time as a config states it: `500`, `"500 steps"`, `"10 epochs"`, `"30%"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    /// A number of optimizer updates.
    Steps(u64),
    /// Passes over the training set; fractions are allowed.
    Epochs(f64),
    /// A share of the whole run, in percent.
    Percent(f64),
    /// Ma and Yarats' warmup of `2 / (1 - beta2)` steps (arXiv 1910.04209); only a warmup may use it.
    Untuned,
}

/// What a [`Length`] is measured against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timeline {
    /// Updates in the whole run.
    pub steps: u64,
    /// Updates in one pass over the training set; `None` where the task has no dataset.
    pub steps_per_epoch: Option<u64>,
    /// The decay of the optimizer's mean of squared gradients, where it keeps one: the untuned warmup depends on it.
    pub beta2: Option<f64>,
}

impl Length {
    /// No time at all.
    pub const ZERO: Self = Self::Steps(0);

    /// Whether it is no time at all, however long the run.
    pub fn is_zero(self) -> bool {
        match self {
            Self::Steps(steps) => steps == 0,
            Self::Epochs(amount) | Self::Percent(amount) => amount == 0.0,
            Self::Untuned => false,
        }
    }

    /// The duration in whole steps, rounded to the nearest.
    ///
    /// # Errors
    /// In words for the user, where the timeline lacks what the duration is measured in.
    pub fn in_steps(self, timeline: &Timeline) -> Result<u64, String> {
        match self {
            Self::Steps(steps) => Ok(steps),
            Self::Percent(percent) => Ok((percent / 100.0 * timeline.steps as f64).round() as u64),
            Self::Epochs(epochs) => match timeline.steps_per_epoch {
                Some(steps) => Ok((epochs * steps as f64).round() as u64),
                None => Err("there are no epochs here; give steps or a percentage, or say `steps_per_epoch` of a task with `command`".into()),
            },
            Self::Untuned => match timeline.beta2 {
                Some(beta2) => Ok((2.0 / (1.0 - beta2)).round() as u64),
                None => Err("`untuned` is 2 / (1 - beta2) steps, with the decay of the mean of squared gradients, and this optimizer \
                      keeps no such mean; give steps or a percentage"
                    .into()),
            },
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: f64| if n == 1.0 { "" } else { "s" };
        match *self {
            Self::Steps(n) => write!(f, "{n} step{}", plural(n as f64)),
            Self::Epochs(n) => write!(f, "{n} epoch{}", plural(n)),
            Self::Percent(n) => write!(f, "{n}%"),
            Self::Untuned => f.write_str("untuned"),
        }
    }
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = || format!("`{text}` is not a valid duration");
        let text = text.trim();
        if text == "untuned" {
            return Ok(Self::Untuned);
        }
        let unit_at =
            text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '+'))).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        let number: f64 = number.replace('_', "").parse().map_err(|_| expected())?;
        if number < 0.0 {
            return Err(format!("`{text}` is negative; a duration is 0 or more"));
        }
        if !number.is_finite() {
            return Err(format!("`{text}` is too large"));
        }
        match unit.trim() {
            "%" if number <= 100.0 => Ok(Self::Percent(number)),
            "%" => Err(format!("`{text}` is more than the whole run; a percentage is at most 100%")),
            "epoch" | "epochs" => Ok(Self::Epochs(number)),
            "step" | "steps" | "" if number.fract() == 0.0 && number < 9e15 => Ok(Self::Steps(number as u64)),
            "step" | "steps" | "" => Err(format!("`{text}` is not a whole number of steps")),
            _ => Err(expected()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_as_written() {
        for text in ["0 steps", "1 step", "500 steps", "1 epoch", "2.5 epochs", "30%", "untuned"] {
            assert_eq!(text.parse::<Length>().unwrap().to_string(), text);
        }
        assert_eq!("1_000".parse(), Ok(Length::Steps(1000)));
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        for text in ["", "ten epochs", "-5 steps", "120%", "1.5 steps", "10 minutes", "nan%", "1e3"] {
            assert!(text.parse::<Length>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_too_long_for_a_number_is_not_called_negative() {
        let refused = format!("{}%", "9".repeat(400)).parse::<Length>().unwrap_err();
        assert!(refused.ends_with("is too large"), "{refused}");
        assert!("-1%".parse::<Length>().unwrap_err().contains("negative"));
    }

    #[test]
    fn only_what_is_written_as_nothing_is_zero() {
        let zero = |text: &str| text.parse::<Length>().unwrap().is_zero();
        assert!(zero("0") && zero("0%") && zero("0.0 epochs"));
        assert!(!zero("1") && !zero("0.001%") && !zero("untuned"));
    }

    #[test]
    fn each_unit_is_measured_against_the_timeline() {
        let timeline = Timeline { steps: 1000, steps_per_epoch: Some(20), beta2: Some(0.99) };
        let steps = |text: &str| text.parse::<Length>().unwrap().in_steps(&timeline).unwrap();
        assert_eq!([steps("7"), steps("2.5 epochs"), steps("30%"), steps("untuned")], [7, 50, 300, 200]);
        let function = Timeline { steps_per_epoch: None, beta2: None, ..timeline };
        assert!(Length::Epochs(1.0).in_steps(&function).is_err());
        assert!(Length::Untuned.in_steps(&function).is_err());
    }
}
