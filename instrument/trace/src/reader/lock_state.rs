//! What the merged events say of one lock so far: who holds it, and which acquisition is next.

use crate::{Mode, ThreadId};

#[derive(Debug, Default)]
pub(super) struct LockState {
    /// Count of the next acquisition, once one was seen.
    pub(super) next: Option<u32>,
    pub(super) exclusive: Option<ThreadId>,
    pub(super) upgradable: Option<ThreadId>,
    pub(super) shared: Vec<ThreadId>,
    /// Threads whose head is an acquisition of this lock that cannot go out yet.
    pub(super) parked: Vec<u32>,
}

impl LockState {
    pub(super) fn is_free(&self) -> bool {
        self.exclusive.is_none() && self.upgradable.is_none() && self.shared.is_empty()
    }

    pub(super) fn is_held_by(&self, thread: ThreadId) -> bool {
        self.exclusive == Some(thread) || self.upgradable == Some(thread) || self.shared.contains(&thread)
    }

    /// Ends one hold of the thread: that of the mode, else an exclusive one before a shared one before an upgradable one.
    pub(super) fn remove(&mut self, thread: ThreadId, mode: Option<Mode>) {
        if mode == Some(Mode::Upgradable) && self.upgradable == Some(thread) {
            self.upgradable = None;
        } else if self.exclusive == Some(thread) {
            self.exclusive = None;
        } else if let Some(index) = self.shared.iter().rposition(|&reader| reader == thread) {
            self.shared.swap_remove(index);
        } else if self.upgradable == Some(thread) {
            self.upgradable = None;
        }
    }
}

/// Whether a count comes before another; counts wrap.
pub(super) fn is_before(count: u32, other: u32) -> bool {
    (count.wrapping_sub(other) as i32) < 0
}
