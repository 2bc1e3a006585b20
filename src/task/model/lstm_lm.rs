//! A language model of LSTM layers.

use candle_core::Tensor;

use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::nn::embedding::Embedding;
use crate::nn::linear::{Activation, Linear};
use crate::nn::lstm::{Lstm, Source};
use crate::nn::params::Init;
use crate::registry::{About, Bounds, Key};
use crate::settings::Settings;
use crate::task::data::text::{Level, VOCAB_SIZE};
use crate::task::data::{Contents, Input};
use crate::task::model::{Definition, Kind, LABEL_SMOOTHING, Memory, Network, Pass, READS, vocabulary};

const SIZE: Bounds = Bounds::within(1.0, 65_536.0);

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "lstm_lm",
        revision: 1,
        summary: "a language model: embedding, LSTM layers, and a score for every next token",
        equations: "\
x = dropout(E[token])
i, f, o = sigmoid(W_ih x + b_ih + W_hh h + b_hh), g = tanh(the same), each with rows of its own
c <- f c + i g; h <- o tanh(c); x = dropout(h) for the next layer
logits = W x + b; with tied, W is E
E standard normal; LSTM uniform within 1 / sqrt(hidden); W, b uniform within 1 / sqrt(hidden)",
        keys: &[
            Key::integer("embedding", 64, SIZE, "width of the tokens' vectors"),
            Key::integer("hidden", 128, SIZE, "width of an LSTM layer"),
            Key::integer("layers", 1, Bounds::within(1.0, 64.0), "LSTM layers"),
            Key::integer("seq_len", 64, SIZE, "tokens that the gradient flows back through"),
            Key::float("dropout", 0.0, Bounds::DECAY, "share of vectors' and outputs' numbers set to 0 in training"),
            Key::choice("level", Level::WORDS, "char", "what a token is"),
            Key::flag("tied", false, "the vectors are also the weights of the scores; asks for embedding = hidden"),
            Key::flag("stateful", false, "carry h and c from one batch to the next, which continues the text"),
            VOCAB_SIZE,
            LABEL_SMOOTHING,
        ],
        source: "torch.nn.LSTM; Zaremba et al. 2014, arXiv 1409.2329; tied: Press and Wolf 2016, arXiv 1608.05859",
    },
    kind: Kind::Network { default_dataset: "markov", learns: &[Contents::Text], metrics: READS, build },
};

fn build(settings: &Settings, input: &Input, init: &mut Init) -> Result<Box<dyn Network>> {
    let vocabulary = vocabulary("lstm_lm", input)?;
    let (width, hidden) = (settings.count("embedding"), settings.count("hidden"));
    if settings.flag("tied") && width != hidden {
        return Err(Error::Usage(format!(
            "model `lstm_lm`: tied = true shares the weights of embedding and scores, so `embedding` ({width}) must be `hidden` ({hidden})"
        )));
    }
    let embedding = Embedding::new(init, "embedding", vocabulary, width)?;
    let mut layers = Vec::new();
    for i in 0..settings.count("layers") {
        layers.push(Lstm::new(init, "lstm", i, if i == 0 { width } else { hidden }, hidden)?);
    }
    let scores = if settings.flag("tied") {
        Linear::tied(init, "scores", embedding.table(), Activation::None)?
    } else {
        Linear::head(init, "scores", hidden, vocabulary)?
    };
    Ok(Box::new(LstmLm {
        embedding,
        layers,
        scores,
        vocabulary,
        dropout: settings.float("dropout"),
        stateful: settings.flag("stateful"),
        memory: Memory::new(),
    }))
}

struct LstmLm {
    embedding: Embedding,
    layers: Vec<Lstm>,
    scores: Linear,
    vocabulary: usize,
    dropout: f64,
    stateful: bool,
    memory: Memory,
}

impl Network for LstmLm {
    fn logits(&mut self, inputs: &Tensor, pass: &mut Pass) -> Result<Tensor> {
        let dropped = self.dropout > 0.0 && matches!(pass, Pass::Train(_));
        // With fewer tokens in the table than in the batch, the first layer reads the table.
        let mut vectors = if !dropped && self.vocabulary < inputs.elem_count() {
            None
        } else {
            Some(pass.dropout(&self.embedding.forward(inputs)?, self.dropout)?)
        };
        let mut after = Memory::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let source = vectors.as_ref().map_or(Source::Tokens(&self.embedding, inputs), Source::Vectors);
            let (outputs, memory) = layer.forward(source, self.memory.get(i))?;
            vectors = Some(pass.dropout(&outputs, self.dropout)?);
            after.push(memory);
        }
        if self.stateful {
            self.memory = after;
        }
        let outputs = vectors.ok_or_else(|| Error::Usage("a language model needs a layer".into()))?;
        self.scores.forward(&outputs.flatten(0, 1)?)
    }

    fn exchange_memory(&mut self, memory: Memory) -> Memory {
        std::mem::replace(&mut self.memory, memory)
    }
}
