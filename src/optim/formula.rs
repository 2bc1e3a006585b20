//! An update rule that is written in the config.

use candle_core::{DType, Device, Tensor};

use crate::error::Result;
use crate::expression::{self, Declared, Extent, Means, Program, Runner, Site, idle, misnamed};
use crate::nn::params::Parameter;
use crate::nn::role::Role;
use crate::optim::common::lr;
use crate::optim::decay;
use crate::optim::definition::{Ask, Definition};
use crate::optim::linalg::as_matrix;
use crate::optim::memory::{bytes, fitting, misfit};
use crate::optim::newton_schulz::NewtonSchulz;
use crate::optim::optimizer::{Optimizer, Oracle, State, Step};
use crate::optim::rule::write_weights;
use crate::registry::{About, Accepts, Bounds, Described, Key, Mistake};
use crate::settings::{Settings, Value};

const STATE: &str = "state";
const UPDATE: &str = "update";
const EVALUATE: &str = "evaluate";
const WEIGHT_DECAY: &str = "weight_decay";
/// What a state starts from where it is not a number.
const WEIGHTS: &str = "p";
/// Hyper-parameters of these names follow a schedule that moves the momentum.
const MOMENTA: [&str; 2] = ["momentum", "beta1"];
/// The steps of `orthogonalize`.
const NEWTON_SCHULZ: NewtonSchulz = NewtonSchulz { iterations: 5, eps: 1e-7 };

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "formula",
        revision: 2,
        summary: "a rule of your own, written in the config",
        equations: "\
update = \"\"\"                               lines of name = expression
m = beta * m + (1 - beta) * g              # products are written with *
p = p - lr * m / (sqrt(mean(m^2)) + 1e-8)\"\"\"
names       p g lr t T loss, the keys, the states, earlier lines, pi; t is 1 in the first update, T the last one
operators   + - * / ^   < <= > >= == !=   and or not
functions   where(c, a, b) abs sign sqrt exp log sin cos tanh min max clip(x, low, high)
a tensor    sum mean norm rms maximum dot(a, b); of the whole model all_sum all_mean ..
a matrix    orthogonalize(m) (of what is none, its argument) rows cols
conditions  is_matrix is_hidden is_bias is_norm is_embedding is_head
p <- p - lr weight_decay p besides, unless the text names weight_decay
a schedule that moves the momentum moves the keys momentum and beta1",
        keys: &[
            lr(1e-3),
            decay::STRENGTH,
            Key::optional(
                STATE,
                Accepts::Table(&[WEIGHTS]),
                "what is remembered from update to update, with what it starts from; \"p\" is the weights. A state that is \
                 only assigned numbers, such as norms, is one number",
            ),
            Key::required(UPDATE, Accepts::Text, "the update: assigns `p` and every state").checked_by(check_update),
            Key::optional(
                EVALUATE,
                Accepts::Text,
                "the weights to evaluate at, from `p` and the states; `p` unless given",
            )
            .checked_by(check_evaluate),
            Key::rest(
                Accepts::Float(Bounds::ANY),
                "any further key is a hyper-parameter of the formula, and may be an axis",
            ),
        ],
        source: "docs/formulas.md",
    },
    memory: "one value per parameter for each state that is element-wise",
    asks: &[Ask::Loss, Ask::Length],
    build: |settings| Box::new(Formula::new(settings)),
};

/// The keys that users name, with their values. Keys of groups have a point in their names.
fn hyper_parameters(settings: &Settings) -> Vec<(&str, f64)> {
    let own = |name: &str| DEFINITION.key(name).is_none() && !name.contains('.');
    settings.iter().filter(|(name, _)| own(name)).filter_map(|(name, value)| Some((name, value.as_float()?))).collect()
}

/// The names that the update finds.
fn names(settings: &Settings) -> Vec<Declared> {
    let model = |name: &str, what| Declared::number(name, what, Extent::Model);
    let mut names = vec![
        Declared::kept("p", "the weight", Extent::Element),
        Declared::number("g", "the gradient", Extent::Element),
        model("lr", "the learning rate"),
        model("t", "the number of this update"),
        model("T", "the number of all updates"),
        model("loss", "the loss"),
        model(WEIGHT_DECAY, "the strength of the decay"),
    ];
    names.extend(of_tensors());
    names.extend(hyper_parameters(settings).into_iter().map(|(name, _)| model(name, "a hyper-parameter")));
    names.extend(settings.table(STATE).iter().map(|(name, start)| {
        let is_weights = matches!(start, Value::Text(_));
        Declared::kept(name, "the state", if is_weights { Extent::Element } else { Extent::Model })
    }));
    names
}

