//! Running text, and the windows that language models learn from.
//!
//! A text is split in order: the first 90% of its bytes are for training, the next 5% for
//! validation, the last 5% for test, cut between characters. Within a split, example `i` is the
//! tokens from `i * seq_len` on; its labels are the tokens one further. What does not fill a
//! window is left out, and no window reaches into another split.

use std::ops::Range;

use candle_core::{DType, Device, Tensor};

use crate::checksum::sha256;
use crate::error::{Error, Result};
use crate::registry::{self, Key};
use crate::settings::{Settings, Value};
use crate::task::Split;
use crate::task::data::byte_pairs::{BYTES, BytePairs};
use crate::task::data::vocabulary::{Characters, MOST_WORDS, Words};
use crate::task::data::{Examples, Input};

/// How many words a vocabulary holds unless the model says so.
const DEFAULT_WORDS: usize = 10_000;

crate::choice! {
    /// What a token is.
    pub enum Level {
        /// A character.
        Char = "char",
        /// A word.
        Word = "word",
        /// Bytes that often stand together, learned from the training part: see `vocab_size`.
        Bpe = "bpe",
    }
}

/// The key of a model of text, for how many words of its own a vocabulary has.
pub(crate) const VOCAB_SIZE: Key = Key::integer(
    "vocab_size",
    DEFAULT_WORDS as i64,
    registry::Bounds::within(2.0, MOST_WORDS as f64),
    "level = \"word\": words that have a token of their own; level = \"bpe\": tokens, of which 256 are the bytes",
)
// Configs that were written out with every default have it beside characters, too.
.that_needs("`level = \"word\"`, or `level = \"bpe\"` and at least 256; or leave the key out", |settings| {
    let given = settings.get("vocab_size");
    match settings.optional_choice("level") {
        Some(Level::Word) => true,
        Some(Level::Bpe) => given.and_then(Value::as_float).is_none_or(|size| size >= BYTES as f64),
        Some(Level::Char) | None => given == Some(&Value::Integer(DEFAULT_WORDS as i64)),
    }
});

/// A text, split.
#[derive(Debug)]
pub struct Text {
    name: &'static str,
    contents: String,
    /// Where validation and test start, in bytes.
    validation_from: usize,
    test_from: usize,
    entropy: Option<Entropy>,
}

/// What is known about the source of a generated text, in nats per character.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entropy {
    /// Of a character that follows a known one.
    pub(super) after_one: f64,
    /// Of a character that follows everything before it: the entropy rate.
    pub(super) rate: f64,
}

/// How a model looks at a text, read from its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// `seq_len`: tokens in a window.
    pub length: usize,
    /// `level`: what a token is; a character is the default.
    pub level: Level,
    /// `vocab_size`: how many words have a token of their own, or how many tokens are learned.
    pub vocabulary: usize,
    /// `stateful`: whether the model carries its state from window to window.
    pub stateful: bool,
}

impl View {
    /// The view of a model with these keys; `None` for a model that does not learn from text.
    pub fn of(model: &Settings) -> Option<Self> {
        let count = |key: &str| match model.get(key) {
            Some(Value::Integer(n)) => usize::try_from(*n).ok(),
            _ => None,
        };
        Some(Self {
            length: count("seq_len")?.max(1),
            level: model.optional_choice("level").unwrap_or(Level::Char),
            vocabulary: count("vocab_size").unwrap_or(DEFAULT_WORDS),
            stateful: model.get("stateful") == Some(&Value::Bool(true)),
        })
    }
}

/// The text without what belongs to the file rather than to it: a byte order mark, and the ends of lines as Windows (CR
/// LF) and old Macs (CR) write them. As Python's `open` reads it, but for the mark, which that leaves there.
fn plain(contents: String) -> String {
    let unmarked = contents.strip_prefix('\u{feff}').unwrap_or(&contents);
    if unmarked.contains('\r') {
        return unmarked.replace("\r\n", "\n").replace('\r', "\n");
    }
    if unmarked.len() < contents.len() { unmarked.to_owned() } else { contents }
}

