//! Byte pairs: tokens that are learned by joining the most frequent neighbours, from single bytes on.

use std::collections::HashSet;

use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{DecoderWrapper, Model, NormalizerWrapper, PostProcessorWrapper, TokenizerImpl};

/// Tokens that stand for the bytes themselves.
pub(super) const BYTES: usize = 256;
/// A pair that occurs less often is not joined.
const LEAST: u64 = 2;

/// A vocabulary learned from a training text (Sennrich et al. 2016, arXiv 1508.07909; over bytes as in GPT-2). Any text
/// can be written in it. Tokens reach neither across words, as GPT-2's pattern cuts them, nor across lines.
pub(super) struct BytePairs {
    tokenizer: TokenizerImpl<BPE, NormalizerWrapper, ByteLevel, PostProcessorWrapper, DecoderWrapper>,
    /// Of every token.
    bytes: Vec<u32>,
}

impl BytePairs {
    /// Learns at most so many tokens, at least one for each byte.
    pub(super) fn of(train: &str, most: usize) -> Result<Self, String> {
        let failed = |error: tokenizers::Error| format!("no byte pairs could be learned: {error}");
        let mut tokenizer = TokenizerImpl::new(BPE::default());
        tokenizer.with_pre_tokenizer(Some(ByteLevel::new(false, false, true)));
        let alphabet: HashSet<char> = ByteLevel::alphabet().into_iter().collect();
        let mut trainer = BpeTrainer::builder()
            .show_progress(false)
            .vocab_size(most.max(BYTES))
            .min_frequency(LEAST)
            .initial_alphabet(alphabet)
            .build();
        tokenizer.train(&mut trainer, train.split_inclusive('\n')).map_err(failed)?;
        let model = tokenizer.get_model();
        // A character of a token stands for a byte.
        let bytes = (0..model.get_vocab_size() as u32)
            .map(|id| model.id_to_token(id).map_or(0, |token| token.chars().count() as u32));
        let bytes = bytes.collect();
        Ok(Self { tokenizer, bytes })
    }

    /// How many bytes every token stands for.
    pub(super) fn bytes(&self) -> &[u32] {
        &self.bytes
    }

    pub(super) fn encode(&self, text: &str, tokens: &mut Vec<u16>) -> Result<(), String> {
        for line in text.split_inclusive('\n') {
            let encoded = self.tokenizer.encode_fast(line, false).map_err(|error| error.to_string())?;
            tokens.extend(encoded.get_ids().iter().map(|&id| id as u16));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_neighbours_are_joined_and_every_text_can_be_written() {
        let train = "low lower lowest\nlow low slow\n".repeat(20);
        let pairs = BytePairs::of(&train, 262).unwrap();
        assert_eq!(pairs.bytes().len(), 262);
        let encode = |text: &str| {
            let mut tokens = Vec::new();
            pairs.encode(text, &mut tokens).unwrap();
            tokens
        };
        let spelled = |text: &str| encode(text).iter().map(|&token| pairs.bytes()[usize::from(token)]).sum::<u32>();
        for text in [train.as_str(), "\u{e9}\u{20ac} \0\t never seen \r\n\n  \u{1f600}"] {
            assert_eq!(spelled(text) as usize, text.len());
        }
        assert!(encode("low low").len() < 4 && encode("xyz").len() == 3);
        let again = BytePairs::of(&train, 262).unwrap();
        let mut tokens = Vec::new();
        again.encode(&train, &mut tokens).unwrap();
        assert_eq!(tokens, encode(&train), "the same text gives the same tokens");
        assert_eq!(BytePairs::of("ab", 300).unwrap().bytes().len(), BYTES, "no pair occurs twice");
    }
}
