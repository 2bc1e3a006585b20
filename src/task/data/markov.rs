//! A generated text whose entropy is known: how far a model is from the best possible can be said.
//!
//! Every character depends on the two before it. The odds are whole numbers, so that the text is
//! the same on every machine: `2^e` with `e = u(c) + b(y, c) + s(x, c) + r(x, y, c)`, where `c`
//! follows `x` and `y` and the exponents are drawn once. A model learns the parts one after the
//! other: how frequent a character is, which one follows which, what the one before adds, and at
//! last the table of all triples.

use crate::error::Result;
use crate::registry::About;
use crate::rng::Stream;
use crate::settings::Settings;
use crate::task::data::text::Entropy;
use crate::task::data::{Contents, Dataset, Definition, Locator, Origin, Text};

const NAME: &str = "markov";
const ALPHABET: &[u8; N] = b" abcdefghijklmnopqrstuvwxyz";
const N: usize = 27;
const LENGTH: usize = 500_000;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: NAME,
        revision: 1,
        summary: "500,000 generated characters, 27 different ones, with a known entropy; needs no file",
        equations: "\
P(c | x y) ~ 2^(u(c) + b(y, c) + s(x, c) + r(x, y, c)), the exponents drawn once, below 4, 8, 6 and 3
entropy in nats per character: 1.9964 after two known ones, 2.4356 after one
train the first 90% of the text, val the next 5%, test the last 5%",
        keys: &[],
        source: "optbench; the entropy of a stationary Markov source: Cover and Thomas 2006, Elements of Information \
                 Theory, theorem 4.2.1",
    },
    licence: "MIT or Apache-2.0, as optbench",
    contents: Contents::Text,
    origin: Origin::Embedded,
    load,
};

#[expect(clippy::unnecessary_wraps, reason = "other datasets can fail to load")]
fn load(_: &Settings, _: &Locator) -> Result<Dataset> {
    let source = Chain::new();
    Ok(Dataset::Text(Text::new(NAME, source.text(LENGTH)).with_entropy(source.entropy())))
}

/// A Markov chain of the second order.
struct Chain {
    /// For every pair of characters, the odds of each that may follow.
    odds: Vec<[u32; N]>,
}

impl Chain {
    fn new() -> Self {
        let mut stream = Stream::new(0, "markov odds");
        let mut draw = |count: usize, below: usize| -> Vec<usize> { (0..count).map(|_| stream.below(below)).collect() };
        let (u, b, s, r) = (draw(N, 4), draw(N * N, 8), draw(N * N, 6), draw(N * N * N, 3));
        let odds = |pair: usize| {
            let (x, y) = (pair / N, pair % N);
            std::array::from_fn(|c| 1 << (u[c] + b[y * N + c] + s[x * N + c] + r[pair * N + c]))
        };
        Self { odds: (0..N * N).map(odds).collect() }
    }

    fn text(&self, length: usize) -> String {
        let mut stream = Stream::new(0, "markov text");
        let mut pair = 0;
        let next = |_| {
            let odds = &self.odds[pair];
            let mut rest = stream.below(odds.iter().sum::<u32>() as usize);
            let mut c = 0;
            while rest >= odds[c] as usize {
                rest -= odds[c] as usize;
                c += 1;
            }
            pair = pair % N * N + c;
            char::from(ALPHABET[c])
        };
        (0..length).map(next).collect()
    }

    fn probability(&self, pair: usize, c: usize) -> f64 {
        f64::from(self.odds[pair][c]) / f64::from(self.odds[pair].iter().sum::<u32>())
    }

    /// How often each pair occurs in the long run.
    fn stationary(&self) -> Vec<f64> {
        let mut pairs = vec![1.0 / (N * N) as f64; N * N];
        loop {
            let mut next = vec![0.0; N * N];
            for (pair, weight) in pairs.iter().enumerate() {
                for c in 0..N {
                    next[pair % N * N + c] += weight * self.probability(pair, c);
                }
            }
            let change: f64 = pairs.iter().zip(&next).map(|(old, new)| (old - new).abs()).sum();
            pairs = next;
            if change < 1e-13 {
                return pairs;
            }
        }
    }

    fn entropy(&self) -> Entropy {
        let pairs = self.stationary();
        let nats = |p: f64| -p * p.ln();
        let of_pair = |pair: usize| (0..N).map(|c| nats(self.probability(pair, c))).sum::<f64>();
        let rate = pairs.iter().enumerate().map(|(pair, weight)| weight * of_pair(pair)).sum();
        // The pairs of a stationary source are themselves its statistics of the first order.
        let one = |y: usize| {
            let after = &pairs[y * N..(y + 1) * N];
            let total: f64 = after.iter().sum();
            after.iter().map(|p| total * nats(p / total)).sum::<f64>()
        };
        Entropy { rate, after_one: (0..N).map(one).sum() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::sha256;
    use crate::task::Split;

    #[test]
    fn the_text_is_the_same_on_every_machine() {
        assert_eq!(
            sha256(Chain::new().text(LENGTH)),
            "892fa3a508c762d56cff5abd58b129f7765c7f05861268b4105c57f0816e9448"
        );
    }

    #[test]
    fn the_source_itself_scores_its_entropy_on_every_part() {
        let (chain, entropy) = (Chain::new(), Chain::new().entropy());
        let text = Text::new(NAME, chain.text(LENGTH));
        for split in [Split::Train, Split::Validation, Split::Test] {
            let at = |c: u8| ALPHABET.iter().position(|&a| a == c).unwrap();
            let places: Vec<usize> = text.part(split).bytes().map(at).collect();
            let nats: Vec<f64> = places.windows(3).map(|w| -chain.probability(w[0] * N + w[1], w[2]).ln()).collect();
            let n = nats.len() as f64;
            let mean = nats.iter().sum::<f64>() / n;
            let deviation = (nats.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n / n).sqrt();
            assert!((mean - entropy.rate).abs() < 4.0 * deviation, "{split:?}: {mean} for {}", entropy.rate);
        }
    }

    #[test]
    fn the_documented_entropies_are_the_computed_ones() {
        let entropy = Chain::new().entropy();
        for number in [entropy.rate, entropy.after_one] {
            assert!(DEFINITION.about.equations.contains(&format!("{number:.4}")), "{entropy:?}");
        }
        assert!(entropy.rate < entropy.after_one && entropy.after_one < (N as f64).ln());
    }
}