impl Text {
    /// Splits a text: the first 90% to train on, the next 5% for validation, the last 5% for test.
    pub fn new(name: &'static str, contents: String) -> Self {
        let cut = |percent: usize| {
            let at = contents.len() * percent / 100;
            (0..=at).rev().find(|&at| contents.is_char_boundary(at)).unwrap_or(0)
        };
        Self { name, validation_from: cut(90), test_from: cut(95), contents, entropy: None }
    }

    /// The same text, with what is known about its source.
    pub(super) fn with_entropy(self, entropy: Entropy) -> Self {
        Self { entropy: Some(entropy), ..self }
    }

    /// Reads bytes as a text.
    pub(super) fn decode(name: &'static str, place: &str, bytes: Vec<u8>) -> Result<Self> {
        let contents = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let found = match error.as_bytes() {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "utf-16",
                _ => "latin1",
            };
            let problem = format!(
                "{place} is not UTF-8 text: byte {at} is {:#04x}\n  \
                 help: convert it, such as by `iconv -f {found} -t utf-8`",
                error.as_bytes()[at]
            );
            Error::data(name, problem)
        })?;
        let contents = plain(contents);
        if contents.trim().is_empty() {
            return Err(Error::data(name, format!("{place} is empty; expected text to learn from")));
        }
        Ok(Self::new(name, contents))
    }

    /// One of its parts.
    pub fn part(&self, split: Split) -> &str {
        match split {
            Split::Train => &self.contents[..self.validation_from],
            Split::Validation => &self.contents[self.validation_from..self.test_from],
            Split::Test => &self.contents[self.test_from..],
        }
    }

    /// SHA-256 of the text, in hexadecimal.
    pub fn digest(&self) -> String {
        sha256(&self.contents)
    }

    /// The text as a model looks at it.
    ///
    /// # Errors
    /// When a part is too short for a single window.
    pub fn windows(&self, view: &View) -> Result<Windows> {
        let mut tokens = Vec::new();
        let mut from = [0; 4];
        let mut encode = |encode: &dyn Fn(&str, &mut Vec<u16>) -> Result<()>| {
            for (i, split) in SPLITS.into_iter().enumerate() {
                encode(self.part(split), &mut tokens)?;
                from[i + 1] = tokens.len();
            }
            Ok::<(), Error>(())
        };
        let refused = |problem| Error::data(self.name, problem);
        let (vocabulary, bytes) = match view.level {
            Level::Word => {
                let words = Words::of(self.part(Split::Train), view.vocabulary);
                encode(&|text, tokens| {
                    words.encode(text, tokens);
                    Ok(())
                })?;
                (words.len(), None)
            }
            Level::Char => {
                let characters = Characters::of(&self.contents).map_err(refused)?;
                encode(&|text, tokens| {
                    characters.encode(text, tokens);
                    Ok(())
                })?;
                (characters.len(), Some(characters.bytes()))
            }
            Level::Bpe => {
                let pairs = BytePairs::of(self.part(Split::Train), view.vocabulary).map_err(refused)?;
                encode(&|text, tokens| pairs.encode(text, tokens).map_err(refused))?;
                (pairs.bytes().len(), Some(pairs.bytes().to_vec()))
            }
        };
        tokens.shrink_to_fit();
        let mut first = [0; 4];
        for (i, split) in SPLITS.into_iter().enumerate() {
            let held = from[i + 1] - from[i];
            if held <= view.length {
                let what = match view.level {
                    Level::Word => "words",
                    Level::Char => "characters",
                    Level::Bpe => "byte pairs",
                };
                let split = split.name();
                return Err(Error::data(
                    self.name,
                    format!(
                        "the {split} part holds {held} {what}; a window of `seq_len` = {} needs {}\n  \
                         help: use a longer text or a shorter `seq_len`",
                        view.length,
                        view.length + 1
                    ),
                ));
            }
            first[i + 1] = first[i] + (held - 1) / view.length;
        }
        let floor = self.entropy.filter(|_| view.level == Level::Char).map(|entropy| {
            // Without a carried state, the first label of a window has one character before it.
            let blind = if view.stateful { 0.0 } else { 1.0 / view.length as f64 };
            blind * entropy.after_one + (1.0 - blind) * entropy.rate
        });
        Ok(Windows { tokens, vocabulary, bytes, length: view.length, from, first, floor })
    }
}

