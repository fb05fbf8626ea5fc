//! What messages, barriers, permits, notifications and tokens order.

use std::collections::VecDeque;

use lockscope_trace::{Definitions, Event, LockId, Op, Side, ThreadId};
use rustc_hash::FxHashMap;

use super::{
    super::clock::{Clocks, Row},
    threads::Threads,
};

/// Objects that are not locks.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    channels: FxHashMap<LockId, Channel>,
    barriers: FxHashMap<LockId, Barrier>,
    semaphores: FxHashMap<LockId, Semaphore>,
    condvars: FxHashMap<LockId, Condvar>,
    /// What those did who unparked a thread, until its park ends.
    tokens: FxHashMap<ThreadId, Row>,
    /// Sends that have not ended: the channel, and the receipt that they may wait for.
    sending: FxHashMap<ThreadId, (LockId, u64)>,
}

#[derive(Clone, Debug, Default)]
struct Channel {
    bound: Option<u64>,
    /// Messages that were not received, by their counts, with the past of their senders.
    sent: VecDeque<(u64, Row)>,
    sends: u64,
    /// Receipts that sends will wait for: of a channel with a bound the past of the receiver by the number of the receipt, else by
    /// the message. None of which the sender has gone on: it may do so before the receiver says that it received.
    received: VecDeque<(u64, Row)>,
    receipts: u64,
    /// Those of senders that have not gone on, in the same numbers.
    awaited: Vec<u64>,
    /// The past of those who dropped their handles, by side.
    dropped: [Option<Row>; 2],
}

#[derive(Clone, Debug, Default)]
struct Barrier {
    round: u64,
    /// Somebody left this round already, so that who arrives is of the next one.
    is_leaving: bool,
    /// The past of all who arrived in this round and the one before.
    rows: [Option<Row>; 2],
    round_of: FxHashMap<ThreadId, u64>,
}

/// Permits in the order in which they will be taken, those alike together, with the past of who gave them.
#[derive(Clone, Debug)]
struct Semaphore(VecDeque<(u64, Option<Row>)>);

#[derive(Clone, Debug, Default)]
struct Condvar {
    waiting: u32,
    notified: Option<Row>,
}

/// Most messages, receipts or given permits of an object that are kept in mind; of older ones nobody knows who gave them.
const MOST_KEPT: usize = 1 << 16;

impl Objects {
    pub fn event(&mut self, clocks: &mut Clocks, threads: &mut Threads, event: &Event, definitions: &Definitions) {
        let me = event.thread;
        let row = threads.row(me);
        match event.op {
            Op::Sent { channel, count } => {
                let of = self.channel(definitions, channel);
                of.sends += 1;
                keep(clocks, &mut of.sent, count, row);
                threads.tick(clocks, me);
                let receipt = match of.bound {
                    Some(0) => Some(count),
                    Some(bound) => of.sends.checked_sub(bound).filter(|&receipt| receipt > 0),
                    None => None,
                };
                if let Some(receipt) = receipt {
                    of.awaited.push(receipt);
                    self.sending.insert(me, (channel, receipt));
                    threads.set_sending(me, true);
                }
            }
            Op::SendFailed { channel, message } => {
                let of = self.channel(definitions, channel);
                if let Some(row) = take(&mut of.sent, message) {
                    clocks.free(row);
                    of.sends -= 1;
                }
            }
            Op::Received { channel, message, .. } => {
                let of = self.channel(definitions, channel);
                of.receipts += 1;
                if let Some(sent) = take(&mut of.sent, message) {
                    clocks.join(row, sent);
                    clocks.free(sent);
                }
                if let Some(bound) = of.bound {
                    let receipt = if bound == 0 { message } else { of.receipts };
                    let is_for_later = bound > 0 && of.receipts.saturating_add(bound) > of.sends;
                    if is_for_later || of.awaited.contains(&receipt) {
                        keep(clocks, &mut of.received, receipt, row);
                    }
                    threads.tick(clocks, me);
                }
            }
            Op::HandleDropped { channel, side, .. } => {
                let of = self.channel(definitions, channel);
                gather(clocks, &mut of.dropped[usize::from(side == Side::Receiver)], row);
                threads.tick(clocks, me);
            }
            Op::Disconnected { channel, .. } => {
                let of = self.channel(definitions, channel);
                of.dropped.into_iter().flatten().for_each(|dropped| clocks.join(row, dropped));
            }
            Op::BarrierArrived { barrier, .. } => {
                self.barriers.entry(barrier).or_default().arrived(clocks, me, row);
                threads.tick(clocks, me);
            }
            Op::BarrierLeft { barrier, .. } => self.barriers.entry(barrier).or_default().left(clocks, me, row),
            Op::PermitsAcquired { semaphore, permits, .. } => {
                self.semaphore(definitions, semaphore).taken(clocks, row, u64::from(permits));
            }
            Op::PermitsReleased { semaphore, permits, .. } | Op::PermitsAdded { semaphore, permits, .. } => {
                let given = clocks.make_copy(row);
                let of = &mut self.semaphore(definitions, semaphore).0;
                of.push_back((u64::from(permits), Some(given)));
                if of.len() > MOST_KEPT {
                    // The oldest ones become permits that were always there.
                    for (_, given) in of.iter_mut().take(MOST_KEPT / 2) {
                        given.take().into_iter().for_each(|row| clocks.free(row));
                    }
                    let count = of.drain(..MOST_KEPT / 2).map(|(count, _)| count).fold(0, u64::saturating_add);
                    of.push_front((count, None));
                }
                threads.tick(clocks, me);
            }
            Op::CondWait { condvar, .. } => self.condvars.entry(condvar).or_default().waiting += 1,
            Op::Notify { condvar, .. } => {
                let of = self.condvars.entry(condvar).or_default();
                if of.waiting > 0 {
                    gather(clocks, &mut of.notified, row);
                    threads.tick(clocks, me);
                }
            }
            Op::CondWake { condvar, timed_out, .. } => {
                let of = self.condvars.entry(condvar).or_default();
                if let Some(notified) = of.notified.filter(|_| !timed_out) {
                    clocks.join(row, notified);
                }
                of.waiting = of.waiting.saturating_sub(1);
                if of.waiting == 0
                    && let Some(notified) = of.notified.take()
                {
                    clocks.free(notified);
                }
            }
            Op::Unpark { thread } => {
                let mut token = self.tokens.remove(&thread);
                gather(clocks, &mut token, row);
                self.tokens.extend(token.map(|token| (thread, token)));
                threads.tick(clocks, me);
            }
            Op::Unparked => {
                if let Some(token) = self.tokens.remove(&me) {
                    clocks.join(row, token);
                    clocks.free(token);
                }
            }
            Op::Destroyed { lock } => self.destroyed(clocks, lock),
            _ => {}
        }
    }

