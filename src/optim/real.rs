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
    ($($trait:ident $method:ident $scalar:expr),+) => {
        $(impl $trait for Field {
            type Output = Self;
            fn $method(self, other: Self) -> Self { self.zip(other, |a, b| a.$method(b)) }
        }
        impl $trait<f64> for Field {
            type Output = Self;
            fn $method(self, constant: f64) -> Self {
                let (mul, add) = $scalar(constant);
                self.map(|tensor| tensor.affine(mul, add))
            }
        })+
    };
}
field!(Add add |c| (1.0, c), Sub sub |c: f64| (1.0, -c), Mul mul |c| (c, 0.0), Div div |c: f64| (1.0 / c, 0.0));

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
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| a.maximum(b))
    }
    fn clamp(self, low: f64, high: f64) -> Self {
        self.map(|tensor| tensor.clamp(low, high))
    }
    fn where_same_sign(self, other: Self) -> Self {
        self.zip(other, |a, b| (a * b)?.gt(0.0)?.to_dtype(a.dtype())?.mul(a))
    }
}
