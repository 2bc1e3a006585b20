//! Multinomial logistic regression.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::linear::Linear;
use crate::nn::params::Init;
use crate::registry::About;
use crate::settings::Settings;
use crate::task::data::Input;
use crate::task::model::{ANY_NUMBERS, CLASSIFIES, Definition, Kind, LABEL_SMOOTHING, Network, Pass, columns};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "logistic",
        revision: 1,
        summary: "one linear layer: a convex problem",
        equations: "\
logits = W x + b
W, b uniform within 1 / sqrt(inputs)",
        keys: &[LABEL_SMOOTHING],
        source: "torch.nn.Linear's initialisation",
    },
    kind: Kind::Network { default_dataset: "digits", learns: ANY_NUMBERS, metrics: CLASSIFIES, build },
};

fn build(_settings: &Settings, input: &Input, init: &mut Init) -> Result<Box<dyn Network>> {
    build_as("logistic", input, init)
}

pub(super) fn build_as(model: &str, input: &Input, init: &mut Init) -> Result<Box<dyn Network>> {
    let inputs = columns(model, input)?;
    Ok(Box::new(Logistic(Linear::head(init, "fc", inputs, input.classes())?)))
}

struct Logistic(Linear);

impl Network for Logistic {
    fn logits(&mut self, inputs: &Tensor, _pass: &mut Pass) -> Result<Tensor> {
        self.0.forward(&inputs.flatten_from(1)?)
    }
}
