//! A convolutional network.

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::nn::batch_norm::BatchNorm;
use crate::nn::conv::{Conv, ConvPool, enter, flatten, relu_pool};
use crate::nn::linear::{Activation, Linear};
use crate::nn::params::Init;
use crate::registry::{About, Key, Range};
use crate::settings::Settings;
use crate::task::data::Input;
use crate::task::model::{CLASSIFIES, DROPOUT, Definition, Kind, LABEL_SMOOTHING, Network, Pass, image_shape};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "cnn",
        summary: "convolutions with ReLU and max-pooling, then one hidden layer",
        equations: "\
h <- pool(max(conv(h) + b, 0)) for every number of channels: 3x3 kernel, padding 1; 2x2 max-pool, rounding down
with batch_norm: h <- pool(max(norm(conv(h)), 0)), where norm has a bias and conv has none
h <- dropout(max(W h + b, 0)); logits = W h + b
W, b uniform within 1 / sqrt(inputs of the layer), 9 times the channels for a convolution",
        keys: &[
            Key::integers("channels", &[32, 64], Range::within(1.0, 65_536.0), "output channels of the convolutions"),
            Key::integer("hidden", 128, Range::within(1.0, 65_536.0), "width of the hidden layer"),
            Key::flag("batch_norm", false, "normalise every convolution's output over the batch"),
            DROPOUT,
            LABEL_SMOOTHING,
        ],
        source: "torch.nn.Conv2d's, BatchNorm2d's and Linear's initialisation",
    },
    kind: Kind::Network { default_dataset: "fashion_mnist", metrics: CLASSIFIES, build },
};

fn build(settings: &Settings, input: &Input, init: &mut Init) -> Result<Box<dyn Network>> {
    let [mut inputs, mut height, mut width] = image_shape("cnn", input)?;
    let channels = settings.counts("channels");
    let mut blocks = Vec::with_capacity(channels.len());
    for (i, &outputs) in channels.iter().enumerate() {
        (height, width) = (height / 2, width / 2);
        if height == 0 || width == 0 {
            return Err(Error::Usage(format!(
                "model `cnn`: after {i} poolings nothing is left to pool; give at most {i} `channels`"
            )));
        }
        let name = format!("conv{}", i + 1);
        blocks.push(if settings.flag("batch_norm") {
            let conv = Conv::new(init, &name, (inputs, outputs), 3, 1)?;
            Block::Normed(conv, BatchNorm::new(init, &format!("norm{}", i + 1), outputs)?)
        } else {
            Block::Fused(ConvPool::new(init, &name, inputs, outputs, i + 1 == channels.len())?)
        });
        inputs = outputs;
    }
    let hidden = settings.count("hidden");
    Ok(Box::new(Cnn {
        hidden: Linear::new(init, "fc1", inputs * height * width, hidden, Activation::Relu)?,
        output: Linear::new(init, "fc2", hidden, input.classes(), Activation::None)?,
        blocks,
        dropout: settings.float("dropout"),
        composed: init.is_composed(),
    }))
}

enum Block {
    Fused(ConvPool),
    Normed(Conv, BatchNorm),
}

struct Cnn {
    blocks: Vec<Block>,
    hidden: Linear,
    output: Linear,
    dropout: f64,
    composed: bool,
}

impl Network for Cnn {
    fn logits(&mut self, inputs: &Tensor, pass: &mut Pass) -> Result<Tensor> {
        let mut maps = enter(inputs, self.composed)?;
        for block in &self.blocks {
            maps = match block {
                Block::Fused(layer) => layer.forward(&maps)?,
                Block::Normed(conv, norm) => {
                    relu_pool(&norm.forward(&conv.forward(&maps)?, pass.by_batch())?, self.composed)?
                }
            };
        }
        // The last fused layer has flattened already.
        let rows = if maps.rank() == 2 { maps } else { flatten(&maps, self.composed)? };
        let hidden = pass.dropout(&self.hidden.forward(&rows)?, self.dropout)?;
        self.output.forward(&hidden)
    }
}