    /// The thread goes on after a send: there was room, since others received.
    pub fn sent(&mut self, clocks: &mut Clocks, threads: &mut Threads, me: ThreadId) {
        threads.set_sending(me, false);
        let Some((channel, receipt)) = self.sending.remove(&me) else { return };
        let Some(of) = self.channels.get_mut(&channel) else { return };
        // It goes on whether or not the receipt was seen that it had to wait for.
        if let Some(index) = of.awaited.iter().position(|&awaited| awaited == receipt) {
            of.awaited.swap_remove(index);
        }
        if let Some(received) = take(&mut of.received, receipt) {
            clocks.join(threads.row(me), received);
            clocks.free(received);
        }
    }

    fn channel(&mut self, definitions: &Definitions, channel: LockId) -> &mut Channel {
        self.channels.entry(channel).or_insert_with(|| Channel {
            bound: definitions.lock(channel).and_then(|def| def.capacity),
            ..Channel::default()
        })
    }

    fn semaphore(&mut self, definitions: &Definitions, semaphore: LockId) -> &mut Semaphore {
        self.semaphores.entry(semaphore).or_insert_with(|| {
            let capacity = definitions.lock(semaphore).and_then(|def| def.capacity).unwrap_or(0);
            Semaphore(VecDeque::from([(capacity, None)]))
        })
    }

    fn destroyed(&mut self, clocks: &mut Clocks, object: LockId) {
        let mut rows: Vec<Row> = Vec::new();
        if let Some(channel) = self.channels.remove(&object) {
            rows.extend(channel.sent.into_iter().chain(channel.received).map(|(_, row)| row));
            rows.extend(channel.dropped.into_iter().flatten());
        }
        if let Some(barrier) = self.barriers.remove(&object) {
            rows.extend(barrier.rows.into_iter().flatten());
        }
        if let Some(semaphore) = self.semaphores.remove(&object) {
            rows.extend(semaphore.0.into_iter().filter_map(|(_, row)| row));
        }
        if let Some(condvar) = self.condvars.remove(&object) {
            rows.extend(condvar.notified);
        }
        rows.into_iter().for_each(|row| clocks.free(row));
    }

    pub fn bytes(&self) -> u64 {
        let of_channel =
            |channel: &Channel| (channel.sent.capacity() + channel.received.capacity()) * size_of::<(u64, Row)>();
        let of_semaphore = |semaphore: &Semaphore| semaphore.0.capacity() * size_of::<(u64, Option<Row>)>();
        let contents = self.channels.values().map(of_channel).sum::<usize>()
            + self.semaphores.values().map(of_semaphore).sum::<usize>();
        let tables = self.channels.capacity() * size_of::<(LockId, Channel)>()
            + self.barriers.capacity() * size_of::<(LockId, Barrier)>()
            + self.semaphores.capacity() * size_of::<(LockId, Semaphore)>()
            + self.condvars.capacity() * size_of::<(LockId, Condvar)>();
        (contents + tables) as u64
    }
}

