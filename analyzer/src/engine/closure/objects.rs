//! What else a reordering keeps: messages, notifications, permits, rounds, initialisers, tokens, values of atomics.
//!
//! Locks may be taken in any order that their critical sections allow; of everything else a reordering keeps at least what it takes
//! for the same calls to have the same results:
//!
//! | what | depends on |
//! | --- | --- |
//! | a receipt | its message's sending, and the receipt before it |
//! | what follows a sending into a bounded channel | the receipt that made room |
//! | a wake-up, and the lock taken back for it | the notifications since the wait began, each on those before it |
//! | the end of a barrier's round | all arrivals so far |
//! | an operation on a semaphore | the one before it |
//! | whoever finds a value initialised | the end of its initialiser |
//! | the end of `park` | the thread's tokens so far |
//! | an atomic load or update | the modification that it read |
//! | a failed try, a time limit that ran out | the acquisition of whoever holds the lock |
//!
//! Some of that is more than necessary: what it costs is predictions, not their truth.

use std::collections::VecDeque;

use lockscope_trace::{Definitions, Event, LockId, LockKind, Mode, Op, ThreadId, VarId};
use rustc_hash::FxHashMap;

use super::{
    super::clock::tree::Tree,
    history::{History, Point, Source},
};

/// The state of everything that is not a lock and not plain memory.
#[derive(Debug, Default)]
pub(super) struct Objects {
    channels: FxHashMap<LockId, Channel>,
    /// The last notification of a condition variable, and how many there were.
    notified: FxHashMap<LockId, (Source, u64)>,
    /// The last arrival at a barrier, operation on a semaphore, end of an initialiser.
    last: FxHashMap<LockId, Source>,
    /// The last token given to a thread since it last took one.
    tokens: FxHashMap<ThreadId, Source>,
    /// The last token given to a thread ever.
    unparked: FxHashMap<ThreadId, Source>,
    atomics: FxHashMap<VarId, Modifications>,
    /// By lock: whether it is initialised once; filled as asked.
    once: Vec<Option<bool>>,
    /// Messages, receipts and modifications that are kept.
    n_kept: usize,
}

#[derive(Debug, Default)]
struct Channel {
    n_sent: u64,
    n_received: u64,
    last_sent: Option<Source>,
    last_dropped: Option<Source>,
    /// Messages that were not received, by their numbers.
    sent: VecDeque<(u64, Source)>,
    /// The last receipts: as many as senders may wait for.
    received: VecDeque<Source>,
}

/// The last modifications of an atomic variable, ascending by number.
#[derive(Debug, Default)]
struct Modifications {
    kept: VecDeque<(u64, Source)>,
    /// There were earlier ones.
    more: bool,
}

/// Most messages and receipts of a channel that are kept apart.
const MOST_MESSAGES: usize = 1 << 12;
/// Most receipts of a channel that are kept beyond its bound, for senders that go on late.
const MOST_LATE: u64 = 64;
/// Most modifications of an atomic variable that are kept apart.
const MOST_MODIFICATIONS: usize = 16;

