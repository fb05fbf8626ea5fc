//! What orders threads besides forks and joins: who gave what somebody else took.

use std::collections::VecDeque;

use lockscope_trace::{Definitions, Event, LockId, LockKind, Mode, Op, ThreadId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::happens_before::{Edge, Lives};

/// Gives that may still be taken, by object.
#[derive(Debug, Default)]
pub(super) struct Sync {
    channels: FxHashMap<LockId, Channel>,
    barriers: FxHashMap<LockId, Barrier>,
    /// Who last notified.
    notified: FxHashMap<LockId, Give>,
    /// Who last unparked each thread.
    unparked: FxHashMap<ThreadId, Give>,
    /// Initialisers that ran, or are running.
    once: FxHashMap<LockId, Initialiser>,
    /// Objects that order less than was thought: their edges hold in this run only.
    loose: FxHashSet<LockId>,
}

/// Everything of a thread before a segment.
#[derive(Clone, Copy, Debug)]
struct Give {
    thread: ThreadId,
    upto: u32,
}

#[derive(Debug, Default)]
struct Channel {
    /// The only ones that send and receive so far.
    sender: Option<ThreadId>,
    receiver: Option<ThreadId>,
    /// Messages that were not received yet, by their numbers.
    sent: VecDeque<(u64, Give)>,
}

#[derive(Debug, Default)]
struct Barrier {
    arrivals: u64,
    threads: FxHashSet<ThreadId>,
    /// Who arrived in the last rounds, with the numbers of their arrivals.
    arrived: VecDeque<(u64, Give)>,
}

#[derive(Clone, Copy, Debug)]
struct Initialiser {
    thread: ThreadId,
    /// Its segments, from, up to; 0 while it runs.
    from: u32,
    upto: u32,
}

/// Most messages of a channel that are kept in mind.
const MOST_MESSAGES: usize = 1 << 16;
/// Most threads of a barrier that is followed.
const MOST_PARTIES: u64 = 64;

impl Sync {
    /// Whether edges through the object hold in this run only.
    pub(super) fn is_loose(&self, object: LockId) -> bool {
        self.loose.contains(&object)
    }

    /// Takes in an event; true when an object became loose.
    pub(super) fn event(&mut self, lives: &mut Lives, definitions: &Definitions, event: &Event) -> bool {
        let me = event.thread;
        let give = |lives: &mut Lives, sound| Give { thread: me, upto: lives.give(me, sound) };
        match event.op {
            Op::Sent { channel, count } if count > 0 => {
                let given = give(lives, !self.loose.contains(&channel));
                let of = self.channels.entry(channel).or_default();
                of.sent.push_back((count, given));
                if of.sent.len() > MOST_MESSAGES {
                    of.sent.pop_front();
                }
                let is_only = *of.sender.get_or_insert(me) == me;
                return !is_only && self.loose.insert(channel);
            }
            Op::SendFailed { channel, message } => {
                self.message(channel, message);
            }
            Op::Received { channel, message, .. } => {
                let sent = self.message(channel, message);
                if let Some(sent) = sent {
                    lives.take(me, Edge { via: Some(channel), sound: true, ..sent.edge() });
                }
                let of = self.channels.entry(channel).or_default();
                let is_only = *of.receiver.get_or_insert(me) == me;
                return !is_only && self.loose.insert(channel);
            }
            Op::BarrierArrived { barrier, .. } => {
                let Some(parties) = parties(definitions, barrier) else { return false };
                let given = give(lives, !self.loose.contains(&barrier));
                let of = self.barriers.entry(barrier).or_default();
                of.arrivals += 1;
                of.arrived.push_back((of.arrivals, given));
                of.threads.insert(me);
                // Two rounds: the next one can begin while threads have not left.
                while of.arrived.len() as u64 > 2 * parties {
                    of.arrived.pop_front();
                }
                return of.threads.len() as u64 > parties && self.loose.insert(barrier);
            }
            Op::BarrierLeft { barrier, .. } => self.left(lives, definitions, me, barrier),
            Op::Notify { condvar, .. } => {
                let given = give(lives, false);
                self.notified.insert(condvar, given);
            }
            Op::CondWake { condvar, timed_out: false, .. } => {
                if let Some(notified) = self.notified.get(&condvar) {
                    lives.take(me, Edge { via: Some(condvar), ..notified.edge() });
                }
            }
            Op::Unpark { thread } => {
                let given = give(lives, false);
                self.unparked.insert(thread, given);
            }
            Op::Unparked => {
                if let Some(unparked) = self.unparked.get(&me) {
                    lives.take(me, unparked.edge());
                }
            }
            Op::Acquired { lock, mode: Mode::Exclusive, .. } if is_once(definitions, lock) => {
                // What came before the initialiser is not its doing.
                let from = lives.begin(me);
                self.once.insert(lock, Initialiser { thread: me, from, upto: 0 });
            }
            Op::Released { lock, .. } if !self.once.is_empty() && is_once(definitions, lock) => {
                if let Some(initialiser) = self.once.get_mut(&lock).filter(|once| once.thread == me && once.upto == 0) {
                    initialiser.upto = lives.give(me, true);
                }
            }
            Op::Acquired { lock: object, mode: Mode::Shared, .. } if is_once(definitions, object) => {
                self.observed(lives, me, object);
            }
            Op::Observed { object, .. } => self.observed(lives, me, object),
            Op::Destroyed { lock } => {
                self.channels.remove(&lock);
                self.barriers.remove(&lock);
                self.notified.remove(&lock);
                self.once.remove(&lock);
            }
            _ => {}
        }
        false
    }

    fn message(&mut self, channel: LockId, number: u64) -> Option<Give> {
        let sent = &mut self.channels.get_mut(&channel)?.sent;
        // They were sent in the order of their numbers.
        let index = sent.binary_search_by_key(&number, |(message, _)| *message).ok()?;
        sent.remove(index).map(|(_, given)| given)
    }

    /// Everybody who arrived in a round did so before anybody leaves it.
    fn left(&mut self, lives: &mut Lives, definitions: &Definitions, me: ThreadId, barrier: LockId) {
        let Some(parties) = parties(definitions, barrier) else { return };
        let Some(of) = self.barriers.get(&barrier) else { return };
        let round = |number: u64| (number - 1) / parties;
        let Some(mine) =
            of.arrived.iter().rev().find(|(_, given)| given.thread == me).map(|(number, _)| round(*number))
        else {
            return;
        };
        for (_, given) in of.arrived.iter().filter(|(number, _)| round(*number) == mine) {
            lives.take(me, Edge { via: Some(barrier), sound: true, ..given.edge() });
        }
    }

    fn observed(&mut self, lives: &mut Lives, me: ThreadId, object: LockId) {
        if let Some(&Initialiser { thread, from, upto }) = self.once.get(&object).filter(|once| once.upto > 0) {
            let edge = Edge { other: thread, from, upto, via: Some(object), sound: true };
            lives.take(me, edge);
            lives.take(me, Edge { from: 0, sound: false, ..edge });
        }
    }
}

impl Give {
    /// Holds in this run.
    fn edge(&self) -> Edge {
        Edge { other: self.thread, from: 0, upto: self.upto, via: None, sound: false }
    }
}

/// Threads that the barrier is for; `None` where that is not known, or they are too many to be followed pair by pair.
fn parties(definitions: &Definitions, barrier: LockId) -> Option<u64> {
    definitions.lock(barrier)?.capacity.filter(|parties| (1..=MOST_PARTIES).contains(parties))
}

fn is_once(definitions: &Definitions, lock: LockId) -> bool {
    let kind = definitions.lock(lock).map(|lock| lock.kind);
    matches!(kind, Some(LockKind::Once | LockKind::OnceLock | LockKind::LazyLock))
}
