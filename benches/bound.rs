//! How close a training step comes to its matrix products alone: the same shapes, the same library, one thread.
//!
//! `cargo bench --bench bound [-- NAME ...]` prints a line a model: the whole step (forward, backward,
//! AdamW), its parts, the products of a textbook's forward and backward pass, and their share. A
//! share above 100 % means that work was left out: a convolution under a max-pool goes back
//! through the winners alone.
#![allow(clippy::print_stdout, reason = "a table on stdout is what it is for")]

use std::hint::black_box;
use std::time::Instant;

use candle_core::{DType, Device, Tensor};
use optbench::catalog::Catalog;
use optbench::nn::cross_entropy::cross_entropy;
use optbench::nn::matmul::{Matrix, write_product};
use optbench::nn::params::{Init, Parameter, gradients};
use optbench::optim::{Optimizer, Step, build};
use optbench::registry::Described;
use optbench::settings::Value;
use optbench::task::data::Input;
use optbench::task::model::{Kind, Network, Pass};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measured in turns, and the fastest turn counts: another job on the machine only ever slows down.
const TURNS: usize = 15;

/// A layer as its products: `rows` times `inputs` by `outputs`, one after another `times` over.
struct Layer {
    rows: usize,
    inputs: usize,
    outputs: usize,
    times: usize,
    /// Whether its inputs want a gradient.
    inner: bool,
}

const fn layer(rows: usize, inputs: usize, outputs: usize) -> Layer {
    Layer { rows, inputs, outputs, times: 1, inner: true }
}

const fn first(rows: usize, inputs: usize, outputs: usize) -> Layer {
    Layer { rows, inputs, outputs, times: 1, inner: false }
}

struct Case {
    name: &'static str,
    model: &'static str,
    keys: &'static [(&'static str, &'static [i64])],
    input: Input,
    batch: usize,
    layers: &'static [Layer],
}

const FASHION: Input = Input::Image { shape: [1, 28, 28], classes: 10 };

const CASES: [Case; 5] = [
    Case {
        name: "mlp",
        model: "mlp",
        keys: &[("hidden", &[512, 512])],
        input: FASHION,
        batch: 128,
        layers: &[first(128, 784, 512), layer(128, 512, 512), layer(128, 512, 10)],
    },
    Case {
        name: "mlp_tiny",
        model: "mlp",
        keys: &[("hidden", &[128, 128])],
        input: Input::Image { shape: [1, 8, 8], classes: 10 },
        batch: 64,
        layers: &[first(64, 64, 128), layer(64, 128, 128), layer(64, 128, 10)],
    },
    Case {
        name: "cnn",
        model: "cnn",
        keys: &[("channels", &[32, 64])],
        input: FASHION,
        batch: 64,
        layers: &[
            first(64 * 28 * 28, 9, 32),
            layer(64 * 14 * 14, 9 * 32, 64),
            layer(64, 64 * 7 * 7, 128),
            layer(64, 128, 10),
        ],
    },
    Case {
        name: "lstm",
        model: "lstm_lm",
        keys: &[],
        input: Input::Tokens { vocabulary: 65, length: 64 },
        batch: 32,
        // What a token contributes is computed once a token of the vocabulary.
        layers: &[
            layer(65, 64, 512),
            Layer { rows: 32, inputs: 128, outputs: 512, times: 64, inner: true },
            layer(32 * 64, 128, 65),
        ],
    },
    Case { name: "logistic", model: "logistic", keys: &[], input: FASHION, batch: 128, layers: &[first(128, 784, 10)] },
];

/// One model in training on one made-up batch.
struct Trained {
    network: Box<dyn Network>,
    parameters: Vec<Parameter>,
    optimizer: Box<dyn Optimizer>,
    inputs: Tensor,
    labels: Tensor,
    t: u64,
}

