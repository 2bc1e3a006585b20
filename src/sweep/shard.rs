//! One part of a sweep, for one of several machines.

use std::str::FromStr;

/// One of several equal parts of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// The whole sweep.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// The `index`-th, from 1, of `count` parts.
    ///
    /// # Panics
    /// When there is no such part.
    pub fn new(index: usize, count: usize) -> Self {
        assert!((1..=count).contains(&index), "part {index} of {count}");
        Self { index, count }
    }

    /// Whether it is the whole sweep.
    pub fn is_whole(self) -> bool {
        self.count == 1
    }

    /// Whether the run at this place belongs to the part.
    pub fn contains(self, place: usize) -> bool {
        // Dealt out like cards, so that every part has its share of the slow tasks.
        place % self.count == self.index - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(i, n)| Some((i.trim().parse().ok()?, n.trim().parse().ok()?)));
        match parsed {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err(format!("`{text}` is not a valid part; expected I/N with I from 1 to N, such as 2/4")),
        }
    }
}
