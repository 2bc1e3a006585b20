//! What a step of every optimizer costs, in time and in memory, beside a copy of as many numbers.
//!
//! `cargo bench --bench optimizers` measures with divan; `-- --cost [KIND ...]` prints one line a kind and
//! size instead: nanoseconds and bytes of state per parameter. `benches/peers.py` compares with PyTorch.
#![allow(clippy::print_stdout, reason = "a table on stdout is what it is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use candle_core::{DType, Device, Tensor};
use divan::Bencher;
use divan::counter::ItemsCount;
use optbench::catalog::Catalog;
use optbench::config::Experiment;
use optbench::nn::params::{Init, Parameter};
use optbench::nn::role::Role;
use optbench::optim::{OPTIMIZERS, Optimizer, Step, build};
use optbench::registry::Described;
use optbench::settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The layers of a 784-512-512-10 network and of a small one, in `f32`.
const SIZES: [(&str, &[usize]); 2] = [("670k", &[784, 512, 512, 10]), ("16k", &[64, 128, 64])];

/// The defaults of a kind; `formula` is AdamW written as one.
fn settings(kind: &str) -> Settings {
    const ADAMW: &str = include_str!("../tests/formulas/adamw.toml");
    let catalog = Catalog::built_in();
    if kind == "formula" {
        let experiment = Experiment::parse(&catalog, "adamw.toml", ADAMW, "adamw", &[]).expect("a config");
        let formula = experiment.optimizers.iter().find(|entrant| entrant.grid.label == "adamw_formula");
        return formula.expect("a formula").grid.variants().remove(0);
    }
    catalog.optimizers.find(kind).expect("a registered kind").defaults()
}

struct Bench {
    optimizer: Box<dyn Optimizer>,
    parameters: Vec<Parameter>,
    gradients: Vec<Tensor>,
    lr: f64,
    t: u64,
}

impl Bench {
    fn new(kind: &str, layers: &[usize]) -> Self {
        let settings = settings(kind);
        let mut bench = Self::weights(layers, build(&settings), settings.float("lr"));
        // The first steps allocate and may be particular.
        for _ in 0..3 {
            bench.step();
        }
        bench
    }

    fn weights(layers: &[usize], optimizer: Box<dyn Optimizer>, lr: f64) -> Self {
        let mut init = Init::new(0, DType::F32, &Device::Cpu);
        for (i, pair) in layers.windows(2).enumerate() {
            init.normal(format!("fc{i}.weight"), Role::Hidden, (pair[1], pair[0]), 0.05).expect("a weight");
            init.normal(format!("fc{i}.bias"), Role::Bias, pair[1], 0.05).expect("a bias");
        }
        let parameters = init.finish();
        let gradient = |p: &Parameter| (p.var.sin()? * 0.1)?.detach().copy();
        let gradients = parameters.iter().map(|p| gradient(p).expect("a gradient")).collect();
        Self { optimizer, parameters, gradients, lr, t: 0 }
    }

    fn step(&mut self) {
        let at = Step { t: self.t, ..Step::first(self.lr) };
        self.optimizer.step(&self.parameters, &self.gradients, &at, &mut ()).expect("a step");
        self.t += 1;
    }

    fn count(&self) -> usize {
        self.parameters.iter().map(|parameter| parameter.var.elem_count()).sum()
    }
}

fn arguments() -> impl Iterator<Item = String> {
    let kinds = OPTIMIZERS.iter().map(|definition| definition.about.name);
    kinds.flat_map(|kind| SIZES.map(|(size, _)| format!("{kind} {size}")))
}

fn layers(size: &str) -> &'static [usize] {
    SIZES.iter().find(|(name, _)| *name == size).expect("a size").1
}

#[divan::bench(args = arguments(), max_time = 1)]
fn step(bencher: Bencher, argument: &str) {
    let (kind, size) = argument.split_once(' ').expect("a kind and a size");
    let mut bench = Bench::new(kind, layers(size));
    bencher.counter(ItemsCount::new(bench.count())).bench_local(|| bench.step());
}

#[divan::bench(args = SIZES.map(|(size, _)| size), max_time = 1)]
fn copy(bencher: Bencher, size: &str) {
    let mut memory = Memory::new(layers(size));
    bencher.counter(ItemsCount::new(memory.from.len())).bench_local(|| memory.copy());
}

/// As many numbers as a network has parameters, and room for a copy.
struct Memory {
    from: Vec<f32>,
    to: Vec<f32>,
}

impl Memory {
    fn new(layers: &[usize]) -> Self {
        let n = layers.windows(2).map(|pair| pair[1] * (pair[0] + 1)).sum();
        Self { from: vec![1.0; n], to: vec![0.0; n] }
    }

    fn copy(&mut self) {
        self.to.copy_from_slice(black_box(&self.from));
        black_box(&mut self.to);
    }
}

/// The median time of a call, in nanoseconds. Timed ten calls at a time: some rules do more now and then.
fn median(mut call: impl FnMut()) -> f64 {
    const BUDGET: Duration = Duration::from_millis(300);
    let mut times = Vec::new();
    let start = Instant::now();
    while times.len() < 3 || start.elapsed() < BUDGET {
        let ten = Instant::now();
        for _ in 0..10 {
            call();
        }
        times.push(ten.elapsed().as_secs_f64() / 10.0);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2] * 1e9
}

fn print_costs(kinds: &[String]) {
    println!("kind,size,ns_per_parameter,bytes_per_parameter");
    for (size, layers) in SIZES {
        let mut memory = Memory::new(layers);
        let n = memory.from.len() as f64;
        println!("copy,{size},{:.4},0", median(|| memory.copy()) / n);
        for kind in OPTIMIZERS.iter().map(|definition| definition.about.name) {
            if kinds.is_empty() || kinds.iter().any(|wanted| wanted == kind) {
                let mut bench = Bench::new(kind, layers);
                let time = median(|| bench.step()) / n;
                println!("{kind},{size},{time:.4},{:.3}", bench.optimizer.state_bytes() as f64 / n);
            }
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.split_first() {
        Some((first, kinds)) if first == "--cost" => print_costs(kinds),
        _ => divan::main(),
    }
}
