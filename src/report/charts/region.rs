//! The part of an axis where good scores lie: one hopeless setting must not flatten all others.

use crate::chart::{Axis, Scale, Series};
use crate::metric::Metric;

/// How many times the distance from the best to the median score is shown.
const REACH: f64 = 4.0;

/// Limits the axis to the good scores, where the others would take more than half of its height.
/// Returns what to say of those that lie beyond the edge; nothing where all are shown.
pub(super) fn focus_on_good(axis: &mut Axis, series: &[Series], metric: Metric) -> Option<String> {
    let forward = |y: f64| if axis.scale == Scale::Log10 { y.log10() } else { y };
    let back = |y: f64| if axis.scale == Scale::Log10 { 10f64.powf(y) } else { y };
    // Less is better.
    let sign = if metric.higher_is_better() { -1.0 } else { 1.0 };
    let scores = series.iter().flat_map(|line| &line.points).map(|(_, y)| sign * forward(*y));
    let mut scores: Vec<f64> = scores.filter(|score| score.is_finite()).collect();
    scores.sort_by(f64::total_cmp);
    let (best, worst) = (*scores.first()?, *scores.last()?);
    let limit = best + REACH * (scores[scores.len() / 2] - best);
    if limit <= best || worst - best <= 2.0 * (limit - best) {
        return None;
    }
    let bands = series.iter().flat_map(|line| line.band.iter().flatten()).flat_map(|(_, low, high)| [*low, *high]);
    let near = bands.map(|y| sign * forward(y)).filter(|y| (2.0 * best - limit..=limit).contains(y));
    let kept = scores.iter().copied().filter(|score| *score <= limit).chain(near);
    let (low, high) = kept.fold((best, best), |(low, high), y| (low.min(y), high.max(y)));
    let air = 0.06 * (high - low);
    let (a, b) = (back(sign * (low - air)), back(sign * (high + air)));
    let bound = |y: f64| if metric.is_share() { y.clamp(0.0, 1.0) } else { y };
    axis.range = Some((bound(a.min(b)), bound(a.max(b))));
    Some("worse scores lie beyond the edge, at the arrows".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Color, Dash, Marker, Style};
    use crate::metric::Direction;

    fn shown(scale: Scale, ys: &[f64], metric: Metric) -> Option<(f64, f64)> {
        let style = Style { color: Color(0, 0, 0), dash: Dash::Solid, marker: Marker::Circle };
        let line = Series::new("a", style, ys.iter().map(|y| (0.0, *y)).collect());
        let mut axis = Axis::new("score", scale);
        let said = focus_on_good(&mut axis, &[line], metric);
        assert_eq!(said.is_some(), axis.range.is_some());
        axis.range
    }

    #[test]
    fn one_bad_score_does_not_flatten_the_others() {
        let (low, high) = shown(Scale::Linear, &[0.97, 0.98, 0.96, 0.1], Metric::ACCURACY).unwrap();
        assert!((0.9..0.96).contains(&low) && (0.98..1.0).contains(&high), "{low} {high}");
        let (low, high) = shown(Scale::Log10, &[0.1, 0.12, 0.11, 2e3], Metric::LOSS).unwrap();
        assert!(low < 0.1 && (0.12..0.2).contains(&high), "{low} {high}");
    }

    #[test]
    fn only_shares_end_at_0_and_1() {
        let reward = Metric::declared("reward_of_region", Direction::Higher).unwrap();
        let (low, high) = shown(Scale::Linear, &[97.0, 98.0, 96.0, 10.0], reward).unwrap();
        assert!((90.0..96.0).contains(&low) && (98.0..100.0).contains(&high), "{low} {high}");
        let (_, high) = shown(Scale::Linear, &[0.998, 1.0, 0.99, 0.1], Metric::ACCURACY).unwrap();
        assert_eq!(high, 1.0);
    }

    #[test]
    fn an_even_spread_is_shown_whole() {
        assert_eq!(shown(Scale::Linear, &[0.9, 0.8, 0.7, 0.6], Metric::ACCURACY), None);
        assert_eq!(shown(Scale::Linear, &[1.0, 1.0, 1.0, 9.0], Metric::LOSS), None, "nothing to measure by");
        assert_eq!(shown(Scale::Linear, &[f64::NAN], Metric::LOSS), None);
        assert_eq!(shown(Scale::Linear, &[], Metric::LOSS), None);
    }
}
