//! An optimizer as candle's training loops take it.

use std::collections::HashSet;

use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor, Var};
use candle_nn::VarMap;

use crate::candle::config::Config;
use crate::candle::evaluation::Evaluation;
use crate::error::{Error, Result};
use crate::nn::params::{Parameter, norm};
use crate::nn::role::Role;
use crate::nn::var_builder::is_statistic;
use crate::optim::{self, Ask, Common, Optimizer, Step, groups};
use crate::words::quoted;

/// An optimizer of this crate, as candle-nn's trait has it.
///
/// Every variable needs a gradient in every step: one without is an error that names it, because layers of candle-nn cut
/// gradients without a word. Leave out what is not trained.
pub struct Optim {
    pub(super) parameters: Vec<Parameter>,
    pub(super) config: Config,
    pub(super) optimizer: Box<dyn Optimizer>,
    clip_norm: Option<f64>,
    pub(super) lr: f64,
    /// Updates done.
    pub(super) t: u64,
}

impl Optim {
    /// An optimizer of named variables: messages and saved states tell them by their names, and their parts in the model
    /// follow from them. [`Optim::new`](candle_nn::Optimizer::new) numbers them instead.
    ///
    /// # Errors
    /// When a variable or a name comes twice, a variable is neither f32 nor f64, or the kind of optimizer asks for
    /// gradients at other weights, or for the length of the training where the config does not give it.
    pub fn named<N: Into<String>>(vars: Vec<(N, Var)>, config: Config) -> Result<Self> {
        let vars: Vec<(String, Var)> = vars.into_iter().map(|(name, var)| (name.into(), var)).collect();
        let (mut names, mut ids) = (HashSet::new(), HashSet::new());
        for (name, var) in &vars {
            if !names.insert(name) || !ids.insert(var.id()) {
                return Err(Error::Usage(format!("`{name}` comes twice among the variables of an optimizer")));
            }
            if !matches!(var.dtype(), DType::F32 | DType::F64) {
                return Err(Error::Usage(format!("`{name}` is {:?}; optimizers take F32 and F64", var.dtype())));
            }
        }
        let optimizer = Self::build(&config)?;
        let Common { lr, clip_norm, .. } = Common::of(&config.0.settings);
        let sides_of = |other: &str| Some(vars.iter().find(|(name, _)| name == other)?.1.dims());
        let parameter = |(name, var): &(String, Var)| {
            Parameter::new(name.clone(), Role::guessed(name, var.dims(), sides_of), var.clone())
        };
        let parameters: Vec<Parameter> = vars.iter().map(parameter).collect();
        let known: Vec<(String, Role)> = parameters.iter().map(|p| (p.name.clone(), p.role)).collect();
        let problems = groups::problems(&groups::patterns(&config.0.settings), &known);
        if !problems.is_empty() {
            return Err(Error::Usage(problems.join("\n")));
        }
        Ok(Self { parameters, config, optimizer, clip_norm, lr, t: 0 })
    }

    /// An optimizer of the variables of a candle `VarMap`, in the order of their names (its own order is another in every
    /// process), without the running statistics of batch normalisation.
    ///
    /// # Errors
    /// See [`Optim::named`].
    pub fn of_var_map(vars: &VarMap, config: Config) -> Result<Self> {
        let vars = vars.data().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let trained = vars.iter().filter(|(name, _)| !is_statistic(name));
        let mut trained: Vec<(String, Var)> = trained.map(|(name, var)| (name.clone(), var.clone())).collect();
        trained.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self::named(trained, config)
    }

    pub(super) fn build(config: &Config) -> Result<Box<dyn Optimizer>> {
        let settings = &config.0.settings;
        if optim::needs(settings, Ask::Gradients) {
            let name = settings.name();
            return Err(Error::Usage(format!(
                "`{name}` asks for gradients at other weights than the current ones, which a candle training loop does \
                 not give; train it by `optbench run`, or with `optbench::train`"
            )));
        }
        if config.0.steps.is_none() && optim::needs(settings, Ask::Length) {
            let name = settings.name();
            return Err(Error::Usage(format!(
                "`{name}` is told how long the training is: give it among the keys, as in `steps = 10000`"
            )));
        }
        Ok(optim::build(settings))
    }

    /// Puts the weights to evaluate and to deliver in the place of those that are trained, until what it returns is
    /// dropped. Save the model within for what is delivered, outside of it for what is trained on.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn evaluation(&mut self) -> Result<Evaluation<'_>> {
        Evaluation::new(&self.parameters, self.optimizer.evaluation_weights(&self.parameters)?)
    }

    /// Updates done.
    pub fn steps(&self) -> u64 {
        self.t
    }

    /// Bytes of optimizer state, not counting weights and gradients.
    pub fn state_bytes(&self) -> usize {
        self.optimizer.state_bytes()
    }

    fn update(&mut self, gradients: &GradStore, loss: f64) -> Result<()> {
        let found: Vec<Option<Tensor>> =
            self.parameters.iter().map(|parameter| gradients.get(&parameter.var).map(Tensor::detach)).collect();
        let missing = self.parameters.iter().zip(&found).filter(|(_, gradient)| gradient.is_none());
        let missing: Vec<&str> = missing.map(|(parameter, _)| parameter.name.as_str()).collect();
        if !missing.is_empty() {
            return Err(Error::Usage(format!(
                "{} received no gradient; leave out what the loss does not depend on, or mend the layer that cuts it",
                quoted(&missing)
            )));
        }
        let gradients: Vec<Tensor> = found.into_iter().flatten().collect();
        let length = if self.clip_norm.is_some() { norm(&gradients)? } else { 0.0 };
        let gradient_scale = optim::clipping(self.clip_norm, length);
        // Whoever reads it was refused without one.
        let steps = self.config.0.steps.unwrap_or(u64::MAX);
        let at = Step { t: self.t, steps, lr: self.lr, momentum: None, loss, gradient_scale };
        self.optimizer.step(&self.parameters, &gradients, &at, &mut ())?;
        self.t += 1;
        Ok(())
    }
}

impl candle_nn::Optimizer for Optim {
    type Config = Config;

    fn new(vars: Vec<Var>, config: Config) -> candle_core::Result<Self> {
        let numbered = vars.into_iter().enumerate().map(|(i, var)| (i.to_string(), var));
        Ok(Self::named(numbered.collect(), config)?)
    }

    /// Updates the variables with these gradients; a kind that is told the loss refuses: see `backward_step`.
    fn step(&mut self, gradients: &GradStore) -> candle_core::Result<()> {
        let settings = &self.config.0.settings;
        if optim::needs(settings, Ask::Loss) {
            let name = settings.name();
            return Err(Error::Usage(format!("`{name}` is told the loss of every step: use `backward_step`")).into());
        }
        Ok(self.update(gradients, f64::NAN)?)
    }

    fn backward_step(&mut self, loss: &Tensor) -> candle_core::Result<()> {
        let gradients = loss.backward()?;
        // Reading a number back waits for the device.
        let value = if optim::needs(&self.config.0.settings, Ask::Loss) {
            loss.detach().to_dtype(DType::F64)?.sum_all()?.to_scalar()?
        } else {
            f64::NAN
        };
        Ok(self.update(&gradients, value)?)
    }

    fn learning_rate(&self) -> f64 {
        self.lr
    }

    fn set_learning_rate(&mut self, lr: f64) {
        self.lr = lr;
    }
}
