//! Passes over tensors: the same arithmetic for every coordinate, or a sum over all of them.
//!
//! On the CPU a pass is one vectorised loop over memory, on any other device it is made of tensor
//! operations. Both come from the same lines, which are generic over [`Real`].

use std::{array, ptr};

use candle_core::{DType, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, read_all, write_all};
use crate::nn::simd::vectorized;
use crate::optim::real::{Field, Lane, Real};

/// Coordinates that are worked on at a time, on the stack.
///
/// The compiler cannot know that many slices do not overlap, and then does not vectorise; local
/// arrays cannot overlap.
const BLOCK: usize = 64;

/// What happens to one coordinate of `1 + N` tensors that are written and `M` that are only read.
pub(super) trait Kernel<const N: usize, const M: usize> {
    /// The new values of the written ones.
    fn apply<R: Real>(&self, first: R, rest: [R; N], read: [R; M]) -> (R, [R; N]);
}

/// One term of a sum over the coordinates of `M` tensors.
pub(super) trait Term<const M: usize> {
    /// The term of one coordinate.
    fn term<R: Real>(&self, read: [R; M]) -> R;
}

/// Writes to tensors what the kernel makes of them; `composed` asks for tensor operations.
pub(super) fn sweep<K: Kernel<N, M>, const N: usize, const M: usize>(
    composed: bool,
    kernel: &K,
    first: &mut Tensor,
    rest: [&mut Tensor; N],
    read: [&Tensor; M],
) -> Result<()> {
    match (!composed && first.device().is_cpu(), first.dtype()) {
        (true, DType::F32) => fused::<K, f32, N, M>(kernel, first, &rest, read),
        (true, DType::F64) => fused::<K, f64, N, M>(kernel, first, &rest, read),
        _ => {
            let fields = rest.each_ref().map(|tensor| Field::new(tensor));
            let (new_first, new_rest) = kernel.apply(Field::new(first), fields, read.map(Field::new));
            let old_first = std::mem::replace(first, new_first.tensor()?);
            for (tensor, field) in rest.into_iter().zip(new_rest) {
                let new = field.tensor()?;
                // A kernel may pass the first value on, and that memory may be about to be written to.
                *tensor = if same_memory(&new, &old_first) { new.copy()? } else { new };
            }
            Ok(())
        }
    }
}

/// Whether two tensors are the same numbers in memory.
pub(super) fn same_memory(a: &Tensor, b: &Tensor) -> bool {
    let ((a, _), (b, _)) = (a.storage_and_layout(), b.storage_and_layout());
    ptr::from_ref(&*a) == ptr::from_ref(&*b)
}

/// The sum of the terms of all coordinates, in double precision on the CPU.
pub(super) fn sum<K: Term<M>, const M: usize>(composed: bool, term: &K, read: [&Tensor; M]) -> Result<f64> {
    let (cpu, dtype) = (read[0].device().is_cpu(), read[0].dtype());
    match (!composed && cpu, dtype) {
        (true, DType::F32) => fused_sum::<K, f32, M>(term, read),
        (true, DType::F64) => fused_sum::<K, f64, M>(term, read),
        _ => Ok(term.term(read.map(Field::new)).tensor()?.sum_all()?.to_dtype(DType::F64)?.to_scalar()?),
    }
}

fn fused<K: Kernel<N, M>, T: Float, const N: usize, const M: usize>(
    kernel: &K,
    first: &Tensor,
    rest: &[&mut Tensor; N],
    read: [&Tensor; M],
) -> Result<()> {
    let mut written = vec![first];
    written.extend(rest.iter().map(|tensor| &**tensor));
    let read = contiguous(read)?;
    write_all(&written, |written: Vec<&mut [T]>| {
        read_all(&read.each_ref(), |read| {
            let mut written = written.into_iter();
            let first = written.next().unwrap_or_default();
            let rest: [&mut [T]; N] = array::from_fn(|_| written.next().unwrap_or_default());
            pass::<K, T, N, M>(kernel, first, rest, array::from_fn(|i| read[i]));
        })
    })??;
    Ok(())
}