/// What is known of a weight tensor.
fn of_tensors() -> impl Iterator<Item = Declared> {
    let truths = ["is_matrix", "is_hidden", "is_bias", "is_norm", "is_embedding", "is_head"];
    let numbers = ["rows", "cols"].map(|name| Declared::number(name, "a side of the tensor", Extent::Tensor));
    truths.map(|name| Declared::truth(name, "a condition", Extent::Tensor)).into_iter().chain(numbers)
}

fn of_tensor(name: &str, parameter: &Parameter) -> Option<f64> {
    let dims = parameter.var.dims();
    let matrix = as_matrix(dims);
    let (rows, cols) = matrix.unwrap_or((parameter.var.elem_count(), 1));
    let truth = |holds: bool| f64::from(u8::from(holds));
    Some(match name {
        "rows" => rows as f64,
        "cols" => cols as f64,
        "is_matrix" => truth(matrix.is_some()),
        "is_hidden" => truth(parameter.role == Role::Hidden),
        "is_bias" => truth(parameter.role == Role::Bias),
        "is_norm" => truth(parameter.role == Role::Norm),
        "is_embedding" => truth(parameter.role == Role::Embedding),
        "is_head" => truth(parameter.role == Role::Head),
        _ => return None,
    })
}

/// The names that the weights to evaluate at are made of: what is known between two updates.
fn evaluation_names(settings: &Settings, update: &Program) -> Vec<Declared> {
    let between = |declared: &Declared| !["g", "lr", "t", "T", "loss", WEIGHT_DECAY].contains(&declared.name.as_str());
    let is_state = |name: &str| settings.table(STATE).iter().any(|(state, _)| state == name);
    let fixed = |Declared { name, what, role }| {
        let role = if is_state(&name) { expression::Role::Number(update.extent(&name)) } else { role };
        Declared { name, what, role }
    };
    names(settings).into_iter().filter(between).map(fixed).collect()
}

/// What is mistaken in the update, and in the names that it finds.
fn check_update(text: &str, settings: &Settings) -> Vec<Mistake> {
    let names = names(settings);
    let misnamed = misnamed(&names);
    if !misnamed.is_empty() {
        return misnamed;
    }
    let update = match Program::parse(text, &names) {
        Ok(update) => update,
        Err(mistakes) => return mistakes,
    };
    let evaluate = match settings.get(EVALUATE) {
        Some(Value::Text(text)) => match Program::parse_value(text, &evaluation_names(settings, &update)) {
            Ok(evaluate) => Some(evaluate),
            // It may use what seems to be idle.
            Err(_) => return Vec::new(),
        },
        _ => None,
    };
    let used = |name: &str| update.mentions(name) || evaluate.as_ref().is_some_and(|evaluate| evaluate.mentions(name));
    idle(hyper_parameters(settings).into_iter().map(|(name, _)| name).filter(|name| !used(name)), UPDATE)
}

/// What is mistaken in the weights to evaluate at.
fn check_evaluate(text: &str, settings: &Settings) -> Vec<Mistake> {
    let Some(Value::Text(update)) = settings.get(UPDATE) else { return Vec::new() };
    // Its own mistakes are said where it stands.
    let Ok(update) = Program::parse(update, &names(settings)) else { return Vec::new() };
    Program::parse_value(text, &evaluation_names(settings, &update)).err().unwrap_or_default()
}

struct Formula {
    runner: Runner,
    evaluate: Option<Program>,
    /// The states with what they start from; nothing stands for the weights.
    states: Vec<(String, Option<f64>)>,
    /// The numbers of the model, by the names of the update.
    model: Vec<f64>,
    /// The tensors and numbers of each parameter, by the names of the update; none before the first step.
    sites: Vec<Site>,
    /// The hyper-parameters that follow the momentum of a schedule, with their own values.
    momenta: Vec<(usize, f64)>,
    composed: bool,
}

