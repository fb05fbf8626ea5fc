//! What the merged events say of one lock so far: who holds it, and which acquisition is next.
//!
//! What most events need is in [`Hot`], sixteen bytes a lock, so that those of thousands of locks stay in the processor's cache; the rest is apart.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{How, Mode, ThreadId};

/// No thread.
const NOBODY: u32 = u32::MAX;

/// Which event of a lock, of another object or of a memory location is next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counter {
    /// Count of the next one; 1 as long as none was seen.
    pub(super) next: u32,
    /// Somebody's head waits for this.
    pub(super) is_awaited: bool,
}

impl Default for Counter {
    fn default() -> Self {
        Self { next: 1, is_awaited: false }
    }
}

impl Counter {
    /// Whether the event with this count has gone out, or is not to be had any more.
    pub(super) fn has_passed(self, count: u32, overwritten: bool) -> bool {
        if self.next == 1 { overwritten } else { is_before(count, self.next) }
    }

    /// Whether the event with this count comes after one that should have followed it.
    pub(super) fn is_late(self, count: u32) -> bool {
        count != 0 && self.next != 1 && is_before(count, self.next)
    }

    /// The event with this count went out; 0 is none.
    #[inline]
    pub(super) fn pass(&mut self, count: u32) {
        // 0 means "not counted", so it is left out when counts wrap.
        let after = count.checked_add(1).unwrap_or(1);
        if count != 0 && (self.next == 1 || !is_before(after, self.next)) {
            self.next = after;
        }
    }
}

/// Who waits at a counter, and in a flight recorder which counted events were copied and have not gone out.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Threads whose head cannot go out yet because of this.
    pub(super) parked: Vec<u32>,
    /// Counts, as distances from `base`, which may wrap.
    queued: BinaryHeap<Reverse<u32>>,
    base: u32,
}

impl Waiting {
    /// An event with this count was copied.
    pub(super) fn enqueue(&mut self, count: u32) {
        if self.queued.is_empty() {
            self.base = count.wrapping_sub(1 << 31);
        }
        self.queued.push(Reverse(count.wrapping_sub(self.base)));
    }

    /// The lowest count that was copied and has not gone out.
    pub(super) fn first_queued(&self) -> Option<u32> {
        self.queued.peek().map(|first| first.0.wrapping_add(self.base))
    }

    /// The event with this count goes out; those before it will be late, if they ever come.
    pub(super) fn dequeue(&mut self, count: u32) {
        while self.queued.peek().is_some_and(|first| first.0 <= count.wrapping_sub(self.base)) {
            self.queued.pop();
        }
    }
}

/// What most events need of a lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hot {
    pub(super) counter: Counter,
    /// Who has it alone, or [`NOBODY`].
    exclusive: u32,
    /// How many hold it beside each other.
    n_beside: u32,
}

impl Default for Hot {
    fn default() -> Self {
        Self { counter: Counter::default(), exclusive: NOBODY, n_beside: 0 }
    }
}

impl Hot {
    /// Whether nobody holds it.
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        self.exclusive == NOBODY && self.n_beside == 0
    }

    /// Whether nobody has it alone.
    #[inline]
    pub(super) fn is_shareable(&self) -> bool {
        self.exclusive == NOBODY
    }

    /// Whether an acquisition can be next that is released at once, so that all it changes is the count.
    #[inline]
    pub(super) fn lets_pass(&self, count: u32, mode: Mode) -> bool {
        let is_free = self.exclusive == NOBODY && (self.n_beside == 0 || mode == Mode::Shared);
        self.counter.next == count && is_free && !self.counter.is_awaited
    }

    /// An exclusive acquisition of a lock that is free went out.
    #[inline]
    pub(super) fn take(&mut self, thread: ThreadId, count: u32) {
        self.counter.pass(count);
        self.exclusive = thread.0;
    }

    /// Ends the hold of a thread that has it alone. False when it has not.
    #[inline]
    pub(super) fn give_back(&mut self, thread: ThreadId) -> bool {
        let is_holder = self.exclusive == thread.0;
        self.exclusive = if is_holder { NOBODY } else { self.exclusive };
        is_holder
    }
}

