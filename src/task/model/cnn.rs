//! A convolutional network.

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::nn::batch_norm::BatchNorm;
use crate::nn::conv::{Conv, ConvPools, enter, flatten, relu_pool};
use crate::nn::linear::{Activation, Linear};
use crate::nn::params::Init;
use crate::registry::{About, Bounds, Key};
use crate::settings::Settings;
use crate::task::data::{Contents, Input};
use crate::task::model::{CLASSIFIES, DROPOUT, Definition, Kind, LABEL_SMOOTHING, Network, Pass, image_shape};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "cnn",
        revision: 2,
        summary: "convolutions with ReLU and max-pooling, then one hidden layer",
        equations: "\
h <- pool(max(conv(h) + b, 0)) for every number of channels: 3x3 kernel, padding 1; 2x2 max-pool, rounding down
with batch_norm: h <- pool(max(norm(conv(h)), 0)), where norm has a bias and conv has none
h <- dropout(max(W h + b, 0)); logits = W h + b
W, b uniform within 1 / sqrt(inputs of the layer), 9 times the channels for a convolution",
        keys: &[
            Key::integers("channels", &[32, 64], Bounds::within(1.0, 65_536.0), "output channels of the convolutions"),
            Key::integer("hidden", 128, Bounds::within(1.0, 65_536.0), "width of the hidden layer"),
            Key::flag("batch_norm", false, "normalise every convolution's output over the batch"),
            DROPOUT,
            LABEL_SMOOTHING,
        ],
        source: "torch.nn.Conv2d's, BatchNorm2d's and Linear's initialisation",
    },
    kind: Kind::Network { default_dataset: "digits", learns: &[Contents::Images], metrics: CLASSIFIES, build },
};

fn build(settings: &Settings, input: &Input, init: &mut Init) -> Result<Box<dyn Network>> {
    let [inputs, height, width] = image_shape("cnn", input)?;
    let channels = settings.counts("channels");
    let poolings = height.min(width).checked_ilog2().unwrap_or(0) as usize;
    if channels.len() > poolings {
        return Err(Error::Usage(format!(
            "model `cnn`: after {poolings} poolings nothing is left to pool; give at most {poolings} `channels`"
        )));
    }
    let body = if settings.flag("batch_norm") || channels.is_empty() {
        let mut blocks = Vec::with_capacity(channels.len());
        let before = std::iter::once(inputs).chain(channels.iter().copied());
        for (i, (inputs, &outputs)) in before.zip(&channels).enumerate() {
            let conv = Conv::new(init, &format!("conv{}", i + 1), (inputs, outputs), 3, 1)?;
            blocks.push((conv, BatchNorm::new(init, &format!("norm{}", i + 1), outputs)?));
        }
        Body::Normed(blocks)
    } else {
        Body::Plain(ConvPools::new(init, inputs, &channels)?)
    };
    let cells = (height >> channels.len()) * (width >> channels.len());
    let features = channels.last().copied().unwrap_or(inputs) * cells;
    let hidden = settings.count("hidden");
    Ok(Box::new(Cnn {
        body,
        hidden: Linear::new(init, "fc1", features, hidden, Activation::Relu)?,
        output: Linear::head(init, "fc2", hidden, input.classes())?,
        dropout: settings.float("dropout"),
        composed: init.is_composed(),
    }))
}

enum Body {
    Plain(ConvPools),
    Normed(Vec<(Conv, BatchNorm)>),
}

struct Cnn {
    body: Body,
    hidden: Linear,
    output: Linear,
    dropout: f64,
    composed: bool,
}

impl Network for Cnn {
    fn logits(&mut self, inputs: &Tensor, pass: &mut Pass) -> Result<Tensor> {
        let mut maps = enter(inputs, self.composed)?;
        let rows = match &self.body {
            Body::Plain(blocks) => blocks.forward(&maps)?,
            Body::Normed(blocks) => {
                for (conv, norm) in blocks {
                    maps = relu_pool(&norm.forward(&conv.forward(&maps)?, pass.by_batch())?, self.composed)?;
                }
                flatten(&maps, self.composed)?
            }
        };
        let hidden = pass.dropout(&self.hidden.forward(&rows)?, self.dropout)?;
        self.output.forward(&hidden)
    }
}
