//! A model of your own, written for candle, in optbench's command line.
//!
//! ```text
//! cargo run --release --example own_model -- run examples/own_model.toml
//! cargo run --release --example own_model -- list models residual_mlp
//! ```
//!
//! The network below knows nothing of optbench: it takes a `VarBuilder` and is a `ModuleT`. What makes it a model that a
//! config can name is the definition: its name, its keys, and how it is built from them. The `VarBuilder` draws every
//! tensor from the seed and the tensor's name, so that a seed gives the same weights on every machine; the running
//! statistics of batch normalisation are saved in checkpoints, and re-estimated where other weights than those trained are
//! evaluated. Before the first run, the gradient is compared with the loss: layers that cut it are named.

use candle_core::{ModuleT, Result, Tensor};
use candle_nn::{BatchNorm, Linear, Module, VarBuilder, batch_norm, linear};
use optbench::metric::Metric;
use optbench::nn::params::Init;
use optbench::registry::{About, Bounds, Key};
use optbench::settings::Settings;
use optbench::task::data::{Contents, Input};
use optbench::task::model::{Definition, FromCandle, Kind, Network};

/// What a config can name, and `optbench list models residual_mlp` explains.
pub static MODEL: Definition = Definition {
    about: About {
        name: "residual_mlp",
        revision: 1,
        summary: "fully connected layers with batch normalisation, each added to what it was given",
        equations: "h <- h + W2 max(norm(W1 h + b1), 0) + b2 for every block",
        keys: &[
            Key::integer("width", 64, Bounds::within(1.0, 65_536.0), "numbers between the blocks"),
            Key::integer("blocks", 2, Bounds::within(0.0, 1000.0), "how many there are"),
        ],
        source: "He et al. 2016, arXiv 1512.03385, without convolutions",
    },
    kind: Kind::Network {
        default_dataset: "digits",
        learns: &[Contents::Images],
        metrics: &[Metric::LOSS, Metric::ACCURACY],
        build,
    },
};

/// From the keys of a config and the shape of an example to a network.
fn build(settings: &Settings, input: &Input, init: &mut Init) -> optbench::error::Result<Box<dyn Network>> {
    let (width, blocks) = (settings.count("width"), settings.count("blocks"));
    Ok(Box::new(FromCandle(ResidualMlp::new(input.len(), width, blocks, input.classes(), init.var_builder())?)))
}

// From here on it is candle alone.

struct ResidualMlp {
    enter: Linear,
    blocks: Vec<(Linear, BatchNorm, Linear)>,
    head: Linear,
}

impl ResidualMlp {
    #[allow(clippy::needless_pass_by_value, reason = "as all of candle's layers take it")]
    fn new(inputs: usize, width: usize, blocks: usize, classes: usize, vb: VarBuilder) -> Result<Self> {
        let block = |i| {
            let vb = vb.pp(format!("block{i}"));
            let inner = linear(width, width, vb.pp("inner"))?;
            let norm = batch_norm(width, 1e-5, vb.pp("norm"))?;
            Ok((inner, norm, linear(width, width, vb.pp("outer"))?))
        };
        Ok(Self {
            enter: linear(inputs, width, vb.pp("enter"))?,
            blocks: (0..blocks).map(block).collect::<Result<_>>()?,
            head: linear(width, classes, vb.pp("head"))?,
        })
    }
}

impl ModuleT for ResidualMlp {
    fn forward_t(&self, images: &Tensor, train: bool) -> Result<Tensor> {
        let mut h = self.enter.forward(&images.flatten_from(1)?)?;
        for (inner, norm, outer) in &self.blocks {
            let inside = norm.forward_t(&inner.forward(&h)?, train)?.relu()?;
            h = (h + outer.forward(&inside)?)?;
        }
        self.head.forward(&h)
    }
}

fn main() -> std::process::ExitCode {
    optbench::Bench::new().model(&MODEL).main()
}
