//! The scores of a language model, `x W'` without a bias, and their cross-entropy without keeping them.

use candle_core::{DType, Device, Shape, Tensor};

use crate::error::Result;
use crate::nn::cross_entropy::{Fused as Entropy, cross_entropy};
use crate::nn::float::{Float, read, read_all};
use crate::nn::fused::{Inputs, Operation, apply2, apply3};
use crate::nn::hand_over::HandOver;
use crate::nn::matmul::{Matrix, add_product, product, write_product};
use crate::nn::params::{Init, Parameter};
use crate::nn::role::Role;
use crate::nn::transpose::transposed;

/// The layer: weight `[classes, width]`.
#[derive(Debug)]
pub struct Head {
    weight: Parameter,
    composed: bool,
}

impl Head {
    /// A layer of normally distributed weights.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(init: &mut Init, name: &str, (width, classes): (usize, usize), deviation: f64) -> Result<Self> {
        let weight = init.normal(format!("{name}.weight"), Role::Head, (classes, width), deviation)?;
        Ok(Self::tied(init, &weight))
    }

    /// A layer whose weight is another's parameter.
    pub fn tied(init: &Init, weight: &Parameter) -> Self {
        Self { weight: weight.clone(), composed: init.is_composed() }
    }

    /// The scores `[n, classes]` of rows `[n, width]`.
    ///
    /// # Errors
    /// When the rows do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let weight = self.weight.var.as_tensor();
        if self.composed {
            return Ok(x.matmul(&weight.t()?)?);
        }
        apply2(Fused(self.weight.handed_over.clone()), [x, weight])
    }
}

impl Head {
    /// The mean cross-entropy of rows `[n, width]` against labels `[n]`: what [`cross_entropy`] is of the scores. On the
    /// CPU no more of the scores is held than a part of the rows, however large the vocabulary.
    ///
    /// # Errors
    /// When the shapes do not fit or a label is not a class.
    pub fn loss(&self, x: &Tensor, labels: &Tensor, smoothing: f64) -> Result<Tensor> {
        if self.composed {
            return cross_entropy(&self.forward(x)?, labels, smoothing, true);
        }
        let op = FusedLoss { entropy: Entropy { smoothing }, weight_gradient: self.weight.handed_over.clone() };
        apply3(op, [x, self.weight.var.as_tensor(), labels])
    }
}

/// Numbers of scores in a part of the rows: few enough to stay in the cache.
const SCORES: usize = 1 << 17;
/// Rows in a part at least, so that products stay long.
const LEAST_ROWS: usize = 64;

/// Layer and loss as one node of the graph; all gradients fall out of the forward pass.
struct FusedLoss {
    entropy: Entropy,
    weight_gradient: HandOver,
}

/// The gradients of rows and weight.
struct Both<T> {
    rows: Vec<T>,
    weight: Vec<T>,
}

impl Operation<3> for FusedLoss {
    const NAME: &'static str = "head with cross entropy";
    type Saved<T: Float> = Both<T>;

    fn forward<T: Float>(&self, inputs: &Inputs<3>) -> candle_core::Result<(Vec<T>, Shape, Both<T>)> {
        let ((n, width), (classes, inner)) = (inputs.shape(0).dims2()?, inputs.shape(1).dims2()?);
        let (x, weight, labels) = (inputs.elements::<T>(0)?, inputs.elements::<T>(1)?, inputs.indices(2)?);
        if width != inner || labels.len() != n {
            candle_core::bail!("a head of {inner} columns was given {n} rows of {width} and {} labels", labels.len());
        }
        let turned = transposed(weight, classes);
        let part = (SCORES / classes).max(LEAST_ROWS);
        let mut both = Both { rows: vec![T::of(0.0); x.len()], weight: vec![T::of(0.0); weight.len()] };
        let mut loss = 0.0;
        for ((x, labels), to) in x.chunks(part * width).zip(labels.chunks(part)).zip(both.rows.chunks_mut(part * width))
        {
            let rows = labels.len();
            let x = Matrix::new(x, rows, width);
            let scores = product(x, Matrix::new(&turned, width, classes));
            let (sum, gradient) = self.entropy.both(&scores, labels, (classes, n))?;
            loss += sum;
            let gradient = Matrix::new(&gradient, rows, classes);
            add_product(&mut both.weight, gradient.t(), x);
            write_product(to, gradient, Matrix::new(weight, classes, width));
        }
        Ok((vec![T::of(loss / n as f64)], Shape::from(()), both))
    }

    fn backward<T: Float>(
        &self,
        [x, weight, _]: [&Tensor; 3],
        _: &Tensor,
        upstream: &Tensor,
        both: Both<T>,
    ) -> candle_core::Result<[Option<Tensor>; 3]> {
        let scale = upstream.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        let scaled = |gradient: Vec<T>, like: &Tensor| {
            let gradient = Tensor::from_vec(gradient, like.shape(), &Device::Cpu)?;
            if scale == 1.0 { Ok(gradient) } else { gradient * scale }
        };
        self.weight_gradient.put(scaled(both.weight, weight)?)?;
        Ok([Some(scaled(both.rows, x)?), None, None])
    }
}

/// The layer as one node of the graph. The gradient of the weight is handed over beside it.
struct Fused(HandOver);

impl Operation<2> for Fused {
    const NAME: &'static str = "head";
    type Saved<T: Float> = ();

    fn forward<T: Float>(&self, inputs: &Inputs<2>) -> candle_core::Result<(Vec<T>, Shape, ())> {
        let ((n, width), (classes, inner)) = (inputs.shape(0).dims2()?, inputs.shape(1).dims2()?);
        if width != inner {
            candle_core::bail!("a head of {inner} columns was given {width}");
        }
        let x = Matrix::new(inputs.elements::<T>(0)?, n, width);
        Ok((product(x, Matrix::new(inputs.elements(1)?, classes, width).t()), (n, classes).into(), ()))
    }

    fn backward<T: Float>(
        &self,
        [x, weight]: [&Tensor; 2],
        _: &Tensor,
        gradient: &Tensor,
        (): (),
    ) -> candle_core::Result<[Option<Tensor>; 2]> {
        let ((n, width), classes) = (x.dims2()?, weight.dim(0)?);
        let of_x = read_all(&[x, gradient], |slices: Vec<&[T]>| {
            let (x, gradient) = (Matrix::new(slices[0], n, width), Matrix::new(slices[1], n, classes));
            self.0.write((classes, width), |out| write_product(out, gradient.t(), x))?;
            read(weight, |weight| product(gradient, Matrix::new(weight, classes, width)))
        })??;
        Ok([Some(Tensor::from_vec(of_x, x.shape(), &Device::Cpu)?), None])
    }
}
