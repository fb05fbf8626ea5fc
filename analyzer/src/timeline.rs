//! The events of a trace in memory, and the state at each of them.
//!
//! A position is the number of events before it: position 0 is the start, position n is after the n-th event. Seeking
//! clones the nearest earlier checkpoint and replays the events since.

use std::ops::Range;

use lockscope_trace::{Event, LockId, Nanos, Op, ThreadId};

use crate::state::State;

/// Events per block. A block never moves once it is full, so a growing timeline copies nothing twice.
const BLOCK: usize = 1 << 14;

/// Events kept in their merged order, with checkpoints of the state.
#[derive(Debug, Default)]
pub struct Timeline {
    blocks: Vec<Block>,
    latest: State,
    checkpoints: Checkpoints,
}

#[derive(Debug)]
struct Block {
    events: Vec<Event>,
    /// Highest time in this and all earlier blocks.
    latest: Nanos,
    /// Which threads and locks occur here, by id modulo the number of bits: stepping skips blocks without them.
    threads: Bits,
    locks: Bits,
}

#[derive(Debug, Default, Clone, Copy)]
struct Bits([u64; 8]);

impl Bits {
    fn insert(&mut self, id: u32) {
        self.0[(id as usize >> 6) & 7] |= 1 << (id & 63);
    }

    fn may_contain(&self, id: u32) -> bool {
        self.0[(id as usize >> 6) & 7] & (1 << (id & 63)) != 0
    }
}

impl Timeline {
    /// Appends the next event.
    pub fn push(&mut self, event: Event) {
        if self.blocks.last().is_none_or(|block| block.events.len() == BLOCK) {
            // Only the first block starts small, for the many traces that are.
            let capacity = if self.blocks.is_empty() { 64 } else { BLOCK };
            self.blocks.push(Block {
                events: Vec::with_capacity(capacity),
                latest: self.latest.time,
                threads: Bits::default(),
                locks: Bits::default(),
            });
        }
        self.latest.apply(&event);
        let block = self.blocks.last_mut().expect("pushed above when there was none");
        block.latest = self.latest.time;
        block.threads.insert(event.thread.0);
        if let Some(child) = other_thread(&event.op) {
            block.threads.insert(child.0);
        }
        if let Some(lock) = event.op.lock() {
            block.locks.insert(lock.0);
        }
        if let Some(mutex) = mutex_of_wait(&event.op) {
            block.locks.insert(mutex.0);
        }
        block.events.push(event);
        self.checkpoints.offer(&self.latest);
    }

    /// Appends events.
    pub fn extend(&mut self, events: &[Event]) {
        for &event in events {
            self.push(event);
        }
    }

