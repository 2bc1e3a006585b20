//! Arithmetic for an update rule that is written once and runs twice: number by number in one
//! fused pass on the CPU, and as tensor operations on any other device.

use std::ops::{Add, Div, Mul, Neg, Sub};

use candle_core::Tensor;

use crate::nn::float::Float;

/// A number, or a tensor of numbers, that an update rule computes with.
///
/// Constants are `f64` and are rounded to the model's precision where they meet it.
pub trait Real:
    Sized
    + Clone
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// The absolute value.
    #[must_use]
    fn abs(self) -> Self;
    /// -1, 0 or 1.
    #[must_use]
    fn sign(self) -> Self;
    /// The larger of the two, element by element.
    #[must_use]
    fn max(self, other: Self) -> Self;
    /// Limited to `[low, high]`; the bounds may be infinite.
    #[must_use]
    fn clamp(self, low: f64, high: f64) -> Self;
    /// Itself where the two have the same sign, 0 elsewhere.
    #[must_use]
    fn where_same_sign(self, other: Self) -> Self;
}

/// An exponential moving average after one more value: `decay average + (1 - decay) value`.
#[inline(always)]
pub fn ema<R: Real>(average: R, value: R, decay: f64) -> R {
    average * decay + value * (1.0 - decay)
}

/// One number of a fused pass.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Lane<T>(pub T);

macro_rules! lane {
    ($($trait:ident $method:ident $op:tt),+) => {
        $(impl<T: Float> $trait for Lane<T> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self { Self(self.0 $op other.0) }
        }
        impl<T: Float> $trait<f64> for Lane<T> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, constant: f64) -> Self { Self(self.0 $op T::of(constant)) }
        })+
    };
}
lane!(Add add +, Sub sub -, Mul mul *, Div div /);

impl<T: Float> Neg for Lane<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl<T: Float> Real for Lane<T> {
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt())
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs())
    }
    #[inline(always)]
    fn sign(self) -> Self {
        let zero = T::of(0.0);
        let up = if self.0 > zero { T::of(1.0) } else { zero };
        let down = if self.0 < zero { T::of(1.0) } else { zero };
        Self(up - down)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(if self.0 > other.0 { self.0 } else { other.0 })
    }
    #[inline(always)]
    fn clamp(self, low: f64, high: f64) -> Self {
        let (low, high) = (T::of(low), T::of(high));
        let raised = if self.0 < low { low } else { self.0 };
        Self(if raised > high { high } else { raised })
    }
    #[inline(always)]
    fn where_same_sign(self, other: Self) -> Self {
        let zero = T::of(0.0);
        Self(if self.0 * other.0 > zero { self.0 } else { zero })
    }
}

/// A whole tensor. Holds a result, so that formulas stay free of error handling.
#[derive(Clone)]
pub struct Field(Result<Tensor, String>);

impl Field {
    /// Detached: a kept tensor would keep the graph it came from.
    pub fn new(tensor: &Tensor) -> Self {
        Self(Ok(tensor.detach()))
    }

    /// The tensor, or the first error on the way to it.
    ///
    /// # Errors
    /// When an operation failed.
    pub fn tensor(self) -> candle_core::Result<Tensor> {
        self.0.map_err(candle_core::Error::Msg)
    }

    fn map(self, f: impl FnOnce(&Tensor) -> candle_core::Result<Tensor>) -> Self {
        Self(self.0.and_then(|tensor| f(&tensor).map_err(|error| error.to_string())))
    }

    fn zip(self, other: Self, f: impl FnOnce(&Tensor, &Tensor) -> candle_core::Result<Tensor>) -> Self {
        match other.0 {
            Ok(other) => self.map(|tensor| f(tensor, &other)),
            error => Self(self.0.and(error)),
        }
    }
}

