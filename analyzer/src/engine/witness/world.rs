//! A world in which events are replayed, in the order of the trace or in another: who holds what, what is in channels, and
//! so on. Says whether an event can happen next.
//!
//! Knows nothing of the engines and takes nothing over from them: it is what their witnesses are judged by.

use std::collections::VecDeque;

use lockscope_trace::{Definitions, Event, How, LockId, LockKind, Mode, Op, ThreadId, VarId};
use rustc_hash::{FxHashMap, FxHashSet};

/// The state between two events.
#[derive(Debug, Default)]
pub(super) struct World {
    /// Events that each thread did.
    done: Vec<u64>,
    n_done: u64,
    started: FxHashSet<ThreadId>,
    held: FxHashMap<LockId, Vec<Hold>>,
    initialised: FxHashSet<LockId>,
    channels: FxHashMap<LockId, Channel>,
    sending: FxHashMap<ThreadId, (LockId, u64)>,
    notified: FxHashMap<LockId, u64>,
    /// Which condition variable a thread waits on, and how often it had been notified before.
    waiting: FxHashMap<ThreadId, (LockId, u64)>,
    tokens: FxHashSet<ThreadId>,
    /// Arrivals at barriers, operations on semaphores.
    counts: FxHashMap<LockId, u64>,
    /// The number of each thread's last arrival.
    arrived: FxHashMap<(ThreadId, LockId), u64>,
    permits: FxHashMap<LockId, i64>,
    writes: FxHashMap<VarId, u64>,
}

/// A lock that is held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    pub owner: ThreadId,
    pub mode: Mode,
    /// How often it was acquired without being released.
    depth: u64,
    /// Position of the event that acquired it, and the event.
    pub position: u64,
    pub taken: Event,
    /// How many events had been replayed before.
    pub index: u64,
}

#[derive(Debug, Default)]
struct Channel {
    queue: VecDeque<u64>,
    dropped: u64,
}

/// What an event saw in the trace that other orders of events might change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Saw {
    /// Nothing.
    Nothing,
    /// The write with this number; 0 for none.
    Write(u64),
    /// So many of something.
    Count(u64),
    /// That somebody else has the lock, or that nobody has.
    Taken(bool),
}

/// Why an event cannot happen next.
pub(super) type Broken = &'static str;

impl World {
    /// How many of its events the thread did.
    pub(super) fn done(&self, thread: ThreadId) -> u64 {
        self.done.get(thread.0 as usize).copied().unwrap_or(0)
    }

    pub(super) fn is_started(&self, thread: ThreadId) -> bool {
        self.started.contains(&thread)
    }

    pub(super) fn held(&self, lock: LockId) -> &[Hold] {
        self.held.get(&lock).map_or(&[], Vec::as_slice)
    }

    /// Whether somebody other than `thread` holds the lock so that it cannot be had in this mode.
    pub(super) fn is_taken(&self, thread: ThreadId, lock: LockId, mode: Mode) -> bool {
        self.held(lock).iter().any(|hold| hold.owner != thread && !hold.mode.compatible(mode))
    }

    /// What the event would see now.
    pub(super) fn saw(&self, event: &Event) -> Saw {
        match event.op {
            Op::Read { var } => Saw::Write(self.writes.get(&var).copied().unwrap_or(0)),
            Op::Disconnected { channel, .. } => Saw::Count(self.channels.get(&channel).map_or(0, |of| of.dropped)),
            Op::TryFailed { lock, mode } | Op::TimedOut { lock, mode } => {
                Saw::Taken(self.is_taken(event.thread, lock, mode))
            }
            _ => Saw::Nothing,
        }
    }