    /// How many events there are; also the last position.
    pub fn len(&self) -> u64 {
        self.latest.position
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The event number `position`, from 1.
    pub fn event(&self, position: u64) -> Option<&Event> {
        let index = usize::try_from(position.checked_sub(1)?).ok()?;
        self.blocks.get(index / BLOCK)?.events.get(index % BLOCK)
    }

    /// The events numbered `positions` (from 1), each with its number; numbers past the end are left out.
    pub fn events(&self, positions: Range<u64>) -> impl DoubleEndedIterator<Item = (u64, &Event)> {
        let range = positions.start.max(1)..positions.end.min(self.len() + 1);
        range.map(|position| (position, self.event(position).expect("clamped to the events there are")))
    }

    /// The state after the last event.
    pub fn latest(&self) -> &State {
        &self.latest
    }

    /// The state after the first `position` events; the latest one for positions past the end.
    pub fn state_at(&self, position: u64) -> State {
        if position >= self.len() {
            return self.latest.clone();
        }
        let mut state = self.checkpoints.before(position).cloned().unwrap_or_default();
        for (_, event) in self.events(state.position + 1..position + 1) {
            state.apply(event);
        }
        state
    }

    /// The position at `time`: after all events up to the first that is later.
    ///
    /// Where clocks run backwards, a time counts as reached when any earlier event has reached it, so that the answer
    /// never decreases with time.
    pub fn position_at(&self, time: Nanos) -> u64 {
        let block = self.blocks.partition_point(|block| block.latest <= time);
        let start = block * BLOCK;
        let inside = self
            .blocks
            .get(block)
            .map_or(0, |block| block.events.iter().position(|event| event.time > time).unwrap_or(block.events.len()));
        (start + inside).min(self.len() as usize) as u64
    }

    /// The time at a position: the latest of the events up to it.
    pub fn time_at(&self, position: u64) -> Nanos {
        let Some(last) = position.min(self.len()).checked_sub(1) else { return Nanos::default() };
        let (block, inside) = (last as usize / BLOCK, last as usize % BLOCK);
        let before = block.checked_sub(1).map_or(Nanos::default(), |previous| self.blocks[previous].latest);
        self.blocks[block].events[..=inside].iter().map(|event| event.time).fold(before, Nanos::max)
    }

    /// Number of the first event after `position` in which the thread takes part: its own, and its spawn and join.
    pub fn next_of_thread(&self, thread: ThreadId, position: u64) -> Option<u64> {
        self.next(position, |block| block.threads.may_contain(thread.0), |event| concerns_thread(event, thread))
    }

    /// Number of the last event before event `position` in which the thread takes part.
    pub fn previous_of_thread(&self, thread: ThreadId, position: u64) -> Option<u64> {
        self.previous(position, |block| block.threads.may_contain(thread.0), |event| concerns_thread(event, thread))
    }

    /// Number of the first event after `position` about the lock.
    pub fn next_of_lock(&self, lock: LockId, position: u64) -> Option<u64> {
        self.next(position, |block| block.locks.may_contain(lock.0), |event| concerns_lock(event, lock))
    }

    /// Number of the last event before event `position` about the lock.
    pub fn previous_of_lock(&self, lock: LockId, position: u64) -> Option<u64> {
        self.previous(position, |block| block.locks.may_contain(lock.0), |event| concerns_lock(event, lock))
    }

    fn next(&self, position: u64, block: impl Fn(&Block) -> bool, event: impl Fn(&Event) -> bool) -> Option<u64> {
        // Index of the event numbered `position + 1`.
        let start = usize::try_from(position).ok()?;
        let first = start / BLOCK;
        for (offset, candidate) in self.blocks.get(first..)?.iter().enumerate() {
            let skip = if offset == 0 { start % BLOCK } else { 0 };
            if block(candidate)
                && let Some(found) = candidate.events.iter().skip(skip).position(&event)
            {
                return Some(((first + offset) * BLOCK + skip + found) as u64 + 1);
            }
        }
        None
    }

    fn previous(&self, position: u64, block: impl Fn(&Block) -> bool, event: impl Fn(&Event) -> bool) -> Option<u64> {
        // Number of events before the one numbered `position`.
        let end = usize::try_from(position.min(self.len() + 1).checked_sub(1)?).ok()?;
        for index in (0..self.blocks.len().min(end.div_ceil(BLOCK))).rev() {
            let candidate = &self.blocks[index];
            let upto = (end - index * BLOCK).min(candidate.events.len());
            if block(candidate)
                && let Some(found) = candidate.events[..upto].iter().rposition(&event)
            {
                return Some((index * BLOCK + found) as u64 + 1);
            }
        }
        None
    }
}

fn concerns_thread(event: &Event, thread: ThreadId) -> bool {
    event.thread == thread || other_thread(&event.op) == Some(thread)
}

fn concerns_lock(event: &Event, lock: LockId) -> bool {
    event.op.lock() == Some(lock) || mutex_of_wait(&event.op) == Some(lock)
}

fn other_thread(op: &Op) -> Option<ThreadId> {
    match *op {
        Op::Spawn { child } | Op::JoinWait { child } | Op::Joined { child } => Some(child),
        Op::Unpark { thread } => Some(thread),
        Op::Released { owner, .. }
        | Op::PermitsReleased { owner, .. }
        | Op::PermitsForgotten { owner, .. }
        | Op::HandleDropped { owner, .. } => Some(owner),
        _ => None,
    }
}

fn mutex_of_wait(op: &Op) -> Option<LockId> {
    match *op {
        Op::CondWait { mutex, .. } | Op::CondWake { mutex, .. } => Some(mutex),
        _ => None,
    }
}

/// States at intervals. The interval grows with the size of a state, and doubles (dropping every other checkpoint)
/// when all together pass a limit: memory is bounded, and the cost of a seek is the interval's replay.
#[derive(Debug)]
struct Checkpoints {
    states: Vec<State>,
    interval: u64,
    weight: usize,
}

/// Replaying so many events takes a few hundred microseconds.
const SHORTEST_INTERVAL: u64 = 1 << 14;

/// Bytes of all checkpoints together, roughly.
const MOST_WEIGHT: usize = 128 << 20;

impl Default for Checkpoints {
    fn default() -> Self {
        Checkpoints { states: Vec::new(), interval: SHORTEST_INTERVAL, weight: 0 }
    }
}

impl Checkpoints {
    fn offer(&mut self, state: &State) {
        let last = self.states.last().map_or(0, |state| state.position);
        // Copying a state must not cost more than applying the events since the last copy.
        let size = (state.threads.len() + state.locks.len()) as u64;
        if state.position - last < self.interval.max(4 * size) {
            return;
        }
        self.weight += weight(state);
        self.states.push(state.clone());
        while self.weight > MOST_WEIGHT && self.states.len() > 1 {
            let mut index = 0;
            self.states.retain(|_| {
                index += 1;
                index % 2 == 0
            });
            self.interval *= 2;
            self.weight = self.states.iter().map(weight).sum();
        }
    }

