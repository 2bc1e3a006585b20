//! A multi-layer perceptron.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::linear::{Activation, Linear};
use crate::nn::params::Init;
use crate::registry::{About, Bounds, Key};
use crate::settings::Settings;
use crate::task::data::Input;
use crate::task::model::{ANY_NUMBERS, CLASSIFIES, DROPOUT, Definition, Kind, LABEL_SMOOTHING, Network, Pass, columns};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "mlp",
        revision: 1,
        summary: "fully connected layers with ReLU between them",
        equations: "\
h <- dropout(max(W h + b, 0)) for every hidden layer; logits = W h + b
of a label that is a number, one output instead of logits
W, b uniform within 1 / sqrt(inputs of the layer)",
        keys: &[
            Key::integers("hidden", &[128, 128], Bounds::within(1.0, 65_536.0), "widths of the hidden layers"),
            DROPOUT,
            LABEL_SMOOTHING,
        ],
        source: "torch.nn.Linear's initialisation",
    },
    kind: Kind::Network { default_dataset: "digits", learns: ANY_NUMBERS, metrics: CLASSIFIES, build },
};

fn build(settings: &Settings, input: &Input, init: &mut Init) -> Result<Box<dyn Network>> {
    let mut widths = vec![columns("mlp", input)?];
    widths.extend(settings.counts("hidden"));
    let mut layers = Vec::with_capacity(widths.len());
    for (i, pair) in widths.windows(2).enumerate() {
        layers.push(Linear::new(init, &format!("fc{}", i + 1), pair[0], pair[1], Activation::Relu)?);
    }
    let name = format!("fc{}", widths.len());
    layers.push(Linear::head(init, &name, widths[widths.len() - 1], input.classes())?);
    Ok(Box::new(Mlp { layers, dropout: settings.float("dropout") }))
}

struct Mlp {
    layers: Vec<Linear>,
    dropout: f64,
}

impl Network for Mlp {
    fn logits(&mut self, inputs: &Tensor, pass: &mut Pass) -> Result<Tensor> {
        let mut h = inputs.flatten_from(1)?;
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                h = pass.dropout(&h, self.dropout)?;
            }
            h = layer.forward(&h)?;
        }
        Ok(h)
    }
}
