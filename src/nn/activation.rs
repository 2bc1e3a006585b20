//! What stands between the two maps of a transformer's feed-forward layer.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::float::Float;
use crate::nn::simd::vectorized;

/// `sqrt(2 / pi)`.
const SLOPE: f64 = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;
const CUBIC: f64 = 0.044_715;

crate::choice! {
    /// A function of every number, or of two.
    pub enum Activation {
        /// `x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`, as in GPT-2 (Hendrycks and Gimpel 2016, arXiv 1606.08415).
        Gelu = "gelu",
        /// `gate sigmoid(gate) x`, where a map of its own gives the gate (Shazeer 2020, arXiv 2002.05202).
        Swiglu = "swiglu",
        /// `max(x, 0)^2` (So et al. 2021, arXiv 2109.08668).
        Relu2 = "relu2",
    }
}

impl Activation {
    /// Whether it is a function of `x` and a gate.
    pub fn is_gated(self) -> bool {
        self == Self::Swiglu
    }

    /// The values; `gate` is empty unless [`Activation::is_gated`].
    pub(super) fn values<T: Float>(self, x: &[T], gate: &[T]) -> Vec<T> {
        vectorized(
            #[inline(always)]
            || match self {
                Self::Gelu => x
                    .iter()
                    .map(
                        #[inline(always)]
                        |&x| gelu(x).0,
                    )
                    .collect(),
                Self::Relu2 => x
                    .iter()
                    .map(
                        #[inline(always)]
                        |&x| positive(x) * positive(x),
                    )
                    .collect(),
                Self::Swiglu => x
                    .iter()
                    .zip(gate)
                    .map(
                        #[inline(always)]
                        |(&x, &gate)| gate * gate.sigmoid() * x,
                    )
                    .collect(),
            },
        )
    }

    /// The gradients of `x` and gate (nothing where there is none), from that of the values.
    pub(super) fn gradients<T: Float>(self, x: &[T], gate: &[T], gradient: &[T]) -> (Vec<T>, Vec<T>) {
        let one = T::of(1.0);
        let pairs = || x.iter().zip(gradient);
        vectorized(
            #[inline(always)]
            || match self {
                Self::Gelu => (
                    pairs()
                        .map(
                            #[inline(always)]
                            |(&x, &g)| gelu(x).1 * g,
                        )
                        .collect(),
                    Vec::new(),
                ),
                Self::Relu2 => (
                    pairs()
                        .map(
                            #[inline(always)]
                            |(&x, &g)| (positive(x) + positive(x)) * g,
                        )
                        .collect(),
                    Vec::new(),
                ),
                Self::Swiglu => {
                    let (mut of_x, mut of_gate) = (Vec::with_capacity(x.len()), Vec::with_capacity(x.len()));
                    of_x.extend(gate.iter().zip(gradient).map(
                        #[inline(always)]
                        |(&gate, &g)| gate * gate.sigmoid() * g,
                    ));
                    of_gate.extend(pairs().zip(gate).map(
                        #[inline(always)]
                        |((&x, &g), &gate)| {
                            let sigmoid = gate.sigmoid();
                            x * sigmoid * (one + gate * (one - sigmoid)) * g
                        },
                    ));
                    (of_x, of_gate)
                }
            },
        )
    }

    /// The values of candle's operations.
    pub(super) fn composed(self, x: &Tensor, gate: Option<&Tensor>) -> Result<Tensor> {
        Ok(match (self, gate) {
            (Self::Swiglu, Some(gate)) => (gate * (gate.neg()?.exp()? + 1.0)?.recip()? * x)?,
            (Self::Relu2, _) => x.relu()?.sqr()?,
            _ => {
                let cube = (x.sqr()? * x)?;
                let tanh = ((x + (cube * CUBIC)?)? * SLOPE)?.tanh()?;
                ((x * 0.5)? * (tanh + 1.0)?)?
            }
        })
    }
}

/// The value and the slope.
#[inline(always)]
fn gelu<T: Float>(x: T) -> (T, T) {
    let (half, one) = (T::of(0.5), T::of(1.0));
    let square = x * x;
    let tanh = (T::of(SLOPE) * x * (one + T::of(CUBIC) * square)).tanh();
    let inner = T::of(SLOPE) * (one + T::of(3.0 * CUBIC) * square);
    (half * x * (one + tanh), half * (one + tanh) + half * x * (one - tanh * tanh) * inner)
}

/// `max(x, 0)`, but a NaN stays one.
#[inline(always)]
fn positive<T: Float>(x: T) -> T {
    let zero = T::of(0.0);
    if x < zero { zero } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::Choice;

    #[test]
    fn gradients_are_differences_of_values() {
        let x: Vec<f64> = (-40..40).map(|i| f64::from(i) * 0.11 + 0.05).collect();
        let gate: Vec<f64> = x.iter().map(|x| (3.0 * x).sin() * 2.0).collect();
        let ones = vec![1.0; x.len()];
        for &activation in Activation::ALL {
            let (of_x, of_gate) = activation.gradients(&x, &gate, &ones);
            let h = 1e-6;
            let moved = |x: &[f64], h: f64| -> Vec<f64> { x.iter().map(|x| x + h).collect() };
            let difference = |high: Vec<f64>, low: Vec<f64>, i: usize| (high[i] - low[i]) / (2.0 * h);
            for i in 0..x.len() {
                let by_x =
                    difference(activation.values(&moved(&x, h), &gate), activation.values(&moved(&x, -h), &gate), i);
                assert!((by_x - of_x[i]).abs() < 1e-8, "{activation:?} at {}", x[i]);
                if activation.is_gated() {
                    let by_gate = difference(
                        activation.values(&x, &moved(&gate, h)),
                        activation.values(&x, &moved(&gate, -h)),
                        i,
                    );
                    assert!((by_gate - of_gate[i]).abs() < 1e-8, "{activation:?} at gate {}", gate[i]);
                }
            }
        }
    }

    #[test]
    fn a_nan_stays_one() {
        for &activation in Activation::ALL {
            let (of_x, _) = activation.gradients(&[f32::NAN], &[f32::NAN], &[1.0]);
            assert!(activation.values(&[f32::NAN], &[f32::NAN])[0].is_nan() && of_x[0].is_nan(), "{activation:?}");
        }
    }
}
