//! Which locks may be in the order graph, so that the end of a lock's life rarely takes the graph's lock.
//!
//! One bit per lock id, modulo the number of bits. A bit is never cleared: what it says wrongly costs a look into the graph.
//!
//! Relied upon, and explored by loom in `tests/loom`, which includes this file: a lock that is in the graph is not missed at the end of its
//! life. Whoever put it there held it or asked for it, which happened before its end; so no ordering is needed but that
//! bits of one word do not overwrite each other.

use super::super::model::{AtomicU64, Ordering};

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Present<const WORDS: usize> {
    pub(super) words: [AtomicU64; WORDS],
}

impl<const WORDS: usize> Present<WORDS> {
    /// The lock is about to be put into the graph.
    pub(super) fn note(&self, lock: u32) {
        let (word, bit) = self.bit(lock);
        // Most are noted already; then the word's cache line stays shared.
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// False only for a lock that was never noted. At the end of its life.
    pub(super) fn may_have(&self, lock: u32) -> bool {
        let (word, bit) = self.bit(lock);
        word.load(Ordering::Relaxed) & bit != 0
    }

    fn bit(&self, lock: u32) -> (&AtomicU64, u64) {
        (&self.words[lock as usize / 64 % WORDS], 1 << (lock % 64))
    }
}
