//! The parameters of a model: an ordered, seeded store, and the gradients that belong to it.

use candle_core::{DType, Device, Shape, Tensor, Var};

use crate::error::{Error, Result};
use crate::nn::float::Float;
use crate::nn::hand_over::HandOver;
use crate::nn::role::Role;
use crate::nn::running::Running;
use crate::nn::statistics::{Buffer, Statistics};
use crate::rng::Stream;
use crate::words::quoted;

/// One trainable tensor.
///
/// Clones share the tensor: a layer holds one, the optimizer's list another.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The name within the model, such as `fc1.weight`.
    pub name: String,
    /// The weights.
    pub var: Var,
    /// What it is for.
    pub role: Role,
    /// Where a fused layer leaves this parameter's gradient.
    ///
    /// What a backward pass returns to candle is first zero-filled and then added to; a gradient
    /// that is handed over here costs neither.
    pub(in crate::nn) handed_over: HandOver,
}

impl Parameter {
    /// A parameter of these weights.
    pub fn new(name: impl Into<String>, role: Role, var: Var) -> Self {
        Self { name: name.into(), var, role, handed_over: HandOver::default() }
    }

    /// Lets a gradient that was given stay what it is, whatever gradients are taken after it.
    pub fn keep_gradient(&self) {
        self.handed_over.let_go();
    }
}

/// Creates parameters, each from a stream of its own, so that adding one changes no other.
#[derive(Debug)]
pub struct Init {
    seed: u64,
    dtype: DType,
    device: Device,
    composed: bool,
    parameters: Vec<Parameter>,
    statistics: Statistics,
    foreign: bool,
    surrogate_gradient: bool,
    /// The parameters whose roles were told.
    told: Vec<String>,
    outline: Option<Outline>,
}

/// What the weights of a model take in memory, found out without touching it.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// Bytes of all weights together.
    pub bytes: f64,
    /// The largest parameter: its name, its shape, and its bytes.
    pub largest: (String, Vec<usize>, f64),
    /// Names and roles of all parameters.
    pub parameters: Vec<(String, Role)>,
    /// The longest side of any parameter: the inputs or outputs of the widest layer.
    pub widest: usize,
    most: f64,
}

impl Init {
    /// A store for a model of this seed, number type and device.
    pub fn new(seed: u64, dtype: DType, device: &Device) -> Self {
        Self {
            seed,
            dtype,
            device: device.clone(),
            composed: !device.is_cpu(),
            parameters: Vec::new(),
            statistics: Statistics::default(),
            foreign: false,
            surrogate_gradient: false,
            told: Vec::new(),
            outline: None,
        }
    }

    /// A store that only adds up what a model's weights take: nothing is drawn, and building ends in
    /// an error as soon as they take more than `most` bytes.
    pub fn outline(dtype: DType, most: f64) -> Self {
        Self { outline: Some(Outline { most, ..Outline::default() }), ..Self::new(0, dtype, &Device::Cpu) }
    }

