//! From data to the range of an axis.
//!
//! The hard part is a run that diverges: on an axis that reaches its 1e9 all other lines lie flat on the floor. The
//! vertical range therefore follows the bulk of the series, and lines that leave it are cut at the edge, where the
//! chart marks them.

use super::axis::{Axis, Scale};
use super::{LineChart, Series};

/// The range of the horizontal axis, in the units of [`Scale::forward`]: all points and all failures.
pub(super) fn horizontal(chart: &LineChart) -> Option<(f64, f64)> {
    if let Some(range) = given(&chart.x) {
        return Some(range);
    }
    let failures = chart.series.iter().flat_map(|s| &s.failures).filter_map(|x| chart.x.scale.forward(*x));
    let points = chart.series.iter().flat_map(|s| shown(chart, s)).map(|p| p.0);
    let (low, high) = extent(points.chain(failures))?;
    // Markers and failures need air on both sides; a plain line starts on the axis itself.
    let air = if chart.series.iter().any(|s| s.markers) { 0.06 } else { 0.0 };
    Some(widen(low, high, air, chart.x.scale))
}

/// The range of the vertical axis, in the units of [`Scale::forward`].
///
/// The whole of the data, unless a minority of the series would take more than half (logarithmic) or three quarters
/// (linear) of the height for itself: then up to the highest of the others. Less than a decade is never cut from a
/// logarithmic axis. A series that rises to 100 times (logarithmic: a million times) both its first and its median
/// value counts as diverged, be it alone or one of many. Low values are cut in the same way on a linear axis; on a
/// logarithmic one a low loss is a result, and only what lies 16 decades under the top is cut. Bands may add a quarter
/// to the height, reference lines what they need.
pub(super) fn vertical(chart: &LineChart) -> Option<(f64, f64)> {
    if let Some(range) = given(&chart.y) {
        return Some(range);
    }
    let scale = chart.y.scale;
    let spans: Vec<(f64, f64)> =
        chart.series.iter().filter_map(|s| span(shown(chart, s).map(|p| p.1).collect(), scale)).collect();
    let (mut low, mut high) = bulk(&spans, scale)?;
    let air = 0.25 * (high - low);
    let bands = chart.series.iter().flat_map(|s| s.band.iter().flatten());
    if let Some((bottom, top)) = extent(bands.flat_map(|b| [b.1, b.2]).filter_map(|v| scale.forward(v))) {
        (low, high) = (low.min(bottom.max(low - air)), high.max(top.min(high + air)));
    }
    for value in chart.rules.iter().filter_map(|r| scale.forward(r.0)) {
        (low, high) = (low.min(value), high.max(value));
    }
    Some(widen(low, high, 0.05, scale))
}

/// The points that both axes can show, in their units.
fn shown(chart: &LineChart, series: &Series) -> impl Iterator<Item = (f64, f64)> {
    series.points.iter().filter_map(|(x, y)| Some((chart.x.scale.forward(*x)?, chart.y.scale.forward(*y)?)))
}

/// Lowest and highest of what one series shows, without the heights of a divergence.
fn span(values: Vec<f64>, scale: Scale) -> Option<(f64, f64)> {
    let (low, high) = extent(values.iter().copied())?;
    let usual = values[0].max(median(values));
    let diverged = match scale {
        Scale::Linear => usual > 0.0 && high > 100.0 * usual,
        Scale::Log10 => high > 6.0 + usual,
    };
    Some((low, if diverged { usual } else { high }))
}

/// The range that the bulk of the series asks for.
fn bulk(spans: &[(f64, f64)], scale: Scale) -> Option<(f64, f64)> {
    let (lowest, highest) = extent(spans.iter().flat_map(|s| [s.0, s.1]))?;
    // Of two middle values the outer: what half of the series do is not an exception.
    let low = median(spans.iter().map(|s| s.0).collect());
    let high = -median(spans.iter().map(|s| -s.1).collect());
    let height = high - low;
    if height <= 0.0 {
        return Some((lowest, highest));
    }
    let reach = match scale {
        Scale::Linear => 4.0 * height,
        Scale::Log10 => (2.0 * height).max(height + 1.0),
    };
    let ceiling = low + reach;
    let top = if highest <= ceiling {
        highest
    } else {
        // Some headroom, to see the line leave.
        spans.iter().map(|s| s.1).filter(|h| *h <= ceiling).fold(high, f64::max) + 0.1 * height
    };
    let floor = high - reach;
    let bottom = match scale {
        Scale::Log10 => lowest.max(top - 16.0),
        Scale::Linear if lowest >= floor => lowest,
        Scale::Linear => spans.iter().map(|s| s.0).filter(|l| *l >= floor).fold(low, f64::min) - 0.1 * height,
    };
    Some((bottom, top))
}

