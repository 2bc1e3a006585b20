//! Functions with a formula: a problem without data, for checking optimizers by hand.

use candle_core::{DType, Device, Tensor};

use crate::error::Result;
use crate::metric::Scores;
use crate::nn::params::{Init, Parameter};
use crate::nn::role::Role;
use crate::task::model::Function;
use crate::task::{Problem, Split, Task};

/// The name of the only parameter.
const VARIABLES: &str = "x";

/// The minimisation of a function from its start.
pub(super) struct Analytic {
    function: std::sync::Arc<dyn Function>,
    dtype: DType,
}

impl Analytic {
    pub(super) fn new(function: std::sync::Arc<dyn Function>, dtype: DType) -> Self {
        Self { function, dtype }
    }
}

impl Task for Analytic {
    fn steps_per_epoch(&self) -> Option<u64> {
        None
    }

    fn parameters(&self) -> Option<Vec<(String, Role)>> {
        Some(vec![(VARIABLES.to_owned(), Role::Hidden)])
    }

    fn problem(&self, seed: u64, device: &Device) -> Result<Box<dyn Problem>> {
        let mut init = Init::new(seed, self.dtype, device);
        let start = self.function.start();
        init.values(VARIABLES, Role::Hidden, start.len(), start.to_vec())?;
        Ok(Box::new(Point { function: self.function.clone(), parameters: init.finish() }))
    }
}

/// A point on the way to the minimum.
struct Point {
    function: std::sync::Arc<dyn Function>,
    parameters: Vec<Parameter>,
}

impl Point {
    fn x(&self) -> Result<Vec<f64>> {
        Ok(self.parameters[0].var.to_dtype(DType::F64)?.to_vec1()?)
    }
}

impl Problem for Point {
    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn gradients(&mut self, _t: u64) -> Result<(f64, Vec<Tensor>)> {
        let x = self.x()?;
        let var = &self.parameters[0].var;
        let gradient = Tensor::from_vec(self.function.gradient(&x), x.len(), &Device::Cpu)?
            .to_dtype(var.dtype())?
            .to_device(var.device())?;
        Ok((self.function.value(&x), vec![gradient]))
    }

    fn evaluate(&mut self, split: Split) -> Result<Option<Scores>> {
        if split != Split::Validation {
            return Ok(None);
        }
        Ok(Some(Scores::of_loss(self.function.value(&self.x()?))))
    }
}