impl Formula {
    fn new(settings: &Settings) -> Self {
        let names = names(settings);
        let parsed = |program: std::result::Result<Program, Vec<Mistake>>| {
            program.unwrap_or_else(|mistakes| panic!("a formula that was not checked: {mistakes:?}"))
        };
        let mut update = parsed(Program::parse(settings.text(UPDATE), &names));
        let evaluate = match settings.get(EVALUATE) {
            Some(Value::Text(text)) => Some(parsed(Program::parse_value(text, &evaluation_names(settings, &update)))),
            _ => None,
        };
        let weight_decay = settings.float(WEIGHT_DECAY);
        if weight_decay != 0.0 && !update.mentions(WEIGHT_DECAY) {
            update = update.less_product("p", &["lr", WEIGHT_DECAY, "p"]);
        }
        let hyper_parameters = hyper_parameters(settings);
        let mut model = vec![0.0; names.len()];
        for (name, value) in hyper_parameters.iter().chain(&[(WEIGHT_DECAY, weight_decay)]) {
            model[number(&update, name)] = *value;
        }
        let momenta = hyper_parameters.iter().filter(|(name, _)| MOMENTA.contains(name));
        let momenta = momenta.map(|(name, value)| (number(&update, name), *value)).collect();
        let states = settings.table(STATE).iter().map(|(name, start)| (name.clone(), start.as_float())).collect();
        let mut formula =
            Self { runner: Runner::new(update), evaluate, states, model, sites: Vec::new(), momenta, composed: false };
        formula.start_numbers();
        formula
    }

    fn extent(&self, state: &str) -> Extent {
        self.runner.program().extent(state)
    }

    fn number(&self, name: &str) -> usize {
        number(self.runner.program(), name)
    }

    /// Sets the states that are numbers of the model to their start.
    fn start_numbers(&mut self) {
        for (name, start) in &self.states {
            let place = number(self.runner.program(), name);
            self.model[place] = start.unwrap_or(0.0);
        }
    }

    /// The tensors and numbers of each parameter at the start.
    fn start(&self, parameters: &[Parameter]) -> Result<Vec<Site>> {
        let names = self.runner.program().names();
        let sites = parameters.iter().map(|parameter| {
            let mut tensors = vec![None; names.len()];
            let mut numbers: Vec<f64> =
                names.iter().map(|name| of_tensor(&name.name, parameter).unwrap_or_default()).collect();
            for (name, start) in &self.states {
                let (var, place) = (&parameter.var, self.number(name));
                numbers[place] = start.unwrap_or_default();
                if self.extent(name) == Extent::Element {
                    let tensor = match start {
                        Some(value) => Tensor::zeros(var.shape(), var.dtype(), var.device())?.affine(1.0, *value)?,
                        None => var.as_detached_tensor().copy()?,
                    };
                    tensors[place] = Some(tensor.detach());
                }
            }
            Ok(Site::new(tensors, numbers, as_matrix(parameter.var.dims()).is_some()))
        });
        sites.collect()
    }

    /// The states of one parameter that are its own, by name: tensors, and numbers as tensors of one element.
    fn of_site<'a>(&'a self, i: usize, site: &'a Site) -> impl Iterator<Item = Result<(String, Tensor)>> + 'a {
        let own = self.states.iter().filter(|(name, _)| self.extent(name) != Extent::Model);
        own.map(move |(name, _)| {
            let place = self.number(name);
            let tensor = match &site.tensors[place] {
                Some(tensor) => tensor.copy()?,
                None => Tensor::new(&site.numbers[place..=place], &Device::Cpu)?,
            };
            Ok((format!("{i}.{name}"), tensor))
        })
    }

    fn of_model(&self) -> impl Iterator<Item = usize> {
        let own = self.states.iter().filter(|(name, _)| self.extent(name) == Extent::Model);
        own.map(|(name, _)| self.number(name))
    }
}

fn number(program: &Program, name: &str) -> usize {
    program.number(name).unwrap_or_else(|| panic!("`{name}` was not declared"))
}

/// The nearest orthogonal matrix to a tensor as a matrix, in the tensor's shape.
fn orthogonalize(composed: bool, tensor: &Tensor) -> Result<Tensor> {
    let Some(shape) = as_matrix(tensor.dims()) else { return Ok(tensor.clone()) };
    let orthogonal = NEWTON_SCHULZ.apply(composed, &tensor.reshape(shape)?)?;
    Ok(orthogonal.reshape(tensor.shape())?)
}

