//! How far apart two scores may lie, or must: `1%`, `0.5 points`, `5% of the error`, or a number of their own unit.

use std::fmt;
use std::str::FromStr;

use crate::metric::Metric;

/// What a margin can be written as.
pub const EXPECTED: &str =
    "\"1%\" of the other side's score, \"0.5 points\" or \"5% of the error\" of an accuracy, or { absolute = 0.01 }";

/// A distance between two scores, such as the margin of a claim or the tolerance of a check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Margin {
    /// A share of the other side's score: `"1%"`, or the number 0.01.
    Share(f64),
    /// Percentage points of an accuracy: `"0.5 points"` is 0.5.
    Points(f64),
    /// A share of what the other side's accuracy lacks to 1: `"5% of the error"` is 0.05.
    OfError(f64),
    /// A number in the metric's own unit: `{ absolute = 0.01 }`.
    Absolute(f64),
}

impl Margin {
    /// No distance at all.
    pub const NONE: Self = Self::Share(0.0);

    /// Whether it is no distance, whatever the scores.
    pub fn is_zero(self) -> bool {
        let (Self::Share(x) | Self::Points(x) | Self::OfError(x) | Self::Absolute(x)) = self;
        x == 0.0
    }

    /// Whether it can be told of a metric: points and errors are those of accuracies.
    pub fn fits(self, metric: Metric) -> bool {
        !matches!(self, Self::Points(_) | Self::OfError(_)) || metric.is_share()
    }

    /// Its size in the unit of the metric, beside a score of the other side.
    pub fn size(self, other: f64) -> f64 {
        match self {
            Self::Share(share) => share * other.abs(),
            Self::Points(points) => points / 100.0,
            Self::OfError(share) => share * (1.0 - other),
            Self::Absolute(size) => size,
        }
    }

    /// Whether its size depends on the score of the other side, which is then measured with noise, too.
    pub fn depends_on_the_other(self) -> bool {
        matches!(self, Self::Share(_) | Self::OfError(_)) && !self.is_zero()
    }

    fn checked(self) -> Option<Self> {
        let fits = match self {
            Self::Share(share) | Self::OfError(share) => (0.0..=1.0).contains(&share),
            Self::Points(points) => (0.0..=100.0).contains(&points),
            Self::Absolute(size) => size >= 0.0 && size.is_finite(),
        };
        fits.then_some(self)
    }

    /// The share that a number from 0 to 1 is.
    pub fn share(share: f64) -> Option<Self> {
        Self::Share(share).checked()
    }

    /// The distance that a number of the metric's unit is; 0 or more.
    pub fn absolute(size: f64) -> Option<Self> {
        Self::Absolute(size).checked()
    }
}

/// As a config or a command states it.
impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A share such as 0.07 times 100 is not what was written, by rounding.
        let percent = |share: f64| (share * 1e14).round() / 1e12;
        match *self {
            Self::Share(share) => write!(f, "{}%", percent(share)),
            Self::Points(1.0) => write!(f, "1 point"),
            Self::Points(points) => write!(f, "{points} points"),
            Self::OfError(share) => write!(f, "{}% of the error", percent(share)),
            Self::Absolute(size) => write!(f, "{{ absolute = {size} }}"),
        }
    }
}

impl FromStr for Margin {
    type Err = String;

    /// Reads `1%`, `0.01`, `0.5 points`, `5% of the error`, and `absolute 0.01` as a command states it or
    /// `{ absolute = 0.01 }` as a config does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let percent = |text: &str| Some(number(text.trim_end().strip_suffix('%')?)? / 100.0);
        let words = text.trim();
        let inner = words.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(words).trim();
        // A number above 1 is not a share; whoever writes it means percent.
        if let Some(percent) = number(words).filter(|x| (1.0..=100.0).contains(x) && *x > 1.0) {
            return Err(format!("`{percent}` as a share is {}%; did you mean `{percent}%`?", 100.0 * percent));
        }
        let read = if let Some(size) = inner.strip_prefix("absolute") {
            let size = size.trim_start();
            number(size.strip_prefix('=').unwrap_or(size)).map(Self::Absolute)
        } else if let Some(points) = words.strip_suffix("points").or_else(|| words.strip_suffix("point")) {
            number(points).map(Self::Points)
        } else if let Some(share) = words.strip_suffix("of the error") {
            percent(share).map(Self::OfError)
        } else {
            percent(words).or_else(|| number(words)).map(Self::Share)
        };
        read.and_then(Self::checked).ok_or_else(|| format!("`{text}` is not a valid margin; expected {EXPECTED}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_read_back_as_written() {
        for text in ["1%", "0.07%", "7%", "0%", "0.5 points", "1 point", "5% of the error", "{ absolute = 0.01 }"] {
            assert_eq!(text.parse::<Margin>().unwrap().to_string(), text);
        }
        assert_eq!(["0.01".parse(), "absolute=2".parse()], [Ok(Margin::Share(0.01)), Ok(Margin::Absolute(2.0))]);
        assert_eq!(["absolute 0.01".parse(), "1".parse()], [Ok(Margin::Absolute(0.01)), Ok(Margin::Share(1.0))]);
        assert_eq!("2".parse::<Margin>().unwrap_err(), "`2` as a share is 200%; did you mean `2%`?");
        for text in
            ["", "a bit", "101%", "-1%", "150", "-2 points", "200% of the error", "absolute = -1", "nan%", "inf"]
        {
            let refused = text.parse::<Margin>().unwrap_err();
            assert!(refused.contains("\"0.5 points\""), "{text}: {refused}");
        }
    }

    #[test]
    fn each_form_has_its_size() {
        let size = |text: &str, other: f64| text.parse::<Margin>().unwrap().size(other);
        assert_eq!([size("10%", 2.0), size("10%", -2.0), size("0.5 points", 0.9)], [0.2, 0.2, 0.005]);
        assert_eq!([size("{ absolute = 0.25 }", 9.0), size("50% of the error", 0.75)], [0.25, 0.125]);
    }
}
