//! From text to numbers: characters or words.

use std::collections::{BTreeSet, HashMap};

/// How many different tokens a vocabulary may hold: a token takes two bytes in memory.
pub(super) const MOST_TOKENS: usize = 1 << 16;
/// How many words may have a token of their own, beside the one for all others.
pub(super) const MOST_WORDS: usize = MOST_TOKENS - 1;

/// Numbers the characters of a whole text in the order of their code points.
///
/// A character that occurs in validation or test alone has a number too: a model then knows that
/// it exists, and nothing else.
#[derive(Debug)]
pub(super) struct Characters(HashMap<char, u16>);

impl Characters {
    pub(super) fn of(text: &str) -> Result<Self, String> {
        let distinct: BTreeSet<char> = text.chars().collect();
        if distinct.len() > MOST_TOKENS {
            return Err(format!("{} different characters; expected at most {MOST_TOKENS}", distinct.len()));
        }
        Ok(Self(distinct.into_iter().zip(0..=u16::MAX).collect()))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many bytes of UTF-8 every character takes.
    pub(super) fn bytes(&self) -> Vec<u32> {
        let mut bytes = vec![0; self.len()];
        for (c, &place) in &self.0 {
            bytes[usize::from(place)] = c.len_utf8() as u32;
        }
        bytes
    }

    pub(super) fn encode(&self, text: &str, tokens: &mut Vec<u16>) {
        tokens.extend(text.chars().map(|c| self.0[&c]));
    }
}

/// Numbers the most frequent words of a training text; 0 stands for every other word.
///
/// Of equally frequent words, the one that comes first in the text has the smaller number.
#[derive(Debug)]
pub(super) struct Words(HashMap<String, u16>);

impl Words {
    pub(super) fn of(train: &str, most: usize) -> Self {
        // How often, and the place of the first.
        let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
        for (place, word) in words(train).enumerate() {
            counts.entry(word).or_insert((0, place)).0 += 1;
        }
        let mut ranked: Vec<(&str, (usize, usize))> = counts.into_iter().collect();
        ranked.sort_unstable_by_key(|&(_, (count, place))| (std::cmp::Reverse(count), place));
        ranked.truncate(most.min(MOST_WORDS));
        Self(ranked.into_iter().map(|(word, _)| word.to_owned()).zip(1..=u16::MAX).collect())
    }

    /// The words and the unknown one.
    pub(super) fn len(&self) -> usize {
        self.0.len() + 1
    }

    pub(super) fn encode(&self, text: &str, tokens: &mut Vec<u16>) {
        tokens.extend(words(text).map(|word| self.0.get(word).copied().unwrap_or(0)));
    }
}

/// The words of a text: letters, digits and apostrophes that stand together; any other character
/// that is no space stands alone, and so does the end of a line.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let inside = |c: char| c.is_alphanumeric() || c == '\'' || c == '\u{2019}';
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c != '\n' && c.is_whitespace());
        let first = rest.chars().next()?;
        let end = if inside(first) { rest.find(|c: char| !inside(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_numbered_in_order() {
        let characters = Characters::of("banane\u{e9}").unwrap();
        let mut tokens = Vec::new();
        characters.encode("aben\u{e9}", &mut tokens);
        assert_eq!((tokens, characters.len()), (vec![0, 1, 2, 3, 4], 5));
    }

    #[test]
    fn words_keep_apostrophes_and_lines_end() {
        let split: Vec<&str> = words("  Don't stop,\tnow!\n\nAh 42").collect();
        assert_eq!(split, ["Don't", "stop", ",", "now", "!", "\n", "\n", "Ah", "42"]);
    }

    #[test]
    fn the_most_frequent_words_have_numbers_and_the_first_of_equals_goes_first() {
        let vocabulary = Words::of("b c a a c d", 3);
        let mut tokens = Vec::new();
        vocabulary.encode("c a b d e", &mut tokens);
        // c and a occur twice, c first; b and d once, b first; d and e are unknown.
        assert_eq!((tokens, vocabulary.len()), (vec![1, 2, 3, 0, 0], 4));
    }

    #[test]
    fn a_vocabulary_has_a_limit() {
        let every: String = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
        assert!(Characters::of(&every).unwrap_err().contains("at most 65536"));
        let words: String = (0..70_000).map(|i| format!("{i} ")).collect();
        assert_eq!(Words::of(&words, usize::MAX).len(), MOST_TOKENS);
    }
}