macro_rules! field {
    ($($trait:ident $method:ident $scalar:expr),+ $(,)?) => {
        $(impl $trait for Field {
            type Output = Self;
            fn $method(self, other: Self) -> Self { self.zip(other, |a, b| a.$method(b)) }
        }
        impl $trait<f64> for Field {
            type Output = Self;
            fn $method(self, constant: f64) -> Self {
                self.map(|tensor| $scalar(tensor, constant))
            }
        })+
    };
}
field!(Add add |a: &Tensor, c| a.affine(1.0, c), Sub sub |a: &Tensor, c: f64| a.affine(1.0, -c),
       Mul mul |a: &Tensor, c| a.affine(c, 0.0),
       // Not the product with the reciprocal, which is rounded twice.
       Div div |a: &Tensor, c| a.broadcast_div(&constant(c, a)?));

/// A number as a tensor that can be broadcast beside another.
fn constant(value: f64, like: &Tensor) -> candle_core::Result<Tensor> {
    Tensor::new(value, like.device())?.to_dtype(like.dtype())
}

impl Neg for Field {
    type Output = Self;
    fn neg(self) -> Self {
        self.map(Tensor::neg)
    }
}

impl Real for Field {
    fn sqrt(self) -> Self {
        self.map(Tensor::sqrt)
    }
    fn abs(self) -> Self {
        self.map(Tensor::abs)
    }
    fn sign(self) -> Self {
        self.map(Tensor::sign)
    }
    // By comparisons, as number by number: what a device calls the larger of a number and a NaN differs.
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| a.gt(b)?.where_cond(a, b))
    }
    fn clamp(self, low: f64, high: f64) -> Self {
        self.map(|a| {
            let bound = |value: f64| constant(value, a)?.broadcast_as(a.shape())?.contiguous();
            let raised = a.lt(low)?.where_cond(&bound(low)?, a)?;
            raised.gt(high)?.where_cond(&bound(high)?, &raised)
        })
    }
    fn where_same_sign(self, other: Self) -> Self {
        self.zip(other, |a, b| (a * b)?.gt(0.0)?.where_cond(a, &a.zeros_like()?))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// Every operation of `Real`, on a number and on a constant.
    fn all<R: Real>(a: &R, b: &R, c: f64) -> Vec<R> {
        let (a, b) = (|| a.clone(), || b.clone());
        vec![
            a() + b(),
            a() - b(),
            a() * b(),
            a() / b(),
            -a(),
            a() + c,
            a() - c,
            a() * c,
            a() / c,
            a().sqrt(),
            a().abs(),
            a().sign(),
            a().max(b()),
            a().clamp(-c, c),
            a().clamp(0.0, f64::INFINITY),
            a().where_same_sign(b()),
            ema(a(), b(), c),
        ]
    }

    fn same_bits<T: Float>(bits: impl Fn(T) -> u64) {
        const INFINITY: f64 = f64::INFINITY;
        let numbers = [0.0, 1.0, -1.0, 0.1, -3.7, 1e-30, 7.0e20, INFINITY, -INFINITY, f64::NAN];
        for (i, x) in numbers.into_iter().enumerate() {
            for y in numbers {
                for c in [0.1, 0.7, 3.0, 49.0] {
                    let field = |x: f64| Field::new(&Tensor::from_slice(&[T::of(x)], 1, &Device::Cpu).unwrap());
                    let lanes = all(&Lane(T::of(x)), &Lane(T::of(y)), c);
                    for (k, (lane, field)) in lanes.into_iter().zip(all(&field(x), &field(y), c)).enumerate() {
                        let found = field.tensor().unwrap().to_vec1::<T>().unwrap()[0];
                        // Zeros of both signs are the same number, and so are all NaNs.
                        let same = found == lane.0 || found.is_nan() && lane.0.is_nan();
                        assert!(
                            same,
                            "operation {k} of {x} ({i}) and {y}, {c}: {:x} and {:x}",
                            bits(found),
                            bits(lane.0)
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_number_and_a_tensor_of_it_come_out_alike() {
        same_bits::<f32>(|x| x.to_bits().into());
        same_bits::<f64>(f64::to_bits);
    }
}