impl Optimizer for Formula {
    fn step(
        &mut self,
        parameters: &[Parameter],
        gradients: &[Tensor],
        at: &Step,
        _oracle: &mut dyn Oracle,
    ) -> Result<()> {
        if self.sites.len() != parameters.len() {
            self.start_numbers();
            self.sites = self.start(parameters)?;
        }
        let told = [("lr", at.lr), ("t", (at.t + 1) as f64), ("T", at.steps as f64), ("loss", at.loss)];
        for (name, value) in told {
            let place = self.number(name);
            self.model[place] = value;
        }
        for &(place, own) in &self.momenta {
            self.model[place] = at.momentum.unwrap_or(own);
        }
        let [p, g] = ["p", "g"].map(|name| self.number(name));
        for ((site, parameter), gradient) in self.sites.iter_mut().zip(parameters).zip(gradients) {
            site.tensors[p] = Some(parameter.var.as_detached_tensor());
            site.tensors[g] = Some(match at.gradient_scale {
                1.0 => gradient.detach(),
                scale => gradient.detach().affine(scale, 0.0)?,
            });
        }
        let composed = self.composed || parameters.iter().any(|parameter| !parameter.var.device().is_cpu());
        let means = Means { composed, orthogonalize: &|tensor| orthogonalize(composed, tensor) };
        self.runner.run(&mut self.model, &mut self.sites, &means)?;
        for (site, parameter) in self.sites.iter_mut().zip(parameters) {
            // The gradient's memory is its owner's, and so is that of the weights.
            site.tensors[g] = None;
            if let Some(new) = site.tensors[p].take() {
                write_weights(parameter, |weights| {
                    *weights = new;
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    fn evaluation_weights(&self, parameters: &[Parameter]) -> Result<Option<Vec<Tensor>>> {
        let Some(evaluate) = self.evaluate.as_ref().filter(|_| !self.sites.is_empty()) else { return Ok(None) };
        let names = evaluate.names();
        let places: Vec<usize> = names.iter().map(|name| self.number(&name.name)).collect();
        let p = number(evaluate, "p");
        let sites = self.sites.iter().zip(parameters).map(|(site, parameter)| {
            let mut tensors: Vec<Option<Tensor>> = places.iter().map(|&place| site.tensors[place].clone()).collect();
            tensors[p] = Some(parameter.var.as_detached_tensor().copy()?);
            let numbers = places.iter().map(|&place| site.numbers[place]).collect();
            Ok(Site::new(tensors, numbers, site.is_matrix))
        });
        let mut sites = sites.collect::<Result<Vec<_>>>()?;
        let mut model: Vec<f64> = places.iter().map(|&place| self.model[place]).collect();
        let means = Means { composed: true, orthogonalize: &|tensor| orthogonalize(self.composed, tensor) };
        Runner::new(evaluate.clone()).run(&mut model, &mut sites, &means)?;
        Ok(Some(sites.into_iter().filter_map(|mut site| site.tensors[p].take()).collect()))
    }

    fn state(&self) -> Result<State> {
        let own = self.sites.iter().enumerate().flat_map(|(i, site)| self.of_site(i, site));
        let scalars = self.of_model().map(|place| self.model[place]).collect();
        Ok(State { scalars, tensors: own.collect::<Result<_>>()?, ..State::default() })
    }

    fn restore(&mut self, parameters: &[Parameter], state: State) -> Result<()> {
        let model: Vec<usize> = self.of_model().collect();
        state.expect(model.len(), 0)?;
        let own = self.states.iter().filter(|(name, _)| self.extent(name) != Extent::Model).count();
        let mut sites = Vec::new();
        // Saved before the first step, it holds nothing yet; so does a formula without states.
        if !state.tensors.is_empty() || own == 0 {
            sites = self.start(parameters)?;
            if state.tensors.len() != own * sites.len() {
                let expected = own * sites.len();
                return Err(misfit(&format!("it holds {} tensors, expected {expected}", state.tensors.len())));
            }
            let mut saved = state.tensors.iter();
            for (i, site) in sites.iter_mut().enumerate() {
                let expected = self.of_site(i, site).collect::<Result<Vec<_>>>()?;
                for ((name, like), saved) in expected.iter().zip(&mut saved) {
                    let tensor = fitting(saved, name, like)?;
                    let place = self.number(name.split_once('.').map_or(name, |(_, state)| state));
                    match &mut site.tensors[place] {
                        Some(state) => *state = tensor,
                        None => site.numbers[place] = tensor.to_dtype(DType::F64)?.to_vec1::<f64>()?[0],
                    }
                }
            }
        }
        self.sites = sites;
        for (place, value) in model.into_iter().zip(state.scalars) {
            self.model[place] = value;
        }
        Ok(())
    }

    /// Numbers do not count, as with the built-in kinds.
    fn state_bytes(&self) -> usize {
        let states: Vec<usize> = self.states.iter().map(|(name, _)| self.number(name)).collect();
        bytes(self.sites.iter().flat_map(|site| states.iter().filter_map(|&place| site.tensors[place].as_ref())))
    }

    fn use_tensor_operations(&mut self) {
        self.composed = true;
    }
}