/// What few events need of a lock.
#[derive(Debug, Default)]
pub(super) struct Cold {
    pub(super) waiting: Waiting,
    upgradable: Option<ThreadId>,
    shared: Vec<ThreadId>,
}

/// All locks.
#[derive(Debug, Default)]
pub(super) struct Locks {
    pub(super) hot: Vec<Hot>,
    pub(super) cold: Vec<Cold>,
}

impl Locks {
    /// Room for so many.
    pub(super) fn grow(&mut self, n: usize) {
        self.hot.resize_with(n, Hot::default);
        self.cold.resize_with(n, Cold::default);
    }

    pub(super) fn len(&self) -> usize {
        self.hot.len()
    }

    /// An acquisition went out.
    pub(super) fn acquired(&mut self, lock: usize, thread: ThreadId, count: u32, mode: Mode, how: How) {
        self.hot[lock].counter.pass(count);
        if matches!(how, How::Upgrade | How::Downgrade) {
            self.remove(lock, thread, None);
        }
        let (hot, cold) = (&mut self.hot[lock], &mut self.cold[lock]);
        match mode {
            Mode::Exclusive => hot.exclusive = thread.0,
            Mode::Upgradable => {
                hot.n_beside += u32::from(cold.upgradable.replace(thread).is_none());
            }
            Mode::Shared => {
                hot.n_beside += 1;
                cold.shared.push(thread);
            }
        }
    }

    /// Whether nothing keeps the thread from an acquisition of this mode.
    pub(super) fn is_free_for(&self, lock: usize, thread: ThreadId, mode: Mode, how: How) -> bool {
        let (hot, cold) = (&self.hot[lock], &self.cold[lock]);
        match (how, mode) {
            (How::Downgrade, _) => true,
            (How::Upgrade, _) => cold.shared.iter().all(|&reader| reader == thread),
            (_, Mode::Exclusive) => hot.is_free(),
            (_, Mode::Shared) => hot.is_shareable(),
            (_, Mode::Upgradable) => hot.is_shareable() && cold.upgradable.is_none(),
        }
    }

    pub(super) fn is_held_by(&self, lock: usize, thread: ThreadId) -> bool {
        let cold = &self.cold[lock];
        self.hot[lock].exclusive == thread.0 || cold.upgradable == Some(thread) || cold.shared.contains(&thread)
    }

    /// Ends one hold of the thread: that of the mode, else an exclusive one before a shared one before an upgradable one.
    pub(super) fn remove(&mut self, lock: usize, thread: ThreadId, mode: Option<Mode>) {
        let (hot, cold) = (&mut self.hot[lock], &mut self.cold[lock]);
        if mode == Some(Mode::Upgradable) && cold.upgradable == Some(thread) {
            cold.upgradable = None;
            hot.n_beside -= 1;
        } else if hot.give_back(thread) {
        } else if let Some(index) = cold.shared.iter().rposition(|&reader| reader == thread) {
            cold.shared.swap_remove(index);
            hot.n_beside -= 1;
        } else if cold.upgradable == Some(thread) {
            cold.upgradable = None;
            hot.n_beside -= 1;
        }
    }

    /// Nobody holds it any more, but those beside whom the mode may be.
    pub(super) fn clear(&mut self, lock: usize, mode: Mode) {
        let (hot, cold) = (&mut self.hot[lock], &mut self.cold[lock]);
        if mode != Mode::Shared {
            cold.shared.clear();
        }
        hot.exclusive = NOBODY;
        cold.upgradable = None;
        hot.n_beside = cold.shared.len() as u32;
    }

    /// Says that the thread holds it beside others.
    pub(super) fn assume_shared(&mut self, lock: usize, thread: ThreadId) {
        self.cold[lock].shared.push(thread);
        self.hot[lock].n_beside += 1;
    }
}

/// Whether a count comes before another; counts wrap.
pub(super) fn is_before(count: u32, other: u32) -> bool {
    (count.wrapping_sub(other) as i32) < 0
}
