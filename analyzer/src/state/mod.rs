//! The state of every thread and every lock at a point of the merged order.
//!
//! What concerns locks and threads is in here; `objects` follows channels, semaphores, barriers and condition variables.

mod objects;
#[cfg(test)]
mod tests;

use lockscope_trace::{Access, Event, How, LockId, Mode, Nanos, Need, Op, SiteId, StackId, ThreadId};

use crate::finding::{Held, Target, Wanted};

pub use self::objects::{Deed, Handle, ObjectState, Permits};

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum Activity {
    /// Announced by its parent, no event of its own yet.
    #[default]
    NotStarted,
    /// Neither waiting nor ended, as far as the trace tells.
    Running,
    /// Waiting for something that others have to do.
    Blocked(Wait),
    /// Asleep for a time of its own choice.
    Sleeping {
        /// Since when.
        since: Nanos,
        /// Where.
        site: Option<SiteId>,
    },
    /// Ended.
    Finished,
}

/// A wait that has not ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    /// For what; see also [`ThreadState::more`].
    pub target: Target,
    /// By which kind of call; [`How::Lock`] where the event does not tell.
    pub how: How,
    /// It ends by itself some time.
    pub limited: bool,
    /// Since when.
    pub since: Nanos,
    /// Where it asked.
    pub site: Option<SiteId>,
    /// The stack then.
    pub stack: Option<StackId>,
    /// Position of the wait, from 1.
    pub event: u64,
}

impl Wait {
    /// What is waited for, for a report.
    pub fn wanted(&self) -> Wanted {
        let Wait { target, since, site, stack, event, .. } = *self;
        Wanted { target, site, stack, since, event }
    }
}

/// The mutex that a wait on a condition variable gave up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GivenUp {
    /// Which.
    pub mutex: LockId,
    /// Number of the event that had acquired it, 0 when that is not known.
    pub acquired: u64,
    /// What was done to its data before.
    pub access: Access,
}

/// A thread's state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThreadState {
    /// What it is doing.
    pub activity: Activity,
    /// Of a wait for several things at once all but the first: one of several objects is enough, threads have to end all.
    pub more: Vec<Target>,
    /// While it waits on a condition variable.
    pub given_up: Option<GivenUp>,
    /// What it holds, in order of acquisition.
    pub held: Vec<Held>,
    /// Permits of semaphores that it took and that were not given back, in order of acquisition.
    pub permits: Vec<Permits>,
    /// Channels of which it has handles.
    pub channels: Vec<LockId>,
    /// The channel that it is sending to: it said so in its last event, and may wait for room.
    pub sending: Option<LockId>,
    /// It was unparked and did not park since.
    pub has_token: bool,
    unparked: objects::Deeds,
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
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// A guard was released by another thread than the one that had acquired it: guards are passed on.
    pub is_passed_on: bool,
    /// What is known of it as an object that is no lock; boxed, since there are many more locks.
    pub object: Option<Box<ObjectState>>,
}

impl ThreadState {
    /// What it waits for, if it does.
    pub fn wait(&self) -> Option<&Wait> {
        match &self.activity {
            Activity::Blocked(wait) => Some(wait),
            _ => None,
        }
    }

    /// Who unparked it.
    pub fn unparked(&self) -> impl Iterator<Item = &Deed> {
        self.unparked.values()
    }

    /// Everything that it waits for; see [`ThreadState::more`].
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        self.wait().map(|wait| wait.target).into_iter().chain(self.more.iter().copied())
    }
}

/// Most things that one wait is followed to.
const MOST_TARGETS: usize = 4096;

