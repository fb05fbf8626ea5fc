//! Interleaves threads into one order that respects every thread and every lock.
//!
//! Events go out by time unless that would contradict what must have happened: an acquisition waits for the one counted
//! before it and for the releases it needs, another counted event for the one counted before it, a thread's start for its
//! spawn, a join for the thread's end. So the order is exact
//! where it matters and the clocks only decide between events that do not depend on each other.
//!
//! Each thread's next event is its head. Heads that may go out compete by time (see `winners`), and who wins goes on until another one is
//! earlier; a head that has to wait is parked at the lock or thread it waits for, and looked at again when that moves on.
//!
//! Where a flight recorder has overwritten older events, what an event waits for may be lost. It is lost when it is not among what was copied
//! (`scout`) although it would have to be: of two events that depend on each other the first is committed before the second is, so whatever
//! one look at the file finds, the next one finds all that led to it, unless it was overwritten meanwhile.

mod gaps;
mod missing;

use self::gaps::Gaps;
use super::{
    head::{Head, Sort, touched},
    header::Clock,
    lock_state::{Counter, Locks, Waiting},
    scout::Sight,
    stream::Stream,
    winners::Winners,
};
use crate::{Definitions, Event, How, LockId, Mode, Nanos, Op, ThreadId, VarId, format::code};

#[derive(Debug, Default)]
struct ThreadState {
    stream: Stream,
    head: Head,
    /// Its spawn was delivered, or nobody is known to have spawned it.
    spawned: bool,
    exited: bool,
    /// In a flight recorder: its spawn, or its end, was copied.
    spawn_is_queued: bool,
    exit_is_queued: bool,
    /// What its head waits for.
    parked_at: Option<Obstacle>,
    /// Threads whose head waits for this thread's spawn or end.
    parked: Vec<u32>,
}

#[derive(Debug, Default)]
struct Var {
    counter: Counter,
    waiting: Waiting,
}

#[derive(Debug, Default)]
pub(super) struct Merge {
    clock: Clock,
    threads: Vec<ThreadState>,
    locks: Locks,
    vars: Vec<Var>,
    winners: Winners,
    /// Threads without a head that may have one now.
    idle: Vec<u32>,
    /// A flight recorder has overwritten older events.
    overwritten: bool,
    /// Ticks by which clocks of events may be too early.
    slack: u64,
    /// Of old events before this tick, all that had to happen before them was copied, if it was not lost.
    judged_until: u64,
    /// Somebody else's event may go out now.
    disturbed: bool,
    /// Everything was copied.
    last: bool,
    round: u64,
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
    pub(super) gaps: Gaps,
    pub(super) complete_from: Option<Nanos>,
}

impl Merge {
    /// Sets the clock for what follows; called once after each look. In `slack` ticks everything happens that times are not exact about.
    pub(super) fn set_clock(&mut self, clock: Clock, slack: u64) {
        self.slack = slack;
        if self.delivered == 0 {
            self.clock = clock;
        } else if !self.clock.has_rate_of(clock) {
            self.clock = self.clock.continued_by(clock, self.latest);
        }
    }

    pub(super) fn note_stopped(&mut self, stopped: bool) {
        self.stopped = stopped;
    }

    /// No thread will write any more, and all was copied.
    pub(super) fn note_nothing_follows(&mut self) {
        self.last = true;
        self.wake_idle();
    }

    /// Makes room for the threads and locks that are defined; called before events that name them are handed over. `overwritten` when a
    /// flight recorder has overwritten older events.
    pub(super) fn begin_round(&mut self, defs: &Definitions, overwritten: bool) {
        self.round += 1;
        for index in self.threads.len()..defs.threads.len() {
            self.threads.push(ThreadState { spawned: defs.threads[index].parent.is_none(), ..ThreadState::default() });
        }
        self.wake_idle();
        self.winners.grow(self.threads.len());
        self.locks.grow(defs.locks.len());
        self.vars.resize_with(defs.vars.len(), Var::default);
        if overwritten {
            self.threads.iter_mut().for_each(|thread| thread.stream.grow_old());
        }
        if overwritten && !std::mem::replace(&mut self.overwritten, overwritten) {
            self.scout_all(defs);
        }
    }

    fn wake_idle(&mut self) {
        let idle = self.threads.iter().enumerate().filter(|(_, state)| state.head.sort == Sort::None);
        self.idle = idle.map(|(thread, _)| thread as u32).collect();
    }

