//! Every model beside `PyTorch`: loss, all gradients, and the loss of an evaluation, from the numbers in
//! `tests/reference/models.json`; fused and composed, in both number types.

use candle_core::{DType, Device, Tensor};
use optbench::catalog::Catalog;
use optbench::nn::cross_entropy::cross_entropy;
use optbench::nn::params::{Init, Parameter, gradients};
use optbench::nn::role::Role;
use optbench::registry::Described;
use optbench::settings::Value;
use optbench::task::data::Input;
use optbench::task::model::{self, Kind, Network, Pass};
use serde_json::Value as Json;

struct Case(Json);

impl Case {
    fn all() -> Vec<Self> {
        let text = include_str!("reference/models.json");
        serde_json::from_str::<Vec<Json>>(text).unwrap().into_iter().map(Case).collect()
    }

    fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    fn count(&self, key: &str) -> usize {
        self.0[key].as_u64().unwrap() as usize
    }

    fn input(&self) -> Input {
        match self.0["shape"].as_array() {
            Some(shape) => {
                let shape: Vec<usize> = shape.iter().map(|n| n.as_u64().unwrap() as usize).collect();
                Input::Image { shape: shape.try_into().unwrap(), classes: self.count("classes") }
            }
            None => Input::Tokens { vocabulary: self.count("vocabulary"), length: self.count("length") },
        }
    }

    fn batch(&self, dtype: DType) -> (Tensor, Tensor) {
        let (n, input, device) = (self.count("examples"), self.input(), &Device::Cpu);
        let count = n * input.len();
        let (inputs, labels) = match input {
            Input::Image { shape: [c, h, w], .. } => {
                let pixels: Vec<f64> = (0..count).map(|i| (0.3 + 1.7 * i as f64).sin()).collect();
                (Tensor::from_vec(pixels, (n, c, h, w), device).unwrap().to_dtype(dtype).unwrap(), n)
            }
            Input::Row { .. } => unreachable!("no case is a table"),
            Input::Tokens { vocabulary, length } => {
                let tokens: Vec<u32> = (0..count).map(|i| ((3 * i * i + i + 1) % vocabulary) as u32).collect();
                (Tensor::from_vec(tokens, (n, length), device).unwrap(), count)
            }
        };
        let labels: Vec<u32> = (0..labels).map(|i| ((5 * i + 1) % input.classes()) as u32).collect();
        let n = labels.len();
        (inputs, Tensor::from_vec(labels, n, device).unwrap())
    }

    fn model(&self, dtype: DType, composed: bool) -> (Box<dyn Network>, Vec<Parameter>) {
        let definition = Catalog::built_in().models.find(self.0["model"].as_str().unwrap()).unwrap();
        let Kind::Network { build, .. } = definition.kind else { panic!("no network") };
        let mut settings = definition.defaults();
        for (key, value) in self.0["keys"].as_object().unwrap() {
            settings.set(key, setting(value));
        }
        let mut init = Init::new(0, dtype, &Device::Cpu);
        if composed {
            init = init.composed();
        }
        let network = build(&settings, &self.input(), &mut init).unwrap();
        let parameters = init.finish();
        for (j, parameter) in parameters.iter().enumerate() {
            let values: Vec<f64> =
                (0..parameter.var.elem_count()).map(|i| (0.7 + 1.1 * j as f64 + 2.3 * i as f64).sin() / 2.0).collect();
            let values = Tensor::from_vec(values, parameter.var.shape(), &Device::Cpu).unwrap();
            parameter.var.set(&values.to_dtype(dtype).unwrap()).unwrap();
        }
        (network, parameters)
    }

    /// The largest distance from the reference, of losses and gradients.
    fn far_off(&self, dtype: DType, composed: bool) -> f64 {
        let (mut network, parameters) = self.model(dtype, composed);
        let (inputs, labels) = self.batch(dtype);
        let smoothing = self.0["label_smoothing"].as_f64().unwrap();
        let loss = if composed {
            let logits = network.logits(&inputs, &mut Pass::train(0, 0)).unwrap();
            cross_entropy(&logits, &labels, smoothing, composed).unwrap()
        } else {
            network.loss(&inputs, &labels, smoothing, &mut Pass::train(0, 0)).unwrap()
        };
        let found = gradients(&loss, &parameters).unwrap();
        let logits = network.logits(&inputs, &mut Pass::Evaluate).unwrap();
        let evaluated = cross_entropy(&logits, &labels, 0.0, composed).unwrap();
        let mut worst = 0.0f64;
        if let Some(expected) = self.0["logits"].as_array() {
            let logits = logits.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
            for (found, expected) in logits.iter().zip(expected) {
                worst = worst.max((found - expected.as_f64().unwrap()).abs());
            }
        }
        for (found, key) in [(loss, "loss"), (evaluated, "evaluation_loss")] {
            let found = found.to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap();
            worst = worst.max((found - self.0[key].as_f64().unwrap()).abs());
        }
        let expected = self.0["gradients"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{}", self.name());
        for (found, expected) in found.iter().zip(expected) {
            let found = found.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
            let expected: Vec<f64> = expected.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
            assert_eq!(found.len(), expected.len(), "{}", self.name());
            for (a, b) in found.iter().zip(&expected) {
                assert!(a.is_finite(), "{}", self.name());
                worst = worst.max((a - b).abs());
            }
        }
        worst
    }
}

fn setting(value: &Json) -> Value {
    match value {
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Array(list) => Value::List(list.iter().map(setting).collect()),
        Json::String(text) => Value::Text(text.clone()),
        number => number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Integer),
    }
}

