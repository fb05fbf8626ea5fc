//! Interleaves threads into one order that respects every thread and every lock.
//!
//! Events go out by time unless that would contradict what must have happened: an acquisition waits for the one counted
//! before it and for the releases it needs, another counted event for the one counted before it, a thread's start for its
//! spawn, a join for the thread's end. So the order is exact
//! where it matters and the clocks only decide between events that do not depend on each other.
//!
//! Each thread's next event is its head. Heads that may go out compete by time (see `winners`); a head that has to wait is parked at
//! the lock or thread it waits for, and looked at again when that moves on.

use super::{
    head::{Head, Sort},
    header::Clock,
    lock_state::{Counter, LockState},
    stream::Stream,
    winners::Winners,
};
use crate::{Definitions, Event, Gap, How, LockId, Mode, Nanos, Op, ThreadId, VarId};

/// Gaps that are described; more are only counted.
const MAX_GAPS: usize = 100;

#[derive(Debug, Default)]
struct ThreadState {
    stream: Stream,
    head: Head,
    /// Its spawn was delivered, or nobody is known to have spawned it.
    spawned: bool,
    exited: bool,
    /// Threads whose head waits for this thread's spawn or end.
    parked: Vec<u32>,
}

#[derive(Debug, Default)]
pub(super) struct Merge {
    clock: Clock,
    threads: Vec<ThreadState>,
    locks: Vec<LockState>,
    vars: Vec<Counter>,
    winners: Winners,
    /// Threads without a head.
    idle: Vec<u32>,
    overwritten: bool,
    scan: u64,
    delivered: u64,
    /// Latest tick that was delivered.
    latest: u64,
    /// Acquisitions that were counted but not written, since their threads ended with the process.
    cut_off: u64,
    total_words: u64,
    /// The recorder could not go on: definitions may be missing, and events that name them are lost, not damaged.
    stopped: bool,
    /// Events that were recorded without what they name.
    pub(super) undefined_events: u64,
    pub(super) damaged_bytes: u64,
    pub(super) gaps: Vec<Gap>,
    pub(super) gap_count: u64,
    pub(super) complete_from: Option<Nanos>,
}

impl Merge {
    /// Sets the clock for what follows; called once after each scan.
    pub(super) fn set_clock(&mut self, clock: Clock) {
        self.scan += 1;
        if self.delivered == 0 {
            self.clock = clock;
        } else if !self.clock.has_rate_of(clock) {
            self.clock = self.clock.continued_by(clock, self.latest);
        }
    }

    pub(super) fn note_overwritten(&mut self, overwritten: bool) {
        self.overwritten = overwritten;
    }

    pub(super) fn note_stopped(&mut self, stopped: bool) {
        self.stopped = stopped;
    }

    /// Room for the threads and locks that are defined; called before events that name them are handed over.
    pub(super) fn grow(&mut self, defs: &Definitions) {
        for index in self.threads.len()..defs.threads.len() {
            self.threads.push(ThreadState { spawned: defs.threads[index].parent.is_none(), ..ThreadState::default() });
            self.idle.push(index as u32);
        }
        self.winners.grow(self.threads.len());
        self.locks.resize_with(defs.locks.len(), LockState::default);
        self.vars.resize_with(defs.vars.len(), Counter::default);
    }

    /// Begins a thread's section. False when the thread is not defined or the section is already there.
    pub(super) fn begin(&mut self, thread: u32, number: u32, ticks: u64) -> bool {
        self.threads.get_mut(thread as usize).is_some_and(|state| state.stream.begin(number, ticks))
    }

    pub(super) fn append(&mut self, thread: u32, number: u32, words: &[u64]) {
        if let Some(state) = self.threads.get_mut(thread as usize) {
            state.stream.append(number, words);
            self.total_words += words.len() as u64;
        }
    }

    /// A section's chunk was overwritten before all of it was copied.
    pub(super) fn lose(&mut self, thread: u32, number: u32) {
        if let Some(state) = self.threads.get_mut(thread as usize) {
            state.stream.lose(number);
        }
    }

