//! Words of a config tied to the variants that they stand for.

/// An enum whose variants a config names by words; [`choice!`](crate::choice!) declares one.
pub trait Choice: Copy + PartialEq + 'static {
    /// The words, in the order of the variants.
    const WORDS: &'static [&'static str];
    /// The variants.
    const ALL: &'static [Self];

    /// The variant that a word stands for.
    fn named(word: &str) -> Option<Self> {
        Self::WORDS.iter().position(|known| *known == word).map(|place| Self::ALL[place])
    }

    /// The word for a variant.
    fn word(self) -> &'static str {
        let place = Self::ALL.iter().position(|variant| *variant == self).expect("all variants are listed");
        Self::WORDS[place]
    }
}

/// Declares an enum with a word for each variant, which a key offers and its settings are read by.
///
/// ```
/// use optbench::choice::Choice;
/// use optbench::registry::Key;
/// optbench::choice! {
///     /// What follows a layer.
///     pub enum Activation { Relu = "relu", Gelu = "gelu" }
/// }
/// const KEY: Key = Key::choice("activation", Activation::WORDS, "relu", "what follows a layer");
/// assert_eq!(Activation::named("gelu"), Some(Activation::Gelu));
/// assert_eq!(Activation::Relu.word(), "relu");
/// ```
#[macro_export]
macro_rules! choice {
    ($(#[$about:meta])* $visibility:vis enum $name:ident {
        $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $visibility enum $name { $($(#[$of])* $variant),+ }

        impl $crate::choice::Choice for $name {
            const WORDS: &'static [&'static str] = &[$($word),+];
            const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    choice! {
        enum Sequence { X = "x", Y = "y" }
    }

    #[test]
    fn words_and_variants_name_each_other() {
        assert_eq!(Sequence::WORDS, ["x", "y"]);
        for (&word, &variant) in Sequence::WORDS.iter().zip(Sequence::ALL) {
            assert_eq!((Sequence::named(word), variant.word()), (Some(variant), word));
        }
        assert_eq!(Sequence::named("z"), None);
    }
}
