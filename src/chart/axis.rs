//! An axis: its words, its scale, and how values become places on the page.

use super::words::number;

/// How values are spaced along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Equal differences take equal space.
    #[default]
    Linear,
    /// Equal ratios take equal space. Zero and less cannot be shown.
    Log10,
}

/// One axis of a chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    /// How values are spaced.
    pub scale: Scale,
    /// The values at both ends, if they are not to follow from the data. Ignored where it makes no range: not finite,
    /// both the same, or not positive on a logarithmic axis.
    pub range: Option<(f64, f64)>,
    /// Whether only whole numbers are marked.
    pub whole: bool,
    /// Whether values are shares that are written in percent.
    pub percent: bool,
}

impl Axis {
    /// An axis whose range follows from the data.
    pub fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self { label: label.into(), scale, range: None, whole: false, percent: false }
    }

    /// The same axis, of things that are counted.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The same axis, of shares that are written in percent.
    #[must_use]
    pub fn percent(self) -> Self {
        Self { percent: true, ..self }
    }

    /// What is measured, without unit and explanation.
    pub(super) fn word(&self) -> &str {
        self.label.split(['(', ',', ':']).next().unwrap_or_default().trim_end()
    }

    /// A value as this axis writes it.
    pub(super) fn write(&self, value: f64) -> String {
        match (self.percent, self.whole) {
            (true, _) => format!("{}%", number(100.0 * value)),
            (false, true) if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value}"),
            (false, _) => number(value),
        }
    }
}

// Beyond this, differences and squares of values leave the range of f64.
const LARGEST: f64 = 1e150;

impl Scale {
    /// Logarithmic if all values that can be shown are positive and span 1.5 decades or more, linear otherwise.
    pub fn auto(values: impl IntoIterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values.into_iter().filter(|v| v.abs() <= LARGEST) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > 0.0 && high.log10() - low.log10() >= 1.5 { Self::Log10 } else { Self::Linear }
    }

    /// The ends of an axis that shows these values with a share of air on both sides, in their units; `None` for none.
    pub fn ends(self, values: impl IntoIterator<Item = f64>, air: f64) -> Option<(f64, f64)> {
        let places = values.into_iter().filter_map(|value| self.forward(value));
        let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let air = if high > low { air * (high - low) } else { 0.1 * high.abs().max(1.0) };
        let back = |x: f64| if self == Self::Log10 { 10f64.powf(x) } else { x };
        (low <= high).then(|| (back(low - air), back(high + air)))
    }

    /// The value as a length along the axis, or `None` if it cannot be shown.
    pub(super) fn forward(self, value: f64) -> Option<f64> {
        // A NaN fails the first test as well.
        if value.abs() <= LARGEST {
            match self {
                Self::Linear => Some(value),
                Self::Log10 => (value > 0.0).then(|| value.log10()),
            }
        } else {
            None
        }
    }
}

/// An axis with its range fixed and its place on the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Projection {
    pub(super) scale: Scale,
    /// The range, in the units of [`Scale::forward`]; the first is less than the second.
    pub(super) range: (f64, f64),
    /// Where the two ends lie on the page.
    pub(super) page: (f64, f64),
}

impl Projection {
    /// Where a value lies on the page, perhaps outside the plot; `None` if it cannot be shown.
    pub(super) fn at(&self, value: f64) -> Option<f64> {
        let (low, high) = self.range;
        let share = (self.scale.forward(value)? - low) / (high - low);
        // The far outside is all the same, and coordinates stay small enough for any reader of the file.
        Some(self.page.0 + share.clamp(-1e3, 1e3) * (self.page.1 - self.page.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_positive_values_ask_for_a_logarithm() {
        assert_eq!(Scale::auto([0.01, 1.0]), Scale::Log10);
        assert_eq!(Scale::auto([0.1, 1.0]), Scale::Linear);
        assert_eq!(Scale::auto([0.0, 1.0, 1e6]), Scale::Linear);
        assert_eq!(Scale::auto([f64::NAN, 0.01, 1.0, f64::INFINITY]), Scale::Log10);
        assert_eq!(Scale::auto([]), Scale::Linear);
    }

    #[test]
    fn values_are_written_with_their_unit() {
        let axis = Axis::new("validation accuracy (%)", Scale::Linear).percent();
        assert_eq!((axis.word(), axis.write(0.9722).as_str()), ("validation accuracy", "97.22%"));
        let axis = Axis::new("seconds of training, without evaluations", Scale::Linear);
        assert_eq!((axis.word(), axis.write(1.25).as_str()), ("seconds of training", "1.250"));
        assert_eq!(Axis::new("step", Scale::Linear).whole().write(20.0), "20");
    }

    #[test]
    fn ends_leave_air_in_the_units_of_the_axis() {
        assert_eq!(Scale::Linear.ends([1.0, f64::NAN, 3.0], 0.5), Some((0.0, 4.0)));
        assert_eq!(Scale::Log10.ends([0.1, 0.0, 10.0], 0.5), Some((0.01, 100.0)));
        assert_eq!(Scale::Linear.ends([0.0], 0.5), Some((-0.1, 0.1)));
        assert_eq!(Scale::Log10.ends([-1.0], 0.5), None);
    }

    #[test]
    fn what_an_axis_cannot_show_has_no_place() {
        for value in [f64::NAN, f64::INFINITY, f64::MAX, 0.0, -1.0] {
            assert_eq!(Scale::Log10.forward(value), None, "{value}");
        }
        assert_eq!(Scale::Linear.forward(f64::MIN), None);
        assert_eq!(Scale::Log10.forward(100.0), Some(2.0));
    }

    #[test]
    fn projection_is_linear_in_the_scale() {
        let axis = Projection { scale: Scale::Log10, range: (-2.0, 0.0), page: (100.0, 300.0) };
        assert_eq!(axis.at(0.1), Some(200.0));
        assert_eq!(axis.at(0.0), None);
    }
}