    pub(super) fn complete(&mut self, thread: u32, number: u32) {
        if let Some(state) = self.threads.get_mut(thread as usize) {
            state.stream.complete(number);
        }
    }

    /// Share of the copied records that was delivered.
    pub(super) fn fraction_delivered(&self) -> f64 {
        let consumed: u64 = self.threads.iter().map(|thread| thread.stream.consumed_words).sum();
        if self.total_words == 0 { 0.0 } else { consumed as f64 / self.total_words as f64 }
    }

    /// Words that were copied and not delivered.
    pub(super) fn waiting_words(&self) -> u64 {
        let consumed: u64 = self.threads.iter().map(|thread| thread.stream.consumed_words).sum();
        self.total_words.saturating_sub(consumed)
    }

    /// Whether a flight recorder has overwritten older events.
    pub(super) fn is_overwritten(&self) -> bool {
        self.overwritten
    }

    /// Delivers events until `out` has `limit` of them or none may go out.
    pub(super) fn run(&mut self, defs: &Definitions, out: &mut Vec<Event>, limit: usize, missing: Missing) {
        let last = missing == Missing::AndNothingFollows;
        for thread in std::mem::take(&mut self.idle) {
            self.load(thread, defs, last);
        }
        while out.len() < limit {
            let Some(thread) = self.winners.first() else {
                let released = match missing {
                    Missing::MayCome => false,
                    Missing::IsLost => self.release_one_parked(),
                    Missing::AndNothingFollows => self.skip_cut_off() || self.release_one_parked(),
                };
                if released {
                    continue;
                }
                break;
            };
            match self.obstacle(thread) {
                None => {
                    self.apply(thread);
                    let head = &self.threads[thread as usize].head;
                    self.delivered += 1;
                    self.latest = self.latest.max(head.ticks);
                    out.push(head.event(ThreadId(thread), self.clock.nanos(head.ticks)));
                    self.load(thread, defs, last);
                }
                Some(obstacle) => self.park(thread, obstacle),
            }
        }
    }

    /// Lets a thread's head wait.
    fn park(&mut self, thread: u32, obstacle: Obstacle) {
        self.winners.set(thread, None);
        match obstacle {
            Obstacle::Count(place) => self.counter(place).parked.push(thread),
            Obstacle::Thread(other) => self.threads[other.0 as usize].parked.push(thread),
        }
    }

    #[inline]
    fn load(&mut self, thread: u32, defs: &Definitions, last: bool) {
        let state = &mut self.threads[thread as usize];
        let is_there = state.stream.next(&mut state.head, ThreadId(thread), defs, self.scan, last);
        self.winners.set(thread, is_there.then_some(state.head.ticks));
        if state.stream.has_complaints() {
            self.note_complaints(thread);
        }
        if !is_there {
            self.idle.push(thread);
        } else if self.threads[thread as usize].stream.is_fresh() {
            self.note_window(thread);
        }
    }

    /// The first event of a section: from there on everything of the thread is there.
    #[cold]
    fn note_window(&mut self, thread: u32) {
        let state = &mut self.threads[thread as usize];
        let held_before = matches!(
            state.head.op(ThreadId(thread)),
            Op::Acquired { count: 0, .. } | Op::PermitsAcquired { count: 0, .. } | Op::Dropped { .. }
        );
        if !held_before && state.stream.is_first_after_loss() {
            self.complete_from = self.complete_from.max(Some(self.clock.nanos(state.head.ticks)));
        }
    }

    #[cold]
    fn note_complaints(&mut self, thread: u32) {
        let stream = &mut self.threads[thread as usize].stream;
        self.damaged_bytes += std::mem::take(&mut stream.damaged_words) * 8;
        let (events, words) = std::mem::take(&mut stream.undefined);
        if self.stopped {
            self.undefined_events += events;
        } else {
            self.damaged_bytes += words * 8;
        }
    }

