//! Every fused layer, forward and backward, beside the same layer composed of candle's operations.
//!
//! `cargo bench --bench layers`; one thread, `f32`.

use candle_core::{DType, Device, Tensor, Var};
use divan::Bencher;
use optbench::nn::activation;
use optbench::nn::attention::Attention;
use optbench::nn::batch_norm::BatchNorm;
use optbench::nn::conv::{Conv, ConvPools, relu_pool};
use optbench::nn::cross_entropy::cross_entropy;
use optbench::nn::dropout::dropout;
use optbench::nn::embedding::Embedding;
use optbench::nn::feed_forward::FeedForward;
use optbench::nn::head::Head;
use optbench::nn::linear::{Activation, Linear};
use optbench::nn::lstm::{Lstm, Source};
use optbench::nn::norm::{self, Norm};
use optbench::nn::params::{Init, gradients};
use optbench::rng::Stream;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How a layer is made.
const PATHS: [&str; 2] = ["fused", "composed"];

fn main() {
    divan::main();
}

fn init(path: &str) -> Init {
    let init = Init::new(0, DType::F32, &Device::Cpu);
    if path == "composed" { init.composed() } else { init }
}

/// Inputs that want a gradient.
fn inputs(shape: &[usize]) -> Var {
    Var::from_tensor(&noise(shape)).expect("inputs")
}

fn noise(shape: &[usize]) -> Tensor {
    let values: Vec<f32> = (0..shape.iter().product()).map(|i: usize| (i as f32 * 0.61).sin()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).expect("noise")
}

fn tokens(rows: usize, length: usize, vocabulary: usize) -> Tensor {
    let tokens: Vec<u32> = (0..rows * length).map(|i| ((i * i + 7 * i) % vocabulary) as u32).collect();
    Tensor::from_vec(tokens, (rows, length), &Device::Cpu).expect("tokens")
}

/// Measures the forward pass and the way back from its sum.
fn measure(bencher: Bencher, init: Init, mut forward: impl FnMut() -> Tensor) {
    let parameters = init.finish();
    bencher.bench_local(|| {
        let loss = forward().sum_all().expect("a sum");
        gradients(&loss, &parameters).expect("gradients")
    });
}

/// 512 to 512, a batch of 128.
#[divan::bench(args = PATHS)]
fn linear_relu(bencher: Bencher, path: &str) {
    let mut init = init(path);
    let layer = Linear::new(&mut init, "fc", 512, 512, Activation::Relu).expect("a layer");
    let x = inputs(&[128, 512]);
    measure(bencher, init, || layer.forward(&x).expect("outputs"));
}

/// 32 to 64 channels of 14 by 14 pixels, a batch of 64.
#[divan::bench(args = PATHS)]
fn convolution_relu_pool(bencher: Bencher, path: &str) {
    let mut init = init(path);
    let layer = ConvPools::new(&mut init, 32, &[64]).expect("a layer");
    let x = inputs(if path == "composed" { &[64, 32, 14, 14] } else { &[64, 14, 14, 32] });
    measure(bencher, init, || layer.forward(&x).expect("outputs"));
}

/// The same layer on images of one channel, whose gradient nobody wants.
#[divan::bench(args = PATHS)]
fn first_convolution_relu_pool(bencher: Bencher, path: &str) {
    convolutions(bencher, path, &[32]);
}

/// Both, one after the other.
#[divan::bench(args = PATHS)]
fn two_convolutions_relu_pool(bencher: Bencher, path: &str) {
    convolutions(bencher, path, &[32, 64]);
}

fn convolutions(bencher: Bencher, path: &str, channels: &[usize]) {
    let mut init = init(path);
    let layers = ConvPools::new(&mut init, 1, channels).expect("layers");
    let x = noise(if path == "composed" { &[64, 1, 28, 28] } else { &[64, 28, 28, 1] });
    measure(bencher, init, || layers.forward(&x).expect("outputs"));
}