/// One pass over memory.
#[inline(never)]
fn pass<K: Kernel<N, M>, T: Float, const N: usize, const M: usize>(
    kernel: &K,
    first: &mut [T],
    rest: [&mut [T]; N],
    read: [&[T]; M],
) {
    let n = first.len();
    let rest = rest.map(|slice| &mut slice[..n]);
    let read = read.map(|slice| &slice[..n]);
    vectorized(
        #[inline(always)]
        || {
            let whole = n - n % BLOCK;
            for start in (0..whole).step_by(BLOCK) {
                let block = start..start + BLOCK;
                let mut f = [T::of(0.0); BLOCK];
                let mut w = [[T::of(0.0); BLOCK]; N];
                let mut r = [[T::of(0.0); BLOCK]; M];
                f.copy_from_slice(&first[block.clone()]);
                for s in 0..N {
                    w[s].copy_from_slice(&rest[s][block.clone()]);
                }
                for s in 0..M {
                    r[s].copy_from_slice(&read[s][block.clone()]);
                }
                for i in 0..BLOCK {
                    let (new, updated) =
                        kernel.apply(Lane(f[i]), array::from_fn(|s| Lane(w[s][i])), array::from_fn(|s| Lane(r[s][i])));
                    f[i] = new.0;
                    for s in 0..N {
                        w[s][i] = updated[s].0;
                    }
                }
                first[block.clone()].copy_from_slice(&f);
                for s in 0..N {
                    rest[s][block.clone()].copy_from_slice(&w[s]);
                }
            }
            for i in whole..n {
                let (new, updated) = kernel.apply(
                    Lane(first[i]),
                    array::from_fn(|s| Lane(rest[s][i])),
                    array::from_fn(|s| Lane(read[s][i])),
                );
                first[i] = new.0;
                for s in 0..N {
                    rest[s][i] = updated[s].0;
                }
            }
        },
    );
}

fn fused_sum<K: Term<M>, T: Float, const M: usize>(term: &K, read: [&Tensor; M]) -> Result<f64> {
    let read = contiguous(read)?;
    Ok(read_all(&read.each_ref(), |read| sum_pass::<K, T, M>(term, array::from_fn(|i| read[i])))?)
}

/// A sum in a fixed order of 16 lanes, whatever the machine.
#[inline(never)]
fn sum_pass<K: Term<M>, T: Float, const M: usize>(term: &K, read: [&[T]; M]) -> f64 {
    const LANES: usize = 16;
    let n = read[0].len();
    let read = read.map(|slice| &slice[..n]);
    vectorized(
        #[inline(always)]
        || {
            let mut lanes = [0.0f64; LANES];
            let whole = n - n % BLOCK;
            for start in (0..whole).step_by(BLOCK) {
                let blocks: [&[T; BLOCK]; M] =
                    array::from_fn(|s| read[s][start..start + BLOCK].try_into().expect("a whole block"));
                let terms: [T; BLOCK] =
                    array::from_fn(|i| term.term(array::from_fn::<_, M, _>(|s| Lane(blocks[s][i]))).0);
                for terms in terms.as_chunks::<LANES>().0 {
                    for (lane, term) in lanes.iter_mut().zip(terms) {
                        *lane += term.to_f64();
                    }
                }
            }
            for i in whole..n {
                lanes[i % LANES] += term.term(array::from_fn::<_, M, _>(|s| Lane(read[s][i]))).0.to_f64();
            }
            lanes.iter().sum()
        },
    )
}

fn contiguous<const M: usize>(tensors: [&Tensor; M]) -> Result<[Tensor; M]> {
    let mut all = Vec::with_capacity(M);
    for tensor in tensors {
        all.push(tensor.contiguous()?);
    }
    Ok(all.try_into().expect("as many as were given"))
}