    /// What the thread's event has to wait for.
    #[inline]
    fn obstacle(&self, thread: u32) -> Option<Obstacle> {
        let head = &self.threads[thread as usize].head;
        match head.sort {
            Sort::Acquired => self.obstacle_to_acquisition(ThreadId(thread), head),
            Sort::Released | Sort::None => None,
            Sort::Other => self.obstacle_to_other(ThreadId(thread), head.op(ThreadId(thread))),
        }
    }

    #[inline]
    fn obstacle_to_acquisition(&self, thread: ThreadId, head: &Head) -> Option<Obstacle> {
        let state = &self.locks[head.lock.0 as usize];
        let expected = head.count == 0 || state.counter.expects(u64::from(head.count), self.overwritten);
        let free = match (head.how, head.mode) {
            _ if head.count == 0 => true,
            (How::Downgrade, _) => true,
            (How::Upgrade, _) => state.shared.iter().all(|&reader| reader == thread),
            (_, Mode::Exclusive) => state.is_free(),
            (_, Mode::Shared) => state.exclusive.is_none(),
            (_, Mode::Upgradable) => state.exclusive.is_none() && state.upgradable.is_none(),
        };
        (!expected || !free).then_some(Obstacle::Count(Place::Lock(head.lock)))
    }

    fn obstacle_to_other(&self, thread: ThreadId, op: Op) -> Option<Obstacle> {
        match op {
            // Given away guards are released by others, after their acquisition.
            Op::Released { lock, owner, .. } if owner != thread => {
                (!self.locks[lock.0 as usize].is_held_by(owner)).then_some(Obstacle::Count(Place::Lock(lock)))
            }
            Op::Observed { object, initialised } if initialised != 0 => {
                let state = &self.locks[object.0 as usize];
                let after = state.counter.has_passed(initialised, self.overwritten) && state.exclusive.is_none();
                (!after).then_some(Obstacle::Count(Place::Lock(object)))
            }
            Op::Start => (!self.threads[thread.0 as usize].spawned).then_some(Obstacle::Thread(thread)),
            Op::Joined { child } => (!self.threads[child.0 as usize].exited).then_some(Obstacle::Thread(child)),
            op => {
                let (place, count) = counted(&op)?;
                let counter = match place {
                    Place::Lock(lock) => &self.locks[lock.0 as usize].counter,
                    Place::Var(var) => &self.vars[var.0 as usize],
                };
                (!counter.expects(count, self.overwritten)).then_some(Obstacle::Count(place))
            }
        }
    }

    fn counter(&mut self, place: Place) -> &mut Counter {
        match place {
            Place::Lock(lock) => &mut self.locks[lock.0 as usize].counter,
            Place::Var(var) => &mut self.vars[var.0 as usize],
        }
    }

    /// Notes what the thread's event does to what others wait for.
    #[inline]
    fn apply(&mut self, thread: u32) {
        let head = &self.threads[thread as usize].head;
        let (id, lock) = (ThreadId(thread), head.lock);
        match head.sort {
            Sort::Acquired => {
                let (count, mode, how) = (u64::from(head.count), head.mode, head.how);
                self.locks[lock.0 as usize].acquired(id, count, mode, how);
                self.unpark_at(Place::Lock(lock));
            }
            Sort::Released => {
                self.locks[lock.0 as usize].remove(id, None);
                self.unpark_at(Place::Lock(lock));
            }
            Sort::Other | Sort::None => self.apply_other(id, head.op(id)),
        }
    }

