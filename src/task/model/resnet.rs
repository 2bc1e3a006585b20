//! A small residual network with batch normalisation.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::batch_norm::BatchNorm;
use crate::nn::conv::{Conv, enter};
use crate::nn::linear::Linear;
use crate::nn::params::Init;
use crate::nn::relu::relu;
use crate::registry::{About, Bounds, Key};
use crate::settings::Settings;
use crate::task::data::{Contents, Input};
use crate::task::model::{CLASSIFIES, Definition, Kind, LABEL_SMOOTHING, Network, Pass, image_shape};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "resnet",
        revision: 2,
        summary: "a small residual network with batch normalisation",
        equations: "\
h <- max(norm(conv(x)), 0) with `width` channels
h <- max(norm(conv(max(norm(conv(h)), 0))) + s(h), 0) for every block: 3x3 kernels, padding 1
the first block of every group but the first has stride 2 and twice the channels;
its shortcut is s(h) = norm(conv(h)), 1x1 with stride 2; else s(h) = h
logits = W mean(h) + b, the mean over all positions
depth = 2 + 2 sum(blocks): [1, 1, 1] is ResNet-8, [2, 2, 2] ResNet-14, [3, 3, 3] ResNet-20
W, b uniform within 1 / sqrt(inputs of the layer), 9 times the channels for a convolution",
        keys: &[
            Key::integer("width", 16, Bounds::within(1.0, 4096.0), "channels of the first group of blocks"),
            Key::integers("blocks", &[1, 1, 1], Bounds::within(1.0, 64.0), "blocks in each group"),
            LABEL_SMOOTHING,
        ],
        source: "He et al. 2015, arXiv 1512.03385, section 4.2; shortcuts B; torch's initialisation",
    },
    kind: Kind::Network { default_dataset: "digits", learns: &[Contents::Images], metrics: CLASSIFIES, build },
};

fn build(settings: &Settings, input: &Input, init: &mut Init) -> Result<Box<dyn Network>> {
    let [channels, ..] = image_shape("resnet", input)?;
    let mut width = settings.count("width");
    let entry = Normed::new(init, "entry", (channels, width), 3, 1)?;
    let mut blocks = Vec::new();
    for (group, &count) in settings.counts("blocks").iter().enumerate() {
        for i in 0..count {
            let name = format!("group{}.block{}", group + 1, i + 1);
            let (inputs, stride) = (width, if group > 0 && i == 0 { 2 } else { 1 });
            width *= stride;
            blocks.push(Block {
                first: Normed::new(init, &format!("{name}.1"), (inputs, width), 3, stride)?,
                second: Normed::new(init, &format!("{name}.2"), (width, width), 3, 1)?,
                shortcut: match stride {
                    1 => None,
                    _ => Some(Normed::new(init, &format!("{name}.shortcut"), (inputs, width), 1, stride)?),
                },
            });
        }
    }
    let output = Linear::head(init, "fc", width, input.classes())?;
    Ok(Box::new(ResNet { entry, blocks, output, composed: init.is_composed() }))
}

/// A convolution and the normalisation after it.
struct Normed(Conv, BatchNorm);

impl Normed {
    fn new(init: &mut Init, name: &str, channels: (usize, usize), kernel: usize, stride: usize) -> Result<Self> {
        let conv = Conv::new(init, &format!("{name}.conv"), channels, kernel, stride)?;
        Ok(Self(conv, BatchNorm::new(init, &format!("{name}.norm"), channels.1)?))
    }

    fn forward(&self, maps: &Tensor, by_batch: bool) -> Result<Tensor> {
        self.1.forward(&self.0.forward(maps)?, by_batch)
    }
}

struct Block {
    first: Normed,
    second: Normed,
    shortcut: Option<Normed>,
}

struct ResNet {
    entry: Normed,
    blocks: Vec<Block>,
    output: Linear,
    composed: bool,
}

impl Network for ResNet {
    fn logits(&mut self, inputs: &Tensor, pass: &mut Pass) -> Result<Tensor> {
        let by_batch = pass.by_batch();
        let relu = |maps: &Tensor| relu(maps, self.composed);
        let mut maps = relu(&self.entry.forward(&enter(inputs, self.composed)?, by_batch)?)?;
        for block in &self.blocks {
            let inner = block.second.forward(&relu(&block.first.forward(&maps, by_batch)?)?, by_batch)?;
            let shortcut = match &block.shortcut {
                None => maps,
                Some(shortcut) => shortcut.forward(&maps, by_batch)?,
            };
            maps = relu(&(inner + shortcut)?)?;
        }
        let positions = if self.composed { maps.flatten_from(2)?.mean(2)? } else { maps.flatten(1, 2)?.mean(1)? };
        self.output.forward(&positions)
    }
}
