//! Linear regression, or a linear classifier.

use crate::error::Result;
use crate::nn::params::Init;
use crate::registry::About;
use crate::settings::Settings;
use crate::task::data::Input;
use crate::task::model::{ANY_NUMBERS, CLASSIFIES, Definition, Kind, LABEL_SMOOTHING, Network, logistic};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "linear",
        revision: 1,
        summary: "one linear layer: least squares where the label is a number, and else the same as `logistic`",
        equations: "\
y = W x + b
W, b uniform within 1 / sqrt(inputs)",
        keys: &[LABEL_SMOOTHING],
        source: "torch.nn.Linear's initialisation",
    },
    kind: Kind::Network { default_dataset: "digits", learns: ANY_NUMBERS, metrics: CLASSIFIES, build },
};

fn build(_settings: &Settings, input: &Input, init: &mut Init) -> Result<Box<dyn Network>> {
    logistic::build_as("linear", input, init)
}