    fn apply_other(&mut self, thread: ThreadId, op: Op) {
        match op {
            Op::Acquired { lock, mode, how, count } => {
                self.locks[lock.0 as usize].acquired(thread, count, mode, how);
                self.unpark_at(Place::Lock(lock));
            }
            Op::Released { lock, owner, mode, .. } => {
                self.locks[lock.0 as usize].remove(owner, mode);
                self.unpark_at(Place::Lock(lock));
            }
            Op::Spawn { child } => {
                self.threads[child.0 as usize].spawned = true;
                self.unpark_at_thread(child);
            }
            Op::Exit => {
                self.threads[thread.0 as usize].exited = true;
                self.unpark_at_thread(thread);
            }
            // Releases may be among what is missing.
            Op::Dropped { .. } => {
                for index in 0..self.locks.len() {
                    if self.locks[index].is_held_by(thread) {
                        while self.locks[index].is_held_by(thread) {
                            self.locks[index].remove(thread, None);
                        }
                        self.unpark_at(Place::Lock(LockId(index as u32)));
                    }
                }
            }
            op => {
                if let Some((place, count)) = counted(&op) {
                    self.counter(place).pass(count);
                    self.unpark_at(place);
                }
            }
        }
    }

    #[inline]
    fn unpark_at(&mut self, place: Place) {
        if !self.counter(place).parked.is_empty() {
            self.unpark_some(place);
        }
    }

    fn unpark_some(&mut self, place: Place) {
        // Only those that may go out now leave: with many waiters all others would come straight back.
        let parked = std::mem::take(&mut self.counter(place).parked);
        let mut still = Vec::with_capacity(parked.len());
        for thread in parked {
            let head = &self.threads[thread as usize].head;
            let ticks = head.ticks;
            if head.sort == Sort::None {
                continue;
            }
            match self.obstacle(thread) {
                Some(_) => still.push(thread),
                None => self.winners.set(thread, Some(ticks)),
            }
        }
        self.counter(place).parked = still;
    }

    /// When the thread's event is, if it has one.
    fn ticks_of(&self, thread: u32) -> Option<u64> {
        let head = &self.threads[thread as usize].head;
        (head.sort != Sort::None).then_some(head.ticks)
    }

    fn unpark_at_thread(&mut self, thread: ThreadId) {
        for parked in std::mem::take(&mut self.threads[thread.0 as usize].parked) {
            if let Some(ticks) = self.ticks_of(parked) {
                self.winners.set(parked, Some(ticks));
            }
        }
    }

    /// Lets an acquisition go although others before it were only counted: the process ended, by `kill -9` perhaps, after
    /// threads had counted theirs and before they had written it. That is no gap: what is committed is there.
    ///
    /// It takes holders beside each other, since an exclusive one is committed before the next is counted; and each
    /// thread can have been cut off once, at its very end.
    fn skip_cut_off(&mut self) -> bool {
        let ended_early =
            self.threads.iter().filter(|state| !state.exited && state.head.sort == Sort::None).count() as u64;
        let left = ended_early.saturating_sub(self.cut_off);
        let parked = self.parked_at_counters().filter_map(|thread| {
            self.ticks_of(thread)?;
            let op = self.threads[thread as usize].head.op(ThreadId(thread));
            let (place, next, beside) = match op {
                Op::Acquired { lock, mode, .. } => {
                    let state = &self.locks[lock.0 as usize];
                    let beside = mode != Mode::Exclusive && state.exclusive.is_none();
                    (Place::Lock(lock), state.counter.next, beside)
                }
                _ => match counted(&op)?.0 {
                    place @ Place::Lock(lock) => (place, self.locks[lock.0 as usize].counter.next, true),
                    place @ Place::Var(var) => (place, self.vars[var.0 as usize].next, true),
                },
            };
            let skipped = (op.count()? as u32).wrapping_sub(next.unwrap_or(1));
            (beside && skipped > 0 && u64::from(skipped) <= left).then_some((skipped, thread, place))
        });
        let Some((skipped, thread, place)) = parked.min_by_key(|&(skipped, thread, _)| (skipped, thread)) else {
            return false;
        };
        self.cut_off += u64::from(skipped);
        let counter = self.counter(place);
        counter.next = Some(counter.next.unwrap_or(1).wrapping_add(skipped));
        counter.parked.retain(|&parked| parked != thread);
        let ticks = self.threads[thread as usize].head.ticks;
        self.winners.set(thread, Some(ticks));
        true
    }