    /// What the parameters so far take; nothing where they are drawn.
    pub fn into_outline(self) -> Outline {
        let parameters = self.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.role)).collect();
        Outline { parameters, ..self.outline.unwrap_or_default() }
    }

    /// Builds every layer of candle's own operations, as on a GPU, although the device is the CPU.
    #[must_use]
    pub fn composed(mut self) -> Self {
        self.composed = true;
        self
    }

    /// Whether layers are to be composed of candle's own operations.
    pub fn is_composed(&self) -> bool {
        self.composed
    }

    /// The device that the parameters live on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The number type of the parameters.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// A parameter drawn uniformly from `[-bound, bound)`.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn uniform(
        &mut self,
        name: impl Into<String>,
        role: Role,
        shape: impl Into<Shape>,
        bound: f64,
    ) -> Result<Parameter> {
        self.draw(name.into(), role, shape.into(), |stream| stream.between(-bound, bound))
    }

    /// A parameter drawn from the normal distribution with mean 0.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn normal(
        &mut self,
        name: impl Into<String>,
        role: Role,
        shape: impl Into<Shape>,
        deviation: f64,
    ) -> Result<Parameter> {
        self.draw(name.into(), role, shape.into(), |stream| deviation * stream.normal())
    }

    /// A parameter whose elements all have one value.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn constant(
        &mut self,
        name: impl Into<String>,
        role: Role,
        shape: impl Into<Shape>,
        value: f64,
    ) -> Result<Parameter> {
        self.draw(name.into(), role, shape.into(), |_| value)
    }

    /// A parameter with given values.
    ///
    /// # Errors
    /// When the number of values does not fit the shape, or the device refuses.
    pub fn values(
        &mut self,
        name: impl Into<String>,
        role: Role,
        shape: impl Into<Shape>,
        values: Vec<f64>,
    ) -> Result<Parameter> {
        let var = self.var(shape, values)?;
        Ok(self.keep(name.into(), role, var))
    }

    /// A parameter whose elements are drawn one by one from a stream of its own.
    pub(super) fn draw(
        &mut self,
        name: String,
        role: Role,
        shape: Shape,
        value: impl Fn(&mut Stream) -> f64,
    ) -> Result<Parameter> {
        let var = self.drawn(&name, shape, value)?;
        Ok(self.keep(name, role, var))
    }

    /// A running statistic that a layer of others keeps in a variable.
    pub(super) fn buffer(&mut self, name: String, shape: Shape, value: impl Fn(&mut Stream) -> f64) -> Result<Var> {
        let var = self.drawn(&name, shape, value)?;
        self.statistics.buffers.push(Buffer { name, var: var.clone() });
        Ok(var)
    }

    fn drawn(&mut self, name: &str, shape: Shape, value: impl Fn(&mut Stream) -> f64) -> Result<Var> {
        if let Some(outline) = &mut self.outline {
            return outline.add(name, shape, self.dtype);
        }
        let mut stream = Stream::new(self.seed, &format!("init {name}"));
        let values = (0..shape.elem_count()).map(|_| value(&mut stream)).collect();
        self.var(shape, values)
    }

    fn var(&self, shape: impl Into<Shape>, values: Vec<f64>) -> Result<Var> {
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(self.dtype)?.to_device(&self.device)?;
        Ok(Var::from_tensor(&tensor)?)
    }

    fn keep(&mut self, name: String, role: Role, var: Var) -> Parameter {
        let parameter = Parameter::new(name, role, var);
        self.parameters.push(parameter.clone());
        parameter
    }

    /// The parameter or running statistic of that name.
    pub(super) fn find(&self, name: &str) -> Option<&Var> {
        let parameters = self.parameters.iter().map(|parameter| (&parameter.name, &parameter.var));
        let buffers = self.statistics.buffers.iter().map(|buffer| (&buffer.name, &buffer.var));
        parameters.chain(buffers).find(|(known, _)| *known == name).map(|(_, var)| var)
    }

    pub(super) fn mark_foreign(&mut self) {
        self.foreign = true;
    }

    /// Says what a parameter is for, where its name and shape mislead.
    ///
    /// # Errors
    /// When there is no parameter of that name.
    pub fn set_role(&mut self, name: &str, role: Role) -> Result<()> {
        let Some(parameter) = self.parameters.iter_mut().find(|parameter| parameter.name == name) else {
            return Err(Error::Usage(format!("there is no parameter `{name}`")));
        };
        parameter.role = role;
        self.told.push(name.to_owned());
        Ok(())
    }

    /// Makes a head of the last matrix with a row for each class, where nothing is one.
    pub(crate) fn guess_head(&mut self, classes: usize) {
        let is_one = |parameter: &&mut Parameter| {
            parameter.role == Role::Hidden && parameter.var.rank() == 2 && parameter.var.dims()[0] == classes
        };
        if self.parameters.iter().all(|parameter| parameter.role != Role::Head)
            && let Some(last) = self.parameters.iter_mut().rfind(is_one)
            && !self.told.contains(&last.name)
        {
            last.role = Role::Head;
        }
    }

    /// Whether layers of others were built, whose gradients nobody has proven: see [`Init::var_builder`].
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// Says that the gradient differs from the loss's on purpose, as that of a straight-through estimator does, so that
    /// it is not checked.
    pub fn surrogate_gradient(&mut self) {
        self.surrogate_gradient = true;
    }

    /// Whether the gradient differs from the loss's on purpose.
    pub fn has_surrogate_gradient(&self) -> bool {
        self.surrogate_gradient
    }

    /// Running statistics of a layer: a part of the model that no optimizer and no average sees.
    pub fn running(&mut self, channels: usize) -> Running {
        let running = Running::new(channels);
        self.statistics.layers.push(running.clone());
        running
    }

    /// The running statistics of all layers so far.
    pub fn statistics(&self) -> Statistics {
        self.statistics.clone()
    }

    /// The parameters in the order in which they were made.
    pub fn finish(self) -> Vec<Parameter> {
        self.parameters
    }
}

