//! Numbers as people read them, for cells and sentences alike.

use crate::analysis::{Comparison, Rank, Sample, Verdict};
use crate::metric::Metric;
use crate::report::document::{Cell, Content, Number, Statistics, Tone};
use crate::results::Setting;
pub(in crate::report) use crate::settings::short;
pub(in crate::report) use crate::words::count;

/// A score without its unit: shares in percent, other numbers to four digits.
pub(in crate::report) fn score(x: f64, metric: Metric) -> Number {
    let x = if x == 0.0 { 0.0 } else { x };
    match x {
        _ if x.is_infinite() => Number::new(x, if x > 0.0 { "∞" } else { "-∞" }),
        _ if metric.is_share() => Number::fixed(100.0 * x, 2),
        _ if x == 0.0 || (1e-3..1e5).contains(&x.abs()) => Number::fixed(x, 4),
        _ => Number::new(x, format!("{x:.2e}")),
    }
}

/// A score with its unit: `97.22%`, `0.0834`.
pub fn with_unit(x: f64, metric: Metric) -> Number {
    score(x, metric).with(if metric.is_share() { "%" } else { "" })
}

/// A difference of two scores with its unit: percentages differ in points.
pub(super) fn points(x: f64, metric: Metric) -> Number {
    score(x, metric).with(if metric.is_share() { " points" } else { "" })
}

/// The mean of scores with its unit.
pub(super) fn mean(sample: &Sample, metric: Metric) -> Cell {
    sample.mean().map(|mean| with_unit(mean, metric)).into()
}

/// Scores over seeds: `0.9722 ± 0.0056`, or in percent for shares.
pub(super) fn spread(sample: &Sample, metric: Metric) -> Cell {
    let Some(mean) = sample.mean() else { return Content::Missing.into() };
    let known = |deviation: &f64| deviation.is_finite() && (*deviation > 0.0 || metric.is_share());
    let deviation = sample.deviation().filter(known).map(|deviation| score(deviation, metric));
    Content::Spread(with_unit(mean, metric), deviation).into()
}

/// What [`spread`] says, with the number of seeds where some of `seeds` are missing: `97.20 ± 0.56% (2 of 3)`.
pub(super) fn spread_of(sample: &Sample, metric: Metric, seeds: usize) -> Cell {
    let cell = spread(sample, metric);
    if (1..seeds).contains(&sample.len()) { cell.noted(format!("{} of {seeds}", sample.len())) } else { cell }
}

/// An interval: `-0.12 to 0.86`; `unknown` where nothing bounds it.
pub(super) fn interval(range: (f64, f64), metric: Metric) -> Cell {
    if range.0.is_infinite() && range.1.is_infinite() {
        return "unknown".into();
    }
    Content::Interval(score(range.0, metric), score(range.1, metric)).into()
}

/// The same as a cell that stands for itself: a dash where nothing bounds it.
pub(super) fn known_interval(range: Option<(f64, f64)>, metric: Metric) -> Cell {
    range.filter(|range| range.0.is_finite()).map(|range| interval(range, metric)).into()
}

/// A difference with its interval: `0.34 points [-0.12, 0.86]`.
pub(super) fn estimate(mean: f64, range: (f64, f64), metric: Metric) -> Cell {
    let bounded = range.0.is_finite() || range.1.is_finite();
    let ends = bounded.then(|| (score(range.0, metric), score(range.1, metric)));
    Content::Estimate(points(mean, metric), ends).into()
}

/// A number over seeds, for scripts.
pub(super) fn statistics(sample: &Sample) -> Statistics {
    Statistics { n: sample.len(), mean: sample.mean(), std: sample.deviation() }
}

/// A time in any unit to three digits, those before the point in full: `0.000123`, `4.56`, `1235`.
pub(super) fn time(x: f64) -> Number {
    match x.abs() {
        size if size >= 100.0 => Number::fixed(x, 0),
        size if size >= 1e-6 => Number::fixed(x, (2.0 - size.log10().floor()) as usize),
        0.0 => Number::new(x, "0"),
        _ => Number::new(x, format!("{x:.2e}")),
    }
}

