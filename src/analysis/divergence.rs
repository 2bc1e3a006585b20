//! Divergence as evidence for or against a claim.

use crate::analysis::Standard;
use crate::analysis::shares::{Share, could_differ};
use crate::analysis::standard::Basis;

/// In how many runs the sides of a claim diverged.
///
/// Divergence decides alone where an exact test finds that it happens more often on one side ([`more_often`], at the
/// level of the claim, one-sided). A difference that is not significant decides nothing; but the runs that are left do not
/// support a claim whose better side diverged in more of its own.
///
/// [`more_often`]: crate::analysis::shares::more_often
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    sides: Vec<(String, Share)>,
}

impl Divergence {
    /// Of two sides, the better one first; or of the one side of an absolute claim.
    pub(super) fn new(sides: impl IntoIterator<Item = (String, Share)>) -> Self {
        Self { sides: sides.into_iter().collect() }
    }

    /// How many runs diverged, side by side.
    pub fn counts(&self) -> Vec<usize> {
        self.sides.iter().map(|(_, share)| share.count).collect()
    }

    fn shares(&self) -> (Share, Share) {
        let other = |(_, share): &(_, Share)| *share;
        // A claimed score is reached by every run: nothing of it can diverge.
        let none = Share { count: 0, of: self.sides[0].1.of };
        (self.sides[0].1, self.sides.get(1).map_or(none, other))
    }

    /// Whether any run diverged.
    pub(super) fn is_any(&self) -> bool {
        self.sides.iter().any(|(_, share)| share.count > 0)
    }

    /// Whether a larger share of the better side diverged, be it by chance.
    pub(super) fn is_against(&self) -> bool {
        let (better, than) = self.shares();
        better.is_more_than(than)
    }

    /// Whether divergence alone supports the claim: significantly more of the other side.
    pub(super) fn favours(&self, standard: Standard) -> bool {
        let (better, than) = self.shares();
        self.sides.len() > 1 && standard.is_more_often(than, better)
    }

    /// Whether divergence alone refutes the claim: significantly more of the better side; of a single side,
    /// significantly more than half of it.
    pub(super) fn refutes(&self, standard: Standard) -> bool {
        let (better, than) = self.shares();
        if self.sides.len() == 1 { standard.is_most(better) } else { standard.is_more_often(better, than) }
    }

    /// The standard for the test of scores beside this one. Where so many runs diverged that the test of shares may
    /// decide, the scores have half of the chance of a wrong verdict.
    pub(super) fn beside(&self, standard: Standard) -> Standard {
        let (better, than) = self.shares();
        let cases = better.count + than.count;
        let both = self.sides.len() > 1
            && standard.basis != Basis::Anytime
            && could_differ(cases, [better.of, than.of], standard.one_sided());
        if both { standard.shared(2) } else { standard }
    }
}

/// `a+constant diverged in 2 of 5 seeds, b+constant in 0 of 5`.
impl std::fmt::Display for Divergence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, (name, Share { count, of })) in self.sides.iter().enumerate() {
            match place {
                0 => write!(f, "{name} diverged in {count} of {of} seeds")?,
                _ => write!(f, ", {name} in {count} of {of}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scores_have_half_of_the_level_where_divergence_may_decide() {
        let standard = |a: usize, b: usize| {
            let side = |count| (String::new(), Share { count, of: 5 });
            Divergence::new([side(a), side(b)]).beside(Standard::FIXED).alpha
        };
        assert_eq!([standard(0, 0), standard(1, 2), standard(2, 2), standard(5, 5)], [0.05, 0.05, 0.025, 0.05]);
    }
}
