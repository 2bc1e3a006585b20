//! Where an axis has its ticks, and what they say.

use super::axis::Scale;

/// A tick at a place in the units of [`Scale::forward`]; minor ones have no words.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: Option<String>,
}

/// Ticks for a range in the units of [`Scale::forward`], with about `wanted` labels.
pub(super) fn ticks(scale: Scale, range: (f64, f64), wanted: usize) -> Vec<Tick> {
    match scale {
        Scale::Linear => linear(range, wanted, |v| v),
        Scale::Log10 => logarithmic(range, wanted),
    }
}

/// Ticks at round values; `place` maps a value to the axis.
fn linear((low, high): (f64, f64), wanted: usize, place: impl Fn(f64) -> f64) -> Vec<Tick> {
    let step = round_step((high - low) / wanted.max(1) as f64);
    let (first, last) = ((low / step - 1e-6).ceil(), (high / step + 1e-6).floor());
    // The range of a single huge value can be too narrow for f64 to count in it.
    if !(step > 0.0 && last - first <= 100.0 && first.abs() < 1e15) {
        return Vec::new();
    }
    let count = (last - first) as i64;
    let values: Vec<f64> = (0..=count).map(|i| (first + i as f64) * step).collect();
    let words = Words::of(&values, step);
    values.iter().map(|v| Tick { at: place(*v), label: Some(words.write(*v)) }).collect()
}

/// The least of 1, 2, 2.5 and 5 times a power of ten that is not below `rough`.
fn round_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|f| f * power >= rough * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

fn logarithmic((low, high): (f64, f64), wanted: usize) -> Vec<Tick> {
    let decades = high - low;
    if decades < 0.75 {
        // So little of a decade that round values serve better than 1, 2, 5.
        return linear((10_f64.powf(low), 10_f64.powf(high)), wanted, f64::log10);
    }
    let stride = (decades / wanted.max(1) as f64).ceil().max(1.0) as i64;
    let (first, last) = ((low - 1e-9).floor() as i64, (high + 1e-9).ceil() as i64);
    let scientific = low < -3.5 || high > 4.5;
    let mut ticks = Vec::new();
    for exponent in first..=last {
        let base = exponent as f64;
        let labelled = exponent.rem_euclid(stride) == 0;
        ticks.push(Tick { at: base, label: labelled.then(|| decade(1, exponent, scientific)) });
        // Between decades: single steps as long as they stay apart; with words where decades alone would be too few.
        if decades <= 6.0 {
            for digit in 2..=9 {
                let words = decades < 1.6 && matches!(digit, 2 | 5);
                let label = words.then(|| decade(digit, exponent, scientific));
                ticks.push(Tick { at: base + f64::from(digit).log10(), label });
            }
        }
    }
    ticks.retain(|t| (low - 1e-9..=high + 1e-9).contains(&t.at));
    ticks
}

/// A digit times a power of ten: `0.002` or `2e-3`.
fn decade(digit: u8, exponent: i64, scientific: bool) -> String {
    match usize::try_from(exponent) {
        _ if scientific && exponent != 0 => format!("{digit}e{exponent}"),
        Ok(zeros) => format!("{digit}{}", "0".repeat(zeros)),
        Err(_) => format!("0.{}{digit}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
    }
}

/// One way to write all ticks of a linear axis.
struct Words {
    divisor: f64,
    suffix: String,
    decimals: usize,
}

impl Words {
    fn of(values: &[f64], step: f64) -> Self {
        let largest = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let (divisor, suffix) = match largest {
            v if v >= 1e10 || (v > 0.0 && v < 1e-3) => {
                let exponent = (v.log10() + 1e-9).floor();
                (10_f64.powf(exponent), format!("e{exponent}"))
            }
            v if v >= 1e6 => (1e6, "M".to_owned()),
            v if v >= 1e4 => (1e3, "k".to_owned()),
            _ => (1.0, String::new()),
        };
        let step = step / divisor;
        // Enough places to write the step exactly: 0.25 needs two.
        let exact = |d: &usize| {
            let scaled = step * 10_f64.powf(*d as f64);
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        };
        Self { divisor, suffix, decimals: (0..12).find(exact).unwrap_or(12) }
    }

    fn write(&self, value: f64) -> String {
        let text = format!("{:.*}", self.decimals, value.abs() / self.divisor);
        if text.bytes().all(|b| matches!(b, b'0' | b'.')) {
            return "0".to_owned();
        }
        format!("{}{text}{}", if value < 0.0 { "−" } else { "" }, self.suffix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, range: (f64, f64)) -> Vec<String> {
        ticks(scale, range, 6).into_iter().filter_map(|t| t.label).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(labels(Scale::Linear, (0.0, 1.0)), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(Scale::Linear, (-1.2, 1.3)), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels(Scale::Linear, (0.0, 52_000.0)), ["0", "10k", "20k", "30k", "40k", "50k"]);
        assert_eq!(labels(Scale::Linear, (0.0, 9000.0)), ["0", "2000", "4000", "6000", "8000"]);
        assert_eq!(labels(Scale::Linear, (0.0, 5.5e-4)), ["0", "1e-4", "2e-4", "3e-4", "4e-4", "5e-4"]);
        assert_eq!(
            labels(Scale::Linear, (2.5e6, 4e6)),
            ["2.50M", "2.75M", "3.00M", "3.25M", "3.50M", "3.75M", "4.00M"]
        );
    }

    #[test]
    fn decades_are_plain_where_that_stays_short() {
        assert_eq!(labels(Scale::Log10, (-3.0, 1.0)), ["0.001", "0.01", "0.1", "1", "10"]);
        assert_eq!(labels(Scale::Log10, (-5.0, 0.0)), ["1e-5", "1e-4", "1e-3", "1e-2", "1e-1", "1"]);
        assert_eq!(labels(Scale::Log10, (-0.5, 0.9)), ["0.5", "1", "2", "5"]);
        assert_eq!(labels(Scale::Log10, (-1.0, -0.6)), ["0.10", "0.15", "0.20", "0.25"]);
    }

    #[test]
    fn many_decades_are_thinned() {
        assert_eq!(labels(Scale::Log10, (-16.0, 0.0)).len(), 6);
        assert!(labels(Scale::Log10, (-150.0, 150.0)).len() <= 8);
    }

    #[test]
    fn ticks_stay_inside_and_never_run_away() {
        for range in [(0.0, 1.0), (1e15, 1e15 + 4.0), (-1e150, 1e150), (1e-200, 2e-200), (3.0, 3.0 + 1e-8)] {
            let ticks = ticks(Scale::Linear, range, 6);
            assert!(ticks.len() <= 12, "{range:?}: {}", ticks.len());
            let air = 1e-3 * (range.1 - range.0);
            assert!(ticks.iter().all(|t| range.0 - air <= t.at && t.at <= range.1 + air), "{range:?}");
        }
    }
}
