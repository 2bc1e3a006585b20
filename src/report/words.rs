//! Numbers as people read them.

use crate::analysis::{Rank, Sample, Summary};
use crate::metric::Metric;
pub(super) use crate::settings::short;
pub(super) use crate::words::count;

/// A score: shares in percent, other numbers to four digits.
pub(super) fn score(x: f64, metric: Metric) -> String {
    let x = if x == 0.0 { 0.0 } else { x };
    match x {
        _ if x.is_infinite() => if x > 0.0 { "∞" } else { "-∞" }.to_owned(),
        _ if metric.is_share() => format!("{:.2}", 100.0 * x),
        _ if x == 0.0 || (1e-3..1e5).contains(&x.abs()) => format!("{x:.4}"),
        _ => format!("{x:.2e}"),
    }
}

/// What follows a score: `%`, or nothing.
pub(super) fn unit(metric: Metric) -> &'static str {
    if metric.is_share() { "%" } else { "" }
}

/// A score with its unit: `97.22%`, `0.0834`.
pub fn with_unit(x: f64, metric: Metric) -> String {
    format!("{}{}", score(x, metric), unit(metric))
}

/// A difference of two scores with its unit: percentages differ in points.
pub(super) fn points(x: f64, metric: Metric) -> String {
    let unit = if metric.is_share() { " points" } else { "" };
    format!("{}{unit}", score(x, metric))
}

/// `0.9722 ± 0.0056`, or in percent for shares.
pub(super) fn spread(sample: &Sample, metric: Metric) -> String {
    match (sample.mean(), sample.deviation()) {
        (None, _) => "-".into(),
        (Some(mean), Some(deviation)) if deviation.is_finite() && (deviation > 0.0 || metric.is_share()) => {
            format!("{} ± {}{}", score(mean, metric), score(deviation, metric), unit(metric))
        }
        (Some(mean), _) => format!("{}{}", score(mean, metric), unit(metric)),
    }
}

/// What [`spread`] says, with the number of seeds where some of `seeds` are missing: `97.20 ± 0.56% (2 of 3)`.
pub(super) fn spread_of(sample: &Sample, metric: Metric, seeds: usize) -> String {
    let text = spread(sample, metric);
    if (1..seeds).contains(&sample.len()) { format!("{text} ({} of {seeds})", sample.len()) } else { text }
}

/// The seeds behind a mean: `3 seeds`, or `1 of 3 seeds; 2 diverged`.
pub(super) fn seeds(arm: &Summary) -> String {
    let all = count(arm.runs.len(), "seed");
    if arm.lost() == 0 {
        return all;
    }
    let lost = [(arm.diverged, "diverged"), (arm.failed, "failed")];
    let lost: Vec<String> = lost.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    format!("{} of {all}; {}", arm.finished, lost.join(", "))
}

/// The mean with its unit.
pub(super) fn mean(sample: &Sample, metric: Metric) -> String {
    sample.mean().map_or_else(|| "-".into(), |mean| with_unit(mean, metric))
}

/// An interval: `-0.12 to 0.86`; `unknown` where nothing bounds it.
pub(super) fn interval((low, high): (f64, f64), metric: Metric) -> String {
    if low.is_infinite() && high.is_infinite() {
        return "unknown".into();
    }
    format!("{} to {}", score(low, metric), score(high, metric))
}

/// The same in brackets, beside a number: `[-0.12, 0.86]`.
pub(super) fn interval_of((low, high): (f64, f64), metric: Metric) -> String {
    if low.is_infinite() && high.is_infinite() {
        return "[unknown]".into();
    }
    format!("[{}, {}]", score(low, metric), score(high, metric))
}

/// A time in any unit to three digits, those before the point in full: `0.000123`, `4.56`, `1235`.
pub(super) fn time(x: f64) -> String {
    match x.abs() {
        size if size >= 100.0 => format!("{x:.0}"),
        size if size >= 1e-6 => format!("{x:.*}", (2.0 - size.log10().floor()) as usize),
        0.0 => "0".into(),
        _ => format!("{x:.2e}"),
    }
}

/// The place of an arm, counted from 1; none where nothing finished.
pub(super) fn place(index: usize, rank: &Rank) -> String {
    if rank.is_ranked() { (index + 1).to_string() } else { "-".into() }
}

/// `lr 0.003, weight_decay 0.1`.
pub(super) fn chosen(rank: &Rank) -> String {
    let pairs: Vec<String> = rank.chosen().iter().map(|(key, value)| format!("{key} {}", value.short())).collect();
    pairs.join(", ")
}

/// A probability: three digits, or that it is less than they can show.
pub(super) fn probability(p: Option<f64>) -> String {
    match p {
        None => "-".into(),
        Some(p) if p < 0.001 => "< 0.001".into(),
        Some(p) => format!("{p:.3}"),
    }
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
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent.abs() < 9.95 { format!("{percent:.1}%") } else { format!("{percent:.0}%") }
}

/// Bytes in the largest unit that keeps a whole number before the point.
pub(super) fn bytes(n: u64) -> String {
    let n = n as f64;
    match n {
        n if n >= 1e9 => format!("{:.2} GB", n / 1e9),
        n if n >= 1e6 => format!("{:.2} MB", n / 1e6),
        n if n >= 1e3 => format!("{:.1} kB", n / 1e3),
        n => format!("{n} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(0.009_486_832_980_505_138), "0.00949");
        assert_eq!((short(3.0), short(1e-5)), ("3".into(), "1e-5".into()));
        assert_eq!((score(-0.0, Metric::LOSS), score(0.00012, Metric::LOSS)), ("0.0000".into(), "1.20e-4".into()));
        assert_eq!((points(0.0052, Metric::ACCURACY), bytes(1_234_000)), ("0.52 points".into(), "1.23 MB".into()));
        assert_eq!(probability(Some(1e-9)), "< 0.001");
        assert_eq!(interval((f64::NEG_INFINITY, f64::INFINITY), Metric::LOSS), "unknown");
        let times = [0.0, 0.000_041_23, 0.4512, 4.5678, 12.345, 1234.5].map(time);
        assert_eq!(times, ["0", "0.0000412", "0.451", "4.57", "12.3", "1234"]);
    }
}
