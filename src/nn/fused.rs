//! One adapter for all fused layers: an operation of candle's graph with a backward pass of its own.
//!
//! A layer says what it computes on slices of one number type, and what its backward pass needs of the
//! forward pass; candle's traits, the choice of the number type and the keeping of that memory are here.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, DType, Layout, Shape, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, elements};

/// A layer's computation on the CPU, of `N` input tensors; one value for each pass over a batch.
pub(super) trait Operation<const N: usize>: Send + Sync + 'static {
    /// What it is called in errors.
    const NAME: &'static str;
    /// What the backward pass needs of the forward pass beside its inputs and its output.
    type Saved<T: Float>: Send + 'static;

    /// The output, its shape, and what to save. The first input decides the number type.
    fn forward<T: Float>(&self, inputs: &Inputs<N>) -> candle_core::Result<(Vec<T>, Shape, Self::Saved<T>)>;

    /// The gradients of the inputs that want one; those of parameters may be handed over beside them.
    fn backward<T: Float>(
        &self,
        inputs: [&Tensor; N],
        output: &Tensor,
        gradient: &Tensor,
        saved: Self::Saved<T>,
    ) -> candle_core::Result<[Option<Tensor>; N]>;
}

/// The contiguous inputs of a forward pass.
pub(super) struct Inputs<'a, const N: usize>([(&'a CpuStorage, &'a Layout); N]);

impl<'a, const N: usize> Inputs<'a, N> {
    pub(super) fn shape(&self, i: usize) -> &'a Shape {
        self.0[i].1.shape()
    }

    /// The numbers of an input.
    pub(super) fn elements<T: Float>(&self, i: usize) -> candle_core::Result<&'a [T]> {
        elements(self.0[i].0, self.0[i].1)
    }

    /// The indices (u32) of an input: tokens or labels.
    pub(super) fn indices(&self, i: usize) -> candle_core::Result<&'a [u32]> {
        match (self.0[i].0, self.0[i].1.contiguous_offsets()) {
            (CpuStorage::U32(indices), Some((start, end))) => Ok(&indices[start..end]),
            _ => candle_core::bail!("indices are contiguous and of type u32"),
        }
    }
}

/// The output of an operation of one tensor, as a node of the graph.
pub(super) fn apply1(operation: impl Operation<1>, x: &Tensor) -> Result<Tensor> {
    Ok(x.contiguous()?.apply_op1(Node::new(operation))?)
}

/// The output of an operation of two tensors, as a node of the graph.
pub(super) fn apply2(operation: impl Operation<2>, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
    Ok(x.contiguous()?.apply_op2(&y.contiguous()?, Node::new(operation))?)
}

/// The output of an operation of three tensors, as a node of the graph.
pub(super) fn apply3(operation: impl Operation<3>, [x, y, z]: [&Tensor; 3]) -> Result<Tensor> {
    Ok(x.contiguous()?.apply_op3(&y.contiguous()?, &z.contiguous()?, Node::new(operation))?)
}

/// One pass of an operation over one batch.
struct Node<O> {
    operation: O,
    /// An [`Operation::Saved`] of the number type at hand, between the two passes.
    saved: Mutex<Option<Box<dyn Any + Send>>>,
}

impl<O> Node<O> {
    fn new(operation: O) -> Self {
        Self { operation, saved: Mutex::default() }
    }

    fn forward<const N: usize>(&self, inputs: [(&CpuStorage, &Layout); N]) -> candle_core::Result<(CpuStorage, Shape)>
    where
        O: Operation<N>,
    {
        match inputs[0].0 {
            CpuStorage::F64(_) => self.forward_in::<f64, N>(&Inputs(inputs)),
            _ => self.forward_in::<f32, N>(&Inputs(inputs)),
        }
    }

    fn forward_in<T: Float, const N: usize>(&self, inputs: &Inputs<N>) -> candle_core::Result<(CpuStorage, Shape)>
    where
        O: Operation<N>,
    {
        let (output, shape, saved) = self.operation.forward::<T>(inputs)?;
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(saved));
        Ok((T::to_cpu_storage_owned(output), shape))
    }

    fn backward<const N: usize>(
        &self,
        inputs: [&Tensor; N],
        output: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<[Option<Tensor>; N]>
    where
        O: Operation<N>,
    {
        match output.dtype() {
            DType::F64 => self.backward_in::<f64, N>(inputs, output, gradient),
            _ => self.backward_in::<f32, N>(inputs, output, gradient),
        }
    }

    fn backward_in<T: Float, const N: usize>(
        &self,
        inputs: [&Tensor; N],
        output: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<[Option<Tensor>; N]>
    where
        O: Operation<N>,
    {
        let waiting = self.saved.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(saved) = waiting.and_then(|saved| saved.downcast::<O::Saved<T>>().ok()) else {
            candle_core::bail!("a {} layer was propagated back twice", O::NAME);
        };
        self.operation.backward::<T>(inputs, output, &gradient.contiguous()?, *saved)
    }
}

impl<O: Operation<1>> CustomOp1 for Node<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(&self, x: &CpuStorage, x_layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward([(x, x_layout)])
    }

    fn bwd(&self, x: &Tensor, output: &Tensor, gradient: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let [x] = self.backward([x], output, gradient)?;
        Ok(x)
    }
}

impl<O: Operation<2>> CustomOp2 for Node<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward([(x, x_layout), (y, y_layout)])
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        output: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        self.backward([x, y], output, gradient).map(Into::into)
    }
}

impl<O: Operation<3>> CustomOp3 for Node<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
        z: &CpuStorage,
        z_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward([(x, x_layout), (y, y_layout), (z, z_layout)])
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        z: &Tensor,
        output: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        self.backward([x, y, z], output, gradient).map(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    /// `2 x`, whose backward pass needs nothing.
    struct Twice;

    impl Operation<1> for Twice {
        const NAME: &'static str = "doubling";
        type Saved<T: Float> = ();

        fn forward<T: Float>(&self, inputs: &Inputs<1>) -> candle_core::Result<(Vec<T>, Shape, ())> {
            let out = inputs.elements::<T>(0)?.iter().map(|&x| x + x).collect();
            Ok((out, inputs.shape(0).clone(), ()))
        }

        fn backward<T: Float>(
            &self,
            _: [&Tensor; 1],
            _: &Tensor,
            gradient: &Tensor,
            (): (),
        ) -> candle_core::Result<[Option<Tensor>; 1]> {
            Ok([Some((gradient * 2.0)?)])
        }
    }

    #[test]
    fn an_operation_runs_in_either_number_type_and_goes_back_once() {
        for dtype in [DType::F32, DType::F64] {
            let x = Var::ones(3, dtype, &Device::Cpu).unwrap();
            let loss = apply1(Twice, &x).unwrap().sum_all().unwrap();
            assert_eq!(loss.to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap(), 6.0);
            let gradient = loss.backward().unwrap().remove(&x).unwrap().to_dtype(DType::F64).unwrap();
            assert_eq!(gradient.to_vec1::<f64>().unwrap(), [2.0; 3]);
            let again = loss.backward().unwrap_err().to_string();
            assert!(again.contains("a doubling layer was propagated back twice"), "{again}");
        }
        assert!(apply1(Twice, &Tensor::new(&[1u32], &Device::Cpu).unwrap()).is_err(), "no number type of a layer");
    }
}