    /// Begins a thread's section. False when the thread is not defined or the section is already there.
    pub(super) fn begin(&mut self, thread: u32, number: u32, ticks: u64) -> bool {
        self.threads.get_mut(thread as usize).is_some_and(|state| state.stream.begin(number, ticks))
    }

    /// Appends to a thread's section; see [`Stream::append`].
    pub(super) fn append(&mut self, thread: u32, number: u32, words: &[u64], old: usize, defs: &Definitions) {
        let Some(state) = self.threads.get_mut(thread as usize) else { return };
        if !state.stream.append(number, words, if self.overwritten { old } else { 0 }) {
            return;
        }
        self.total_words += words.len() as u64;
        self.idle.push(thread);
        if self.overwritten {
            let mut sights = Vec::new();
            state.stream.scout(number, defs, &mut |sight| sights.push(sight));
            sights.into_iter().for_each(|sight| self.see(thread, sight));
        }
    }

    /// A section's chunk was overwritten before all of it was copied.
    pub(super) fn lose(&mut self, thread: u32, number: u32) {
        if let Some(state) = self.threads.get_mut(thread as usize) {
            state.stream.lose(number);
            self.idle.push(thread);
        }
    }

    pub(super) fn complete(&mut self, thread: u32, number: u32) {
        if let Some(state) = self.threads.get_mut(thread as usize) {
            state.stream.complete(number);
            self.idle.push(thread);
        }
    }

    /// Words that were delivered.
    pub(super) fn consumed_words(&self) -> u64 {
        self.threads.iter().map(|thread| thread.stream.consumed_words).sum()
    }

    /// Words that were copied and not delivered.
    pub(super) fn waiting_words(&self) -> u64 {
        self.total_words.saturating_sub(self.consumed_words())
    }

    /// Whether every event that is here waits for another one.
    pub(super) fn is_stalled(&self) -> bool {
        self.winners.first().is_none()
    }

    /// Whether a flight recorder has overwritten older events.
    pub(super) fn is_overwritten(&self) -> bool {
        self.overwritten
    }

    /// Notes what was found by looking ahead.
    fn see(&mut self, thread: u32, sight: Sight) {
        match sight {
            Sight::OfLock(LockId(lock), count) => self.locks.cold[lock as usize].waiting.enqueue(count),
            Sight::OfVar(VarId(var), count) => self.vars[var as usize].waiting.enqueue(count),
            Sight::Spawn(ThreadId(child)) => self.threads[child as usize].spawn_is_queued = true,
            Sight::Exit => self.threads[thread as usize].exit_is_queued = true,
        }
    }

    /// Looks at everything that waits here, since from now on it has to be known.
    fn scout_all(&mut self, defs: &Definitions) {
        let mut sights = Vec::new();
        for thread in 0..self.threads.len() as u32 {
            let ThreadState { stream, head, .. } = &mut self.threads[thread as usize];
            if head.sort != Sort::None {
                match head.op(ThreadId(thread)) {
                    Op::Spawn { child } => sights.push((thread, Sight::Spawn(child))),
                    Op::Exit => sights.push((thread, Sight::Exit)),
                    op => match counted(&op) {
                        Some((Place::Lock(lock), count)) => sights.push((thread, Sight::OfLock(lock, count))),
                        Some((Place::Var(var), count)) => sights.push((thread, Sight::OfVar(var, count))),
                        None => {}
                    },
                }
            }
            stream.scout_all(defs, &mut |sight| sights.push((thread, sight)));
        }
        sights.into_iter().for_each(|(thread, sight)| self.see(thread, sight));
    }

    /// Delivers events until `out` has `limit` of them or none may go out. What is not copied yet is not before `horizon`.
    pub(super) fn run(&mut self, defs: &Definitions, out: &mut Vec<Event>, limit: usize, horizon: u64) {
        self.judged_until = if horizon == u64::MAX { horizon } else { horizon.saturating_sub(self.slack) };
        for thread in std::mem::take(&mut self.idle) {
            if self.threads[thread as usize].head.sort == Sort::None {
                self.load(thread, defs);
                self.announce(thread);
            }
        }
        while out.len() < limit {
            let Some((ticks, thread)) = self.winners.first() else {
                if self.overwritten && self.retry_parked() || self.last && self.go_on_without() {
                    continue;
                }
                break;
            };
            if ticks >= self.judged_until {
                break;
            }
            self.run_thread(thread, defs, out, limit);
        }
    }

