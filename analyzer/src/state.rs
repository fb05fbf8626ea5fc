//! The state of every thread and every lock at a point of the merged order.

use lockscope_trace::{Access, Event, LockId, Mode, Nanos, SiteId, StackId, ThreadId};

use crate::finding::{Held, Target};

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activity {
    /// Announced by its parent, no event of its own yet.
    NotStarted,
    /// Neither waiting nor ended, as far as the trace tells.
    Running,
    /// Waiting for something since a time.
    Blocked {
        /// For what.
        target: Target,
        /// Since when.
        since: Nanos,
        /// Where it asked.
        site: Option<SiteId>,
        /// The stack then.
        stack: Option<StackId>,
        /// Position of the wait, from 1.
        event: u64,
    },
    /// Ended.
    Finished,
}

/// A thread's state.
#[derive(Clone, Debug)]
pub struct ThreadState {
    /// What it is doing.
    pub activity: Activity,
    /// What it holds, in order of acquisition.
    pub held: Vec<Held>,
    /// Its last event's site.
    pub last_site: Option<SiteId>,
    /// Time of its last event.
    pub last_time: Nanos,
    /// Events so far.
    pub events: u64,
    /// Total time spent blocked so far, completed waits only.
    pub blocked_total: Nanos,
}

/// A lock's state.
#[derive(Clone, Debug, Default)]
pub struct LockState {
    /// Who holds it, how, since when.
    pub holders: Vec<(ThreadId, Mode, Nanos)>,
    /// Who waits for it, in order of arrival, since when.
    pub waiters: Vec<(ThreadId, Mode, Nanos)>,
    /// Acquisitions so far.
    pub acquisitions: u64,
    /// Acquisitions that had to wait.
    pub contended: u64,
    /// What the last critical section did.
    pub last_access: Access,
    /// Found poisoned.
    pub poisoned: bool,
    /// End of its life was seen.
    pub destroyed: bool,
}

/// State of all threads and locks after a number of events.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// By [`ThreadId`].
    pub threads: Vec<ThreadState>,
    /// By [`LockId`].
    pub locks: Vec<LockState>,
    /// Events applied so far.
    pub position: u64,
    /// Time of the last event applied.
    pub time: Nanos,
}

impl State {
    /// Applies the next event. O(locks held by its thread).
    pub fn apply(&mut self, event: &Event) {
        self.position += 1;
        self.time = self.time.max(event.time);
    }

    /// The thread, when it was seen.
    pub fn thread(&self, id: ThreadId) -> Option<&ThreadState> {
        self.threads.get(id.0 as usize)
    }

    /// The lock, when it was seen.
    pub fn lock(&self, id: LockId) -> Option<&LockState> {
        self.locks.get(id.0 as usize)
    }
}
