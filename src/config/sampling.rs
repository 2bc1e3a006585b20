//! Points that fill a box evenly, however many of them are drawn.

use crate::rng::Stream;
use crate::settings::Value;

/// An interval that a coordinate of sampled points is drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sampled {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Even in the logarithm.
    pub(super) logarithmic: bool,
    /// Rounded to whole numbers.
    pub(super) whole: bool,
    /// How many; as many as `[tuning]` tries where it is `None`.
    pub(super) samples: Option<usize>,
}

impl Sampled {
    /// The values at coordinates between 0 and 1.
    pub(super) fn values(&self, coordinates: &[f64]) -> Vec<Value> {
        let at = |u: f64| {
            let x = if self.logarithmic {
                self.low * (self.high / self.low).powf(u)
            } else {
                self.low + (self.high - self.low) * u
            };
            if self.whole { Value::Integer(x.round() as i64) } else { Value::Float(six_digits(x)) }
        };
        coordinates.iter().map(|u| at(*u)).collect()
    }
}

/// Six significant digits, so that generated values have names that people can read.
pub(super) fn six_digits(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

/// The first `n` points in as many dimensions as there are names: coordinate by coordinate.
///
/// Roberts' sequence (2018): point i is `shift + (i + 1) (1/g, 1/g^2, ..., 1/g^d)` modulo 1, where g is
/// the positive root of `x^(d+1) = x + 1`, the golden ratio in one dimension. Any first part of it
/// fills the box more evenly than random points do, and no two points share a coordinate. The
/// shifts (Cranley and Patterson 1976) are drawn for each name.
pub(super) fn points(names: &[&str], n: usize) -> Vec<Vec<f64>> {
    let shifts: Vec<f64> = names.iter().map(|name| Stream::new(0, &format!("samples {name}")).uniform()).collect();
    sequence(&shifts, n)
}

fn sequence(shifts: &[f64], n: usize) -> Vec<Vec<f64>> {
    let ratio = generalised_golden_ratio(shifts.len());
    let coordinates = shifts.iter().enumerate().map(|(j, shift)| {
        let stride = ratio.powi(-(j as i32 + 1));
        (1..=n).map(|i| (shift + i as f64 * stride).fract()).collect()
    });
    coordinates.collect()
}

/// The root above 1 of `x^(d+1) = x + 1`, by its contracting iteration `x = (1 + x)^(1/(d+1))`.
fn generalised_golden_ratio(dimensions: usize) -> f64 {
    let power = 1.0 / (dimensions + 1) as f64;
    (0..64).fold(1.5f64, |x, _| (1.0 + x).powf(power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratios_are_the_known_ones() {
        // The golden ratio and the plastic number.
        assert!((generalised_golden_ratio(1) - 1.618_033_988_749_895).abs() < 1e-14);
        assert!((generalised_golden_ratio(2) - 1.324_717_957_244_746).abs() < 1e-14);
    }

    #[test]
    fn any_first_part_fills_the_square_as_evenly_as_the_reference_says() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/reference/statistics.json")).unwrap();
        for row in reference["evenness"].as_array().unwrap() {
            let value = |name: &str| row[name].as_f64().unwrap();
            let n = value("n") as usize;
            let found = centred_discrepancy(&sequence(&[0.0, 0.0], n));
            assert!((found - value("roberts_without_shift")).abs() < 1e-12, "{n}: {found}");
            let shifted = centred_discrepancy(&points(&["lr", "weight_decay"], n));
            assert!(shifted < 0.6 * value("random"), "{n} points: {shifted}");
        }
    }

    /// Hickernell's centred L2 discrepancy, squared, as in SciPy.
    fn centred_discrepancy(coordinates: &[Vec<f64>]) -> f64 {
        let points: Vec<[f64; 2]> = coordinates[0].iter().zip(&coordinates[1]).map(|(x, y)| [*x, *y]).collect();
        let n = points.len() as f64;
        let off = |x: f64| (x - 0.5).abs();
        let one: f64 =
            points.iter().map(|p| p.iter().map(|x| 1.0 + 0.5 * off(*x) - 0.5 * off(*x).powi(2)).product::<f64>()).sum();
        let pair = |p: &[f64; 2], q: &[f64; 2]| -> f64 {
            p.iter().zip(q).map(|(x, y)| 1.0 + 0.5 * off(*x) + 0.5 * off(*y) - 0.5 * (x - y).abs()).product()
        };
        let two: f64 = points.iter().map(|p| points.iter().map(|q| pair(p, q)).sum::<f64>()).sum();
        (13.0f64 / 12.0).powi(2) - 2.0 / n * one + two / (n * n)
    }
}
