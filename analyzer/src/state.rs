//! The state of every thread and every lock at a point of the merged order.

use lockscope_trace::{Access, Event, How, LockId, Mode, Nanos, Op, SiteId, StackId, ThreadId};

use crate::finding::{Held, Target};

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum Activity {
    /// Announced by its parent, no event of its own yet.
    #[default]
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
#[derive(Clone, Debug, Default)]
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
///
/// Grows to the highest ids in the events; sources deliver only ids that they have defined.
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
    /// Applies the next event. O(locks held by its thread + threads at its lock).
    ///
    /// Consistent input is not required: what does not fit (a release of a lock that is not held, an acquisition by a
    /// thread that was waiting for something else) is taken to mean that events are missing, and the event is believed.
    pub fn apply(&mut self, event: &Event) {
        self.position += 1;
        self.time = self.time.max(event.time);
        let me = event.thread;
        {
            let thread = self.thread_mut(me);
            thread.events += 1;
            thread.last_time = event.time;
            if event.site.is_some() {
                thread.last_site = event.site;
            }
            if thread.activity == Activity::NotStarted {
                thread.activity = Activity::Running;
            }
        }
        match event.op {
            Op::Wait { lock, mode } => {
                self.unblock(me, event.time);
                self.block(event, Target::Lock(lock, mode));
                self.lock_mut(lock).waiters.push((me, mode, event.time));
            }
            Op::Acquired { lock, mode, how, .. } => self.acquire(event, lock, mode, how),
            Op::Released { lock, owner, access } => {
                self.release(lock, owner);
                let lock = self.lock_mut(lock);
                lock.last_access = access;
                // A condition variable's wait releases the mutex from inside the wait; any other release is a sign
                // that its thread runs.
                if !matches!(self.activity(me), Activity::Blocked { target: Target::Condvar(_), .. }) {
                    self.unblock(me, event.time);
                }
            }
            Op::Poisoned { lock } => self.lock_mut(lock).poisoned = true,
            Op::Destroyed { lock } => self.lock_mut(lock).destroyed = true,
            Op::CondWait { condvar, .. } => {
                self.unblock(me, event.time);
                self.block(event, Target::Condvar(condvar));
                self.lock_mut(condvar).waiters.push((me, Mode::Exclusive, event.time));
            }
            Op::Spawn { child } => {
                self.unblock(me, event.time);
                self.thread_mut(child);
            }
            Op::JoinWait { child } => {
                self.unblock(me, event.time);
                self.thread_mut(child);
                self.block(event, Target::Thread(child));
            }
            Op::Joined { child } => {
                self.unblock(me, event.time);
                self.finish(child, event.time);
            }
            Op::Exit => {
                self.unblock(me, event.time);
                self.finish(me, event.time);
            }
            // Recorded by a thread that may well be about to block: in-process detection reports from inside the wait.
            Op::Finding { .. } | Op::Mark { .. } | Op::Dropped { .. } => {}
            Op::TryFailed { .. }
            | Op::TimedOut { .. }
            | Op::CondWake { .. }
            | Op::Notify { .. }
            | Op::Start
            | Op::Read { .. }
            | Op::Write { .. }
            | Op::RegionBegin
            | Op::RegionEnd => self.unblock(me, event.time),
        }
    }

    /// The thread, when it was seen.
    pub fn thread(&self, id: ThreadId) -> Option<&ThreadState> {
        self.threads.get(id.0 as usize)
    }

    /// The lock, when it was seen.
    pub fn lock(&self, id: LockId) -> Option<&LockState> {
        self.locks.get(id.0 as usize)
    }

    fn acquire(&mut self, event: &Event, lock: LockId, mode: Mode, how: How) {
        let me = event.thread;
        let waited = matches!(self.activity(me), Activity::Blocked { target: Target::Lock(l, _), .. } if l == lock);
        self.unblock(me, event.time);
        let hold = Held { lock, mode, site: event.site, stack: event.stack, since: event.time, event: self.position };
        let replaces = matches!(how, How::Upgrade | How::Downgrade);
        let thread = self.thread_mut(me);
        match thread.held.iter_mut().rev().find(|held| replaces && held.lock == lock) {
            // A weaker hold is still the old one, taken where it was; a stronger one was asked for here.
            Some(held) if how == How::Downgrade => held.mode = mode,
            Some(held) => *held = hold,
            None => thread.held.push(hold),
        }
        let state = self.lock_mut(lock);
        state.acquisitions += u64::from(how != How::Downgrade);
        state.contended += u64::from(waited);
        match state.holders.iter_mut().rev().find(|(thread, ..)| replaces && *thread == me) {
            Some(holder) => *holder = (me, mode, if how == How::Downgrade { holder.2 } else { event.time }),
            None => state.holders.push((me, mode, event.time)),
        }
    }

    fn release(&mut self, lock: LockId, owner: ThreadId) {
        let thread = self.thread_mut(owner);
        if let Some(index) = thread.held.iter().rposition(|held| held.lock == lock) {
            thread.held.remove(index);
        }
        let holders = &mut self.lock_mut(lock).holders;
        if let Some(index) = holders.iter().rposition(|(thread, ..)| *thread == owner) {
            holders.remove(index);
        }
    }

    fn block(&mut self, event: &Event, target: Target) {
        let Event { time: since, site, stack, .. } = *event;
        self.thread_mut(event.thread).activity = Activity::Blocked { target, since, site, stack, event: self.position };
    }

    /// Ends the wait of `id`, if it waits.
    fn unblock(&mut self, id: ThreadId, now: Nanos) {
        let thread = self.thread_mut(id);
        let Activity::Blocked { target, since, .. } = thread.activity else { return };
        thread.activity = Activity::Running;
        thread.blocked_total.0 = thread.blocked_total.0.saturating_add(now.since(since).0);
        let (Target::Lock(lock, _) | Target::Condvar(lock)) = target else { return };
        let waiters = &mut self.lock_mut(lock).waiters;
        if let Some(index) = waiters.iter().position(|(waiter, ..)| *waiter == id) {
            waiters.remove(index);
        }
    }

    fn finish(&mut self, id: ThreadId, now: Nanos) {
        self.unblock(id, now);
        self.thread_mut(id).activity = Activity::Finished;
    }

    fn activity(&self, id: ThreadId) -> Activity {
        self.thread(id).map_or(Activity::NotStarted, |thread| thread.activity)
    }

    fn thread_mut(&mut self, id: ThreadId) -> &mut ThreadState {
        let index = id.0 as usize;
        if index >= self.threads.len() {
            self.threads.resize(index + 1, ThreadState::default());
        }
        &mut self.threads[index]
    }

    fn lock_mut(&mut self, id: LockId) -> &mut LockState {
        let index = id.0 as usize;
        if index >= self.locks.len() {
            self.locks.resize(index + 1, LockState::default());
        }
        &mut self.locks[index]
    }
}
