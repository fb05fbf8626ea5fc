//! What the merged events say of one lock so far: who holds it, and which acquisition is next.

use crate::{How, Mode, ThreadId};

#[derive(Debug, Default)]
pub(super) struct LockState {
    pub(super) counter: Counter,
    pub(super) exclusive: Option<ThreadId>,
    pub(super) upgradable: Option<ThreadId>,
    pub(super) shared: Vec<ThreadId>,
}

/// Which event of a lock, of another object or of a memory location is next.
#[derive(Debug, Default)]
pub(super) struct Counter {
    /// Count of the next one, once one was seen.
    pub(super) next: Option<u32>,
    /// Threads whose head cannot go out yet because of this.
    pub(super) parked: Vec<u32>,
}

impl Counter {
    /// Whether the event with this count may go out. Where older events were overwritten, the first one that is left may
    /// have any count.
    pub(super) fn expects(&self, count: u64, overwritten: bool) -> bool {
        match self.next {
            // Late, after it was given up for lost: better out of order than never.
            Some(next) if overwritten && is_before(count as u32, next) => true,
            Some(next) => next == count as u32,
            None => count == 1 || overwritten,
        }
    }

    /// Whether the event with this count has gone out, or is not to be had any more.
    pub(super) fn has_passed(&self, count: u64, overwritten: bool) -> bool {
        self.next.map_or(overwritten, |next| is_before(count as u32, next))
    }

    /// The event with this count went out; 0 is none.
    pub(super) fn pass(&mut self, count: u64) {
        // 0 means "not counted", so it is left out when counts wrap.
        let after = (count as u32).checked_add(1).unwrap_or(1);
        if count != 0 && self.next.is_none_or(|next| !is_before(after, next)) {
            self.next = Some(after);
        }
    }
}

impl LockState {
    /// An acquisition went out.
    #[inline]
    pub(super) fn acquired(&mut self, thread: ThreadId, count: u64, mode: Mode, how: How) {
        self.counter.pass(count);
        if matches!(how, How::Upgrade | How::Downgrade) {
            self.remove(thread, None);
        }
        match mode {
            Mode::Exclusive => self.exclusive = Some(thread),
            Mode::Upgradable => self.upgradable = Some(thread),
            Mode::Shared => self.shared.push(thread),
        }
    }

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
fn is_before(count: u32, other: u32) -> bool {
    (count.wrapping_sub(other) as i32) < 0
}
