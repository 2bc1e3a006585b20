//! Scores with their seeds, and which of two sides are compared with which.

/// Scores with the seeds that they belong to.
pub type BySeed = Vec<(u64, f64)>;

/// The scores of two sides that a difference between them is taken over, and whether it is paired.
///
/// Sides with the same seeds are paired. Of partly shared seeds, the shared ones are paired where they are at
/// least three and half of the smaller side: the others are then left out. Of fewer, the pairs would throw most
/// scores away, so all scores are compared as independent (which the shared seeds make cautious). Runs that are
/// the same on every seed of the smaller side are a repetition, however few they are, and paired.
pub(super) fn compared(a: &BySeed, b: &BySeed) -> (BySeed, BySeed, bool) {
    const FEWEST: usize = 3;
    let smaller = a.len().min(b.len());
    let other = |seed: u64| b.iter().find(|(other, _)| *other == seed).copied();
    let (ours, theirs): (BySeed, BySeed) = a.iter().filter_map(|&(seed, x)| Some(((seed, x), other(seed)?))).unzip();
    let shared = ours.len();
    let all = shared == a.len() && shared == b.len();
    let repeated = shared == smaller && ours == theirs;
    let paired = shared > 0 && (all || repeated || (shared >= FEWEST && 2 * shared >= smaller));
    if paired { (ours, theirs, true) } else { (a.clone(), b.clone(), false) }
}