    /// Threads whose head waits for its turn at a lock, another object or a memory location.
    fn parked_at_counters(&self) -> impl Iterator<Item = u32> {
        let counters = self.locks.iter().map(|lock| &lock.counter).chain(&self.vars);
        counters.flat_map(|counter| counter.parked.iter().copied())
    }

    /// Lets the earliest parked event go although something before it is missing.
    fn release_one_parked(&mut self) -> bool {
        let parked_at_threads = self.threads.iter().flat_map(|thread| thread.parked.iter().copied());
        let parked = self.parked_at_counters().chain(parked_at_threads);
        let earliest = parked.filter_map(|thread| Some((self.ticks_of(thread)?, thread))).min();
        let Some((ticks, thread)) = earliest else { return false };
        let op = self.threads[thread as usize].head.op(ThreadId(thread));
        if let Op::Observed { object, .. } = op {
            // No gap: it was initialised. Missing is the latest acquisition, by one who had waited for that, at the process' end.
            self.locks[object.0 as usize].counter.parked.retain(|&parked| parked != thread);
            self.threads[thread as usize].head.set_other(ticks, Op::Observed { object, initialised: 0 });
            self.winners.set(thread, Some(ticks));
            return true;
        }
        let what = match op {
            Op::Acquired { lock, count, mode, .. } => {
                let state = &mut self.locks[lock.0 as usize];
                let expected = state.counter.next.unwrap_or(1);
                state.counter.next = Some(count as u32);
                if mode != Mode::Shared {
                    state.shared.clear();
                }
                state.exclusive = None;
                state.upgradable = None;
                state.counter.parked.retain(|&parked| parked != thread);
                format!("acquisition {count} of {lock} without what came before (expected {expected})")
            }
            Op::Released { lock, owner, .. } => {
                let state = &mut self.locks[lock.0 as usize];
                state.counter.parked.retain(|&parked| parked != thread);
                state.shared.push(owner);
                format!("release of {lock} that {owner} had acquired, without the acquisition")
            }
            Op::Start => {
                self.threads[thread as usize].spawned = true;
                self.threads[thread as usize].parked.retain(|&parked| parked != thread);
                format!("start of {} without its spawn", ThreadId(thread))
            }
            Op::Joined { child } => {
                self.threads[child.0 as usize].exited = true;
                self.threads[child.0 as usize].parked.retain(|&parked| parked != thread);
                format!("join of {child} without its end")
            }
            op => match counted(&op) {
                Some((place, count)) => {
                    let counter = self.counter(place);
                    let expected = counter.next.replace(count as u32).unwrap_or(1);
                    counter.parked.retain(|&parked| parked != thread);
                    let whose = match place {
                        Place::Lock(lock) => lock.to_string(),
                        Place::Var(VarId(var)) => format!("memory location {var}"),
                    };
                    format!("event {count} of {whose} ({}) without what came before (expected {expected})", op.name())
                }
                None => "an event out of order".to_owned(),
            },
        };
        self.winners.set(thread, Some(ticks));
        // The start of a flight recorder's window is said once, as the time from which on everything is there.
        if !self.overwritten {
            self.gap_count += 1;
            if self.gaps.len() < MAX_GAPS {
                self.gaps.push(Gap { event: self.delivered + 1, thread: ThreadId(thread), what });
            }
        }
        true
    }
}

/// What to do about an event whose predecessor is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Missing {
    /// Wait for it.
    MayCome,
    /// Go on without, and note the gap.
    IsLost,
    /// The same, and no thread will write any more.
    AndNothingFollows,
}

enum Obstacle {
    Count(Place),
    Thread(ThreadId),
}

/// What counts events.
#[derive(Clone, Copy)]
enum Place {
    Lock(LockId),
    Var(VarId),
}

/// Whose event it is and which one, for events that simply follow the one counted before.
fn counted(op: &Op) -> Option<(Place, u64)> {
    let count = op.count()?;
    let place = op.lock().map(Place::Lock).or_else(|| op.var().map(Place::Var))?;
    Some((place, count))
}