const SPLITS: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

/// A text as numbers, cut into windows.
#[derive(Debug)]
pub struct Windows {
    tokens: Vec<u16>,
    vocabulary: usize,
    /// Of every token of the vocabulary, where tokens stand for all of the text.
    bytes: Option<Vec<u32>>,
    length: usize,
    /// The first token of every split, and the end.
    from: [usize; 4],
    /// The first window of every split, and the end.
    first: [usize; 4],
    floor: Option<f64>,
}

impl Windows {
    fn window(&self, position: usize) -> &[u16] {
        let split = self.first[1..3].iter().filter(|&&first| position >= first).count();
        let start = self.from[split] + (position - self.first[split]) * self.length;
        &self.tokens[start..=start + self.length]
    }
}

impl Examples for Windows {
    fn input(&self) -> Input {
        Input::Tokens { vocabulary: self.vocabulary, length: self.length }
    }

    fn split(&self, split: Split) -> Range<usize> {
        let i = SPLITS.iter().position(|&other| other == split).unwrap_or(0);
        self.first[i]..self.first[i + 1]
    }

    fn batch(&self, positions: &[usize], _dtype: DType, device: &Device) -> Result<(Tensor, Tensor)> {
        let total = positions.len() * self.length;
        let (mut inputs, mut labels) = (Vec::with_capacity(total), Vec::with_capacity(total));
        for &position in positions {
            let window = self.window(position);
            inputs.extend(window[..self.length].iter().map(|&token| u32::from(token)));
            labels.extend(window[1..].iter().map(|&token| u32::from(token)));
        }
        let inputs = Tensor::from_vec(inputs, (positions.len(), self.length), device)?;
        Ok((inputs, Tensor::from_vec(labels, total, device)?))
    }

    fn label_bytes(&self, split: Split) -> Option<u64> {
        let (bytes, windows) = (self.bytes.as_ref()?, Examples::split(self, split));
        let i = SPLITS.iter().position(|&other| other == split)?;
        let labels = &self.tokens[self.from[i] + 1..][..windows.len() * self.length];
        Some(labels.iter().map(|&token| u64::from(bytes[usize::from(token)])).sum())
    }