/// 32 to 32 channels of 14 by 14 pixels, then batch normalisation, `ReLU` and max-pool; a batch of 64.
#[divan::bench(args = PATHS)]
fn convolution_batch_norm(bencher: Bencher, path: &str) {
    let mut init = init(path);
    let layer = Conv::new(&mut init, "conv", (32, 32), 3, 1).expect("a layer");
    let norm = BatchNorm::new(&mut init, "norm", 32).expect("a layer");
    let x = inputs(if path == "composed" { &[64, 32, 14, 14] } else { &[64, 14, 14, 32] });
    measure(bencher, init, || {
        let maps = norm.forward(&layer.forward(&x).expect("maps"), true).expect("maps");
        relu_pool(&maps, path == "composed").expect("maps")
    });
}

/// 64 steps of 32 rows, 128 cells, 65 tokens of width 64.
#[divan::bench(args = PATHS)]
fn lstm(bencher: Bencher, path: &str) {
    let mut init = init(path);
    let table = Embedding::new(&mut init, "embedding", 65, 64).expect("a table");
    let layer = Lstm::new(&mut init, "lstm", 0, 64, 128).expect("a layer");
    let tokens = tokens(32, 64, 65);
    measure(bencher, init, || layer.forward(Source::Tokens(&table, &tokens), None).expect("outputs").0);
}

/// 16 windows of 128 positions, 128 wide, 4 heads, with the normalisation before and the sum after.
#[divan::bench(args = PATHS)]
fn attention(bencher: Bencher, path: &str) {
    let mut init = init(path);
    let norm = Norm::new(&mut init, "norm", norm::Kind::Layer, 128).expect("a layer");
    let layer = Attention::branch(&mut init, "attention", norm, (4, None), (0.02, 0.02)).expect("a layer");
    let x = inputs(&[16, 128, 128]);
    measure(bencher, init, || layer.forward(&x, None).expect("outputs"));
}

/// The same windows, 512 wide within.
#[divan::bench(args = PATHS)]
fn feed_forward(bencher: Bencher, path: &str) {
    let mut init = init(path);
    let norm = Norm::new(&mut init, "norm", norm::Kind::Layer, 128).expect("a layer");
    let shape = (512, activation::Activation::Gelu);
    let layer = FeedForward::branch(&mut init, "mlp", norm, shape, (0.02, 0.02)).expect("a layer");
    let x = inputs(&[16, 128, 128]);
    measure(bencher, init, || layer.forward(&x, None).expect("outputs"));
}

/// 2,048 rows of 128.
#[divan::bench(args = PATHS)]
fn layer_norm(bencher: Bencher, path: &str) {
    let mut init = init(path);
    let layer = Norm::new(&mut init, "norm", norm::Kind::Layer, 128).expect("a layer");
    let x = inputs(&[2048, 128]);
    measure(bencher, init, || layer.forward(&x).expect("outputs"));
}

/// 2,048 tokens of a vocabulary of 5,000, width 128.
#[divan::bench(args = PATHS)]
fn embedding(bencher: Bencher, path: &str) {
    let mut init = init(path);
    let table = Embedding::new(&mut init, "embedding", 5000, 128).expect("a table");
    let tokens = tokens(32, 64, 5000);
    measure(bencher, init, || table.forward(&tokens).expect("vectors"));
}

/// 2,048 predictions of 65 classes.
#[divan::bench(args = PATHS)]
fn softmax_cross_entropy(bencher: Bencher, path: &str) {
    let logits = inputs(&[2048, 65]);
    let labels = tokens(2048, 1, 65).flatten_all().expect("labels");
    measure(bencher, init(path), || cross_entropy(&logits, &labels, 0.0, path == "composed").expect("a loss"));
}

/// 2,048 predictions of 4,096 classes from rows of 128, with their scores.
#[divan::bench(args = PATHS)]
fn head_with_cross_entropy(bencher: Bencher, path: &str) {
    let mut init = init(path);
    let head = Head::new(&mut init, "head", (128, 4096), 0.02).expect("a layer");
    let x = inputs(&[2048, 128]);
    let labels = tokens(2048, 1, 4096).flatten_all().expect("labels");
    measure(bencher, init, || head.loss(&x, &labels, 0.0).expect("a loss"));
}

/// 128 rows of 512, one in ten dropped.
#[divan::bench]
fn dropped(bencher: Bencher) {
    let (x, mut stream) = (inputs(&[128, 512]), Stream::new(0, "dropout"));
    measure(bencher, init("fused"), || dropout(&x, 0.1, &mut stream).expect("outputs"));
}