impl History {
    /// Everything but locks, plain memory, forks and joins.
    pub(super) fn object(&mut self, event: &Event, definitions: &Definitions) {
        let me = event.thread.0;
        match event.op {
            Op::Sent { channel, count } => {
                let source = self.here(me);
                let capacity = definitions.lock(channel).and_then(|channel| channel.capacity);
                let Objects { channels, n_kept, .. } = self.objects();
                let of = channels.entry(channel).or_default();
                of.n_sent += 1;
                of.last_sent = Some(source);
                of.sent.push_back((count, source));
                *n_kept += 1;
                if of.sent.len() > MOST_MESSAGES {
                    of.sent.pop_front();
                    *n_kept -= 1;
                }
                // A rendezvous takes a receipt of the message itself.
                if let Some(receipt) = capacity.and_then(|capacity| of.n_sent.checked_sub(capacity))
                    && receipt > 0
                {
                    self.threads[me as usize].sending = Some((channel, receipt));
                }
            }
            Op::SendFailed { channel, message } => {
                self.threads[me as usize].sending = None;
                let Objects { channels, n_kept, .. } = self.objects();
                if let Some(of) = channels.get_mut(&channel) {
                    of.n_sent = of.n_sent.saturating_sub(1);
                    let failed = find(&of.sent, message).and_then(|index| of.sent.remove(index));
                    *n_kept -= usize::from(failed.is_some());
                    if let Some(received) = of.received.back().copied() {
                        self.edge(me, &received);
                    }
                }
            }
            Op::Received { channel, message, .. } => self.received(me, channel, message, definitions),
            Op::HandleDropped { channel, .. } => {
                let before = self.objects().channels.entry(channel).or_default().last_dropped.take();
                if let Some(before) = before {
                    self.edge(me, &before);
                }
                let source = self.here(me);
                self.objects().channels.entry(channel).or_default().last_dropped = Some(source);
            }
            Op::Disconnected { channel, .. } => {
                if let Some(dropped) = self.objects().channels.get(&channel).and_then(|of| of.last_dropped) {
                    self.edge(me, &dropped);
                }
            }
            Op::CondWait { condvar, .. } => {
                let before = self.objects().notifications(condvar);
                self.threads[me as usize].waiting = Some((condvar, before));
            }
            Op::CondWake { timed_out, .. } => {
                if !timed_out {
                    self.woken(me);
                }
                self.threads[me as usize].waiting = None;
            }
            Op::Notify { condvar, .. } => {
                let before = self.objects().notified.remove(&condvar);
                if let Some((before, _)) = &before {
                    self.edge(me, before);
                }
                let count = before.map_or(0, |(_, count)| count) + 1;
                let source = self.here(me);
                self.objects().notified.insert(condvar, (source, count));
            }
            Op::BarrierArrived { barrier: object, .. }
            | Op::PermitsAcquired { semaphore: object, .. }
            | Op::PermitsReleased { semaphore: object, .. }
            | Op::PermitsAdded { semaphore: object, .. }
            | Op::PermitsForgotten { semaphore: object, .. } => {
                self.after_last(me, object);
                let source = self.here(me);
                self.objects().last.insert(object, source);
            }
            Op::BarrierLeft { barrier: object, .. } | Op::Observed { object, .. } => self.after_last(me, object),
            Op::Unpark { thread } => {
                if let Some(before) = self.objects().unparked.get(&thread).copied() {
                    self.edge(me, &before);
                }
                let source = self.here(me);
                self.objects().unparked.insert(thread, source);
                self.objects().tokens.insert(thread, source);
            }
            Op::Unparked => {
                if let Some(token) = self.objects().tokens.remove(&event.thread) {
                    self.edge(me, &token);
                }
            }
            Op::AtomicLoad { var, read, .. } => self.read_from(me, var, read),
            Op::AtomicStore { var, number, .. } => self.modified(me, var, number),
            Op::AtomicUpdate { var, number, .. } => {
                self.read_from(me, var, number.saturating_sub(1));
                self.modified(me, var, number);
            }
            Op::TryFailed { lock, mode } | Op::TimedOut { lock, mode } => self.refused(me, lock, mode),
            Op::Destroyed { lock } => {
                let objects = self.objects();
                if let Some(of) = objects.channels.remove(&lock) {
                    objects.n_kept -= of.sent.len() + of.received.len();
                }
                objects.notified.remove(&lock);
                objects.last.remove(&lock);
            }
            _ => {}
        }
    }

    fn after_last(&mut self, me: u32, object: LockId) {
        if let Some(last) = self.objects().last.get(&object).copied() {
            self.edge(me, &last);
        }
    }

    fn received(&mut self, me: u32, channel: LockId, message: u64, definitions: &Definitions) {
        let Objects { channels, n_kept, .. } = self.objects();
        let of = channels.entry(channel).or_default();
        of.n_received += 1;
        let known = if message == 0 { None } else { find(&of.sent, message) };
        let sent = known.and_then(|index| of.sent.remove(index)).map(|(_, source)| source);
        *n_kept -= usize::from(sent.is_some());
        // One of those so far.
        let sent = sent.or(of.last_sent);
        let before = of.received.back().copied();
        for source in sent.into_iter().chain(before) {
            self.edge(me, &source);
        }
        let source = self.here(me);
        let capacity = definitions.lock(channel).and_then(|channel| channel.capacity);
        // Without a bound nobody waits for them; the last one is before the next.
        let most = capacity.map_or(1, |capacity| capacity.saturating_add(MOST_LATE).min(MOST_MESSAGES as u64) as usize);
        let Objects { channels, n_kept, .. } = self.objects();
        let of = channels.entry(channel).or_default();
        of.received.push_back(source);
        *n_kept += 1;
        if of.received.len() > most {
            of.received.pop_front();
            *n_kept -= 1;
        }
    }

    /// The first event after a message was sent to where there may have been no room.
    pub(super) fn sent(&mut self, me: u32) {
        let thread = &mut self.threads[me as usize];
        let at = thread.len;
        let Some((channel, receipt)) = thread.sending.take() else { return };
        let room = self.objects().channels.get(&channel).and_then(|of| {
            let back = of.n_received.checked_sub(receipt)? as usize;
            // A later one where that one is not kept any more.
            of.received.get(of.received.len().saturating_sub(back + 1)).copied()
        });
        match room {
            Some(room) => self.edge(me, &room),
            // Whoever made room said so later: what it depends on is not known here.
            None => _ = self.threads[me as usize].doubtful_from.get_or_insert(at),
        }
    }