impl Trained {
    fn new(case: &Case) -> Self {
        let device = &Device::Cpu;
        let definition = Catalog::built_in().models.find(case.model).expect("a registered model");
        let Kind::Network { build: network, .. } = definition.kind else { panic!("{} learns nothing", case.model) };
        let mut settings = definition.defaults();
        for (key, values) in case.keys {
            settings.set(key, Value::List(values.iter().map(|&n| Value::Integer(n)).collect()));
        }
        let mut init = Init::new(0, DType::F32, device);
        let network = network(&settings, &case.input, &mut init).expect("the model");
        let count = case.batch * case.input.len();
        let (inputs, predictions) = match case.input {
            Input::Image { shape: [c, h, w], .. } => {
                let pixels: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin()).collect();
                (Tensor::from_vec(pixels, (case.batch, c, h, w), device), case.batch)
            }
            Input::Row { .. } => unreachable!("no case is a table"),
            Input::Tokens { vocabulary, length } => {
                let tokens: Vec<u32> = (0..count).map(|i| ((i * i + 7 * i) % vocabulary) as u32).collect();
                (Tensor::from_vec(tokens, (case.batch, length), device), count)
            }
        };
        let labels: Vec<u32> = (0..predictions).map(|i| (i % case.input.classes()) as u32).collect();
        Self {
            network,
            parameters: init.finish(),
            optimizer: build(&Catalog::built_in().optimizers.find("adamw").expect("a registered kind").defaults()),
            inputs: inputs.expect("a batch"),
            labels: Tensor::from_vec(labels, predictions, device).expect("labels"),
            t: 0,
        }
    }

    /// One step; milliseconds of forward pass, backward pass and update.
    fn step(&mut self) -> [f64; 3] {
        let start = Instant::now();
        let logits = self.network.logits(&self.inputs, &mut Pass::train(0, self.t)).expect("logits");
        let loss = cross_entropy(&logits, &self.labels, 0.0, false).expect("a loss");
        let forward = Instant::now();
        let gradients = gradients(&loss, &self.parameters).expect("gradients");
        let backward = Instant::now();
        let at = Step { t: self.t, ..Step::first(1e-4) };
        self.optimizer.step(&self.parameters, &gradients, &at, &mut ()).expect("an update");
        self.t += 1;
        let parts = [forward.duration_since(start), backward.duration_since(forward), backward.elapsed()];
        parts.map(|part| part.as_secs_f64() * 1e3)
    }
}

/// The operands and results of a layer's products.
struct Products<'a> {
    layer: &'a Layer,
    x: Vec<f32>,
    weight: Vec<f32>,
    y: Vec<f32>,
    x_gradient: Vec<f32>,
    weight_gradient: Vec<f32>,
}

impl<'a> Products<'a> {
    fn new(layer: &'a Layer) -> Self {
        let numbers = |len: usize| (0..len).map(|i| (i as f32 * 0.73).cos()).collect::<Vec<_>>();
        let (rows, inputs, outputs) = (layer.rows, layer.inputs, layer.outputs);
        Self {
            layer,
            x: numbers(rows * layer.times * inputs),
            weight: numbers(inputs * outputs),
            y: numbers(rows * layer.times * outputs),
            x_gradient: numbers(rows * inputs),
            weight_gradient: numbers(inputs * outputs),
        }
    }

    /// Forward, back to the inputs, back to the weight: each with its operands where it likes them best.
    fn run(&mut self) {
        let Layer { rows, inputs, outputs, times, inner } = *self.layer;
        for (x, y) in self.x.chunks_exact(rows * inputs).zip(self.y.chunks_exact_mut(rows * outputs)) {
            write_product(y, Matrix::new(x, rows, inputs), Matrix::new(&self.weight, inputs, outputs));
            if inner {
                let weight = Matrix::new(&self.weight, outputs, inputs);
                write_product(&mut self.x_gradient, Matrix::new(y, rows, outputs), weight);
            }
        }
        let y = Matrix::new(&self.y, rows * times, outputs);
        write_product(&mut self.weight_gradient, y.t(), Matrix::new(&self.x, rows * times, inputs));
        black_box(&self.weight_gradient);
    }
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|name| !name.starts_with("--")).collect();
    println!(
        "{:10} {:>9} {:>9} {:>9} {:>9} {:>12} {:>7} {:>9}",
        "model", "step ms", "forward", "backward", "update", "products ms", "share", "GFLOP/s"
    );
    for case in CASES.iter().filter(|case| wanted.is_empty() || wanted.iter().any(|name| name == case.name)) {
        let mut trained = Trained::new(case);
        let mut products: Vec<Products> = case.layers.iter().map(Products::new).collect();
        let repeat = (20.0 / trained.step().iter().sum::<f64>()).clamp(1.0, 100.0) as usize;
        let (mut parts, mut alone) = ([f64::INFINITY; 3], f64::INFINITY);
        for _ in 0..TURNS {
            let mut turn = [0.0; 3];
            for _ in 0..repeat {
                for (sum, part) in turn.iter_mut().zip(trained.step()) {
                    *sum += part / repeat as f64;
                }
            }
            if turn.iter().sum::<f64>() < parts.iter().sum() {
                parts = turn;
            }
            let start = Instant::now();
            for _ in 0..repeat {
                products.iter_mut().for_each(Products::run);
            }
            alone = alone.min(start.elapsed().as_secs_f64() * 1e3 / repeat as f64);
        }
        let flop = |l: &Layer| 2.0 * (l.rows * l.inputs * l.outputs * l.times) as f64 * if l.inner { 3.0 } else { 2.0 };
        let speed = case.layers.iter().map(flop).sum::<f64>() / alone / 1e6;
        let step: f64 = parts.iter().sum();
        let [forward, backward, update] = parts;
        println!(
            "{:10} {step:9.3} {forward:9.3} {backward:9.3} {update:9.3} {alone:12.3} {:6.0}% {speed:9.0}",
            case.name,
            100.0 * alone / step
        );
    }
}
