//! The problems of `tests/reference/problems.json`, and settings as its trajectories write them.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use optbench::catalog::Catalog;
use optbench::config::Experiment;
use optbench::error::Result;
use optbench::length::Timeline;
use optbench::metric::{Metric, Scores};
use optbench::nn::cross_entropy::cross_entropy;
use optbench::nn::linear::{Activation, Linear};
use optbench::nn::params::{Init, Parameter, gradients};
use optbench::nn::role::Role;
use optbench::optim::{self, Optimizer, Step};
use optbench::registry::Accepts;
use optbench::registry::Described;
use optbench::settings::{Settings, Value};
use optbench::task::data::Library;
use optbench::task::{self, Problem, Spec, Split};
use serde_json::Value as Json;

pub const NAMES: [&str; 4] = ["quadratic", "rosenbrock", "matrix", "mlp"];

pub fn reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

pub fn read_json(path: &Path) -> Json {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn floats(json: &Json) -> Vec<f64> {
    match json {
        Json::Array(values) => values.iter().flat_map(floats).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

/// A problem at its start.
pub fn problem(name: &str, dtype: DType) -> Box<dyn Problem> {
    let json = &read_json(&reference().join("problems.json"))[name];
    match name {
        "mlp" => Box::new(Mlp::new(json, dtype)),
        "matrix" => Box::new(Matrix::new(json, dtype)),
        _ => function(name, json, dtype),
    }
}

fn function(name: &str, json: &Json, dtype: DType) -> Box<dyn Problem> {
    let list = |key: &str| Value::List(floats(&json[key]).into_iter().map(Value::Float).collect());
    let definition = Catalog::built_in().models.find(name).unwrap_or_else(|| panic!("no function `{name}`"));
    let mut model = Settings::new(definition).with("start", list("start"));
    if name == "quadratic" {
        model.set("curvature", list("curvature"));
    }
    let spec = Spec {
        label: name.into(),
        model,
        dataset: None,
        batch_size: 1,
        dtype,
        target: None,
        metrics: vec![Metric::LOSS],
        metric: Metric::LOSS,
    };
    task::build(&spec, &Library::new(None)).unwrap().problem(0, &Device::Cpu).unwrap()
}

/// The small network, of the layers that every network here is made of.
struct Mlp {
    layers: Vec<Linear>,
    parameters: Vec<Parameter>,
    inputs: Tensor,
    labels: Tensor,
}

impl Mlp {
    fn new(json: &Json, dtype: DType) -> Self {
        let mut init = Init::new(0, dtype, &Device::Cpu);
        let shapes: Vec<Vec<usize>> = json["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|parameter| floats(&parameter["shape"]).iter().map(|&n| n as usize).collect())
            .collect();
        let count = shapes.len() / 2;
        let layers = (0..count).map(|i| {
            let name = format!("fc{}", i + 1);
            let [outputs, inputs] = shapes[2 * i][..] else { panic!("a weight is a matrix") };
            let layer = if i + 1 == count {
                Linear::head(&mut init, &name, inputs, outputs)
            } else {
                Linear::new(&mut init, &name, inputs, outputs, Activation::Relu)
            };
            layer.unwrap()
        });
        let layers = layers.collect();
        let parameters = init.finish();
        place(&parameters, &floats(&json["start"]));
        let inputs = floats(&json["inputs"]);
        let labels: Vec<u32> = floats(&json["labels"]).iter().map(|&label| label as u32).collect();
        let features = inputs.len() / labels.len();
        let inputs = Tensor::from_vec(inputs, (labels.len(), features), &Device::Cpu).unwrap();
        Self {
            layers,
            parameters,
            inputs: inputs.to_dtype(dtype).unwrap(),
            labels: Tensor::new(labels, &Device::Cpu).unwrap(),
        }
    }
}

impl Problem for Mlp {
    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn gradients(&mut self, _t: u64) -> Result<(f64, Vec<Tensor>)> {
        let mut signal = self.inputs.clone();
        for layer in &self.layers {
            signal = layer.forward(&signal)?;
        }
        let loss = cross_entropy(&signal, &self.labels, 0.0, false)?;
        let gradients = gradients(&loss, &self.parameters)?;
        Ok((loss.to_dtype(DType::F64)?.to_scalar()?, gradients))
    }

    fn evaluate(&mut self, _split: Split) -> Result<Option<Scores>> {
        Ok(None)
    }
}

/// `1/2 sum c (w - target)^2` over a matrix, with its gradient by hand.
struct Matrix {
    parameters: Vec<Parameter>,
    curvature: Tensor,
    target: Tensor,
}

impl Matrix {
    fn new(json: &Json, dtype: DType) -> Self {
        let mut init = Init::new(0, dtype, &Device::Cpu);
        init.values("w", Role::Hidden, (3, 4), floats(&json["start"])).unwrap();
        let constant =
            |key: &str| Tensor::from_vec(floats(&json[key]), (3, 4), &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        Self { parameters: init.finish(), curvature: constant("curvature"), target: constant("target") }
    }
}

impl Problem for Matrix {
    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn gradients(&mut self, _t: u64) -> Result<(f64, Vec<Tensor>)> {
        let away = (self.parameters[0].var.as_tensor() - &self.target)?;
        let gradient = (&self.curvature * &away)?;
        let value = (&gradient * &away)?.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()? / 2.0;
        Ok((value, vec![gradient.detach()]))
    }

    fn evaluate(&mut self, _split: Split) -> Result<Option<Scores>> {
        Ok(None)
    }
}

/// Puts the parameters at a point given as one list.
pub fn place(parameters: &[Parameter], point: &[f64]) {
    let mut rest = point;
    for parameter in parameters {
        let values;
        (values, rest) = rest.split_at(parameter.var.elem_count());
        let tensor = Tensor::new(values, &Device::Cpu).unwrap().reshape(parameter.var.shape()).unwrap();
        parameter.var.set(&tensor.to_dtype(parameter.var.dtype()).unwrap()).unwrap();
    }
}

/// All elements of tensors as one list.
pub fn flat<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Vec<f64> {
    let list = |tensor: &Tensor| tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
    tensors.into_iter().flat_map(list).collect()
}

/// Where the gradient is taken.
pub fn train_point(parameters: &[Parameter]) -> Vec<f64> {
    flat(parameters.iter().map(|parameter| parameter.var.as_tensor()))
}

/// Where the optimizer wants to be evaluated.
pub fn eval_point(parameters: &[Parameter], optimizer: &dyn Optimizer) -> Vec<f64> {
    match optimizer.evaluation_weights(parameters).unwrap() {
        Some(weights) => flat(&weights),
        None => train_point(parameters),
    }
}

fn definition(kind: &str) -> &'static optim::Definition {
    Catalog::built_in().optimizers.find(kind).unwrap_or_else(|| panic!("there is no optimizer `{kind}`"))
}

/// The settings of a kind with every key at its default; of a formula, which has none, those of AdamW as one.
pub fn defaults(kind: &str) -> Settings {
    match kind {
        "formula" => formulas_of("adamw").remove(0).2,
        _ => definition(kind).defaults(),
    }
}

/// A name, a built-in rule, and the formula that must follow it: all of `tests/formulas`.
pub fn formulas() -> Vec<(String, Settings, Settings)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formulas");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut stems: Vec<String> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    stems.sort();
    stems.iter().flat_map(|stem| formulas_of(stem)).collect()
}

fn formulas_of(stem: &str) -> Vec<(String, Settings, Settings)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/formulas/{stem}.toml"));
    let text = std::fs::read_to_string(&path).unwrap();
    let experiment = Experiment::parse(&Catalog::built_in(), stem, &text, stem, &[]).unwrap_or_else(|e| panic!("{e}"));
    let timeline = Timeline { steps: 50, steps_per_epoch: None, beta2: None };
    let settings = |label: &str| {
        let entrant = experiment.optimizers.iter().find(|entrant| entrant.grid.label == label)?;
        Some(entrant.grid.variants()[0].in_steps(&timeline).unwrap())
    };
    let pairs = experiment.optimizers.iter().filter_map(|entrant| {
        let label = &entrant.grid.label;
        let formula = settings(&format!("{label}_formula"))?;
        let name = if label == stem { stem.to_owned() } else { format!("{stem} {label}") };
        Some((name, settings(label)?, formula))
    });
    pairs.collect()
}

/// The defaults of a kind, changed as a table says.
pub fn settings(kind: &str, table: &Json) -> Settings {
    let definition = definition(kind);
    let mut settings = defaults(kind);
    for (name, json) in table.as_object().expect("a table") {
        if name == "kind" {
            continue;
        }
        let key = definition.key(name).unwrap_or_else(|| panic!("`{kind}` has no key `{name}`"));
        let value = match (key.accepts, json) {
            (Accepts::Optimizer, base) => Value::Nested(self::settings(base["kind"].as_str().unwrap(), base)),
            (Accepts::Length | Accepts::Interval, steps) => {
                Value::Length(optbench::length::Length::Steps(steps.as_u64().unwrap()))
            }
            (Accepts::Integer(_), n) => Value::Integer(n.as_i64().unwrap()),
            (_, Json::Bool(flag)) => Value::Bool(*flag),
            (_, Json::String(text)) => Value::Text(text.clone()),
            (_, Json::Array(items)) => {
                let item = |item: &Json| match item {
                    Json::String(text) => text.as_str().into(),
                    number => Value::Float(number.as_f64().unwrap_or_else(|| panic!("`{name}` has {number}"))),
                };
                Value::List(items.iter().map(item).collect())
            }
            (_, number) => Value::Float(number.as_f64().unwrap_or_else(|| panic!("`{name}` is {number}"))),
        };
        settings.set(name, value);
    }
    settings
}

/// Settings written as JSON, such as `{"kind": "sgd", "lr": 0.1}`.
pub fn parse(text: &str) -> Settings {
    let json: Json = serde_json::from_str(text).unwrap();
    settings(json["kind"].as_str().expect("a kind"), &json)
}

/// The update after `t` others, at a rate.
pub fn at(t: u64, lr: f64) -> Step {
    Step { t, ..Step::first(lr) }
}

/// The largest difference of two points, relative to the largest coordinate of the second.
pub fn difference(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(1e-300, |max: f64, x| max.max(x.abs()));
    ours.iter().zip(theirs).fold(0.0, |worst: f64, (a, b)| {
        let difference = (a - b).abs() / largest;
        if difference.is_nan() { f64::INFINITY } else { worst.max(difference) }
    })
}