    /// Delivers the events of one thread until those of another are earlier.
    fn run_thread(&mut self, thread: u32, defs: &Definitions, out: &mut Vec<Event>, limit: usize) {
        let mut rival = self.winners.rival(thread).min(self.judged_until);
        self.disturbed = false;
        loop {
            if let Err(obstacle) = self.deliver(thread, out) {
                self.winners.set(thread, None);
                return self.park(thread, obstacle);
            }
            if self.disturbed {
                self.disturbed = false;
                rival = self.winners.rival(thread).min(self.judged_until);
            }
            self.run_free(thread, rival, defs, out, limit);
            self.load(thread, defs);
            let head = &self.threads[thread as usize].head;
            if head.sort == Sort::None || head.ticks >= rival || out.len() >= limit {
                return self.announce(thread);
            }
        }
    }

    /// Delivers a thread's head, or says what that has to wait for. What it is, is asked once: no processor foresees it.
    #[inline]
    fn deliver(&mut self, thread: u32, out: &mut Vec<Event>) -> Result<(), Obstacle> {
        let id = ThreadId(thread);
        let head = &self.threads[thread as usize].head;
        let (ticks, lock) = (head.ticks, head.lock);
        let event = if head.sort == Sort::Acquired {
            let Head { count, mode, how, .. } = *head;
            if let Some(obstacle) = self.obstacle_to_acquisition(id, head) {
                return Err(obstacle);
            }
            let op = Op::Acquired { lock, mode, how, count: u64::from(count) };
            let event = Event { thread: id, time: self.clock.nanos(ticks), site: head.site, stack: head.stack, op };
            if self.overwritten {
                self.note_counted(Place::Lock(lock), count, ticks);
            }
            let hot = &mut self.locks.hot[lock.0 as usize];
            if mode == Mode::Exclusive && hot.is_free() {
                hot.take(id, count);
            } else {
                self.locks.acquired(lock.0 as usize, id, count, mode, how);
            }
            self.unpark_at(Place::Lock(lock));
            event
        } else if head.sort == Sort::Released {
            let op = Op::Released { lock, owner: id, mode: None, access: head.access };
            let event = Event { thread: id, time: self.clock.nanos(ticks), site: head.site, stack: head.stack, op };
            if !self.locks.hot[lock.0 as usize].give_back(id) {
                self.locks.remove(lock.0 as usize, id, None);
            }
            self.unpark_at(Place::Lock(lock));
            event
        } else if head.sort == Sort::Touched {
            head.event(id, self.clock.nanos(ticks))
        } else {
            let op = head.op(id);
            if let Some(obstacle) = self.obstacle_to_other(id, op) {
                return Err(obstacle);
            }
            let event = head.event(id, self.clock.nanos(ticks));
            self.apply_other(id, op);
            event
        };
        self.delivered += 1;
        self.latest = self.latest.max(ticks);
        out.push(event);
        Ok(())
    }

    /// Delivers what waits for nobody, as long as it is next: plain accesses, and acquisitions that are released at once of locks for which
    /// nobody waits.
    #[inline]
    fn run_free(&mut self, thread: u32, rival: u64, defs: &Definitions, out: &mut Vec<Event>, limit: usize) {
        let stream = &mut self.threads[thread as usize].stream;
        while out.len() + 1 < limit {
            if let Some(touch) = stream.peek_touch(rival, defs) {
                stream.take_touch(&touch);
                self.delivered += 1;
                self.latest = self.latest.max(touch.ticks);
                let (time, op) = (self.clock.nanos(touch.ticks), touched(touch.var, touch.writes));
                out.push(Event { thread: ThreadId(thread), time, site: touch.site, stack: None, op });
                continue;
            }
            if self.overwritten {
                return;
            }
            let Some(pair) = stream.peek_pair(rival) else { return };
            let slot = &pair.slot;
            let hot = &mut self.locks.hot[slot.lock.0 as usize];
            let is_plain = !matches!(slot.how, How::Upgrade | How::Downgrade) && slot.mode != Mode::Upgradable;
            if !is_plain || !hot.lets_pass(slot.count, slot.mode) {
                return;
            }
            hot.counter.pass(slot.count);
            stream.take_pair(&pair);
            self.delivered += 2;
            self.latest = self.latest.max(pair.released_at);
            let id = ThreadId(thread);
            let acquired =
                Op::Acquired { lock: slot.lock, mode: slot.mode, how: slot.how, count: u64::from(slot.count) };
            let time = self.clock.nanos(pair.acquired_at);
            out.push(Event { thread: id, time, site: slot.site, stack: None, op: acquired });
            let access = code::parse_access(pair.access);
            let released = Op::Released { lock: slot.lock, owner: id, mode: None, access };
            let time = self.clock.nanos(pair.released_at);
            out.push(Event { thread: id, time, site: None, stack: None, op: released });
        }
    }