impl Barrier {
    fn arrived(&mut self, clocks: &mut Clocks, me: ThreadId, row: Row) {
        if self.is_leaving {
            self.is_leaving = false;
            self.round += 1;
            if let Some(old) = self.rows[(self.round % 2) as usize].take() {
                clocks.free(old);
            }
        }
        self.round_of.insert(me, self.round);
        gather(clocks, &mut self.rows[(self.round % 2) as usize], row);
    }

    fn left(&mut self, clocks: &mut Clocks, me: ThreadId, row: Row) {
        let Some(&mine) = self.round_of.get(&me) else { return };
        self.is_leaving |= mine == self.round;
        // All arrived before the first one left, and it is among them, so the round before is the oldest that somebody may leave.
        if self.round - mine < 2
            && let Some(arrived) = self.rows[(mine % 2) as usize]
        {
            clocks.join(row, arrived);
        }
    }
}

impl Semaphore {
    /// So many permits are taken, the oldest first.
    fn taken(&mut self, clocks: &mut Clocks, row: Row, mut permits: u64) {
        while permits > 0 {
            let Some((count, given)) = self.0.front_mut() else { return };
            if let Some(given) = *given {
                clocks.join(row, given);
            }
            let used = permits.min(*count);
            permits -= used;
            *count -= used;
            if *count == 0
                && let Some((_, Some(given))) = self.0.pop_front()
            {
                clocks.free(given);
            }
        }
    }
}

/// Among so many of the first nothing is missed, in whatever order they are.
const MOST_LATE: usize = 64;

/// Notes the past of a row under a number.
fn keep(clocks: &mut Clocks, kept: &mut VecDeque<(u64, Row)>, number: u64, row: Row) {
    let copy = clocks.make_copy(row);
    kept.push_back((number, copy));
    if kept.len() > MOST_KEPT
        && let Some((_, oldest)) = kept.pop_front()
    {
        clocks.free(oldest);
    }
}

/// Takes out what was kept under a number: mostly one of the first. Numbers ascend, but for a few that were noted late.
fn take(kept: &mut VecDeque<(u64, Row)>, number: u64) -> Option<Row> {
    let first = kept.iter().take(MOST_LATE).position(|(of, _)| *of == number);
    let index = first.or_else(|| kept.binary_search_by_key(&number, |(of, _)| *of).ok())?;
    kept.remove(index).map(|(_, row)| row)
}

/// Adds the past of a row to what is gathered.
fn gather(clocks: &mut Clocks, gathered: &mut Option<Row>, row: Row) {
    match *gathered {
        Some(gathered) => clocks.join(gathered, row),
        None => *gathered = Some(clocks.make_copy(row)),
    }
}

#[cfg(test)]
mod tests {
    use lockscope_trace::{LockKind, Nanos};

    use super::*;

    /// Feeds so many messages from one thread to another, of which the sender goes on before or after the receiver says that it has them,
    /// and checks how many receipts are kept in the end.
    fn check(bound: u64, goes_on_first: bool, expected: usize) {
        let mut definitions = Definitions::default();
        let channel = definitions.add_lock(LockKind::Channel, None, "u8".into(), None, None);
        definitions.locks[channel.0 as usize].capacity = Some(bound);
        let (mut clocks, mut threads, mut objects) = (Clocks::default(), Threads::default(), Objects::default());
        for count in 1..=100 {
            let [sender, receiver] = [0, 1].map(ThreadId);
            let mut event = |thread, op| {
                threads.enter(&mut clocks, thread);
                let event = Event { thread, time: Nanos(0), site: None, stack: None, op };
                objects.event(&mut clocks, &mut threads, &event, &definitions);
                if op == Op::Awake && threads.enter(&mut clocks, thread).is_sending {
                    objects.sent(&mut clocks, &mut threads, thread);
                }
            };
            let received = Op::Received { channel, message: count, count };
            let ops = [(receiver, received), (sender, Op::Awake)];
            event(sender, Op::Sent { channel, count });
            let [first, second] = if goes_on_first { [ops[1], ops[0]] } else { ops };
            event(first.0, first.1);
            event(second.0, second.1);
        }
        let of = &objects.channels[&channel];
        assert_eq!((of.received.len(), of.awaited.len()), (expected, 0), "bound {bound}, {goes_on_first}");
    }

    #[test]
    fn receipts_are_kept_for_who_may_wait_for_them() {
        check(0, false, 0);
        check(0, true, 0);
        check(3, false, 3);
        check(3, true, 3);
        check(1000, true, 100);
    }
}