/// The mean of times.
pub(super) fn mean_time(sample: &Sample) -> Cell {
    sample.mean().map(time).into()
}

/// A setting that is a number, shortened.
pub(super) fn setting(x: f64) -> Number {
    Number::new(x, short(x))
}

/// `lr 0.003, weight_decay 0.1`.
pub(super) fn settings<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a Setting)>) -> String {
    let pairs: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key} {}", value.short())).collect();
    pairs.join(", ")
}

/// The settings that were chosen for an arm.
pub(super) fn chosen(rank: &Rank) -> String {
    settings(rank.chosen())
}

/// The place of an arm, counted from 1; none where nothing finished.
pub(super) fn place(index: usize, rank: &Rank) -> Cell {
    rank.is_ranked().then(|| Number::count(index + 1)).into()
}

/// A probability: three digits, or that it is less than they can show.
pub(super) fn p_value(p: f64) -> Number {
    if p < 0.001 { Number::new(p, "0.001").related("< ") } else { Number::fixed(p, 3) }
}

/// The same of a test that may not have been made.
pub(super) fn probability(p: Option<f64>) -> Cell {
    p.map(p_value).into()
}

/// Yes or no to a question of which yes is the better answer.
pub(super) fn yes_or_no(yes: bool) -> Cell {
    if yes { Cell::word("yes", Tone::Good) } else { Cell::word("no", Tone::Bad) }
}

/// What an arm is beside the leader, or a run beside the envelope.
pub(super) fn verdict(verdict: Verdict) -> Cell {
    let tone = match verdict {
        Verdict::Worse | Verdict::Lost | Verdict::Unstable => Tone::Bad,
        Verdict::Better => Tone::Good,
        Verdict::Tied | Verdict::Unknown => Tone::Doubtful,
        Verdict::Equal => Tone::Plain,
    };
    Cell::word(verdict.word(), tone)
}

/// What an arm is beside the leader, which has no comparison.
pub(super) fn verdict_or_leader(comparison: Option<&Comparison>) -> Cell {
    comparison.map_or_else(|| Cell::word("leader", Tone::Good), |comparison| verdict(comparison.verdict))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A share in percent, to two digits.
pub(super) fn percent(share: f64) -> Number {
    let percent = 100.0 * share;
    Number::fixed(percent, usize::from(percent.abs() < 9.95)).with("%")
}

/// Bytes in the largest unit that keeps a whole number before the point.
pub(super) fn bytes(n: u64) -> Number {
    let value = n as f64;
    let (size, decimals, unit) = match value {
        n if n >= 1e9 => (n / 1e9, 2, " GB"),
        n if n >= 1e6 => (n / 1e6, 2, " MB"),
        n if n >= 1e3 => (n / 1e3, 1, " kB"),
        n => (n, 0, " B"),
    };
    Number { value, ..Number::fixed(size, decimals).with(unit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let said = |number: Number| number.to_string();
        assert_eq!(short(0.009_486_832_980_505_138), "0.00949");
        assert_eq!((short(3.0), short(1e-5)), ("3".into(), "1e-5".into()));
        assert_eq!([-0.0, 0.00012].map(|x| said(score(x, Metric::LOSS))), ["0.0000", "1.20e-4"]);
        assert_eq!(
            (said(points(0.0052, Metric::ACCURACY)), said(bytes(1_234_000))),
            ("0.52 points".into(), "1.23 MB".into())
        );
        assert_eq!((bytes(12_600).value, said(p_value(1e-9))), (12_600.0, "< 0.001".into()));
        assert_eq!(interval((f64::NEG_INFINITY, f64::INFINITY), Metric::LOSS).to_string(), "unknown");
        let times = [0.0, 0.000_041_23, 0.4512, 4.5678, 12.345, 1234.5].map(|x| said(time(x)));
        assert_eq!(times, ["0", "0.0000412", "0.451", "4.57", "12.3", "1234"]);
    }
}