    /// Lets a thread's head wait.
    fn park(&mut self, thread: u32, obstacle: Obstacle) {
        self.threads[thread as usize].parked_at = Some(obstacle);
        match obstacle {
            Obstacle::Count(place) => {
                let (counter, waiting) = self.place(place);
                counter.is_awaited = true;
                waiting.parked.push(thread);
            }
            Obstacle::Thread(other) => self.threads[other.0 as usize].parked.push(thread),
        }
    }

    /// Lets a thread's head compete again.
    fn unpark(&mut self, thread: u32) {
        match self.threads[thread as usize].parked_at.take() {
            Some(Obstacle::Count(place)) => {
                let (counter, waiting) = self.place(place);
                waiting.parked.retain(|&parked| parked != thread);
                counter.is_awaited = !waiting.parked.is_empty();
            }
            Some(Obstacle::Thread(other)) => {
                self.threads[other.0 as usize].parked.retain(|&parked| parked != thread);
            }
            None => {}
        }
        self.announce(thread);
    }

    /// Lets a thread's head compete, if it has one.
    #[inline]
    fn announce(&mut self, thread: u32) {
        let head = &self.threads[thread as usize].head;
        let is_there = head.sort != Sort::None;
        self.winners.set(thread, is_there.then_some(head.ticks));
        self.disturbed = true;
    }

    #[inline]
    fn load(&mut self, thread: u32, defs: &Definitions) {
        let state = &mut self.threads[thread as usize];
        let is_there = state.stream.next(&mut state.head, defs, self.round, self.last);
        if state.stream.has_complaints() {
            self.note_complaints(thread);
        }
        if is_there && self.threads[thread as usize].stream.is_fresh() {
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
            Sort::Released | Sort::Touched | Sort::None => None,
            Sort::Other => self.obstacle_to_other(ThreadId(thread), head.op(ThreadId(thread))),
        }
    }

    #[inline]
    fn obstacle_to_acquisition(&self, thread: ThreadId, head: &Head) -> Option<Obstacle> {
        let lock = head.lock.0 as usize;
        let hot = &self.locks.hot[lock];
        let place = Place::Lock(head.lock);
        // The usual case first.
        if hot.counter.next == head.count && head.mode == Mode::Exclusive && hot.is_free() {
            return None;
        }
        let may_go = head.count == 0
            || self.expects(thread, place, head.count) && self.locks.is_free_for(lock, thread, head.mode, head.how);
        (!may_go).then_some(Obstacle::Count(place))
    }

    fn obstacle_to_other(&self, thread: ThreadId, op: Op) -> Option<Obstacle> {
        match op {
            // Given away guards are released by others, after their acquisition.
            Op::Released { lock, owner, .. } if owner != thread => {
                (!self.locks.is_held_by(lock.0 as usize, owner)).then_some(Obstacle::Count(Place::Lock(lock)))
            }
            Op::Observed { object, initialised } if initialised != 0 => {
                let hot = &self.locks.hot[object.0 as usize];
                let after = hot.counter.has_passed(initialised as u32, self.overwritten) && hot.is_shareable();
                (!after).then_some(Obstacle::Count(Place::Lock(object)))
            }
            Op::Start => {
                let state = &self.threads[thread.0 as usize];
                let may_go = state.spawned || self.is_judged(thread) && !state.spawn_is_queued;
                (!may_go).then_some(Obstacle::Thread(thread))
            }
            Op::Joined { child } => {
                let state = &self.threads[child.0 as usize];
                let may_go = state.exited || self.is_judged(thread) && !state.exit_is_queued;
                (!may_go).then_some(Obstacle::Thread(child))
            }
            op => {
                let (place, count) = counted(&op)?;
                (!self.expects(thread, place, count)).then_some(Obstacle::Count(place))
            }
        }
    }

