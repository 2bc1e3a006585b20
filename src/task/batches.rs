//! Which examples a training step sees.

use crate::rng::Stream;

/// The batches of a training, by the number of updates before them alone: any can be asked for at any time.
///
/// What does not fill a batch is left out: of a shuffled order other examples in every epoch.
pub(super) struct Batches {
    size: usize,
    /// The positions of the examples, in the order of the epoch that is under way.
    order: Vec<usize>,
    shuffle: Option<Shuffle>,
}

/// Every epoch in an order of its own, which depends on seed, purpose and epoch.
struct Shuffle {
    seed: u64,
    purpose: &'static str,
    epoch: Option<u64>,
}

impl Batches {
    /// Batches of `size` out of the positions below `examples`, shuffled anew in every epoch.
    pub(super) fn shuffled(seed: u64, purpose: &'static str, examples: usize, size: usize) -> Self {
        let shuffle = Some(Shuffle { seed, purpose, epoch: None });
        Self { size, order: (0..examples).collect(), shuffle }
    }

    /// Batches whose rows go through the examples side by side: row `i` continues where row `i` of the
    /// batch before ended, so that a network can carry a memory along. Every epoch is the same.
    pub(super) fn in_order(examples: usize, size: usize) -> Self {
        let batches = examples / size;
        let order = (0..batches).flat_map(|batch| (0..size).map(move |row| row * batches + batch)).collect();
        Self { size, order, shuffle: None }
    }

    /// Examples in a batch.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Batches in a pass over the examples.
    pub(super) fn per_epoch(&self) -> u64 {
        (self.order.len() / self.size) as u64
    }

    /// Whether the batch after `t` updates is the first of an epoch.
    pub(super) fn starts_epoch(&self, t: u64) -> bool {
        t.is_multiple_of(self.per_epoch())
    }

    /// The positions of the batch after `t` updates.
    pub(super) fn at(&mut self, t: u64) -> &[usize] {
        let (epoch, batch) = (t / self.per_epoch(), (t % self.per_epoch()) as usize);
        if let Some(shuffle) = self.shuffle.as_mut().filter(|shuffle| shuffle.epoch != Some(epoch)) {
            self.order.sort_unstable();
            Stream::new(shuffle.seed, &format!("{} epoch {epoch}", shuffle.purpose)).shuffle(&mut self.order);
            shuffle.epoch = Some(epoch);
        }
        &self.order[batch * self.size..(batch + 1) * self.size]
    }
}

#[cfg(test)]
mod tests {
    use super::Batches;

    #[test]
    fn an_epoch_sees_no_example_twice_and_any_batch_can_be_asked_for() {
        let mut batches = Batches::shuffled(3, "batches", 10, 3);
        let epoch: Vec<Vec<usize>> = (0..3).map(|t| batches.at(t).to_vec()).collect();
        let mut seen = epoch.concat();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 9);
        assert_ne!(batches.at(3), epoch[0], "the next epoch is shuffled anew");
        assert_eq!(batches.at(1), epoch[1], "a batch depends on its number alone");
        assert_ne!(Batches::shuffled(4, "batches", 10, 3).at(1), epoch[1]);
    }

    #[test]
    fn rows_go_on_where_they_were() {
        let mut batches = Batches::in_order(21, 4);
        assert_eq!(batches.per_epoch(), 5);
        assert_eq!(batches.at(0), [0, 5, 10, 15]);
        assert_eq!(batches.at(1), [1, 6, 11, 16]);
        assert_eq!(batches.at(4), [4, 9, 14, 19]);
        assert!(batches.starts_epoch(5) && !batches.starts_epoch(4));
        assert_eq!(batches.at(5), [0, 5, 10, 15]);
    }
}