#[test]
fn every_parameter_knows_its_role() {
    let role = |name: &str, tied: bool| match name {
        "embedding.weight" | "position.weight" => Role::Embedding,
        "scores.weight" | "head.weight" if !tied => Role::Head,
        name if name.contains("norm") => Role::Norm,
        name if name.contains("bias") => Role::Bias,
        _ => Role::Hidden,
    };
    for case in Case::all() {
        let (_, parameters) = case.model(DType::F32, false);
        let heads: Vec<&Parameter> = parameters.iter().filter(|parameter| parameter.role == Role::Head).collect();
        let tied = case.0["keys"]["tied"] == Json::Bool(true);
        assert_eq!(heads.len(), usize::from(!tied), "{}", case.name());
        for parameter in &parameters {
            // The scores of a classifier come from its last layer, whose name depends on how many there are.
            let last = case.0["shape"].is_array() && parameter.name == parameters[parameters.len() - 2].name;
            let expected = if last { Role::Head } else { role(&parameter.name, tied) };
            assert_eq!(parameter.role, expected, "{}: {}", case.name(), parameter.name);
        }
    }
}

#[test]
fn every_model_is_pytorch_s_in_double_precision() {
    for case in Case::all() {
        for composed in [false, true] {
            let worst = case.far_off(DType::F64, composed);
            assert!(worst < 1e-9, "{}, composed {composed}: {worst:e}", case.name());
        }
    }
}

#[test]
fn every_model_is_pytorch_s_in_single_precision() {
    for case in Case::all() {
        for composed in [false, true] {
            let worst = case.far_off(DType::F32, composed);
            assert!(worst < 1e-5, "{}, composed {composed}: {worst:e}", case.name());
        }
    }
}

/// Independent of any reference: the loss moves as its gradient says.
#[test]
fn gradients_are_the_loss_s_differences() {
    for case in Case::all() {
        let (mut network, parameters) = case.model(DType::F64, false);
        let (inputs, labels) = case.batch(DType::F64);
        let mut loss = || {
            let logits = network.logits(&inputs, &mut Pass::Calibrate).unwrap();
            cross_entropy(&logits, &labels, 0.0, false).unwrap()
        };
        let found = gradients(&loss(), &parameters).unwrap();
        for (parameter, gradient) in parameters.iter().zip(found) {
            let before = parameter.var.as_detached_tensor().copy().unwrap();
            let size = before.elem_count();
            // Along a direction that no element of is 0.
            let direction: Vec<f64> = (0..size).map(|i| (1.0 + 0.9 * i as f64).cos()).collect();
            let direction = Tensor::from_vec(direction, before.shape(), &Device::Cpu).unwrap();
            let expected = (&gradient * &direction).unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap();
            let h = 1e-6;
            let mut at = |h: f64| {
                parameter.var.set(&(&before + (&direction * h).unwrap()).unwrap()).unwrap();
                loss().to_scalar::<f64>().unwrap()
            };
            let difference = (at(h) - at(-h)) / (2.0 * h);
            at(0.0);
            assert!(
                (difference - expected).abs() < 1e-6,
                "{} {}: {difference} {expected}",
                case.name(),
                parameter.name
            );
        }
    }
}

#[test]
fn a_carried_memory_continues_the_sequence() {
    let definition = Catalog::built_in().models.find("lstm_lm").unwrap();
    let Kind::Network { build, .. } = definition.kind else { panic!("no network") };
    let settings = definition
        .defaults()
        .with("hidden", Value::Integer(6))
        .with("layers", Value::Integer(2))
        .with("stateful", true);
    let tokens = Tensor::new(&[[0u32, 1, 2, 3, 4, 0, 2, 4], [1, 3, 0, 2, 4, 1, 3, 0]], &Device::Cpu).unwrap();
    for composed in [false, true] {
        let mut init = Init::new(0, DType::F64, &Device::Cpu);
        if composed {
            init = init.composed();
        }
        let mut network = build(&settings, &Input::Tokens { vocabulary: 5, length: 8 }, &mut init).unwrap();
        let mut logits = |from: usize, length: usize| -> Vec<Vec<f64>> {
            let part = tokens.narrow(1, from, length).unwrap().contiguous().unwrap();
            network.logits(&part, &mut Pass::Evaluate).unwrap().to_vec2().unwrap()
        };
        let (first, second) = (logits(0, 4), logits(4, 4));
        let afresh = logits(0, 8);
        assert!((afresh[0][0] - first[0][0]).abs() > 1e-6, "the memory is still there");
        network.exchange_memory(model::Memory::new());
        let whole: Vec<Vec<f64>> = network.logits(&tokens, &mut Pass::Evaluate).unwrap().to_vec2().unwrap();
        let halves = [&first[..4], &second[..4], &first[4..], &second[4..]].concat();
        for (a, b) in whole.concat().iter().zip(halves.concat()) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }
}

#[test]
fn a_cnn_pools_as_often_as_its_images_allow() {
    let definition = Catalog::built_in().models.find("cnn").unwrap();
    let Kind::Network { build, .. } = definition.kind else { panic!("no network") };
    let outcome = |channels: &[i64]| {
        let mut settings = definition.defaults();
        settings.set("channels", Value::List(channels.iter().map(|&n| Value::Integer(n)).collect()));
        let mut init = Init::new(0, DType::F32, &Device::Cpu);
        let mut network = build(&settings, &Input::Image { shape: [1, 8, 9], classes: 10 }, &mut init)?;
        let images = Tensor::zeros((2, 1, 8, 9), DType::F32, &Device::Cpu)?;
        network.logits(&images, &mut Pass::Evaluate)
    };
    for channels in [&[][..], &[2], &[2, 3, 4]] {
        assert_eq!(outcome(channels).unwrap().dims(), [2, 10], "{channels:?}");
    }
    assert!(outcome(&[2, 3, 4, 5]).unwrap_err().to_string().contains("at most 3 `channels`"));
}
