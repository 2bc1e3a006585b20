//! The two number types that a model can be trained in, and views of tensors as slices of them.

use std::cell::Cell;
use std::marker::PhantomData;

use candle_core::{CpuStorage, InplaceOp1, Layout, Tensor, WithDType};

use crate::error::{Error, Result};
use crate::nn::squash;

/// `f32` or `f64`: a tensor's element with the arithmetic that the kernels need.
pub trait Float: WithDType + std::ops::Neg<Output = Self> + std::iter::Sum {
    /// The storage as a slice, if it holds this type.
    fn slice(storage: &CpuStorage) -> Option<&[Self]>;
    /// The storage as a slice to write to, if it holds this type.
    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]>;
    /// The natural exponential; for `f32` within 3e-7, relatively, and of what lies beyond 87 either way, that of 87.
    #[must_use]
    fn exp(self) -> Self;
    /// The natural logarithm.
    #[must_use]
    fn ln(self) -> Self;
    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// The absolute value.
    #[must_use]
    fn abs(self) -> Self;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// `1 / (1 + e^-x)`; within 3e-7 for `f32`.
    #[must_use]
    fn sigmoid(self) -> Self;
    /// The hyperbolic tangent; within 3e-7, relatively, for `f32`.
    #[must_use]
    fn tanh(self) -> Self;
    /// From double precision, rounded.
    #[must_use]
    fn of(x: f64) -> Self;
}

macro_rules! float {
    ($($t:ty, $variant:ident, $exp:expr, $sigmoid:expr, $tanh:expr);+) => {
        $(impl Float for $t {
            fn slice(storage: &CpuStorage) -> Option<&[Self]> {
                match storage {
                    CpuStorage::$variant(values) => Some(values),
                    _ => None,
                }
            }
            fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
                match storage {
                    CpuStorage::$variant(values) => Some(values),
                    _ => None,
                }
            }
            #[inline(always)]
            fn exp(self) -> Self { $exp(self) }
            #[inline(always)]
            fn ln(self) -> Self { <$t>::ln(self) }
            #[inline(always)]
            fn sqrt(self) -> Self { <$t>::sqrt(self) }
            #[inline(always)]
            fn abs(self) -> Self { <$t>::abs(self) }
            #[inline(always)]
            fn is_nan(self) -> bool { <$t>::is_nan(self) }
            #[inline(always)]
            fn sigmoid(self) -> Self { $sigmoid(self) }
            #[inline(always)]
            fn tanh(self) -> Self { $tanh(self) }
            #[inline(always)]
            fn of(x: f64) -> Self { x as $t }
        })+
    };
}
float!(
    f32, F32, squash::exp, squash::sigmoid, squash::tanh;
    f64, F64, f64::exp, |x: f64| 1.0 / (1.0 + (-x).exp()), f64::tanh
);

/// The elements of a contiguous CPU storage under its layout.
///
/// # Errors
/// When the layout has gaps or the storage holds another type.
pub fn elements<'a, T: Float>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [T]> {
    let (start, end) = contiguous(layout)?;
    let slice = T::slice(storage).ok_or_else(|| unexpected(storage))?;
    Ok(&slice[start..end])
}

fn contiguous(layout: &Layout) -> candle_core::Result<(usize, usize)> {
    layout.contiguous_offsets().ok_or_else(|| candle_core::Error::Msg("a fused layer needs contiguous tensors".into()))
}

fn unexpected(storage: &CpuStorage) -> candle_core::Error {
    use candle_core::backend::BackendStorage;
    candle_core::Error::Msg(format!("a fused layer does not take {:?}", storage.dtype()))
}

fn elsewhere() -> candle_core::Error {
    candle_core::Error::Msg("a CPU kernel was given a tensor of another device".into())
}

/// Reads a contiguous tensor on the CPU as a slice.
///
/// # Errors
/// When the tensor lies elsewhere, has gaps, or holds another type.
pub fn read<T: Float, R>(tensor: &Tensor, f: impl FnOnce(&[T]) -> R) -> candle_core::Result<R> {
    read_all(&[tensor], |slices| f(slices[0]))
}

/// Reads several contiguous tensors of one type on the CPU at once.
///
/// # Errors
/// When a tensor lies elsewhere, has gaps, or holds another type.
pub fn read_all<T: Float, R>(tensors: &[&Tensor], f: impl FnOnce(Vec<&[T]>) -> R) -> candle_core::Result<R> {
    let open: Vec<_> = tensors.iter().map(|tensor| tensor.storage_and_layout()).collect();
    let slices = open.iter().map(|(storage, layout)| match &**storage {
        candle_core::Storage::Cpu(storage) => elements(storage, layout),
        _ => Err(elsewhere()),
    });
    Ok(f(slices.collect::<candle_core::Result<_>>()?))
}

/// Writes to a contiguous tensor on the CPU in place; a variable keeps its identity.
///
/// # Errors
/// When the tensor lies elsewhere, has gaps, or holds another type.
pub fn write<T: Float, R>(tensor: &Tensor, f: impl FnOnce(&mut [T]) -> R) -> candle_core::Result<R> {
    struct InPlace<T, F, R> {
        write: Cell<Option<F>>,
        result: Cell<Option<R>>,
        element: PhantomData<T>,
    }

    impl<T: Float, R, F: FnOnce(&mut [T]) -> R> InplaceOp1 for InPlace<T, F, R> {
        fn name(&self) -> &'static str {
            "write in place"
        }

        fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
            let (start, end) = contiguous(layout)?;
            let error = unexpected(storage);
            let slice = T::slice_mut(storage).ok_or(error)?;
            if let Some(write) = self.write.take() {
                self.result.set(Some(write(&mut slice[start..end])));
            }
            Ok(())
        }
    }

    let op = InPlace { write: Cell::new(Some(f)), result: Cell::new(None), element: PhantomData };
    tensor.inplace_op1(&op)?;
    op.result.take().ok_or_else(elsewhere)
}

/// Writes to several contiguous tensors of one type on the CPU at once.
///
/// # Errors
/// When a tensor lies elsewhere, has gaps, or holds another type.
pub fn write_all<T: Float, R>(tensors: &[&Tensor], f: impl FnOnce(Vec<&mut [T]>) -> R) -> Result<R> {
    fn descend<T: Float>(rest: &[&Tensor], open: Vec<&mut [T]>, f: &mut dyn FnMut(Vec<&mut [T]>)) -> Result<()> {
        let Some((first, rest)) = rest.split_first() else {
            f(open);
            return Ok(());
        };
        write(first, |slice| {
            // The new slice lives shorter than those already open; from here on so do they.
            let mut open: Vec<&mut [T]> = open;
            open.push(slice);
            descend(rest, open, f)
        })?
    }
    let (mut f, mut result) = (Some(f), None);
    descend(tensors, Vec::with_capacity(tensors.len()), &mut |slices| {
        result = f.take().map(|f| f(slices));
    })?;
    result.ok_or_else(|| Error::Usage("nothing was written".into()))
}