    fn before(&self, position: u64) -> Option<&State> {
        let index = self.states.partition_point(|state| state.position <= position);
        self.states.get(index.checked_sub(1)?)
    }
}

fn weight(state: &State) -> usize {
    // Lists inside count as one small allocation each.
    const LIST: usize = 64;
    size_of_val(&*state.threads) + size_of_val(&*state.locks) + LIST * (state.threads.len() + state.locks.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::parse;

    /// Everything that can be told from outside about a state.
    fn shown(state: &State) -> String {
        format!("{state:?}")
    }

    fn long_trace(rounds: u32) -> Vec<Event> {
        let round = "A: lock a, wait b; B: lock b, unlock b; A: lock b; C: read r; A: unlock b, unlock a; C: unlock r;";
        let (events, _) = parse(round);
        let mut all = Vec::new();
        for n in 0..rounds {
            all.extend(events.iter().map(|event| Event { time: Nanos(u64::from(n) * 100 + event.time.0), ..*event }));
        }
        all
    }

    #[test]
    fn seeking_equals_replaying() {
        let events = long_trace(6000);
        let mut timeline = Timeline::default();
        timeline.extend(&events);
        assert!(timeline.checkpoints.states.len() > 2, "the trace is long enough to have checkpoints");
        let mut state = State::default();
        for (index, event) in events.iter().enumerate() {
            if index % 5003 == 0 || index > events.len() - 3 {
                assert_eq!(shown(&timeline.state_at(index as u64)), shown(&state), "at {index}");
            }
            state.apply(event);
        }
        assert_eq!(shown(&timeline.state_at(u64::MAX)), shown(&state));
        assert_eq!(shown(timeline.latest()), shown(&state));
    }

    #[test]
    fn checkpoints_are_thinned_out() {
        let mut checkpoints = Checkpoints::default();
        let mut state = State::default();
        // Half a megabyte each.
        state.threads.resize_with(3000, Default::default);
        for n in 1..2000 {
            state.position = n * SHORTEST_INTERVAL;
            checkpoints.offer(&state);
        }
        assert!(checkpoints.weight <= MOST_WEIGHT);
        assert!(checkpoints.interval > SHORTEST_INTERVAL);
        let positions: Vec<u64> = checkpoints.states.iter().map(|state| state.position).collect();
        assert!(positions.windows(2).all(|pair| pair[1] - pair[0] <= 2 * checkpoints.interval), "evenly spread");
        let last = checkpoints.before(u64::MAX).expect("there are some").position;
        assert!(state.position - last <= 2 * checkpoints.interval);
    }

    #[test]
    fn positions_of_times() {
        let mut timeline = Timeline::default();
        // The third event's clock is behind.
        for time in [10, 20, 15, 30, 30, 40] {
            let (mut events, _) = parse("A: start");
            events[0].time = Nanos(time);
            timeline.extend(&events);
        }
        let check = |time, position| assert_eq!(timeline.position_at(Nanos(time)), position, "at {time}");
        check(0, 0);
        check(9, 0);
        check(10, 1);
        check(19, 1);
        check(20, 3);
        check(29, 3);
        check(30, 5);
        check(40, 6);
        check(u64::MAX, 6);
        assert_eq!([0, 1, 2, 3, 4, 6, 9].map(|position| timeline.time_at(position).0), [0, 10, 20, 20, 30, 40, 40]);
        assert_eq!(Timeline::default().position_at(Nanos(5)), 0);
    }

    #[test]
    fn stepping_over_threads_and_locks() {
        let events = long_trace(4000);
        let mut timeline = Timeline::default();
        timeline.extend(&events);
        let (b, a) = (ThreadId(1), LockId(0));
        let of_b: Vec<u64> = (1..).zip(&events).filter(|(_, event)| event.thread == b).map(|(n, _)| n).collect();
        let of_a: Vec<u64> =
            (1..).zip(&events).filter(|(_, event)| event.op.lock() == Some(a)).map(|(n, _)| n).collect();
        for (wanted, next, previous) in [
            (
                &of_b,
                &(|p| timeline.next_of_thread(b, p)) as &dyn Fn(u64) -> Option<u64>,
                &(|p| timeline.previous_of_thread(b, p)) as &dyn Fn(u64) -> Option<u64>,
            ),
            (&of_a, &|p| timeline.next_of_lock(a, p), &|p| timeline.previous_of_lock(a, p)),
        ] {
            let forward: Vec<u64> = std::iter::successors(next(0), |&p| next(p)).collect();
            assert_eq!(forward, *wanted);
            let mut backward: Vec<u64> = std::iter::successors(previous(u64::MAX), |&p| previous(p)).collect();
            backward.reverse();
            assert_eq!(backward, *wanted);
        }
        assert_eq!(timeline.next_of_thread(ThreadId(700), 0), None);
        assert_eq!(timeline.previous_of_lock(LockId(700), 9), None);
    }

    #[test]
    fn spawns_and_joins_concern_both_threads() {
        let (events, _) = parse("A: spawn B; B: start, exit; A: join B");
        let mut timeline = Timeline::default();
        timeline.extend(&events);
        let steps: Vec<u64> = std::iter::successors(timeline.next_of_thread(ThreadId(1), 0), |&p| {
            timeline.next_of_thread(ThreadId(1), p)
        })
        .collect();
        assert_eq!(steps, [1, 2, 3, 4]);
    }
}