    /// The lock is taken back, or the wait has ended, because somebody notified.
    pub(super) fn woken(&mut self, me: u32) {
        let Some((condvar, before)) = self.threads[me as usize].waiting else { return };
        let notified = self.objects().notified.get(&condvar).filter(|(_, count)| *count > before);
        if let Some(&(source, _)) = notified {
            self.edge(me, &source);
        }
    }

    /// Found initialised what another thread had initialised.
    pub(super) fn observed(&mut self, me: u32, object: LockId) {
        self.after_last(me, object);
    }

    fn read_from(&mut self, me: u32, var: VarId, number: u64) {
        let Some(of) = self.objects().atomics.get(&var) else { return };
        let after = of.kept.partition_point(|&(kept, _)| kept <= number);
        let source = match after.checked_sub(1) {
            Some(index) => of.kept.get(index),
            // An earlier one is implied by none that is kept; the first of those comes after it.
            None if of.more => of.kept.front(),
            None => None,
        };
        if let Some(&(_, source)) = source {
            self.edge(me, &source);
        }
    }

    fn modified(&mut self, me: u32, var: VarId, number: u64) {
        let source = self.here(me);
        let Objects { atomics, n_kept, .. } = self.objects();
        let of = atomics.entry(var).or_default();
        let index = of.kept.partition_point(|&(kept, _)| kept < number);
        of.kept.insert(index, (number, source));
        *n_kept += 1;
        if of.kept.len() > MOST_MODIFICATIONS {
            of.kept.pop_front();
            of.more = true;
            *n_kept -= 1;
        }
    }

    /// The lock was not to be had, because others had it.
    fn refused(&mut self, me: u32, lock: LockId, mode: Mode) {
        let in_the_way = |thread: &super::history::Thread| {
            let hold = thread.held.iter().find(|hold| hold.lock == lock && !hold.mode.compatible(mode))?;
            Some(self.sections.begin(hold.section))
        };
        let holders: Vec<Point> =
            self.threads.iter().filter_map(in_the_way).filter(|point| point.thread != me).collect();
        for holder in holders {
            let source = self.source_at(holder);
            self.edge(me, &source);
        }
    }
}

/// Where a message is: mostly among the first or the last. Numbers ascend, but for a few that were noted late.
fn find(sent: &VecDeque<(u64, Source)>, message: u64) -> Option<usize> {
    let first = sent.iter().take(MOST_LATE as usize).position(|&(number, _)| number == message);
    first.or_else(|| sent.binary_search_by_key(&message, |&(number, _)| number).ok())
}

impl Objects {
    /// How often the condition variable was notified so far.
    pub(super) fn notifications(&self, condvar: LockId) -> u64 {
        self.notified.get(&condvar).map_or(0, |(_, count)| *count)
    }

    pub(super) fn is_once(&mut self, lock: LockId, definitions: &Definitions) -> bool {
        let index = lock.0 as usize;
        if index >= self.once.len() {
            self.once.resize(index + 1, None);
        }
        *self.once[index].get_or_insert_with(|| {
            let kind = definitions.lock(lock).map(|lock| lock.kind);
            matches!(kind, Some(LockKind::Once | LockKind::OnceLock | LockKind::LazyLock))
        })
    }

    /// An initialiser ended.
    pub(super) fn initialised(&mut self, object: LockId, source: Source) {
        self.last.insert(object, source);
    }

    /// The clocks of all that is kept.
    pub(super) fn clocks(&self) -> impl Iterator<Item = Tree> {
        let channels = self.channels.values().flat_map(|of| {
            let messages = of.sent.iter().map(|(_, source)| source);
            messages.chain(&of.received).chain(&of.last_sent).chain(&of.last_dropped)
        });
        let notified = self.notified.values().map(|(source, _)| source);
        let single = self.last.values().chain(self.tokens.values()).chain(self.unparked.values());
        let modified = self.atomics.values().flat_map(|of| of.kept.iter().map(|(_, source)| source));
        channels.chain(notified).chain(single).chain(modified).map(|source| source.clock)
    }

    /// Bytes that are held, but for clocks.
    pub(super) fn bytes(&self) -> usize {
        // Queues grow to powers of two.
        let kept = self.n_kept * 3 / 2 * size_of::<(u64, Source)>();
        let single =
            self.last.capacity() + self.notified.capacity() + self.tokens.capacity() + self.unparked.capacity();
        kept + self.once.capacity()
            + single * size_of::<(u64, Source, u64)>()
            + self.channels.capacity() * size_of::<(LockId, Channel)>()
            + self.atomics.capacity() * size_of::<(VarId, Modifications)>()
    }
}
