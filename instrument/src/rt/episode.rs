//! The episodes of a thread's waiting: when others may read what it waits for, and who of several sees whom.
//!
//! The number is twice the count of waits so far, plus 1 while one is on. It is changed by its thread only.
//!
//! | owner | reader |
//! | --- | --- |
//! | [`prepare`](Episodes::prepare), stores the fields of the wait | |
//! | [`begin`](Episodes::begin), then searches | [`current`](Episodes::current) says that a wait is on |
//! | | loads the fields |
//! | [`end`](Episodes::end) | [`is_still`](Episodes::is_still) says that they belong together |
//!
//! Two properties are relied upon, and explored by loom in `tests/loom`, which includes this file:
//! - fields that were loaded between `current` and an `is_still` that says so are all of that one wait;
//! - of several threads that begin to wait and then search, at least one sees all the other waits, and everything that their
//!   threads did before, such as taking locks.

use super::model::{AtomicU64, Ordering, fence};

/// How often a thread has waited, and whether it does.
#[derive(Debug, Default)]
pub(super) struct Episodes(AtomicU64);

impl Episodes {
    /// Owner only: what follows stores the fields of the next wait.
    pub(super) fn prepare(&self) {
        // Whoever loads one of these fields sees, after the fence in `is_still`, that the wait before has ended.
        fence(Ordering::Release);
    }

    /// Owner only: the fields are stored, the wait begins.
    pub(super) fn begin(&self) {
        self.0.fetch_add(1, Ordering::Release);
        // Of several threads that pass here and then look for one another, the last one sees all.
        fence(Ordering::SeqCst);
    }

    /// Owner only: the wait has ended.
    pub(super) fn end(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    /// Number of the wait that is on; `None` when none is.
    pub(super) fn current(&self) -> Option<u64> {
        let episode = self.0.load(Ordering::Acquire);
        (episode % 2 == 1).then_some(episode)
    }

    /// Whether this wait is on still, so that what was loaded since [`current`](Self::current) is its.
    pub(super) fn is_still(&self, episode: u64) -> bool {
        // The loads before must not move below this one.
        fence(Ordering::Acquire);
        self.0.load(Ordering::Relaxed) == episode
    }
}