    fn floor(&self) -> Option<f64> {
        self.floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(length: usize) -> View {
        View { length, level: Level::Char, vocabulary: 0, stateful: false }
    }

    fn batch(windows: &Windows, positions: &[usize]) -> (Vec<Vec<u32>>, Vec<u32>) {
        let (inputs, labels) = windows.batch(positions, DType::F32, &Device::Cpu).unwrap();
        (inputs.to_vec2().unwrap(), labels.to_vec1().unwrap())
    }

    #[test]
    fn labels_are_the_next_tokens_and_splits_do_not_touch() {
        let contents: String = (0..200).map(|i| char::from(b'!' + i % 90)).collect();
        let text = Text::new("test", contents);
        let windows = text.windows(&view(4)).unwrap();
        assert_eq!(SPLITS.map(|split| windows.split(split)), [0..44, 44..46, 46..48]);
        assert_eq!(windows.input(), Input::Tokens { vocabulary: 90, length: 4 });
        let (inputs, labels) = batch(&windows, &[1, 44, 47]);
        // Validation starts at 180, test at 190; the character at i has the number i % 90.
        assert_eq!(inputs, [[4, 5, 6, 7], [0, 1, 2, 3], [14, 15, 16, 17]]);
        assert_eq!(labels, [5, 6, 7, 8, 1, 2, 3, 4, 15, 16, 17, 18]);
    }

    #[test]
    fn the_parts_of_a_text_are_cut_between_characters() {
        // 33 bytes: neither 29 nor 31 is where a character begins.
        let euros = "\u{20ac}".repeat(11);
        let text = Text::new("test", euros.clone());
        assert_eq!(SPLITS.map(|split| text.part(split).chars().count()), [9, 1, 1]);
        assert_eq!(SPLITS.map(|split| text.part(split)).concat(), euros);
    }

    #[test]
    fn words_are_counted_in_the_training_part_alone() {
        let text = Text::new("test", format!("{}{}", "a b a c ".repeat(45), "z b z c ".repeat(5)));
        let words = View { level: Level::Word, vocabulary: 2, ..view(3) };
        let windows = text.windows(&words).unwrap();
        assert_eq!(windows.input().classes(), 3);
        assert_eq!(batch(&windows, &[0]), (vec![vec![1, 2, 1]], vec![2, 1, 0]));
        let test = windows.split(Split::Test).start;
        assert_eq!(batch(&windows, &[test]), (vec![vec![0, 0, 0]], vec![0, 0, 2]), "z and c are unknown");
    }

    #[test]
    fn bits_are_counted_by_the_bytes_of_the_labels() {
        let text = Text::new("test", "\u{e9}a the cat\n".repeat(60));
        for level in [Level::Char, Level::Bpe] {
            let windows = text.windows(&View { level, vocabulary: 270, ..view(5) }).unwrap();
            for split in SPLITS {
                let (_, labels) = batch(&windows, &windows.split(split).collect::<Vec<_>>());
                let bytes = windows.bytes.as_ref().unwrap();
                let expected: u32 = labels.iter().map(|&label| bytes[label as usize]).sum();
                assert_eq!(windows.label_bytes(split), Some(u64::from(expected)));
                let part = text.part(split).len();
                assert!(expected as usize <= part && expected as usize + 30 >= part, "{expected} of {part}");
            }
        }
        assert_eq!(
            text.windows(&View { level: Level::Word, vocabulary: 9, ..view(5) }).unwrap().label_bytes(Split::Test),
            None
        );
    }

    #[test]
    fn a_mark_and_the_ends_of_lines_of_other_systems_are_no_tokens() {
        let read = |text: &str| {
            let text = Text::decode("test", "my.txt", text.into()).unwrap();
            SPLITS.map(|split| text.part(split)).concat()
        };
        assert_eq!(read("\u{feff}one\r\ntwo\rthree\n\r\n"), "one\ntwo\nthree\n\n");
        assert_eq!(read("\u{feff}plain\n"), "plain\n");
        assert_eq!(read("a mark\u{feff} within stays"), "a mark\u{feff} within stays");
        let empty = Text::decode("test", "my.txt", "\u{feff}\r\n".into()).unwrap_err().to_string();
        assert!(empty.contains("is empty"), "{empty}");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_in_words() {
        let problem = |bytes: &[u8]| Text::decode("test", "my.txt", bytes.to_vec()).unwrap_err().to_string();
        let latin = problem(b"caf\xe9");
        assert!(latin.contains("my.txt is not UTF-8 text: byte 3 is 0xe9\n  help:"), "{latin}");
        assert!(latin.contains("-f latin1") && problem(b"\xff\xfea\0").contains("-f utf-16"));
        assert!(problem(b"").contains("my.txt is empty") && problem(b" \n").contains("empty"));
        let short = Text::new("test", "short".repeat(9)).windows(&view(4)).unwrap_err().to_string();
        assert!(short.contains("the val part holds 2 characters; a window of `seq_len` = 4 needs 5"), "{short}");
    }
}
