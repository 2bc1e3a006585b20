//! A language model of transformer blocks.

use candle_core::Tensor;

use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::nn::activation::Activation;
use crate::nn::attention::Attention;
use crate::nn::embedding::Embedding;
use crate::nn::feed_forward::FeedForward;
use crate::nn::head::Head;
use crate::nn::norm::{self, Norm};
use crate::nn::params::Init;
use crate::nn::position::Positions;
use crate::nn::residual::Residual;
use crate::registry::{About, Bounds, Key};
use crate::settings::Settings;
use crate::task::data::text::{Level, VOCAB_SIZE};
use crate::task::data::{Contents, Input};
use crate::task::model::{Definition, Kind, LABEL_SMOOTHING, Network, Pass, READS, vocabulary};

const SIZE: Bounds = Bounds::within(1.0, 65_536.0);
/// The standard deviation of the initial weights, as GPT-2's.
const DEVIATION: f64 = 0.02;

crate::choice! {
    /// How a model knows where a token stands.
    enum Position {
        /// A vector for every place of the window is added to the token's.
        Learned = "learned",
        /// Queries and keys are turned by angles that grow with the position.
        Rotary = "rotary",
    }
}

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "transformer_lm",
        revision: 1,
        summary: "a language model: a decoder of pre-norm transformer blocks with causal attention",
        equations: "\
x = dropout(E[token] + P[place]), without P where positions are rotary
per layer: x = x + dropout(attention(norm(x))); x = x + dropout(W_down activation(W_up norm(x)))
attention: W_o softmax(q k' / sqrt(embedding / heads)) v over the places up to its own, per head;
q, k, v = W_q x, W_k x, W_v x; every W with a bias
swiglu: silu(W_gate x) * W_up x; gelu: the tanh form; relu2: max(x, 0)^2
logits = W norm(x), without a bias; with tied, W is E
all weights normal with 0.02, W_o and W_down with 0.02 / sqrt(2 layers); biases 0; norms' eps 1e-5",
        keys: &[
            Key::integer("layers", 4, Bounds::within(1.0, 256.0), "transformer blocks"),
            Key::integer("heads", 4, Bounds::within(1.0, 1024.0), "heads of the attention; they divide `embedding`"),
            Key::integer("embedding", 128, SIZE, "width of the tokens' vectors, and of all that blocks read and write"),
            Key::float(
                "mlp_ratio",
                4.0,
                Bounds::within(0.01, 64.0),
                "width within the feed-forward layer over `embedding`; with swiglu, 2.67 has as many weights as 4 without",
            ),
            Key::integer("seq_len", 128, SIZE, "tokens in a window; nothing is carried from one window to the next"),
            Key::choice("norm", norm::Kind::WORDS, "layer", "layer normalisation, or by the root of the mean square"),
            Key::choice("activation", Activation::WORDS, "gelu", "what stands between the two maps of a block"),
            Key::choice(
                "position",
                Position::WORDS,
                "learned",
                "vectors of places, or queries and keys turned by them",
            ),
            Key::flag("tied", false, "the vectors of the tokens are also the weights of the scores"),
            Key::float("dropout", 0.0, Bounds::DECAY, "share of vectors' and branches' numbers set to 0 in training"),
            Key::choice("level", Level::WORDS, "char", "what a token is"),
            VOCAB_SIZE,
            LABEL_SMOOTHING,
        ],
        source: "GPT-2: Radford et al. 2019; rotary: Su et al. 2021, arXiv 2104.09864; RMS: Zhang and Sennrich 2019, \
                 arXiv 1910.07467; swiglu: Shazeer 2020, arXiv 2002.05202; relu2: So et al. 2021, arXiv 2109.08668",
    },
    kind: Kind::Network { default_dataset: "markov", learns: &[Contents::Text], metrics: READS, build },
};

fn build(settings: &Settings, input: &Input, init: &mut Init) -> Result<Box<dyn Network>> {
    let vocabulary = vocabulary("transformer_lm", input)?;
    let (width, heads, layers) = (settings.count("embedding"), settings.count("heads"), settings.count("layers"));
    let (length, learned) = (input.len(), settings.choice::<Position>("position") == Position::Learned);
    if !width.is_multiple_of(heads) {
        return Err(Error::Usage(format!(
            "model `transformer_lm`: `embedding` ({width}) must be a multiple of `heads` ({heads})"
        )));
    }
    if !learned && !(width / heads).is_multiple_of(2) {
        return Err(Error::Usage(format!(
            "model `transformer_lm`: position = \"rotary\" pairs the columns of a head, so `embedding` / `heads` ({}) must be even",
            width / heads
        )));
    }
    let hidden = ((settings.float("mlp_ratio") * width as f64).round() as usize).max(1);
    let kind = settings.choice("norm");
    let deviations = (DEVIATION, DEVIATION / (2.0 * layers as f64).sqrt());
    let embedding = Embedding::normal(init, "embedding", vocabulary, width, DEVIATION)?;
    let positions = if learned { Some(Positions::new(init, "position", (length, width), DEVIATION)?) } else { None };
    let mut blocks = Vec::with_capacity(layers);
    for i in 0..layers {
        let name = |part: &str| format!("blocks.{i}.{part}");
        let norm = Norm::new(init, &name("norm1"), kind, width)?;
        let turned = (!learned).then_some(length);
        let attention = Attention::branch(init, &name("attention"), norm, (heads, turned), deviations)?;
        let norm = Norm::new(init, &name("norm2"), kind, width)?;
        let shape = (hidden, settings.choice("activation"));
        blocks.push((attention, FeedForward::branch(init, &name("mlp"), norm, shape, deviations)?));
    }
    let norm = Norm::new(init, "norm", kind, width)?;
    let head = if settings.flag("tied") {
        Head::tied(init, embedding.table())
    } else {
        Head::new(init, "head", (width, vocabulary), DEVIATION)?
    };
    Ok(Box::new(TransformerLm { embedding, positions, blocks, norm, head, dropout: settings.float("dropout") }))
}

struct TransformerLm {
    embedding: Embedding,
    positions: Option<Positions>,
    blocks: Vec<(Residual<Attention>, Residual<FeedForward>)>,
    norm: Norm,
    head: Head,
    dropout: f64,
}

impl TransformerLm {
    /// The vectors `[predictions, embedding]` that the scores are of.
    fn vectors(&self, inputs: &Tensor, pass: &mut Pass) -> Result<Tensor> {
        let mut x = self.embedding.forward(inputs)?;
        if let Some(positions) = &self.positions {
            x = positions.forward(&x)?;
        }
        x = pass.dropout(&x, self.dropout)?;
        for (attention, feed_forward) in &self.blocks {
            x = attention.forward(&x, pass.mask(x.elem_count(), self.dropout))?;
            x = feed_forward.forward(&x, pass.mask(x.elem_count(), self.dropout))?;
        }
        Ok(self.norm.forward(&x)?.flatten(0, 1)?)
    }
}

impl Network for TransformerLm {
    fn logits(&mut self, inputs: &Tensor, pass: &mut Pass) -> Result<Tensor> {
        self.head.forward(&self.vectors(inputs, pass)?)
    }

    fn loss(&mut self, inputs: &Tensor, labels: &Tensor, smoothing: f64, pass: &mut Pass) -> Result<Tensor> {
        self.head.loss(&self.vectors(inputs, pass)?, labels, smoothing)
    }
}