impl Outline {
    fn add(&mut self, name: &str, shape: Shape, dtype: DType) -> Result<Var> {
        let sides = shape.dims().to_vec();
        // In floating point, where no product overflows.
        let bytes = sides.iter().map(|&side| side as f64).product::<f64>() * dtype.size_in_bytes() as f64;
        self.bytes += bytes;
        self.widest = sides.iter().copied().fold(self.widest, usize::max);
        if bytes > self.largest.2 {
            self.largest = (name.to_owned(), sides, bytes);
        }
        if self.bytes > self.most {
            return Err(Error::Usage(format!("the weights up to `{name}` take {} bytes", self.bytes)));
        }
        // Pages of zeros that nobody looks at are never mapped.
        Ok(Var::zeros(shape, dtype, &Device::Cpu)?)
    }
}

/// The gradient of a scalar loss for every parameter, in order; good until the next call, which may
/// write to the same memory.
///
/// # Errors
/// When parameters received no gradient, with their names: a layer that forgets one must not train in silence.
pub fn gradients(loss: &Tensor, parameters: &[Parameter]) -> Result<Vec<Tensor>> {
    let mut store = loss.backward()?;
    let mut missing: Vec<&str> = Vec::new();
    let mut gradients = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        match (parameter.handed_over.take(), store.remove(&parameter.var)) {
            (Some(fused), Some(composed)) => gradients.push((fused + composed)?.detach()),
            (Some(gradient), None) | (None, Some(gradient)) => gradients.push(gradient.detach()),
            (None, None) => missing.push(&parameter.name),
        }
    }
    match missing[..] {
        [] => Ok(gradients),
        [..] => Err(Error::Usage(format!("{} received no gradient", quoted(&missing)))),
    }
}

/// Copies of the weights: a detached tensor would share their memory.
///
/// # Errors
/// When the device refuses.
pub fn copies(parameters: &[Parameter]) -> Result<Vec<Tensor>> {
    parameters.iter().map(|parameter| Ok(parameter.var.as_detached_tensor().copy()?)).collect()
}

/// Gives the parameters other weights.
///
/// # Errors
/// When they are not as many, or not of the parameters' shapes.
pub fn assign(parameters: &[Parameter], weights: &[Tensor]) -> Result<()> {
    if parameters.len() != weights.len() {
        let (n, m) = (parameters.len(), weights.len());
        return Err(Error::Usage(format!("{m} saved weights for a model of {n} parameters")));
    }
    for (parameter, weights) in parameters.iter().zip(weights) {
        parameter.var.set(weights)?;
    }
    Ok(())
}

/// Sums of squares from here on have lost nothing to underflow: what is below it has no weight beside it.
pub(crate) const LEAST_SUM: f64 = 1e-280;

/// The Euclidean norm of all tensors together; finite wherever the norm itself is.
///
/// # Errors
/// When the device refuses.
pub fn norm(tensors: &[Tensor]) -> Result<f64> {
    if let Some(norm) = root(sum_of_squares(tensors)?, LEAST_SUM) {
        return Ok(norm);
    }
    // The squares may lie outside of what a number can hold although the norm does not: beside the largest, they do not.
    let mut largest = 0.0_f64;
    for tensor in tensors.iter().filter(|tensor| tensor.elem_count() > 0) {
        largest = largest.max(tensor.abs()?.max_all()?.to_dtype(DType::F64)?.to_scalar()?);
    }
    if largest == 0.0 || largest.is_infinite() {
        return Ok(largest);
    }
    let scale = power_to_unit(largest);
    let scaled =
        tensors.iter().map(|tensor| Ok((tensor.to_dtype(DType::F64)? * scale)?)).collect::<Result<Vec<_>>>()?;
    Ok(sum_of_squares(&scaled)?.sqrt() / scale)
}

/// The root of a sum of squares; `None` where squares may have been lost in it: it lies below `least`, or is infinite.
pub(crate) fn root(sum: f64, least: f64) -> Option<f64> {
    (sum.is_nan() || (least..f64::INFINITY).contains(&sum)).then(|| sum.sqrt())
}

