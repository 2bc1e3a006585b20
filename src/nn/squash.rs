//! The exponential, the logistic function and the hyperbolic tangent, in `f32` without a call, so
//! that loops over them fill the vectors: at most 3e-7 from the truth, relatively but for the logistic.

/// `2^k` and `e^r - 1` where `x = k ln 2 + r` and `|r| <= ln 2 / 2`.
#[inline(always)]
fn split_exp(x: f32) -> (f32, f32) {
    // Adding 1.5 * 2^23 rounds to a whole number, which then lies in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, the first short enough for exact products with k.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = x - k * LN_2_HIGH - k * LN_2_LOW;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    // Taylor's series; what is left out is below 2e-8.
    let q = 1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let q = 1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * q)));
    (power, r * q)
}

/// Limits to `[-bound, bound]`; a NaN stays one.
#[inline(always)]
fn limit(x: f32, bound: f32) -> f32 {
    let x = if x > bound { bound } else { x };
    if x < -bound { -bound } else { x }
}

/// `e^x` for `|x| <= 87`, and its values there outside.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let (power, rest) = split_exp(limit(x, 87.0));
    power + power * rest
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `(e^2x - 1) / (e^2x + 1)`.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let (power, rest) = split_exp(limit(2.0 * x, 30.0));
    let above_one = power * rest + (power - 1.0);
    above_one / (above_one + 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_to_the_truth_everywhere() {
        for i in -200_000..200_000 {
            let x = i as f32 * 5e-4;
            let truth = f64::from(x).tanh();
            assert!((f64::from(tanh(x)) - truth).abs() <= 3e-7 * truth.abs(), "tanh {x}");
            let truth = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(sigmoid(x)) - truth).abs() <= 3e-7, "sigmoid {x}");
            let truth = f64::from(limit(x, 87.0)).exp();
            assert!((f64::from(exp(x)) - truth).abs() <= 3e-7 * truth, "exp {x}");
        }
        assert!(tanh(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan() && exp(f32::NAN).is_nan());
        assert_eq!((tanh(f32::INFINITY), sigmoid(f32::NEG_INFINITY) < 1e-37), (1.0, true));
    }
}