/// State of all threads and locks after a number of events.
///
/// Grows to the highest ids in the events; sources deliver only ids that they have defined.
#[derive(Clone, Debug, Default, PartialEq)]
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
            if matches!(thread.activity, Activity::NotStarted | Activity::Sleeping { .. }) {
                thread.activity = Activity::Running;
            }
        }
        match event.op {
            Op::Wait { lock, mode, .. } => {
                self.unblock(me, event.time);
                self.block(event, Target::Lock(lock, mode));
                self.lock_mut(lock).waiters.push((me, mode, event.time));
            }
            Op::Acquired { lock, mode, how, .. } => self.acquire(event, lock, mode, how),
            Op::Released { lock, owner, mode, access } => {
                self.release(lock, owner, mode);
                let lock = self.lock_mut(lock);
                lock.last_access = access;
                lock.is_passed_on |= owner != me;
                // A condition variable's wait releases the mutex from inside the wait; any other release is a sign
                // that its thread runs.
                match (self.wait_of(me), &mut self.thread_mut(me).given_up) {
                    (Some(Target::Object(_, Need::Notify)), Some(given_up)) if owner == me => given_up.access = access,
                    (Some(Target::Object(_, Need::Notify)), _) => {}
                    _ => self.unblock(me, event.time),
                }
            }
            Op::Poisoned { lock } => self.lock_mut(lock).poisoned = true,
            Op::Destroyed { lock } => {
                self.lock_mut(lock).destroyed = true;
                // Its guard was forgotten. What is gone is not held, and says nothing of the order of what is taken later.
                for (holder, mode, _) in self.lock_mut(lock).holders.clone() {
                    self.release(lock, holder, Some(mode));
                }
            }
            Op::CondWait { condvar, mutex, .. } => {
                self.unblock(me, event.time);
                self.block(event, Target::Object(condvar, Need::Notify));
                self.lock_mut(condvar).waiters.push((me, Mode::Exclusive, event.time));
                let thread = self.thread_mut(me);
                let acquired = thread.held.iter().rev().find(|held| held.lock == mutex).map_or(0, |held| held.event);
                thread.given_up = Some(GivenUp { mutex, acquired, access: Access::Unknown });
            }
            Op::Block { object, need, .. } => {
                let target = Target::Object(object, need);
                match self.wait_of(me) {
                    // Of several in a row any will do.
                    Some(Target::Object(..)) => self.wait_also(me, target),
                    _ => {
                        self.unblock(me, event.time);
                        self.block(event, target);
                    }
                }
                if self.thread_mut(me).more.len() < MOST_TARGETS {
                    self.lock_mut(object).waiters.push((me, Mode::Exclusive, event.time));
                }
            }
            Op::Park { .. } => {
                self.unblock(me, event.time);
                self.block(event, Target::Token);
            }
            Op::Spawn { child } => {
                self.unblock(me, event.time);
                self.thread_mut(child);
            }
            Op::JoinWait { child } => {
                self.thread_mut(child);
                match self.wait_of(me) {
                    // The end of a scope waits for all its threads.
                    Some(Target::Thread(_)) => self.wait_also(me, Target::Thread(child)),
                    _ => {
                        self.unblock(me, event.time);
                        self.block(event, Target::Thread(child));
                    }
                }
            }
            Op::Sleep => {
                self.unblock(me, event.time);
                self.thread_mut(me).activity = Activity::Sleeping { since: event.time, site: event.site };
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
            Op::Finding { .. } | Op::Mark { .. } => {}
            // Releases may be among what is missing: nothing that the thread held or waited for is known any more.
            Op::Dropped { .. } => {
                self.unblock(me, event.time);
                let held = std::mem::take(&mut self.thread_mut(me).held);
                for held in held {
                    self.release(held.lock, me, Some(held.mode));
                }
                self.forget_permits(me);
            }
            // Said from inside of the send, which may wait.
            Op::Sent { channel, .. } if self.waits_for(me, Target::Object(channel, Need::Room)) => {}
            Op::TryFailed { .. }
            | Op::TimedOut { .. }
            | Op::CondWake { .. }
            | Op::Notify { .. }
            | Op::Start
            | Op::Read { .. }
            | Op::Write { .. }
            | Op::AtomicLoad { .. }
            | Op::AtomicStore { .. }
            | Op::AtomicUpdate { .. }
            | Op::Fence { .. }
            | Op::Unblock { .. }
            | Op::PermitsAcquired { .. }
            | Op::PermitsReleased { .. }
            | Op::PermitsAdded { .. }
            | Op::PermitsForgotten { .. }
            | Op::BarrierArrived { .. }
            | Op::BarrierLeft { .. }
            | Op::Observed { .. }
            | Op::Sent { .. }
            | Op::Received { .. }
            | Op::HandleAdded { .. }
            | Op::HandleDropped { .. }
            | Op::SendFailed { .. }
            | Op::Disconnected { .. }
            | Op::Unparked
            | Op::Unpark { .. }
            | Op::Awake
            | Op::RegionBegin { .. }
            | Op::RegionEnd => self.unblock(me, event.time),
        }
        self.after_object(event);
    }

    /// Looks at what is needed for the events soon, to have it near; the result means nothing.
    pub(crate) fn touch(&self, events: &[Event]) -> u64 {
        let of = |event: &Event| match event.op {
            Op::Acquired { lock, .. } | Op::Released { lock, .. } => {
                let lock = self.lock(lock)?;
                Some(lock.acquisitions ^ lock.holders.first().map_or(0, |holder| holder.2.0))
            }
            _ => None,
        };
        events.iter().filter_map(of).fold(0, |all, one| all ^ one)
    }

    /// As [`apply`](Self::apply), of an access by a thread that runs and has nothing else under way; false, and nothing done, for others.
    #[inline]
    pub(crate) fn access(&mut self, event: &Event) -> bool {
        match self.threads.get_mut(event.thread.0 as usize) {
            Some(thread) if thread.activity == Activity::Running && thread.sending.is_none() => {
                thread.events += 1;
                thread.last_time = event.time;
                if event.site.is_some() {
                    thread.last_site = event.site;
                }
                self.position += 1;
                self.time = self.time.max(event.time);
                true
            }
            _ => false,
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
        let waited = matches!(self.wait_of(me), Some(Target::Lock(l, _)) if l == lock);
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

    /// Ends the latest hold of the mode; when none is said, an upgradable one only if there is no other.
    fn release(&mut self, lock: LockId, owner: ThreadId, mode: Option<Mode>) {
        let fits = |held: Mode| mode.map_or(held != Mode::Upgradable, |mode| mode == held);
        let held = &mut self.thread_mut(owner).held;
        let of_lock = |exact: bool| move |held: &Held| held.lock == lock && (!exact || fits(held.mode));
        if let Some(index) = held.iter().rposition(of_lock(true)).or_else(|| held.iter().rposition(of_lock(false))) {
            held.remove(index);
        }
        let holders = &mut self.lock_mut(lock).holders;
        let of_owner = |exact: bool| {
            move |(holder, held, _): &(ThreadId, Mode, Nanos)| *holder == owner && (!exact || fits(*held))
        };
        if let Some(index) =
            holders.iter().rposition(of_owner(true)).or_else(|| holders.iter().rposition(of_owner(false)))
        {
            holders.remove(index);
        }
    }

    fn block(&mut self, event: &Event, target: Target) {
        let Event { time: since, site, stack, .. } = *event;
        let how = if let Op::Wait { how, .. } = event.op { how } else { How::Lock };
        let limited = match event.op {
            Op::CondWait { limited, .. } | Op::Block { limited, .. } | Op::Park { limited } => limited,
            _ => how.is_timed(),
        };
        let event_number = self.position;
        self.thread_mut(event.thread).activity =
            Activity::Blocked(Wait { target, how, limited, since, site, stack, event: event_number });
    }

    /// The thread waits for a further thing besides.
    fn wait_also(&mut self, id: ThreadId, target: Target) {
        let thread = self.thread_mut(id);
        if thread.more.len() < MOST_TARGETS {
            thread.more.push(target);
        } else if let Activity::Blocked(wait) = &mut thread.activity {
            // Of what is not looked at nothing is claimed.
            wait.limited = true;
        }
    }

    /// Ends the wait of `id`, if it waits.
    fn unblock(&mut self, id: ThreadId, now: Nanos) {
        let thread = self.thread_mut(id);
        let Activity::Blocked(Wait { target, since, .. }) = thread.activity else { return };
        thread.activity = Activity::Running;
        thread.given_up = None;
        thread.blocked_total.0 = thread.blocked_total.0.saturating_add(now.since(since).0);
        let more = std::mem::take(&mut thread.more);
        for target in more.into_iter().chain([target]) {
            let (Target::Lock(lock, _) | Target::Object(lock, _)) = target else { continue };
            let waiters = &mut self.lock_mut(lock).waiters;
            if let Some(index) = waiters.iter().position(|(waiter, ..)| *waiter == id) {
                waiters.remove(index);
            }
        }
    }

    fn finish(&mut self, id: ThreadId, now: Nanos) {
        self.unblock(id, now);
        self.thread_mut(id).activity = Activity::Finished;
    }

    /// The first thing that the thread waits for.
    fn wait_of(&self, id: ThreadId) -> Option<Target> {
        self.thread(id)?.wait().map(|wait| wait.target)
    }

    /// Whether the thread waits for this, alone or among other things.
    fn waits_for(&self, id: ThreadId, target: Target) -> bool {
        self.thread(id).is_some_and(|thread| thread.targets().any(|waited| waited == target))
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
