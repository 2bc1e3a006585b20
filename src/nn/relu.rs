//! `ReLU`, which lets a NaN through: a divergence must not be hidden.

use candle_core::{Shape, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, read};
use crate::nn::fused::{Inputs, Operation, apply1};
use crate::nn::simd::vectorized;

/// `max(x, 0)`, with gradient 0 at 0; a NaN stays one.
///
/// candle's own makes 0 of a NaN, and passes the gradient at 0.
///
/// # Errors
/// When the device refuses.
pub fn relu(x: &Tensor, composed: bool) -> Result<Tensor> {
    if composed {
        // A NaN is not at most 0, so it is taken from `x`.
        return Ok(x.le(0.0)?.where_cond(&x.zeros_like()?, x)?);
    }
    apply1(Fused, x)
}

struct Fused;

/// The second of each pair where the first is above 0, or not a number.
fn map<T: Float>(values: impl ExactSizeIterator<Item = (T, T)>) -> Vec<T> {
    let zero = T::of(0.0);
    let mut out = Vec::with_capacity(values.len());
    vectorized(
        #[inline(always)]
        || {
            out.extend(values.map(
                #[inline(always)]
                |(y, passed)| if y <= zero { zero } else { passed },
            ));
        },
    );
    out
}

impl Operation<1> for Fused {
    const NAME: &'static str = "relu";
    type Saved<T: Float> = ();

    fn forward<T: Float>(&self, inputs: &Inputs<1>) -> candle_core::Result<(Vec<T>, Shape, ())> {
        let y = map(inputs.elements::<T>(0)?.iter().map(|&x| (x, x)));
        Ok((y, inputs.shape(0).clone(), ()))
    }

    fn backward<T: Float>(
        &self,
        _: [&Tensor; 1],
        y: &Tensor,
        gradient: &Tensor,
        (): (),
    ) -> candle_core::Result<[Option<Tensor>; 1]> {
        let passed =
            read(y, |y: &[T]| read(gradient, |gradient: &[T]| map(y.iter().copied().zip(gradient.iter().copied()))))??;
        Ok([Some(Tensor::from_vec(passed, y.shape(), y.device())?)])
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::nn::conv::relu_pool;

    #[test]
    fn a_nan_stays_and_nothing_passes_at_0() {
        for composed in [false, true] {
            let x = Var::new(&[-1.0f32, -0.0, 0.0, 2.0, f32::INFINITY, f32::NAN], &Device::Cpu).unwrap();
            let y = relu(&x, composed).unwrap();
            let values: Vec<f32> = y.to_vec1().unwrap();
            assert_eq!(values[..5], [0.0, 0.0, 0.0, 2.0, f32::INFINITY]);
            assert!(values[5].is_nan());
            let gradients = y.narrow(0, 0, 4).unwrap().sum_all().unwrap().backward().unwrap();
            assert_eq!(gradients.get(&x).unwrap().to_vec1::<f32>().unwrap(), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        }
    }

    #[test]
    fn no_pixel_of_a_pool_hides_a_nan() {
        for composed in [false, true] {
            for at in 0..4 {
                let mut cell = [3.0f64; 4];
                cell[at] = f64::NAN;
                // One image of one channel, the same in either order of the axes.
                let maps = Tensor::from_slice(&cell, if composed { (1, 1, 2, 2) } else { (1, 2, 2, 1) }, &Device::Cpu);
                let pooled = relu_pool(&maps.unwrap(), composed).unwrap().flatten_all().unwrap();
                assert!(pooled.to_vec1::<f64>().unwrap()[0].is_nan(), "composed: {composed}, pixel {at}");
            }
        }
    }
}