    /// Whether the event can happen now.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(super) fn allows(&self, event: &Event, definitions: &Definitions) -> Result<(), Broken> {
        let me = event.thread;
        let capacity = |object: LockId| definitions.lock(object).and_then(|object| object.capacity);
        let must = |holds: bool, otherwise: Broken| if holds { Ok(()) } else { Err(otherwise) };
        if let Some(&(channel, message)) = self.sending.get(&me)
            && !matches!(event.op, Op::Block { .. } | Op::SendFailed { .. })
            && let Some(capacity) = capacity(channel)
        {
            let place = self.channels.get(&channel).and_then(|of| of.queue.iter().position(|&sent| sent == message));
            must(place.is_none_or(|place| (place as u64) < capacity), "a message was sent into a full channel")?;
        }
        match event.op {
            Op::Acquired { lock, mode: Mode::Shared, .. } | Op::Observed { object: lock, .. }
                if is_once(definitions, lock) =>
            {
                must(self.initialised.contains(&lock), "a value was used before it was initialised")
            }
            Op::Acquired { lock, mode, how, .. } => {
                must(!self.is_taken(me, lock, mode), "a lock was acquired that another thread held")?;
                must(how != How::CondvarReacquire || self.is_notified(me), "a wait ended without a notification")
            }
            Op::Released { lock, owner, .. } => {
                must(self.held(lock).iter().any(|hold| hold.owner == owner), "a lock was released that was not held")
            }
            Op::CondWake { timed_out: false, .. } => must(self.is_notified(me), "a wait ended without a notification"),
            Op::Unparked => must(self.tokens.contains(&me), "a parked thread went on without a token"),
            Op::Received { channel, message, .. } => {
                let first = self.channels.get(&channel).and_then(|of| of.queue.front().copied());
                must(first.is_some_and(|first| message == 0 || first == message), "another message was received")
            }
            Op::BarrierLeft { barrier, .. } => {
                let n_arrived = self.counts.get(&barrier).copied().unwrap_or(0);
                let mine = self.arrived.get(&(me, barrier)).copied().unwrap_or(0);
                let is_full = match capacity(barrier) {
                    Some(parties @ 1..) => n_arrived >= mine.div_ceil(parties) * parties,
                    _ => true,
                };
                must(mine > 0 && is_full, "a barrier was left before all had arrived")
            }
            Op::PermitsAcquired { semaphore, permits, .. } => {
                let taken = self.permits.get(&semaphore).copied().unwrap_or(0);
                let left = capacity(semaphore).map(|capacity| capacity as i64 - taken);
                must(left.is_none_or(|left| left >= i64::from(permits)), "permits were acquired that nobody had left")
            }
            _ => Ok(()),
        }
    }

    /// The event happens. `number` is its position in the trace.
    pub(super) fn apply(&mut self, number: u64, event: &Event, definitions: &Definitions) {
        let me = event.thread;
        let index = me.0 as usize;
        if index >= self.done.len() {
            self.done.resize(index + 1, 0);
        }
        self.done[index] += 1;
        self.n_done += 1;
        if !self.sending.is_empty() && !matches!(event.op, Op::Block { .. }) {
            self.sending.remove(&me);
        }
        match event.op {
            Op::Spawn { child } => _ = self.started.insert(child),
            // Only what is initialised is shared.
            Op::Acquired { lock, mode: Mode::Shared, .. } if is_once(definitions, lock) => {}
            Op::Acquired { lock, mode, how, .. } => self.acquire(number, event, lock, mode, how),
            Op::Released { lock, owner, mode, .. } => {
                self.release(owner, lock, mode);
                if is_once(definitions, lock) {
                    self.initialised.insert(lock);
                }
            }
            Op::Write { var } => _ = self.writes.insert(var, number),
            Op::CondWait { condvar, .. } => {
                let before = self.notified.get(&condvar).copied().unwrap_or(0);
                self.waiting.insert(me, (condvar, before));
            }
            Op::CondWake { .. } => _ = self.waiting.remove(&me),
            Op::Notify { condvar, .. } => *self.notified.entry(condvar).or_default() += 1,
            Op::Sent { channel, count } => {
                self.channels.entry(channel).or_default().queue.push_back(count);
                self.sending.insert(me, (channel, count));
            }
            Op::SendFailed { channel, message } => self.take_out(channel, message),
            Op::Received { channel, message, .. } => self.take_out(channel, message),
            Op::HandleDropped { channel, .. } => self.channels.entry(channel).or_default().dropped += 1,
            Op::Unpark { thread } => _ = self.tokens.insert(thread),
            Op::Unparked => _ = self.tokens.remove(&me),
            Op::BarrierArrived { barrier, .. } => {
                let count = self.counts.entry(barrier).or_default();
                *count += 1;
                self.arrived.insert((me, barrier), *count);
            }
            Op::PermitsAcquired { semaphore, permits, .. } => {
                *self.permits.entry(semaphore).or_default() += i64::from(permits);
            }
            Op::PermitsReleased { semaphore, permits, .. } | Op::PermitsAdded { semaphore, permits, .. } => {
                *self.permits.entry(semaphore).or_default() -= i64::from(permits);
            }
            _ => {}
        }
    }

    fn is_notified(&self, thread: ThreadId) -> bool {
        let waiting = self.waiting.get(&thread);
        waiting.is_none_or(|(condvar, before)| self.notified.get(condvar).is_some_and(|count| count > before))
    }

    fn take_out(&mut self, channel: LockId, message: u64) {
        let queue = &mut self.channels.entry(channel).or_default().queue;
        match queue.iter().position(|&sent| sent == message) {
            Some(place) => _ = queue.remove(place),
            None if message == 0 => _ = queue.pop_front(),
            None => {}
        }
    }

    fn acquire(&mut self, position: u64, event: &Event, lock: LockId, mode: Mode, how: How) {
        let me = event.thread;
        let holds = self.held.entry(lock).or_default();
        if matches!(how, How::Upgrade | How::Downgrade) {
            let strength =
                |mode: Mode| [Mode::Shared, Mode::Upgradable, Mode::Exclusive].iter().position(|&m| m == mode);
            let before = (0..holds.len())
                .filter(|&index| holds[index].owner == me && holds[index].mode != mode)
                .max_by_key(|&index| strength(holds[index].mode));
            if let Some(before) = before {
                holds.remove(before);
            }
        } else if let Some(hold) = holds.iter_mut().find(|hold| hold.owner == me && hold.mode == mode) {
            hold.depth += 1;
            return;
        }
        holds.push(Hold { owner: me, mode, depth: 1, position, taken: *event, index: self.n_done - 1 });
    }

    fn release(&mut self, owner: ThreadId, lock: LockId, mode: Option<Mode>) {
        let Some(holds) = self.held.get_mut(&lock) else { return };
        let order = [Mode::Exclusive, Mode::Shared, Mode::Upgradable];
        let of = |wanted: Mode| holds.iter().position(|hold| hold.owner == owner && hold.mode == wanted);
        let found = order.into_iter().filter(|&wanted| mode.is_none_or(|mode| mode == wanted)).find_map(of);
        let Some(index) = found.or_else(|| holds.iter().position(|hold| hold.owner == owner)) else { return };
        holds[index].depth -= 1;
        if holds[index].depth == 0 {
            holds.remove(index);
        }
        if holds.is_empty() {
            self.held.remove(&lock);
        }
    }
}

fn is_once(definitions: &Definitions, lock: LockId) -> bool {
    let kind = definitions.lock(lock).map(|lock| lock.kind);
    matches!(kind, Some(LockKind::Once | LockKind::OnceLock | LockKind::LazyLock))
}
