//! Happens-before: what of each thread is past for each other one, by everything that Rust programs synchronise with.
//!
//! | earlier | later |
//! | --- | --- |
//! | release of an exclusive lock | every later acquisition |
//! | release of a shared lock | later exclusive acquisitions, not shared ones |
//! | release of an upgradable lock | later exclusive and upgradable acquisitions |
//! | send | receipt of that message |
//! | receipt number k of a channel with a bound of n | end of send number k + n; with a bound of 0, of that message |
//! | drop of a handle | finding that side of the channel gone |
//! | all arrivals of a round of a barrier | all departures of that round |
//! | end of an initialiser | finding it done |
//! | permits given back or added | taking them, when those that were there before are taken first |
//! | notification while somebody waits | end of a wait by a notification |
//! | unpark | end of that thread's next park |
//! | spawn, last event of a thread | first event of the thread, join |
//! | release store (or a release fence before it), and read-modify-writes that continue it | acquire load that reads it (or an acquire fence after that) |
//!
//! Anything else orders nothing; above all, relaxed atomics do not. Where the trace does not tell which of several gave what was taken, more is
//! taken to be ordered, so that no race is reported that is none.
//!
//! Memory is that of a clock for each thread that runs, lock, and message or permit under way; clocks have an entry for each thread.

mod atomics;
mod locks;
mod objects;
mod threads;

use lockscope_trace::{Definitions, Event, LockId, LockKind, Mode, Op, ThreadId};

use self::{atomics::Atomics, locks::Locks, objects::Objects, threads::Threads};
use super::{
    clock::{Clocks, Epoch, Past, Row},
    holds::{Change, Did},
};

/// Which edges are followed besides those that always are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edges {
    /// Locks order. Without: only what holds whichever way round threads get their locks.
    pub locks: bool,
    /// Every atomic load is ordered after the store that it reads, whatever their orderings: in a schedule of the same events it has
    /// to be.
    pub reads_from: bool,
}

/// The clocks of all threads.
#[derive(Clone, Debug)]
pub struct Order {
    edges: Edges,
    clocks: Clocks,
    threads: Threads,
    locks: Locks,
    objects: Objects,
    atomics: Atomics,
}

impl Order {
    /// Nothing has happened yet.
    pub fn new(edges: Edges) -> Self {
        Order {
            edges,
            clocks: Clocks::default(),
            threads: Threads::default(),
            locks: Locks::default(),
            objects: Objects::default(),
            atomics: Atomics::default(),
        }
    }

    /// The time of a thread. Has to be called first for each event's thread: afterwards the event is after it.
    #[inline]
    pub fn now(&mut self, thread: ThreadId) -> Epoch {
        Epoch::new(thread, self.threads.enter(&mut self.clocks, thread).time)
    }

    /// What is past for a thread for which [`now`](Self::now) was called.
    #[inline]
    pub fn past(&self, thread: ThreadId) -> Past<'_> {
        self.clocks.get(self.threads.row(thread))
    }

    /// Takes in an event that is no plain read or write; `change` is what it does to what is held.
    pub fn event(&mut self, event: &Event, change: Change, definitions: &Definitions) {
        let Order { edges, clocks, threads, locks, objects, atomics } = self;
        let me = event.thread;
        if threads.enter(clocks, me).is_sending && !matches!(event.op, Op::Block { .. } | Op::Unblock { .. }) {
            objects.sent(clocks, threads, me);
        }
        match change.did() {
            Did::Take(lock, mode, before) if edges.locks => locks.taken(clocks, threads, me, (lock, mode, before)),
            Did::Give(lock, mode, owner) if edges.locks => locks.given(clocks, threads, me, (lock, mode), owner),
            Did::Take(..) | Did::Give(..) => {
                // What an initialiser did is past for those who find it done, whoever ran it.
                if let Did::Give(lock, ..) = change.did()
                    && is_once(definitions, lock)
                {
                    locks.given(clocks, threads, me, (lock, Mode::Exclusive), me);
                }
            }
            Did::Nothing => {
                let is_other = match event.op {
                    Op::Spawn { child } => {
                        threads.spawn(clocks, me, child);
                        false
                    }
                    Op::Joined { child } => {
                        threads.join(clocks, me, child);
                        false
                    }
                    // Which of them comes first is chance, as with locks.
                    Op::PermitsAcquired { .. } | Op::PermitsReleased { .. } if !edges.locks => false,
                    Op::Observed { object, .. } => {
                        locks.observed(clocks, threads, me, object);
                        false
                    }
                    Op::Destroyed { lock } => {
                        locks.destroyed(clocks, lock);
                        true
                    }
                    _ => true,
                };
                if is_other && !atomics.event(clocks, threads, event, edges.reads_from) {
                    objects.event(clocks, threads, event, definitions);
                }
            }
        }
    }

    /// A sender whose message was taken goes on: has to be called before a plain access is looked at.
    #[inline]
    pub fn access(&mut self, thread: ThreadId) -> Epoch {
        let entered = self.threads.enter(&mut self.clocks, thread);
        let time = entered.time;
        if entered.is_sending {
            self.objects.sent(&mut self.clocks, &mut self.threads, thread);
        }
        Epoch::new(thread, time)
    }

    /// Copies everything that is past for the thread into a row of the order's own table, made if need be, and begins a new time of the
    /// thread.
    #[inline]
    pub fn publish(&mut self, thread: ThreadId, row: &mut Option<Row>) {
        let clock = self.threads.row(thread);
        match *row {
            Some(row) => self.clocks.copy(row, clock),
            None => *row = Some(self.clocks.make_copy(clock)),
        }
        self.threads.tick(&mut self.clocks, thread);
    }

    /// What was published is past for the thread.
    #[inline]
    pub fn receive(&mut self, thread: ThreadId, row: Row) {
        self.clocks.join(self.threads.row(thread), row);
    }

    /// Everything that is past for `of`, and what it did, is past for the thread.
    pub fn receive_from(&mut self, thread: ThreadId, of: ThreadId) {
        self.now(thread);
        self.clocks.join(self.threads.row(thread), self.threads.row(of));
        self.threads.tick(&mut self.clocks, of);
    }

    /// What was published.
    pub fn published(&self, row: Row) -> Past<'_> {
        self.clocks.get(row)
    }

    /// Adds what is past for the thread, and what it did, to what was published.
    pub fn extend(&mut self, row: Row, thread: ThreadId) {
        self.clocks.join(row, self.threads.row(thread));
        self.threads.tick(&mut self.clocks, thread);
    }

    /// Gives the row of something published back.
    pub fn free(&mut self, row: Row) {
        self.clocks.free(row);
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> u64 {
        self.clocks.bytes() + self.threads.bytes() + self.locks.bytes() + self.objects.bytes() + self.atomics.bytes()
    }
}

fn is_once(definitions: &Definitions, lock: LockId) -> bool {
    let kind = definitions.lock(lock).map(|lock| lock.kind);
    matches!(kind, Some(LockKind::Once | LockKind::OnceLock | LockKind::LazyLock))
}

#[cfg(test)]
mod tests;