/// The range that the caller asked for, if it is one.
fn given(axis: &Axis) -> Option<(f64, f64)> {
    let (a, b) = axis.range?;
    let (a, b) = (axis.scale.forward(a)?, axis.scale.forward(b)?);
    (a < b).then_some((a, b)).or((b < a).then_some((b, a)))
}

/// Adds a share of air at both ends, and makes a range of what is none.
fn widen(low: f64, high: f64, share: f64, scale: Scale) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    let height = high - low;
    if height <= size * 1e-9 {
        let air = match scale {
            Scale::Log10 => 0.5,
            Scale::Linear if size < 1e-150 => 1.0,
            Scale::Linear => 0.1 * size,
        };
        return (low - air, high + air);
    }
    let bottom = low - share * height;
    // Losses, rates and times are never negative: no axis should suggest it.
    let bottom = if scale == Scale::Linear && low >= 0.0 { bottom.max(0.0) } else { bottom };
    (bottom, high + share * height)
}

fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, v| {
        let (low, high): (f64, f64) = range.unwrap_or((v, v));
        Some((low.min(v), high.max(v)))
    })
}

/// The lower median of finite values; 0 for none.
fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = (values.len() - 1) / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Style;

    fn chart(scale: Scale, lines: &[&[f64]]) -> LineChart {
        let line = |ys: &&[f64]| {
            let points = ys.iter().enumerate().map(|(i, y)| (i as f64, *y)).collect();
            Series::new("", Style::at(0, 0), points)
        };
        LineChart {
            title: String::new(),
            subtitle: None,
            x: Axis::default(),
            y: Axis::new("", scale),
            series: lines.iter().map(line).collect(),
            rules: Vec::new(),
        }
    }

    fn within(range: Option<(f64, f64)>, low: f64, high: f64) {
        let (a, b) = range.expect("a range");
        assert!(low <= a && a < b && b <= high, "({a}, {b}) is not within ({low}, {high})");
    }

    #[test]
    fn nothing_to_show_has_no_range() {
        assert_eq!(vertical(&chart(Scale::Linear, &[])), None);
        assert_eq!(vertical(&chart(Scale::Linear, &[&[f64::NAN, f64::INFINITY]])), None);
        assert_eq!(vertical(&chart(Scale::Log10, &[&[0.0, -1.0]])), None);
        assert_eq!(horizontal(&chart(Scale::Linear, &[])), None);
    }

    #[test]
    fn one_value_gets_a_range_around_it() {
        for value in [0.0, 1.0, -3.0, 1e-200, 1e-12, 1e140] {
            within(
                vertical(&chart(Scale::Linear, &[&[value, value]])),
                value - 1.0 - value.abs(),
                value + 1.0 + value.abs(),
            );
        }
        within(vertical(&chart(Scale::Log10, &[&[1e-3]])), -4.0, -2.0);
    }

    #[test]
    fn a_diverging_series_does_not_squash_the_others() {
        let good: &[f64] = &[2.3, 1.0, 0.3];
        let bad: &[f64] = &[2.3, 5.0, 1e9];
        within(vertical(&chart(Scale::Linear, &[good, good, bad])), 0.0, 6.0);
        within(vertical(&chart(Scale::Log10, &[good, good, bad])), -1.0, 0.8);
        // Alone, too, it would hide its own beginning.
        within(vertical(&chart(Scale::Linear, &[&[2.3, 2.0, 1.9, 1.8, 1e9]])), 0.0, 3.0);
    }

    #[test]
    fn honest_differences_are_shown_whole() {
        let (_, top) = vertical(&chart(Scale::Linear, &[&[1.0, 0.2], &[1.0, 0.3], &[3.0, 1.0]])).expect("a range");
        assert!(top >= 3.0);
        let (bottom, _) = vertical(&chart(Scale::Log10, &[&[1.0, 0.1], &[1.0, 0.1], &[1.0, 1e-12]])).expect("a range");
        assert!(bottom <= -12.0);
        let (_, top) = vertical(&chart(Scale::Log10, &[&[0.5, 0.3], &[0.5, 0.3], &[1.5, 1.2]])).expect("a range");
        assert!(top >= 0.18);
        // Warmup from zero is no divergence.
        let (_, top) = vertical(&chart(Scale::Linear, &[&[0.0, 1e-3, 5e-4, 0.0]])).expect("a range");
        assert!(top >= 1e-3);
    }

    #[test]
    fn rules_and_given_ranges_count() {
        let mut chart = chart(Scale::Log10, &[&[1.0, 0.5]]);
        chart.rules.push((0.01, "target".into()));
        assert!(vertical(&chart).expect("a range").0 <= -2.0);
        chart.y.range = Some((10.0, 0.1));
        assert_eq!(vertical(&chart), Some((-1.0, 1.0)));
        chart.y.range = Some((0.0, 1.0));
        assert!(vertical(&chart).expect("a range").0 <= -2.0);
    }
}