/// The power of two that brings a positive number near 1: products with it are exact.
pub(crate) fn power_to_unit(x: f64) -> f64 {
    2f64.powi((-x.log2().floor()).clamp(-1022.0, 1023.0) as i32)
}

/// The sum of the squares of all elements, in double precision.
fn sum_of_squares(tensors: &[Tensor]) -> Result<f64> {
    fn of<T: Float>(values: &[T]) -> f64 {
        crate::nn::simd::sum_of(
            values,
            #[inline(always)]
            |x| {
                let x = x.to_f64();
                x * x
            },
        )
    }
    let mut sum = 0.0;
    for tensor in tensors {
        sum += match (tensor.dtype(), tensor.device(), tensor.is_contiguous()) {
            (DType::F32, Device::Cpu, true) => crate::nn::float::read(tensor, of::<f32>)?,
            (DType::F64, Device::Cpu, true) => crate::nn::float::read(tensor, of::<f64>)?,
            _ => tensor.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar()?,
        };
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_depends_on_its_seed_and_name_alone() {
        let values = |seed, names: &[&str]| -> Vec<f64> {
            let mut init = Init::new(seed, DType::F64, &Device::Cpu);
            for name in names {
                init.uniform(*name, Role::Hidden, 3, 0.5).unwrap();
            }
            init.finish().last().unwrap().var.to_vec1().unwrap()
        };
        assert_eq!(values(0, &["w"]), values(0, &["other", "w"]));
        assert_ne!(values(0, &["w"]), values(1, &["w"]));
        assert!(values(0, &["w"]).iter().all(|x| x.abs() <= 0.5));
    }

    #[test]
    fn an_outline_adds_up_and_ends_where_it_must() {
        let mut init = Init::outline(DType::F32, 1e9);
        init.uniform("small", Role::Hidden, (10, 20), 1.0).unwrap();
        assert!(init.uniform("large", Role::Hidden, (1 << 40, 1 << 40), 1.0).is_err());
        let outline = init.into_outline();
        assert_eq!(outline.largest.0, "large");
        assert_eq!((outline.bytes, outline.widest), (800.0 + 4.0 * 2f64.powi(80), 1 << 40));
    }

    #[test]
    fn a_missing_gradient_is_an_error() {
        let mut init = Init::new(0, DType::F64, &Device::Cpu);
        let used = init.uniform("used", Role::Hidden, 2, 1.0).unwrap();
        init.uniform("forgotten", Role::Hidden, 2, 1.0).unwrap();
        let loss = used.var.sqr().unwrap().sum_all().unwrap();
        let message = gradients(&loss, &init.finish()).unwrap_err().to_string();
        assert!(message.contains("`forgotten`"), "{message}");
    }

    #[test]
    fn the_norm_covers_all_tensors() {
        let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
        assert_eq!(norm(&[tensor(&[3.0; 1]), tensor(&[0.0, 4.0])]).unwrap(), 5.0);
    }

    #[test]
    fn the_norm_is_finite_wherever_it_can_be() {
        let double = |values: &[f64]| Tensor::new(values, &Device::Cpu).unwrap();
        let single = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
        for unit in [1e200, 1e-200, 1e-310] {
            let found = norm(&[double(&[3.0 * unit, 0.0]), double(&[-4.0 * unit])]).unwrap();
            assert!((found / unit - 5.0).abs() < 1e-9, "{found:e} for 5 times {unit:e}");
        }
        // Columns of a matrix are what tensor operations sum, as on another device.
        let strided = |unit: f32| single(&[3.0 * unit, 0.0, -4.0 * unit, 0.0]).reshape((2, 2)).unwrap().t().unwrap();
        for unit in [1e30, 1e-30] {
            assert!((norm(&[strided(unit)]).unwrap() / f64::from(unit) - 5.0).abs() < 1e-6);
        }
        assert_eq!(norm(&[double(&[0.0; 3]), double(&[])]).unwrap(), 0.0);
        assert_eq!(norm(&[double(&[1.0, f64::NEG_INFINITY])]).unwrap(), f64::INFINITY);
        assert!(norm(&[double(&[1e300, f64::NAN]), double(&[f64::INFINITY])]).unwrap().is_nan());
    }
}
