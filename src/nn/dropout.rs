//! Dropout from a seeded stream: candle's own draws from a generator that cannot be seeded.

use candle_core::Tensor;

use crate::error::Result;
use crate::rng::Stream;

/// Sets each number to 0 with probability `rate` and multiplies the others by `1 / (1 - rate)`.
///
/// # Errors
/// When the device refuses.
pub fn dropout(x: &Tensor, rate: f64, stream: &mut Stream) -> Result<Tensor> {
    if rate == 0.0 {
        return Ok(x.clone());
    }
    Ok((x * Tensor::from_vec(mask(x.elem_count(), rate, stream), x.shape(), &candle_core::Device::Cpu)?
        .to_dtype(x.dtype())?
        .to_device(x.device())?)?)
}

/// What `count` numbers are multiplied by: 0 with probability `rate`, `1 / (1 - rate)` otherwise.
pub fn mask(count: usize, rate: f64, stream: &mut Stream) -> Vec<f32> {
    let kept = (1.0 / (1.0 - rate)) as f32;
    (0..count).map(|_| if stream.uniform() < rate { 0.0 } else { kept }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn drops_its_share_and_keeps_the_mean() {
        let ones = Tensor::ones((100, 100), DType::F64, &Device::Cpu).unwrap();
        let draw = |seed| {
            let dropped = dropout(&ones, 0.25, &mut Stream::new(seed, "dropout")).unwrap();
            dropped.flatten_all().unwrap().to_vec1::<f64>().unwrap()
        };
        let values = draw(0);
        let zeros = values.iter().filter(|x| **x == 0.0).count();
        assert!((2300..2700).contains(&zeros), "{zeros}");
        assert!(values.iter().all(|x| *x == 0.0 || (x - 4.0 / 3.0).abs() < 1e-7));
        assert_eq!(values, draw(0));
        assert_ne!(values, draw(1));
    }
}