    /// Whether the thread's event, with this count, is next at its place: the one that follows, or the first one that is left of those
    /// that a flight recorder has not overwritten.
    fn expects(&self, thread: ThreadId, place: Place, count: u32) -> bool {
        let (counter, waiting) = match place {
            Place::Lock(lock) => (&self.locks.hot[lock.0 as usize].counter, &self.locks.cold[lock.0 as usize].waiting),
            Place::Var(var) => (&self.vars[var.0 as usize].counter, &self.vars[var.0 as usize].waiting),
        };
        let may_skip = || waiting.first_queued() == Some(count) && self.is_judged(thread);
        // Late is better than never.
        counter.next == count || self.overwritten && (counter.is_late(count) || may_skip())
    }

    /// Whether all that had to happen before the thread's event is here, if it is not lost.
    fn is_judged(&self, thread: ThreadId) -> bool {
        let state = &self.threads[thread.0 as usize];
        self.overwritten && state.head.ticks < self.judged_until && (self.last || state.stream.is_old())
    }

    #[inline]
    fn place(&mut self, place: Place) -> (&mut Counter, &mut Waiting) {
        match place {
            Place::Lock(LockId(lock)) => {
                (&mut self.locks.hot[lock as usize].counter, &mut self.locks.cold[lock as usize].waiting)
            }
            Place::Var(VarId(var)) => {
                let var = &mut self.vars[var as usize];
                (&mut var.counter, &mut var.waiting)
            }
        }
    }

    /// A counted event of a flight recorder goes out.
    fn note_counted(&mut self, place: Place, count: u32, ticks: u64) {
        let time = self.clock.nanos(ticks);
        let (counter, waiting) = self.place(place);
        if counter.is_late(count) {
            self.complete_from = self.complete_from.max(Some(time));
        } else {
            waiting.dequeue(count);
        }
    }

    /// Notes what an event that is neither does to what others wait for.
    fn apply_other(&mut self, thread: ThreadId, op: Op) {
        match op {
            Op::Acquired { lock, mode, how, count } => {
                self.locks.acquired(lock.0 as usize, thread, count as u32, mode, how);
                self.unpark_at(Place::Lock(lock));
            }
            Op::Released { lock, owner, mode, .. } => {
                self.locks.remove(lock.0 as usize, owner, mode);
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
                    if self.locks.is_held_by(index, thread) {
                        while self.locks.is_held_by(index, thread) {
                            self.locks.remove(index, thread, None);
                        }
                        self.unpark_at(Place::Lock(LockId(index as u32)));
                    }
                }
            }
            op => {
                if let Some((place, count)) = counted(&op) {
                    if self.overwritten {
                        let ticks = self.threads[thread.0 as usize].head.ticks;
                        self.note_counted(place, count, ticks);
                    }
                    self.place(place).0.pass(count);
                    self.unpark_at(place);
                }
            }
        }
    }

    #[inline]
    fn unpark_at(&mut self, place: Place) {
        if self.place(place).0.is_awaited {
            self.unpark_some(place);
        }
    }

    fn unpark_some(&mut self, place: Place) {
        // Only those that may go out now leave: with many waiters all others would come straight back.
        let mut parked = std::mem::take(&mut self.place(place).1.parked);
        parked.retain(|&thread| {
            let may_go = self.obstacle(thread).is_none();
            if may_go {
                self.threads[thread as usize].parked_at = None;
                self.announce(thread);
            }
            !may_go
        });
        let (counter, waiting) = self.place(place);
        counter.is_awaited = !parked.is_empty();
        waiting.parked = parked;
    }

    fn unpark_at_thread(&mut self, thread: ThreadId) {
        for parked in std::mem::take(&mut self.threads[thread.0 as usize].parked) {
            self.threads[parked as usize].parked_at = None;
            self.announce(parked);
        }
    }

    /// Threads whose head waits, with it.
    fn parked(&self) -> impl Iterator<Item = (u32, &Head)> {
        let threads = self.threads.iter().enumerate();
        threads.filter(|(_, state)| state.parked_at.is_some()).map(|(thread, state)| (thread as u32, &state.head))
    }
}

/// What an event waits for.
#[derive(Clone, Copy, Debug)]
enum Obstacle {
    Count(Place),
    Thread(ThreadId),
}

/// What counts events.
#[derive(Clone, Copy, Debug)]
enum Place {
    Lock(LockId),
    Var(VarId),
}

/// Whose event it is and which one, for events that simply follow the one counted before.
fn counted(op: &Op) -> Option<(Place, u32)> {
    let count = op.count()?;
    let place = op.lock().map(Place::Lock).or_else(|| op.var().map(Place::Var))?;
    Some((place, count as u32))
}
